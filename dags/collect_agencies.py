"""Collect the deliveries of one agency for one business date.

Pulls every stream of the agency from where the last complete pull stopped, into the raw archive, and checks the rows.
A run that was cut off goes on where it stopped. A refusal (401, 403, 404) fails at once; an agency that is out of
reach is asked again. Whatever happens, the last task closes the agency's part of the day, so that the other agencies'
records are attached and published without it.

**To repair a failed run**, clear it: it goes on where it stopped, and the date is attached and published again.

**To fill a past range**, `airflow backfill create --dag-id collect__ID --from-date FIRST --to-date DAY_AFTER_LAST`: one
run per day, partition key `ID|DAY`, oldest first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, get_parsing_context, task
from airflow.sdk.timezone import utcnow

from connectors.descriptor import DescriptorError, agency_ids, load_agency
from dags.assets import close_part, collection_closed
from dags.business_date import TIMEZONE, agency_key_format, business_date
from dags.deadlines import deadline
from dags.duty import AGENCY_RETRIES, AGENCY_RETRY_POLICY, DEFAULT_ARGS
from dags.endpoints import agency_endpoint


def schedule_of(agency: str) -> str:
    """Return the cron line of an agency's descriptor. Raises ``DescriptorError`` when its streams disagree."""
    schedules = sorted({stream.schedule for stream in load_agency(agency).streams})
    if len(schedules) > 1:
        msg = f"{agency}.yaml: one run collects all streams, but they are scheduled at {' and '.join(schedules)}"
        raise DescriptorError(msg)
    return schedules[0]


def documentation(agency: str) -> str:
    """Say for the people of the office whose DAG this is: names, streams, limits and contacts of the descriptor."""
    facts = load_agency(agency)
    lines = [f"### {facts.names[0].name} (`{agency}`)", ""]
    lines += [f"- {name.name}, {name.from_ or '…'} to {name.to or '…'}" for name in facts.names[1:]]
    if facts.default_hold:
        lines.append(f"- every delivery is held until two people approve it: {facts.default_hold}")
    lines += [f"- {contact.role}: {contact.email}" for contact in facts.contacts]
    lines += ["", "| stream | transport | rows a day | stale after |", "|---|---|---|---|"]
    lines += [
        f"| {stream.id} | {stream.transport.type} | {stream.daily_rows.least}-{stream.daily_rows.most} "
        f"| {stream.freshness_hours} h |"
        for stream in facts.streams
    ]
    return "\n".join([*lines, "", __doc__ or ""])


def collect_dag(agency: str) -> None:
    """Define the DAG of one agency."""
    dag_id = f"collect__{agency}"

    @dag(
        dag_id=dag_id,
        schedule=CronPartitionTimetable(schedule_of(agency), timezone=TIMEZONE, key_format=agency_key_format(agency)),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=6),
        default_args=DEFAULT_ARGS,
        deadline=deadline(dag_id, timedelta(hours=3)),
        tags=["collect", f"agency:{agency}"],
        doc_md=documentation(agency),
    )
    def define() -> None:
        @task(pool=f"agency_{agency}", retries=AGENCY_RETRIES, retry_policy=AGENCY_RETRY_POLICY)
        def collect() -> dict[str, Any]:
            from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

            as_of = business_date(get_current_context(), agency)
            return steps.collect_agency(agency, as_of, agency_endpoint(agency), now=utcnow())

        close_part(collection_closed(agency), after=collect())

    define()


wanted = get_parsing_context().dag_id
for agency_id in agency_ids():
    if wanted in (None, f"collect__{agency_id}"):
        collect_dag(agency_id)
