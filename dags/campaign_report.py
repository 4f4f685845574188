"""Report the special action (专项行动) that is running: figures by month and district, what is missing, typical cases.

The twelfth of a month is after the month's returns are due and, in December, the day before the summary is. An action
that is over, or has not begun, costs nothing. On demand: trigger with a business date as partition key, or with the
configuration `{"as_of": "2018-12-13", "action": "wj2018"}`; a named action is reported whatever the date. Workbook and
page lie in `campaign/` under the home of the system; the ledger keeps every version.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task

from dags.business_date import KEY_FORMAT, TIMEZONE, business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


@dag(
    schedule=CronPartitionTimetable("0 10 12 * *", timezone=TIMEZONE, key_format=KEY_FORMAT),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS,
    deadline=deadline("campaign_report", timedelta(hours=2)),
    tags=["campaign"],
    doc_md=__doc__,
)
def campaign_report() -> None:
    """Define the DAG."""

    @task
    def report() -> list[dict[str, Any]]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        context = get_current_context()
        named = (context["dag_run"].conf or {}).get("action")
        return steps.campaign_reports(business_date(context), named)

    report()


campaign_report()
