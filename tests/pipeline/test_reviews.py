"""The stewards' work list follows the records: opens, moves, closes by itself, and remembers who did what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, document_no, legacy_penalty, licence, penalty, registered

from pipeline.holds import decide
from pipeline.reconcile import reconcile
from pipeline.review_terms import due_dates
from store import reviews
from store.reviews import Filters, ReviewTaken, ReviewUnknown
from transforms.columns import Kind

BAD_CODE = "91110105MA0000000X"
THIRD_DAY = dt.date(2018, 8, 23)


def open_items(desk: Any) -> list[tuple[str, str]]:
    return [(row["document_no"], row["rule"]) for row in desk.query(
        "SELECT document_no, rule FROM review WHERE state = 'open' ORDER BY document_no, rule"
    )]  # fmt: skip


def closed(desk: Any) -> list[str]:
    return [row["closed_as"] for row in desk.query("SELECT closed_as FROM review WHERE state = 'closed' ORDER BY 1")]


def test_a_failed_row_opens_one_item_per_rule_with_its_term(known: Any) -> None:
    known.ingest([penalty(1), penalty(2, CF_XDR_SHXYM=BAD_CODE, CF_GSJZQ="2018/07/01"), penalty(3, CF_NR_FK="20000")])
    assert open_items(known) == [
        (document_no(2), "R03.uscc"), (document_no(2), "R12.date_order"),
        (document_no(3), "R17.fine_in_text"), (document_no(3), "R18.unit_slip"),
    ]  # fmt: skip
    terms = known.query("SELECT DISTINCT severity, opened, due FROM review ORDER BY severity")
    assert terms == [
        {"severity": "hold", "opened": DAY, "due": dt.date(2018, 8, 23)},
        {"severity": "reject", "opened": DAY, "due": dt.date(2018, 8, 24)},
    ]


def test_five_hundred_corrected_rows_close_their_items_in_one_ingest(known: Any) -> None:
    known.ingest([penalty(serial, CF_XDR_SHXYM=BAD_CODE) for serial in range(1, 501)])
    assert len(open_items(known)) == 500
    known.ingest([penalty(serial) for serial in range(1, 501)], NEXT_DAY)
    assert open_items(known) == []
    assert set(closed(known)) == {"source_fixed"}
    events = known.query("SELECT event, person, reason, count(*) AS n FROM review_event GROUP BY 1, 2, 3")
    assert events == [{"event": "closed", "person": "ingest", "reason": "source_fixed", "n": 500}]


def test_what_still_fails_keeps_its_age_and_its_assignee(known: Any) -> None:
    known.ingest([penalty(1, CF_XDR_SHXYM=BAD_CODE, CF_GSJZQ="2018/07/01")])
    with known.office.engine.begin() as connection:
        [item, _] = reviews.list_reviews(connection, Filters())
        reviews.claim(connection, item.review_id, person="张三")
    known.ingest([penalty(1, CF_XDR_SHXYM=BAD_CODE)], NEXT_DAY)
    [same] = known.query("SELECT * FROM review WHERE state = 'open'")
    assert (same["review_id"], same["opened"], same["assignee"]) == (item.review_id, DAY, "张三")
    assert same["record_id"] == known.query("SELECT max(record_id) AS newest FROM penalty")[0]["newest"]
    assert closed(known) == ["superseded"], "the dates are right now"
    known.ingest([penalty(1)], THIRD_DAY)
    assert open_items(known) == []


def test_a_mended_name_closes_the_item_when_the_code_agrees(known: Any) -> None:
    wrong_name = penalty(1, CF_XDR_MC="", CF_NR="罚款人民币2万元")
    other_party = penalty(2, CF_XDR_MC="", CF_XDR_SHXYM=BAD_CODE)
    known.ingest([wrong_name, other_party])
    assert len(open_items(known)) == 3
    known.ingest([penalty(1, CF_NR="罚款人民币2万元")], NEXT_DAY)
    assert {number for number, _ in open_items(known)} == {document_no(2)}


def test_another_party_of_the_same_document_closes_nothing(known: Any) -> None:
    known.ingest([penalty(1, CF_GSJZQ="2018/07/01")])
    known.ingest([penalty(1, Company(2))], NEXT_DAY)
    assert open_items(known) == [(document_no(1), "R12.date_order")]


def test_a_withdrawal_closes_the_item(known: Any) -> None:
    known.ingest([legacy_penalty(1, CF_CFLB1="训诫")])
    known.ingest([legacy_penalty(1, CF_ZT="1", SJC="2018-08-22 09:00:00")], NEXT_DAY)
    assert open_items(known) == []
    assert closed(known) == ["withdrawn"]


def test_the_register_opens_and_closes_attachment_items(known: Any) -> None:
    known.ingest([penalty(50), penalty(1)])
    known.attach()
    assert open_items(known) == [(document_no(50), "not_in_register")]
    [item] = known.query("SELECT value, remedy, severity FROM open_review")
    assert (item["value"], item["severity"]) == ("仿真第50号（北京）科技有限公司", "review")
    assert "查无此主体" in item["remedy"]
    known.register([registered(Company(serial)) for serial in (1, 50)], NEXT_DAY)
    known.attach(NEXT_DAY)
    assert (open_items(known), closed(known)) == ([], ["attached"])
    assert reconcile(known.office).ok


def test_a_claim_is_held_against_others_and_written_down(known: Any) -> None:
    known.ingest([licence(1, XK_XKLB="无此类")], kind=Kind.LICENCE)
    with known.office.engine.begin() as connection:
        [item] = reviews.list_reviews(connection, Filters(agency="aic", unassigned=True))
        assert reviews.claim(connection, item.review_id, person="张三").assignee == "张三"
        with pytest.raises(ReviewTaken, match="张三"):
            reviews.claim(connection, item.review_id, person="李四")
        reviews.comment(connection, item.review_id, person="李四", reason="已电话联系")
        assert (
            reviews.assign(connection, item.review_id, to="李四", person="王五", reason="张三休假").assignee == "李四"
        )
        told = [(event.event, event.person) for event in reviews.events_of(connection, item.review_id)]
        assert told == [("claimed", "张三"), ("commented", "李四"), ("assigned", "王五")]
        with pytest.raises(ReviewUnknown):
            reviews.read_review(connection, 999)


def test_groups_count_by_agency_and_rule_with_age_and_samples(known: Any) -> None:
    known.ingest([penalty(serial, CF_GSJZQ="2018/07/01") for serial in range(1, 6)])
    known.ingest([penalty(serial, CF_GSJZQ="2018/07/01") for serial in range(6, 8)], NEXT_DAY)
    known.ingest([penalty(9, CF_XDR_SHXYM=BAD_CODE)], NEXT_DAY)
    with known.office.engine.connect() as connection:
        first, second = reviews.grouped(connection, Filters(), today=dt.date(2018, 8, 27), samples=2)
        assert (first.rule, first.count, first.oldest, first.overdue, first.unassigned) == (
            "R12.date_order", 7, DAY, 5, 7,
        )  # fmt: skip
        assert [sample.document_no for sample in first.samples] == [document_no(1), document_no(2)]
        assert (second.rule, second.count) == ("R03.uscc", 1)
        page = reviews.list_reviews(connection, Filters(rule="R12.date_order"), limit=5)
        rest = reviews.list_reviews(
            connection, Filters(rule="R12.date_order"), after=(page[-1].opened, page[-1].review_id)
        )
        assert [item.document_no for item in [*page, *rest]] == [document_no(n) for n in range(1, 8)]
        assert "公示截止期须晚于决定日期" in (page[0].remedy or "")


def test_a_held_delivery_is_an_item_until_it_is_decided(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.descriptor import load_agency
    from pipeline import guarding

    default_hold = load_agency("aic").model_copy(update={"default_hold": "新设机关"})
    monkeypatch.setattr(guarding, "load_agency", lambda _agency: default_hold)
    taken = known.ingest([penalty(1)])
    if taken.hold_id is None:
        pytest.fail("the delivery should be held")
    assert known.query("SELECT severity, hold_id FROM review WHERE state = 'open'") == [
        {"severity": "batch", "hold_id": taken.hold_id}
    ]
    decide(known.office, taken.hold_id, person="张三", decision="approve", reason="已核对")
    assert closed(known) == []
    decide(known.office, taken.hold_id, person="李四", decision="approve", reason="已核对")
    assert closed(known) == ["approved"]


def test_a_year_without_a_calendar_leaves_the_term_open() -> None:
    assert set(due_dates(dt.date(2040, 5, 1)).values()) == {None}
    assert due_dates(dt.date(2018, 9, 28))["hold"] == dt.date(2018, 9, 30), "a Sunday that is worked"
