"""A delivery over its limits, one of an agency held by default, and the two people who decide (invariants 1, 6, 10)."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import DAY, NEXT_DAY, as_csv, legacy_penalty, penalty, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.descriptor import Agency, Limit, MassChange, load_agency
from pipeline import exports, guarding
from pipeline.holds import decide, list_holds, read_hold
from pipeline.ingest import ingest_delivery
from pipeline.reconcile import Reconciliation, reconcile
from store import holds
from store.deliveries import register_delivery
from store.holds import HoldDecided, HoldUnknown, person_key
from store.schema import delivery_file
from transforms.columns import Kind

PROJECT = Path(__file__).parent.parent.parent
LIMITS = MassChange(
    added=Limit(rows=6, share=0.5), changed=Limit(rows=2, share=0.1), withdrawn=Limit(rows=1, share=0.1)
)


def with_facts(agency: Agency, **facts: Any) -> Agency:
    streams = tuple(stream.model_copy(update={"mass_change": LIMITS}) for stream in agency.streams)
    return agency.model_copy(update={"streams": streams, **facts})


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give the guard small limits, and other facts of the agency where a test names them."""

    def limit(**facts: Any) -> None:
        monkeypatch.setattr(guarding, "load_agency", lambda agency_id: with_facts(load_agency(agency_id), **facts))

    limit()
    return limit


def sums_of(result: Reconciliation, delivery_id: int) -> dict[str, int]:
    [found] = [sums for sums in result.deliveries if sums.delivery_id == delivery_id]
    assert sum(found.states.values()) == found.received
    return {state: rows for state, rows in found.states.items() if rows}


def test_more_than_the_limit_is_held_with_its_numbers_and_displaces_nothing(known: Any, limited: Any) -> None:
    known.ingest([penalty(serial) for serial in range(1, 6)])
    before = known.query("SELECT * FROM penalty ORDER BY record_id")
    changed = [penalty(serial, CF_NR="罚款人民币2万元, 并责令改正") for serial in range(1, 4)]
    taken = known.ingest([*changed, *(penalty(serial) for serial in range(6, 14))], NEXT_DAY)
    assert (taken.state, taken.rows, taken.row_states) == ("held", 11, {"review": 11})
    assert known.query("SELECT * FROM penalty ORDER BY record_id") == before
    held = read_hold(known.office, taken.hold_id)
    assert held.reasons == ("mass_change",)
    assert held.numbers == {
        "rows": 11, "added": 8, "changed": 3, "withdrawn": 0, "absent": 0, "held": 5,
        "limits": {"added": 6, "changed": 2, "withdrawn": 1},
    }  # fmt: skip
    assert "新增 8 条, 上限 6 条, 更正 3 条, 上限 2 条 (现有 5 条)" in held.explanation
    result = reconcile(known.office)
    assert result.ok, result.findings
    assert sums_of(result, taken.delivery_id) == {"review": 11}
    path = known.folder / "reviews.csv"
    exports.export(known.office, exports.REVIEWS, path)
    with path.open(encoding="utf-8") as lines:
        first = next(csv.DictReader(lines))
    assert (first["rule_or_reason"], first["value"]) == ("mass_change", held.explanation)
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    assert known.query("SELECT count(*) AS n FROM disclosure WHERE shown") == [{"n": 5}]


def test_withdrawals_have_a_limit_of_their_own(known: Any, limited: Any) -> None:
    known.ingest([legacy_penalty(serial, SJC="2018-08-21 08:00:00") for serial in range(1, 6)])
    gone = [legacy_penalty(serial, CF_ZT="1", SJC="2018-08-22 08:00:00") for serial in (1, 2)]
    taken = known.ingest(gone, NEXT_DAY)
    assert taken.state == "held"
    numbers = read_hold(known.office, taken.hold_id).numbers
    assert {name: numbers[name] for name in ("added", "changed", "withdrawn")} == {
        "added": 0, "changed": 0, "withdrawn": 2,
    }  # fmt: skip


def test_up_to_the_limit_nothing_is_held(known: Any, limited: Any) -> None:
    assert known.ingest([penalty(serial) for serial in range(1, 7)]).state == "checked"
    assert known.ingest([penalty(1, CF_NR="改"), penalty(2, CF_NR="改")], NEXT_DAY).state == "checked"
    assert list_holds(known.office, state=None) == []


