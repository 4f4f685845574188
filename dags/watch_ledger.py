"""Look at the ledger every quarter of an hour: deliveries that wait for approval, sources that are silent.

Each open hold gets one run of `approve_held_batches`. Each source without a complete pull for longer than its
descriptor's `freshness_hours` raises an alarm every time, until it speaks: `ALARM source silent: ...` says since when,
why and whom to ask. This catches what no deadline of a run can: a collection that never ran, or that fails every day.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task
from airflow.sdk.timezone import utcnow

from dags.alarms import source_silent
from dags.approvals import hold_key
from dags.assets import HELD
from dags.business_date import TIMEZONE
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS,
    deadline=deadline("watch_ledger", timedelta(minutes=30)),
    tags=["watch"],
    doc_md=__doc__,
)
def watch_ledger() -> None:
    """Define the DAG."""

    @task(outlets=[HELD])
    def ask_for_approvals() -> list[int]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        context = get_current_context()
        asked = context["asset_state_store"][HELD]
        new = [hold_id for hold_id in steps.open_holds() if not asked.get(str(hold_id))]
        if new:
            context["outlet_events"][HELD].add_partitions([hold_key(hold_id) for hold_id in new])
        return new

    @task
    def report_silence() -> int:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        silent = steps.silent_sources(utcnow())
        for source, text in silent.items():
            source_silent(source, text)
        return len(silent)

    ask_for_approvals()
    report_silence()


watch_ledger()
