"""Corrections lie over what was received: judged by the same rules, signed, undone, followed by what comes later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from delivering import NEXT_DAY, SOMEONE, Company, document_no, licence, penalty
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import rulings
from pipeline.explain import explain
from pipeline.office import Office
from pipeline.reconcile import reconcile
from pipeline.replay import compare, past_runs, replay
from pipeline.rulings import VersionConflict
from store import audit
from store.rulings import RulingRefused
from transforms.columns import Kind

THIRD_DAY = dt.date(2018, 8, 23)
BAD_DATE = {"CF_JDRQ": "2018/13/45"}
BAD_CODE = "91110105MA0000000X"


def live(desk: Any, serial: int = 1, table: str = "penalty") -> dict[str, Any]:
    """The version that holds of a document."""
    [row] = desk.query(
        f"SELECT * FROM {table} WHERE document_no = :n AND state NOT IN ('superseded', 'duplicate')",
        n=document_no(serial) if table == "penalty" else f"京工商许字〔2018〕第{serial}号",
    )
    return row


def correct(desk: Any, record_id: int, cells: dict[str, str], person: str = "张三", **other: Any) -> rulings.Ruled:
    return rulings.propose(
        desk.office, record_id, cells=cells, person=person, reason="对照决定书", as_of=NEXT_DAY, **other
    )


def sign(desk: Any, ruled: rulings.Ruled, person: str = "李四") -> rulings.Ruled:
    return rulings.approve(desk.office, ruled.ruling.ruling_id, person=person, reason="已复核", as_of=NEXT_DAY)


def reviews_of(desk: Any) -> list[tuple[str, str, str | None]]:
    rows = desk.query("SELECT rule, state, closed_as FROM review ORDER BY review_id")
    return [(row["rule"], row["state"], row["closed_as"]) for row in rows]


def sound(desk: Any) -> None:
    result = reconcile(desk.office)
    assert result.ok, result.findings
    with desk.office.engine.connect() as connection:
        assert list(audit.faults(connection)) == []


def test_a_wrong_date_is_corrected_by_one_person_and_published(known: Any) -> None:
    taken = known.ingest([penalty(1, **BAD_DATE), penalty(2)])
    before = live(known)
    assert rulings.recheck(known.office, before["record_id"], cells={"CF_JDRQ": "2018/8/1"}).state == "accepted"
    assert rulings.texts_received(known.office, before["record_id"])["CF_JDRQ"] == "2018/13/45"
    ruled = correct(known, before["record_id"], {"CF_JDRQ": "2018/08/01"})
    assert (ruled.ruling.state, ruled.made.state) == ("in_force", "accepted")
    assert reviews_of(known) == [("R10.decision_date", "closed", "corrected")]
    now = live(known)
    assert (now["decision_date"], now["corrects"]) == (dt.date(2018, 8, 1), before["record_id"])
    [received] = known.query("SELECT * FROM penalty WHERE record_id = :id", id=before["record_id"])
    changed = {"state", "superseded_by"}
    assert {k: v for k, v in received.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    assert known.query("SELECT count(*) AS n FROM disclosure WHERE shown") == [{"n": 2}]
    received_as, corrected = explain(known.office, document_no(1))
    assert [(step["event"], step["person"]) for step in corrected["rulings"]] == [("propose", "张三")]
    assert (corrected["corrects"], corrected["state"]) == (received_as["record_id"], "published")
    [sums] = reconcile(known.office).deliveries
    assert (sums.delivery_id, sums.received, sum(sums.states.values())) == (taken.delivery_id, 2, 2)
    sound(known)


def test_an_amount_needs_two_people_and_its_undoing_too(known: Any) -> None:
    known.ingest([penalty(1, CF_NR_FK="20000")])
    first = live(known)
    proposed = correct(known, first["record_id"], {"CF_NR_FK": "2"})
    assert (proposed.ruling.state, proposed.made) == ("proposed", None)
    assert live(known)["record_id"] == first["record_id"], "one signature changes nothing"
    with pytest.raises(RulingRefused, match="second person"):
        sign(known, proposed, person=" 张三 ")
    made = sign(known, proposed).made
    assert (made.state, live(known)["fine_amount"]) == ("accepted", 2)
    with pytest.raises(RulingRefused, match="waits for no signature"):
        sign(known, proposed, person="王五")
    waiting = rulings.undo(known.office, proposed.ruling.ruling_id, person="张三", reason="误改", as_of=THIRD_DAY)
    assert (waiting.ruling.state, live(known)["record_id"]) == ("undo_proposed", made.record_id)
    sign(known, waiting)
    assert (live(known)["fine_amount"], live(known)["state"]) == (20000, "review")
    assert live(known)["content_hash"] == first["content_hash"]
    assert {(rule, state) for rule, state, _ in reviews_of(known)} == {
        ("R17.fine_in_text", "open"), ("R18.unit_slip", "open"),
    }  # fmt: skip
    assert known.query("SELECT count(*) AS n FROM review_event WHERE event = 'reopened'") == [{"n": 2}]
    sound(known)


def test_two_stewards_never_lose_an_edit(known: Any) -> None:
    known.ingest([licence(1, XK_JDRQ="2018/13/45", XK_YXQZI="2017/01/01")], kind=Kind.LICENCE)
    seen = live(known, table="licence")["record_id"]
    first = correct(known, seen, {"XK_JDRQ": "2018/08/01"})
    with pytest.raises(VersionConflict) as conflict:
        correct(known, seen, {"XK_YXQZI": "2023/07/31"}, person="李四")
    assert conflict.value.seen.record_id == seen
    assert conflict.value.now.record_id == first.made.record_id
    assert conflict.value.now.values["decision_date"] == dt.date(2018, 8, 1)
    second = correct(known, first.made.record_id, {"XK_YXQZI": "2023/07/31"}, person="李四")
    assert second.made.state == "accepted"
    now = live(known, table="licence")
    assert (now["decision_date"], now["valid_to"]) == (dt.date(2018, 8, 1), dt.date(2023, 7, 31))


def test_what_is_sent_again_stays_corrected(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    made = correct(known, live(known)["record_id"], {"CF_JDRQ": "2018/08/01"}).made
    again = known.ingest([penalty(1, **BAD_DATE), penalty(2)], NEXT_DAY)
    assert dict(again.row_states) == {"accepted": 1, "duplicate": 1}
    assert live(known)["record_id"] == made.record_id
    other = known.ingest([penalty(1, **BAD_DATE, BZ="补充说明")], THIRD_DAY)
    assert dict(other.row_states) == {"superseded": 1}
    assert (live(known)["decision_date"], live(known)["remarks"]) == (dt.date(2018, 8, 1), "补充说明")
    assert {state for _, state, _ in reviews_of(known)} == {"closed"}
    sound(known)


def test_the_source_that_mends_the_cell_ends_the_correction(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    ruled = correct(known, live(known)["record_id"], {"CF_JDRQ": "2018/08/01"})
    known.ingest([penalty(1, BZ="已更正")], NEXT_DAY)
    assert (live(known)["corrects"], live(known)["remarks"]) == (None, "已更正")
    assert known.query("SELECT state FROM ruling") == [{"state": "agreed"}]
    with pytest.raises(RulingRefused, match="agreed"):
        rulings.undo(known.office, ruled.ruling.ruling_id, person="张三", reason="误改", as_of=THIRD_DAY)
    sound(known)


def test_the_source_that_changes_the_cell_otherwise_opens_a_review(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    made = correct(known, live(known)["record_id"], {"CF_JDRQ": "2018/08/01"}).made
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    taken = known.ingest([penalty(1, CF_JDRQ="2018/08/03")], NEXT_DAY)
    assert taken.failures["C01.source_changed"] == 1
    states = known.query("SELECT record_id, state FROM penalty WHERE state IN ('accepted', 'review')")
    assert [row["state"] for row in states] == ["accepted", "review"]
    assert states[0]["record_id"] == made.record_id, "what is shown stays until a person has looked"
    assert reviews_of(known)[-1] == ("C01.source_changed", "open", None)
    assert known.query("SELECT state FROM ruling") == [{"state": "stale"}]
    correct(known, states[1]["record_id"], {}, waives=["C01.source_changed"])
    assert live(known)["decision_date"] == dt.date(2018, 8, 3)
    assert reviews_of(known)[-1] == ("C01.source_changed", "closed", "approved")
    sound(known)


def test_a_held_doubt_is_let_pass_or_sent_back(known: Any) -> None:
    known.ingest([penalty(n, CF_WSH=f"{document_no(n)} 电话13800138000") for n in (1, 2)])
    one, two = known.query("SELECT record_id, state FROM penalty ORDER BY record_id")
    assert one["state"] == two["state"] == "review"
    passed = correct(known, one["record_id"], {}, waives=["R09.telephone"])
    assert (passed.ruling.state, passed.made.state) == ("in_force", "accepted")
    back = correct(known, two["record_id"], {}, sends_back="请核实文号")
    assert back.made.state == "returned"
    assert reviews_of(known)[:2] == [("R09.telephone", "closed", "approved"), ("R09.telephone", "open", None)]
    sound(known)


def test_a_corrected_code_of_a_shown_record_needs_two_and_moves_the_record(known: Any) -> None:
    known.ingest([penalty(1, Company(2), CF_XDR_MC=Company(1).name, CF_XDR_SHXYM=Company(2).uscc)])
    ruled = correct(known, live(known)["record_id"], {"CF_XDR_MC": Company(2).name})
    assert ruled.waits
    made = sign(known, ruled).made
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    shown = known.query("SELECT record_id FROM disclosure WHERE shown")
    assert shown == [{"record_id": made.record_id}]
    sound(known)


def test_undoing_takes_a_wrong_record_from_the_feed(known: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE)])
    ruled = correct(known, live(known)["record_id"], {"CF_JDRQ": "2018/08/01"})
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    rulings.undo(known.office, ruled.ruling.ruling_id, person="王五", reason="误改", as_of=THIRD_DAY)
    assert live(known)["state"] == "returned"
    known.attach(THIRD_DAY)
    known.publish(THIRD_DAY)
    newest = known.query("SELECT shown, reason FROM disclosure ORDER BY disclosure_id DESC LIMIT 1")
    assert newest == [{"shown": False, "reason": "replaced"}]
    sound(known)


@pytest.mark.parametrize(("cells", "why"), [
    ({"CF_XDR_ZJHM": "x"}, "证件号码"), ({"CF_NIX": "x"}, "no column"), ({"CF_SY": f"见{SOMEONE}"}, "身份证"),
])  # fmt: skip
def test_what_may_not_be_corrected_is_refused(known: Any, cells: dict[str, str], why: str) -> None:
    known.ingest([penalty(1)])
    with pytest.raises(ValueError, match=why):
        correct(known, live(known)["record_id"], cells)
    with pytest.raises(RulingRefused, match="nothing"):
        correct(known, live(known)["record_id"], {"CF_SY": "当事人发布违法广告"})


CELLS = {
    "CF_JDRQ": ("2018/08/02", "2018/13/45", ""), "CF_SY": ("违法事实", "", "发布虚假广告"), "BZ": ("甲", "乙"),
    "CF_NR_FK": ("2", "3", "20000"), "CF_CFLB": ("罚款", "警告"),
}  # fmt: skip


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_correcting_and_undoing_leaves_what_was_received(known: Any, data: st.DataObject) -> None:
    """overlay + undo = identity, and no row received is ever lost."""
    serial = data.draw(st.integers(100, 10**6), label="serial")
    codes = st.sampled_from(sorted(CELLS))
    row = {code: data.draw(st.sampled_from(CELLS[code])) for code in data.draw(st.sets(codes))}
    known.ingest([penalty(serial, Company(1), **row)])
    first = known.query("SELECT * FROM penalty ORDER BY record_id DESC LIMIT 1")[0]
    cells = {code: data.draw(st.sampled_from(CELLS[code])) for code in data.draw(st.sets(codes, min_size=1))}
    try:
        ruled = correct(known, first["record_id"], cells)
    except RulingRefused:
        return
    if ruled.waits:
        ruled = sign(known, ruled)
    undone = rulings.undo(known.office, ruled.ruling.ruling_id, person="张三", reason="撤销", as_of=THIRD_DAY)
    if undone.waits:
        undone = sign(known, undone)
    back = known.query("SELECT * FROM penalty WHERE record_id = :id", id=undone.made.record_id)[0]
    apart = {"record_id", "corrects", "superseded_by"}
    assert {k: v for k, v in back.items() if k not in apart} == {k: v for k, v in first.items() if k not in apart}
    verdicts = "SELECT expectation, severity, value FROM verdict WHERE record_id = :id ORDER BY 1"
    assert known.query(verdicts, id=back["record_id"]) == known.query(verdicts, id=first["record_id"])
    sound(known)


def test_rulings_are_replayed_from_the_journal(known: Any, new_home: Any, office_of: Any) -> None:
    known.ingest([penalty(1, **BAD_DATE), penalty(2, CF_NR_FK="20000"), penalty(3)])
    correct(known, live(known)["record_id"], {"CF_JDRQ": "2018/08/01"})
    sign(known, correct(known, live(known, 2)["record_id"], {"CF_NR_FK": "2"}))
    wrong = correct(known, live(known, 3)["record_id"], {"CF_SY": "误改"})
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    rulings.undo(known.office, wrong.ruling.ruling_id, person="张三", reason="误改", as_of=THIRD_DAY)
    known.ingest([penalty(1, **BAD_DATE, BZ="又报")], THIRD_DAY)
    known.attach(THIRD_DAY)
    known.publish(THIRD_DAY)
    site = new_home()
    opened = office_of(site)
    target = Office(opened.settings, opened.engine, known.office.archive.beside(site.home / "beside"))
    done = replay(known.office, target, past_runs(known.office, "database"))
    assert (done.gone, done.otherwise) == ([], [])
    assert compare(known.office, target, done).equal
