"""Ask for the two approvals of one held delivery 整批待批 (大批量变动、默认待批、行数不符).

One run per hold, started by `watch_ledger`, partition key `hold|NUMBER`. The task waits under *Required Actions*. Read
the numbers, look at the delivery (`disclosure hold show NUMBER`), then approve or reject **with a reason**. Approval
takes two different people; it is asked again until the second one has answered. One rejection refuses the delivery.
Deciding by `disclosure hold approve` or in the workbench is the same: the request here closes within ten minutes.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import PartitionedAssetTimetable, dag

from dags.approvals import HeldBatchApproval
from dags.assets import HELD
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


@dag(
    schedule=PartitionedAssetTimetable(assets=HELD),
    catchup=False,
    max_active_runs=64,
    dagrun_timeout=timedelta(days=60),
    default_args=DEFAULT_ARGS,
    deadline=deadline("approve_held_batches", timedelta(hours=24)),
    tags=["approval"],
    doc_md=__doc__,
)
def approve_held_batches() -> None:
    """Define the DAG."""
    HeldBatchApproval(task_id="two_people_decide", execution_timeout=None)


approve_held_batches()
