"""A held delivery is asked about in Airflow until the ledger is satisfied; both work on the same row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from dags.approvals import LOOK_AGAIN, NO_REASON, HeldBatchApproval, hold_key, hold_of
from dags.assets import HELD
from pipeline import holds, steps
from pipeline.office import Office
from store.holds import enter_hold

AT = dt.datetime(2018, 8, 22, 1, 0, tzinfo=dt.UTC)
TIMEOUT = {"error": "nobody answered", "error_type": "timeout"}


class Kept(dict[str, str]):
    """The state store of one asset."""

    def set(self, key: str, value: str) -> None:
        self[key] = value


def run_of(hold_id: int) -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(partition_key=hold_key(hold_id)),
        "task_instance": SimpleNamespace(id="ti"),
        "asset_state_store": {HELD: Kept()},
    }


def answer(user: str, option: str, reason: str = "已核对") -> dict[str, Any]:
    return {
        "chosen_options": [option], "params_input": {"reason": reason}, "responded_at": AT,
        "responded_by_user": {"id": user, "name": user},
    }  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The requests that Airflow's server was told of."""
    requests: list[dict[str, Any]] = []
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **request: requests.append(request))
    return requests


@pytest.fixture
def hold_id(office: Office, monkeypatch: pytest.MonkeyPatch) -> int:
    """A hold of a delivery without files: released, it is taken in as an empty one."""
    monkeypatch.setattr(steps, "_office", lambda: office)
    with office.engine.begin() as connection:
        delivery_id = connection.exec_driver_sql(
            "INSERT INTO delivery (agency, kind, as_of, content_sha256, state, rows)"
            " VALUES ('aic', 'penalty', '2018-08-21', 'x', 'held', 0) RETURNING delivery_id"
        ).scalar_one()
        return enter_hold(
            connection, delivery_id, reasons=["mass_change"], numbers={"rows": 0, "added": 9000},
            explanation="整批待批: 新增 9000 条",
        )  # fmt: skip


@pytest.fixture
def park() -> Callable[..., TaskAwaitingInput]:
    def parked(call: Callable[[], Any]) -> TaskAwaitingInput:
        with pytest.raises(TaskAwaitingInput) as waiting:
            call()
        return waiting.value

    return parked


def test_two_users_release_it_and_the_same_one_twice_does_not(
    office: Office, hold_id: int, asked: list[dict[str, Any]], park: Any
) -> None:
    operator, context = HeldBatchApproval(task_id="ask"), run_of(hold_id)
    waiting = park(lambda: operator.execute(context))
    assert waiting.timeout == LOOK_AGAIN
    assert context["asset_state_store"][HELD] == {str(hold_id): "asked"}
    assert "新增 9000 条" in asked[0]["body"]
    assert asked[0]["options"] == ["Approve", "Reject"]
    park(lambda: operator.execute_complete(context, answer("li", "Approve")))
    park(lambda: operator.execute_complete(context, answer("LI", "Approve", "")))
    assert len(asked) == 3
    done = operator.execute_complete(context, answer("wang", "Approve"))
    assert done["state"] == "released"
    decisions = holds.read_hold(office, hold_id).decisions
    assert [(d.person, d.via, d.reason) for d in decisions] == [
        ("li", "airflow", "已核对"),
        ("LI", "airflow", NO_REASON),
        ("wang", "airflow", "已核对"),
    ]


def test_a_rejection_ends_it(office: Office, hold_id: int, asked: list[dict[str, Any]]) -> None:
    done = HeldBatchApproval(task_id="ask").execute_complete(run_of(hold_id), answer("li", "Reject"))
    assert done["state"] == "rejected"
    assert asked == []
    assert holds.read_hold(office, hold_id).delivery_state == "refused"


def test_deciding_elsewhere_closes_the_request_at_the_next_look(
    office: Office, hold_id: int, asked: list[dict[str, Any]], park: Any
) -> None:
    operator, context = HeldBatchApproval(task_id="ask"), run_of(hold_id)
    park(lambda: operator.execute(context))
    park(lambda: operator.execute_complete(context, answer("li", "Approve")))
    park(lambda: operator.execute_complete(context, TIMEOUT))
    holds.decide(office, hold_id, person="王某", decision="approve", reason="电话核对", via="cli")
    assert operator.execute_complete(context, TIMEOUT)["state"] == "released"
    late = operator.execute_complete(context, answer("zhao", "Reject"))
    assert late["state"] == "released"
    assert [d.via for d in holds.read_hold(office, hold_id).decisions] == ["airflow", "cli"]


def test_a_run_without_a_hold_says_how_to_name_one() -> None:
    for key in (None, "2018-08-21", "hold|", "hold|x"):
        with pytest.raises(AirflowFailException, match=r"hold\|12"):
            hold_of({"dag_run": SimpleNamespace(partition_key=key)})
