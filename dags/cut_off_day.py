"""Attach and publish what there is at the cut-off, without the agencies that have not closed the business date.

Nine in the morning is after every agency's hour; one that is still asked again by then joins when it closes.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task

from dags.assets import ATTACHED, DUE, DUE_ALIAS
from dags.business_date import KEY_FORMAT, TIMEZONE, business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


@dag(
    schedule=CronPartitionTimetable("0 9 * * *", timezone=TIMEZONE, key_format=KEY_FORMAT),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS,
    deadline=deadline("cut_off_day", timedelta(minutes=30)),
    tags=["attach"],
    doc_md=__doc__,
)
def cut_off_day() -> None:
    """Define the DAG."""

    @task(inlets=[ATTACHED], outlets=[DUE_ALIAS])
    def cut_off() -> None:
        context = get_current_context()
        if not context["asset_state_store"][ATTACHED].get(business_date(context).isoformat()):
            context["outlet_events"][DUE_ALIAS].add(DUE)

    cut_off()


cut_off_day()