def test_the_second_different_person_takes_the_delivery_in(known: Any, limited: Any) -> None:
    taken = known.ingest([penalty(serial) for serial in range(1, 9)])
    first = decide(known.office, taken.hold_id, person="王某", decision="approve", reason="已与报送机关核对")
    assert (first.hold.state, first.still_needed, first.ingested) == ("open", 1, None)
    again = decide(known.office, taken.hold_id, person=" 王某 ", decision="approve", reason="再次确认")
    assert (again.hold.state, again.still_needed, again.hold.approved_by) == ("open", 1, ("王某",))
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 0}]
    second = decide(known.office, taken.hold_id, person="李某", decision="approve", reason="同意")
    assert second.hold.state == "released"
    assert second.ingested is not None
    assert (second.ingested.state, second.ingested.row_states) == ("checked", {"accepted": 8})
    result = reconcile(known.office)
    assert result.ok, result.findings
    with pytest.raises(HoldDecided):
        decide(known.office, taken.hold_id, person="赵某", decision="reject", reason="晚了")
    assert [(d.person, d.decision) for d in read_hold(known.office, taken.hold_id).decisions] == [
        ("王某", "approve"),
        ("王某", "approve"),
        ("李某", "approve"),
    ]


def test_one_rejection_refuses_the_delivery_for_good(known: Any, limited: Any) -> None:
    rows = [penalty(serial) for serial in range(1, 9)]
    taken = known.ingest(rows)
    decide(known.office, taken.hold_id, person="王某", decision="approve", reason="看来无误")
    decided = decide(known.office, taken.hold_id, person="李某", decision="reject", reason="整批重复报送")
    assert (decided.hold.state, decided.hold.delivery_state) == ("rejected", "refused")
    result = reconcile(known.office)
    assert result.ok, result.findings
    assert sums_of(result, taken.delivery_id) == {"returned": 8}
    same = known.ingest(rows)
    assert (same.delivery_id, same.state, same.already_received) == (taken.delivery_id, "refused", True)
    assert "李某" in str(same.problems[-1])
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 0}]


def test_the_same_bytes_while_held_are_the_same_delivery(known: Any, limited: Any) -> None:
    rows = [penalty(serial) for serial in range(1, 9)]
    first, second = known.ingest(rows), known.ingest(rows)
    assert (second.delivery_id, second.hold_id, second.state) == (first.delivery_id, first.hold_id, "held")
    assert len(list_holds(known.office, state=None)) == 1


def test_every_delivery_of_an_agency_held_by_default_waits(known: Any, limited: Any) -> None:
    limited(default_hold="公安信息须逐批核准")
    taken = known.ingest([penalty(1)])
    assert taken.state == "held"
    assert read_hold(known.office, taken.hold_id).reasons == ("default_hold",)
    for person in ("王某", "李某"):
        decide(known.office, taken.hold_id, person=person, decision="approve", reason="核准")
    assert known.query("SELECT state FROM penalty") == [{"state": "accepted"}]


def test_a_decision_needs_a_hold_a_name_and_a_reason(known: Any, limited: Any) -> None:
    with pytest.raises(HoldUnknown):
        decide(known.office, 7, person="王某", decision="approve", reason="x")
    taken = known.ingest([penalty(serial) for serial in range(1, 9)])
    for person, reason in (("", "x"), ("王某", " ")):
        with pytest.raises(ValueError, match="a name and a reason"):
            decide(known.office, taken.hold_id, person=person, decision="approve", reason=reason)
    assert read_hold(known.office, taken.hold_id).decisions == ()


def test_whoever_lets_a_batch_through_alone_is_seen(known: Any, limited: Any) -> None:
    taken = known.ingest([penalty(serial) for serial in range(1, 9)])
    known.change("UPDATE hold SET state = 'released'")
    known.change("UPDATE delivery SET state = 'archived'")
    ingest_delivery(known.office, taken.delivery_id)
    assert any("approvals" in finding for finding in reconcile(known.office).findings)


def test_other_rows_than_the_source_declared_are_held_with_both_numbers(known: Any, tmp_path: Path) -> None:
    content = as_csv([penalty(1), penalty(2)], extra_lines=["断掉的一行"])
    stored = known.office.archive.put(write(tmp_path, "cf.csv", content), "cf.csv")
    taken = {}
    for declared in (2, 3):
        with known.office.engine.begin() as connection:
            delivery_id, _ = register_delivery(
                connection, agency="aic", kind=Kind.PENALTY, as_of=DAY,
                files=[("cf.csv", stored.sha256, stored.size)], occasion=str(declared),
            )  # fmt: skip
            connection.execute(
                sa.update(delivery_file)
                .where(delivery_file.c.delivery_id == delivery_id)
                .values(declared_rows=declared)
            )
        taken[declared] = ingest_delivery(known.office, delivery_id)
    assert {declared: each.state for declared, each in taken.items()} == {2: "held", 3: "checked"}
    held = read_hold(known.office, taken[2].hold_id or 0)
    assert held.reasons == ("declared_total",)
    assert held.numbers["declared"] == [{"file": "cf.csv", "declared": 2, "received": 3}]
    assert "cf.csv 申报 2 行, 实收 3 行" in held.explanation
    assert reconcile(known.office).ok


