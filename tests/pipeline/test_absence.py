"""What a full set no longer holds is withdrawn as an event, through the guard, up to the sites (invariants 1 and 5)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Row, as_csv, penalty, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.descriptor import Limit, MassChange, load_agency
from pipeline import guarding
from pipeline.holds import decide
from pipeline.ingest import Ingested, ingest_delivery
from pipeline.reconcile import reconcile
from store.deliveries import register_delivery
from transforms.columns import Kind

THIRD_DAY = dt.date(2018, 8, 23)
Deliver = Callable[..., Ingested]


@pytest.fixture
def full_set(known: Any) -> Deliver:
    """Take in a full set as a collection would deliver it."""

    def deliver(rows: list[Row], day: dt.date, *, extra: tuple[str, ...] = (), stream: str = "penalty") -> Ingested:
        path = write(known.folder, f"set_{day}.csv", as_csv(rows, extra_lines=extra))
        stored = known.office.archive.put(path, path.name)
        with known.office.engine.begin() as connection:
            delivery_id, _ = register_delivery(
                connection, agency="aic", kind=Kind.PENALTY, as_of=day, stream=stream, full_set=True,
                files=[(path.name, stored.sha256, stored.size)], occasion=f"full set of {day}",
            )  # fmt: skip
        return ingest_delivery(known.office, delivery_id)

    return deliver


def events(desk: Any) -> list[tuple[str, str]]:
    return [
        (row["event"], row["document_no"])
        for row in desk.query(
            "SELECT event, document_no FROM withdrawal JOIN penalty USING (record_id) ORDER BY withdrawal_id"
        )
    ]


def tombstones(desk: Any, table: str = "CF") -> list[dict[str, Any]]:
    lines = (desk.office.settings.feeds / "creditchina" / "current" / f"{table}.tombstones.jsonl").read_text()
    return [json.loads(line) for line in lines.splitlines()]


def test_an_absent_record_is_withdrawn_reaches_the_site_and_comes_back(known: Any, full_set: Deliver) -> None:
    rows = [penalty(serial) for serial in range(1, 5)]
    full_set(rows, DAY)
    known.attach()
    known.publish()
    taken = full_set([rows[0], rows[2], rows[3]], NEXT_DAY)
    assert (taken.state, taken.row_states) == ("checked", {"duplicate": 3})
    assert events(known) == [("withdrawn", rows[1]["CF_WSH"])]
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    [tombstone] = tombstones(known)
    assert tombstone["REASON_CODE"] == "absent_from_full_set"
    assert tombstone["EFFECTIVE_DATE"] == "2018/08/22"
    assert tombstone["LEGAL_BASIS"]
    result = reconcile(known.office)
    assert result.ok, result.findings
    assert result.deliveries[0].states["withheld"] == 1

    assert full_set(rows, THIRD_DAY).row_states == {"duplicate": 4}
    assert events(known)[-1] == ("reinstated", rows[1]["CF_WSH"])
    known.publish(THIRD_DAY)
    assert tombstones(known) == []
    result = reconcile(known.office)
    assert result.ok, result.findings
    assert result.deliveries[0].states["published"] == 4


def test_many_absences_are_held_and_withdraw_nothing_before_two_approve(
    known: Any, full_set: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = Limit(rows=0, share=0.25)
    limits = MassChange(added=Limit(rows=99, share=0), changed=none, withdrawn=none)
    aic = load_agency("aic")
    streams = tuple(stream.model_copy(update={"mass_change": limits}) for stream in aic.streams)
    monkeypatch.setattr(guarding, "load_agency", lambda _: aic.model_copy(update={"streams": streams}))
    rows = [penalty(serial) for serial in range(1, 9)]
    full_set(rows, DAY)
    cut_short = full_set(rows[:4], NEXT_DAY)
    assert cut_short.state == "held"
    assert events(known) == []
    [hold] = known.query("SELECT numbers FROM hold")
    assert {name: hold["numbers"][name] for name in ("withdrawn", "absent", "held")} == {
        "withdrawn": 4, "absent": 4, "held": 8,
    }  # fmt: skip
    for person in ("王某", "李某"):
        decide(known.office, cut_short.hold_id or 0, person=person, decision="approve", reason="确已撤销")
    assert [event for event, _ in events(known)] == ["withdrawn"] * 4
    assert reconcile(known.office).ok


def test_a_row_that_nobody_can_name_proves_no_absence(known: Any, full_set: Deliver) -> None:
    rows = [penalty(serial) for serial in range(1, 5)]
    full_set(rows, DAY)
    taken = full_set(rows[:3], NEXT_DAY, extra=("断掉的一行",))
    assert events(known) == []
    assert "FULL_SET" in {problem.rule for problem in taken.problems}


def test_a_record_that_another_source_says_too_stays(known: Any, full_set: Deliver) -> None:
    rows = [penalty(serial) for serial in range(1, 5)]
    full_set(rows, DAY)
    known.ingest([rows[1]], DAY)  # by hand: another way
    full_set([rows[0]], NEXT_DAY)
    assert [document for _, document in events(known)] == [rows[2]["CF_WSH"], rows[3]["CF_WSH"]]


def test_an_older_set_that_comes_late_withdraws_nothing(known: Any, full_set: Deliver) -> None:
    rows = [penalty(serial) for serial in range(1, 5)]
    full_set(rows, NEXT_DAY)
    full_set(rows[:2], DAY)
    assert events(known) == []


SETS = st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1, max_size=5)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SETS)
def test_after_any_history_of_sets_exactly_the_newest_stands(
    known: Any, full_set: Deliver, history: list[set[int]]
) -> None:
    known.change("TRUNCATE penalty, withdrawal, verdict; DELETE FROM check_result; DELETE FROM problem")
    known.change("DELETE FROM delivery_file; DELETE FROM step_run; DELETE FROM delivery")
    for offset, serials in enumerate(history):
        full_set([penalty(serial) for serial in sorted(serials)], DAY + dt.timedelta(days=offset))
    standing = known.query(
        "SELECT document_no FROM penalty p WHERE state = 'accepted' AND coalesce((SELECT event FROM withdrawal w"
        " WHERE w.record_id = p.record_id ORDER BY withdrawal_id DESC LIMIT 1), '') <> 'withdrawn'"
    )
    assert {row["document_no"] for row in standing} == {penalty(serial)["CF_WSH"] for serial in history[-1]}
    assert reconcile(known.office).ok
