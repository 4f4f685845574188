"""Asking people in Airflow about a held delivery, until the ledger says that it is decided.

The ledger decides, not Airflow: an answer given here is entered under the Airflow user's name on the same hold that the
command and the workbench work on. One task asks again, in place, for the second person; the same person twice counts
once. While it waits it looks at the ledger every ``LOOK_AGAIN``: a hold decided elsewhere closes the request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from dags.assets import HELD

LOOK_AGAIN: Final = timedelta(minutes=10)
KEY: Final = "hold|"
NO_REASON: Final = "(Airflow 中未填写理由)"


def hold_key(hold_id: int) -> str:
    """Return the partition key of the run that asks about a hold."""
    return f"{KEY}{hold_id}"


def hold_of(context: Any) -> int:
    """Return the hold that a run asks about. Raises ``AirflowFailException`` when its key names none."""
    key = context["dag_run"].partition_key or ""
    if not key.startswith(KEY) or not key.removeprefix(KEY).isdecimal():
        msg = f"{key!r} names no hold: trigger the run with a partition key such as {hold_key(12)}"
        raise AirflowFailException(msg)
    return int(key.removeprefix(KEY))


class HeldBatchApproval(ApprovalOperator):
    """Ask for approval of one held delivery until two different people approved it or one rejected it."""

    def __init__(self, **kwargs: Any) -> None:
        """Take what any operator takes; the question is read from the ledger when it is asked."""
        reason = Param("", type="string", title="理由 reason", description="写入台账, 供以后查阅")
        super().__init__(
            subject="整批待批", params={"reason": reason}, response_timeout=LOOK_AGAIN, inlets=[HELD], **kwargs
        )

    def execute(self, context: Any) -> dict[str, Any]:
        """Note that the hold is asked about, and ask, unless it is decided: then say how."""
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        hold_id = hold_of(context)
        context["asset_state_store"][HELD].set(str(hold_id), "asked")
        waiting = steps.read_hold(hold_id)
        if waiting["state"] != "open":
            return waiting
        self.subject, self.body = waiting["subject"], waiting["body"]
        super().execute(context)
        raise AssertionError("the provider parks the task, it does not return")

    def execute_complete(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Enter an answer into the ledger, then look at the hold again; nobody answered in time: only look."""
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        if event.get("error_type") != "timeout":
            answer = HITLOperator.execute_complete(self, context, event)
            steps.decide_hold(
                hold_of(context),
                person=event["responded_by_user"]["name"],
                decision="approve" if answer["chosen_options"] == [self.APPROVE] else "reject",
                reason=str(answer["params_input"].get("reason") or "").strip() or NO_REASON,
            )
        return self.execute(context)
