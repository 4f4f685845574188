"""Take in the newest enterprise register, so that the records of the day are attached against it.

It comes as files in the inbox, and by the register streams of the agency that keeps it (once a week in full, every day
its changes), in the pool of that agency: it is never asked by two runs at once. A registrar without a connection is not
asked. A full set that would close more enterprises than its
descriptor allows fails this run and changes nothing.

The register is versioned; every attachment names the version it used. When the refresh fails the day goes on with the
last version: a missing enterprise sends its records to review, it never attaches them to another one.

**To repair a failed run**, clear it: the date is attached and published again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task
from airflow.sdk.timezone import utcnow

from connectors.descriptor import agency_ids, load_agency
from dags.assets import REGISTER_CLOSED, close_part
from dags.business_date import KEY_FORMAT, TIMEZONE, business_date
from dags.deadlines import deadline
from dags.duty import AGENCY_RETRIES, AGENCY_RETRY_POLICY, DEFAULT_ARGS
from dags.endpoints import find_agency_endpoint


@dag(
    schedule=CronPartitionTimetable("0 6 * * *", timezone=TIMEZONE, key_format=KEY_FORMAT),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args=DEFAULT_ARGS,
    deadline=deadline("refresh_register", timedelta(hours=2)),
    tags=["register"],
    doc_md=__doc__,
)
def refresh_register() -> None:
    """Define the DAG."""

    @task
    def load_files() -> list[dict[str, Any]]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        return steps.load_register_files(business_date(get_current_context()))

    @task(retries=AGENCY_RETRIES, retry_policy=AGENCY_RETRY_POLICY)
    def pull(agency: str) -> list[dict[str, Any]]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        endpoint = find_agency_endpoint(agency)
        if endpoint is None:
            return []
        return steps.pull_register_of(agency, business_date(get_current_context()), endpoint, now=utcnow())

    last = load_files()
    for agency in agency_ids():
        if load_agency(agency).keeps_register:
            pulled = pull.override(task_id=f"pull_from_{agency}", pool=f"agency_{agency}")(agency)
            last >> pulled
            last = pulled
    close_part(REGISTER_CLOSED, after=last)


refresh_register()
