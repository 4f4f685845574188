"""Tell stewards and agencies once a business day what waits for them, by mail and web hook.

Half past nine is after the cut-off and the publication. A recipient gets one digest, none when nothing waits, and none
again within three days that tells the same. Without the connections `disclosure_mail` and `disclosure_webhook` nothing
is sent. The ledger knows what went out: a repeated run sends what is missing.

On the working days before and after a due date of a special action, `ALARM campaign due: ...` names the agencies whose
returns are missing.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task
from airflow.sdk.timezone import utcnow

from dags.alarms import campaign_due
from dags.business_date import KEY_FORMAT, TIMEZONE, business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS, NOTIFY_RETRY_POLICY
from dags.notifying import senders


@dag(
    schedule=CronPartitionTimetable("30 9 * * *", timezone=TIMEZONE, key_format=KEY_FORMAT),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS | {"retry_policy": NOTIFY_RETRY_POLICY},
    deadline=deadline("notify_people", timedelta(minutes=90)),
    tags=["watch"],
    doc_md=__doc__,
)
def notify_people() -> None:
    """Define the DAG."""

    @task
    def send_digests() -> dict[str, int]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        context = get_current_context()
        return steps.send_digests(senders(context), business_date(context), utcnow())

    @task
    def tell_due_dates() -> int:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        due = steps.campaign_due(business_date(get_current_context()))
        for key, text in due.items():
            campaign_due(key, text)
        return len(due)

    send_digests()
    tell_due_dates()


notify_people()
