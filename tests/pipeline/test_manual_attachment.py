"""An uncertain record is attached by two people, from candidates with reasons; the decision lasts."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from delivering import NEXT_DAY, Company, document_no, legacy_penalty, penalty, registered

from pipeline import rulings
from pipeline.candidates import candidates
from pipeline.reconcile import reconcile
from pipeline.suggestions import suggestions
from store.rulings import RulingRefused

THIRD_DAY = dt.date(2018, 8, 23)


def newest(desk: Any, serial: int = 1) -> int:
    [row] = desk.query(
        "SELECT max(record_id) AS id FROM penalty WHERE document_no = :n AND state <> 'duplicate'",
        n=document_no(serial),
    )
    return int(row["id"])


def attachments(desk: Any, record_id: int) -> list[tuple[str, str, str | None]]:
    rows = desk.query(
        "SELECT method, grade, uscc FROM attachment WHERE record_id = :r ORDER BY attachment_id", r=record_id
    )
    return [(row["method"], row["grade"], row["uscc"]) for row in rows]


def one_place_wrong(code: str) -> str:
    return code[:10] + ("1" if code[10] != "1" else "2") + code[11:]


def propose(desk: Any, record_id: int, uscc: str | None, person: str = "张三") -> rulings.Ruled:
    return rulings.propose_attachment(
        desk.office, record_id, uscc=uscc, person=person, reason="对照执照", as_of=NEXT_DAY
    )


def approve(desk: Any, ruled: rulings.Ruled, person: str = "李四") -> rulings.Ruled:
    return rulings.approve(desk.office, ruled.ruling.ruling_id, person=person, reason="已复核", as_of=NEXT_DAY)


def test_two_people_attach_and_a_later_version_keeps_it(known: Any) -> None:
    stranger = penalty(1, Company(2), CF_XDR_MC=Company(1).name)
    known.ingest([stranger])
    known.attach()
    record = newest(known)
    [first, second] = candidates(known.office, record)[:2]
    assert {first.uscc, second.uscc} == {Company(1).uscc, Company(2).uscc}
    by_code = first if first.uscc == Company(2).uscc else second
    assert "统一社会信用代码相同" in by_code.speaks_for
    assert any("法定代表人" in reason for reason in by_code.speaks_for)
    proposed = propose(known, record, Company(1).uscc)
    assert proposed.waits
    with pytest.raises(RulingRefused, match="second person"):
        approve(known, proposed, "张三")
    with pytest.raises(RulingRefused, match="signature"):
        propose(known, record, Company(2).uscc, "王五")
    approve(known, proposed)
    assert attachments(known, record)[-1] == ("steward", "certain", Company(1).uscc)
    assert known.query("SELECT closed_as FROM review") == [{"closed_as": "attached_by_steward"}]
    known.register([registered(Company(serial)) for serial in range(1, 42)], NEXT_DAY)
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    assert known.query("SELECT count(*) AS n FROM disclosure WHERE shown") == [{"n": 1}]
    known.ingest([stranger | {"BZ": "补充"}], THIRD_DAY)
    known.attach(THIRD_DAY)
    assert attachments(known, newest(known))[-1] == ("steward", "certain", Company(1).uscc)
    assert known.query("SELECT count(*) AS n FROM review WHERE state = 'open'") == [{"n": 0}]
    result = reconcile(known.office)
    assert result.ok, result.findings


def test_a_subject_that_the_register_does_not_know_is_withheld_until_undone(known: Any) -> None:
    taken = known.ingest([penalty(50)])
    known.attach()
    ruled = approve(known, propose(known, newest(known, 50), None))
    assert known.states(taken.delivery_id) == {2: "withheld"}
    known.register([registered(Company(serial)) for serial in (1, 50)], NEXT_DAY)
    known.attach(NEXT_DAY)
    assert known.states(taken.delivery_id) == {2: "withheld"}, "what people decided no machine takes over"
    waiting = rulings.undo(known.office, ruled.ruling.ruling_id, person="张三", reason="已登记", as_of=NEXT_DAY)
    approve(known, waiting)
    assert known.query("SELECT state FROM review") == [{"state": "open"}]
    known.attach(THIRD_DAY)
    assert attachments(known, newest(known, 50))[-1] == ("uscc", "certain", Company(50).uscc)


@pytest.mark.parametrize(("uscc", "shown"), [(Company(1).uscc, [Company(1).uscc]), (None, [])], ids=["one", "nobody"])
def test_what_people_say_of_a_doubted_version_holds_for_the_record(
    known: Any, uscc: str | None, shown: list[str]
) -> None:
    known.ingest([legacy_penalty(1, Company(2))])
    known.attach()
    known.publish()
    known.ingest([legacy_penalty(1, Company(2), CF_XDR_SHXYM=Company(1).uscc, SJC="2018-08-22 09:00:00")], NEXT_DAY)
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY)
    feed = known.office.settings.feeds / "creditchina" / "current" / "CF.full.jsonl"
    assert feed.read_text(encoding="utf-8") == ""
    approve(known, propose(known, newest(known), uscc))
    known.attach(THIRD_DAY)
    known.publish(THIRD_DAY)
    assert [row["CF_XDR_SHXYM"] for row in map(json.loads, feed.read_text(encoding="utf-8").splitlines())] == shown
    assert reconcile(known.office).ok


def test_only_what_waits_is_attached_and_only_to_the_register(known: Any) -> None:
    known.ingest([penalty(1), penalty(50)])
    known.attach()
    with pytest.raises(RulingRefused, match="does not wait"):
        propose(known, newest(known, 1), Company(2).uscc)
    with pytest.raises(ValueError, match="登记库"):
        propose(known, newest(known, 50), Company(50).uscc)


def test_a_proposal_is_not_signed_over_what_became_certain_meanwhile(known: Any) -> None:
    known.ingest([penalty(50)])
    known.attach()
    record = newest(known, 50)
    proposed = propose(known, record, Company(1).uscc)
    known.register([registered(Company(serial)) for serial in (*range(1, 42), 50)], NEXT_DAY)
    known.attach(NEXT_DAY)
    with pytest.raises(RulingRefused, match="does not wait"):
        approve(known, proposed)
    assert attachments(known, record)[-1] == ("uscc", "certain", Company(50).uscc)


def test_a_proposal_is_not_signed_for_an_enterprise_that_has_left_the_register(known: Any) -> None:
    known.ingest([penalty(50)])
    known.attach()
    record = newest(known, 50)
    proposed = propose(known, record, Company(1).uscc)
    known.register([registered(Company(serial)) for serial in range(2, 42)], NEXT_DAY)
    with pytest.raises(RulingRefused, match="left the register"):
        approve(known, proposed)
    assert attachments(known, record)[-1][1] != "certain"


def test_suggestions_can_be_checked(known: Any) -> None:
    known.ingest([
        penalty(1, CF_XDR_SHXYM=one_place_wrong(Company(1).uscc)), penalty(2, CF_NR_FK="20000"),
        penalty(3, CF_JDRQ="13/08/2018"),
    ])  # fmt: skip
    code = suggestions(known.office, newest(known, 1))
    assert {(s.code, s.text) for s in code} == {("CF_XDR_SHXYM", Company(1).uscc)}
    assert any("第11位" in s.why for s in code)
    assert [(s.code, s.text) for s in suggestions(known.office, newest(known, 2))] == [("CF_NR_FK", "2")]
    assert [(s.code, s.text) for s in suggestions(known.office, newest(known, 3))] == [("CF_JDRQ", "2018/08/13")]
    near = candidates(known.office, newest(known, 1))[0]
    assert (near.uscc, near.speaks_for[0]) == (Company(1).uscc, "统一社会信用代码只差一位")