def test_rows_are_accounted_for_whatever_is_held_and_whoever_decides(known: Any, limited: Any) -> None:
    rng = random.Random(7)  # noqa: S311
    approve, agree, refuse = ("王某", "approve"), ("李某", "approve"), ("赵某", "reject")
    courses = itertools.cycle([[approve, agree], [approve, refuse], [approve, approve]])
    received = 0
    for number in range(8):
        rows = [
            penalty(serial, CF_NR=f"罚款人民币2万元, 第{number}次")
            for serial in rng.sample(range(1, 30), rng.randint(4, 12))
        ]
        taken = known.ingest(rows, DAY + dt.timedelta(days=number))
        received += taken.rows
        if taken.state == "held":
            for person, decision in next(courses):
                decide(known.office, taken.hold_id, person=person, decision=decision, reason="r")
        result = reconcile(known.office)
        assert result.ok, result.findings
        assert sum(sum(sums.states.values()) for sums in result.deliveries) == received
    assert {hold.state for hold in list_holds(known.office, state=None)} == {"open", "released", "rejected"}


PEOPLE = st.sampled_from(["王某", "王某 ", "李某", "Zhang San", "ＺＨＡＮＧ  san", "赵某"])
DECISIONS = st.lists(st.tuples(PEOPLE, st.sampled_from(["approve", "approve", "approve", "reject"])), max_size=6)


def outcome_of(decisions: list[tuple[str, str]]) -> str:
    """What the law says, told from the decisions alone."""
    people: set[str] = set()
    for person, decision in decisions:
        if decision == "reject":
            return "rejected"
        people.add(person_key(person))
        if len(people) == 2:
            return "released"
    return "open"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DECISIONS)
def test_any_order_of_people_ends_as_the_law_says(known: Any, decisions: list[tuple[str, str]]) -> None:
    with known.office.engine.connect() as connection:
        delivery_id = connection.exec_driver_sql(
            "INSERT INTO delivery (agency, kind, as_of, content_sha256, state, rows)"
            " VALUES ('aic', 'penalty', '2018-08-21', 'x', 'held', 3) RETURNING delivery_id"
        ).scalar_one()
        hold_id = holds.enter_hold(
            connection, delivery_id, reasons=["mass_change"], numbers={"rows": 3}, explanation="x"
        )
        for place, (person, decision) in enumerate(decisions):
            if outcome_of(decisions[:place]) != "open":
                with pytest.raises(HoldDecided):
                    holds.decide(connection, hold_id, person=person, decision=decision, reason="r", via="cli")
            else:
                holds.decide(connection, hold_id, person=person, decision=decision, reason="r", via="cli")
        found = holds.read_hold(connection, hold_id)
        connection.rollback()
    expected = outcome_of(decisions)
    assert found.state == expected
    assert found.delivery_state == {"open": "held", "released": "archived", "rejected": "refused"}[expected]


def test_killed_between_the_approval_and_the_rows_it_goes_on(known: Any, limited: Any, home: Any) -> None:
    taken = known.ingest([penalty(serial) for serial in range(1, 9)])
    decide(known.office, taken.hold_id, person="王某", decision="approve", reason="核对")
    killed = ["-m", "simulator.chaos.killed", "pipeline.holds:ingest_delivery:before"]
    ended = subprocess.run(
        [sys.executable, *killed, "hold", "approve", str(taken.hold_id), "--as", "李某", "--reason", "同意"],
        env=home.environment | {"PYTHONPATH": str(PROJECT)},
        cwd=known.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    held = read_hold(known.office, taken.hold_id)
    assert (held.state, held.delivery_state) == ("released", "archived")
    assert any("archived" in finding for finding in reconcile(known.office).findings)
    again = ingest_delivery(known.office, taken.delivery_id)
    assert (again.state, again.row_states) == ("checked", {"accepted": 8})
    assert reconcile(known.office).ok
