"""Until when a run has to be done, so that the feeds stay fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseDeadlineReference, DeadlineAlert, SyncCallback  # type: ignore[attr-defined]  # not in stub

from dags.alarms import deadline_missed

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy.orm import Session


class RunDue(BaseDeadlineReference):  # type: ignore[misc]  # untyped by the stub
    """Counts from when the run was due to start; it is registered by ``dags/plugins/deadline_references.py``.

    Not ``DeadlineReference.DAGRUN_QUEUED_AT``: in Airflow 3.3 a run with that one cannot be cleared (apache/airflow
    issue 70368), and clearing is how a failed collection is repaired. ``DAGRUN_LOGICAL_DATE`` gives no deadline to
    runs that assets start.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Session, **kwargs: Any) -> datetime | None:
        from airflow.models.dagrun import DagRun  # noqa: PLC0415 - runs in Airflow's own processes, not while parsing
        from sqlalchemy import select  # noqa: PLC0415

        run = select(DagRun.run_after).where(DagRun.dag_id == kwargs["dag_id"], DagRun.run_id == kwargs["run_id"])
        return session.scalar(run)


def deadline(dag_id: str, interval: timedelta) -> DeadlineAlert:
    """Return the alert for a run that is not done ``interval`` after it was due: an alarm, the run goes on."""
    return DeadlineAlert(
        reference=RunDue(),
        interval=interval,
        callback=SyncCallback(deadline_missed, kwargs={"late_dag": dag_id}),
        name=f"{dag_id} late",
    )
