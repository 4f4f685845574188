"""Compare annual reports with the monitoring base (比对) once a business date's records are attached.

By then the register and the reports and subjects of the date are in. Which years are due is asked of the ledger: those
with reports or sites of which something is new since they were last compared, and the year whose last day to file has
passed in between. A date on which nothing is due costs nothing. Findings are leads for inspection; inspectors work
through them in the workbench (比对), and nothing is published.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, get_current_context, task

from dags.assets import ATTACHED, COMPARED
from dags.business_date import business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


@dag(
    schedule=PartitionedAssetTimetable(assets=ATTACHED),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS,
    deadline=deadline("crosscheck_annual_reports", timedelta(hours=2)),
    tags=["crosscheck"],
    doc_md=__doc__,
)
def crosscheck_annual_reports() -> None:
    """Define the DAG."""

    @task(outlets=[COMPARED])
    def compare() -> list[dict[str, Any]]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        context = get_current_context()
        as_of = business_date(context)
        counts = steps.crosscheck(as_of)
        context["outlet_events"][COMPARED].add_partitions(as_of.isoformat())
        return counts

    compare()


crosscheck_annual_reports()
