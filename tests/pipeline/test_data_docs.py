"""Data Docs: the page of a delivery says what the ledger counted, holds no value, and asks no other host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, as_csv, legacy_penalty, penalty

from expectations.suite import load_suite
from pipeline.data_docs import build_data_docs, page_of
from pipeline.holds import decide
from transforms.columns import Kind, Sheet


@pytest.fixture
def pages(known: Any) -> Any:
    """Build the pages of a day and return their texts by delivery."""

    def build(day: Any = DAY) -> dict[str, str]:
        return {page.name: page.read_text(encoding="utf-8") for page in build_data_docs(known.office, as_of=day)}

    return build


def test_a_page_says_for_each_expectation_what_the_ledger_counted(known: Any, pages: Any) -> None:
    rows = [penalty(1), penalty(2, CF_JDRQ="2018-02-30"), penalty(3, CF_JDRQ="2018-02-30"), penalty(4, CF_CFLB="训诫")]
    taken = known.ingest(rows)
    [(name, page)] = pages().items()
    assert name == page_of(taken.delivery_id)
    counted = {row["expectation"]: row for row in known.query("SELECT * FROM check_result")}
    assert counted["R10.decision_date"]["unexpected"] == 2
    shown = sections(page)
    column_of = {each.id: each.column for each in load_suite(Kind.PENALTY, Sheet.STANDARD).expectations}
    assert {column_of[expectation] for expectation in counted} == shown.keys()
    for expectation, row in counted.items():
        text = shown[column_of[expectation]]
        if row["unexpected"]:
            assert f"{row['unexpected']} unexpected values found" in text and "fa-times" in text, expectation
        else:
            assert "fa-check-circle" in text, expectation
    assert page.count("unexpected values found") == sum(row["unexpected"] > 0 for row in counted.values()) >= 2
    failing = sum(row["unexpected"] > 0 for row in counted.values())
    assert f"{len(counted)} 项期望, 其中 {failing} 项有行未通过" in page
    assert "决定日期" in page and "处理办法" in page


def sections(page: str) -> dict[str, str]:
    """The part of a page about each column that was asked about."""
    parts = re.split(r'<section class="(?:failed|passed)">', page)[1:]
    return {re.search(r"<h3[^>]*>\s*(\S+)\s*</h3>", part)[1]: part for part in parts}  # type: ignore[index]


def test_a_page_holds_no_value_and_asks_no_other_host(known: Any, pages: Any) -> None:
    known.ingest(as_csv([penalty(1, CF_CFLB=f"训诫{SOMEONE}"), penalty(2)], extra_lines=[f"仿某,{SOMEONE}"]))
    [page] = pages().values()
    for private in (SOMEONE, SOMEONE[6:14], "训诫", "仿某"):
        assert private not in page
    assert "其他计数" in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page) and "<script" not in page


def test_pages_are_of_the_day_asked_and_the_same_when_built_again(known: Any, pages: Any) -> None:
    known.ingest([penalty(1)])
    known.ingest([legacy_penalty(2)], NEXT_DAY)
    first, second = pages(), pages(NEXT_DAY)
    assert len(first) == len(second) == 1 and not first.keys() & second.keys()
    assert pages() == first
    assert "全部通过" in next(iter(first.values()))


def test_a_delivery_that_was_refused_as_a_file_has_no_page(known: Any, pages: Any) -> None:
    known.ingest(b"<html><body>login</body></html>")
    assert pages() == {}


def test_a_held_delivery_has_a_page_only_once_people_let_it_through(known: Any, pages: Any) -> None:
    held = known.ingest([penalty(1)], agency="psb")
    assert held.state == "held" and pages() == {}
    for person in ("王平台", "李审批"):
        decide(known.office, held.hold_id, person=person, decision="approve", reason="已核对", via="cli")
    [page] = pages().values()
    assert "0 项期望" not in page and "北京市公安局" in page


def test_a_page_can_be_built_by_number_into_a_folder(known: Any, tmp_path: Path) -> None:
    taken = known.ingest([penalty(1)])
    [page] = build_data_docs(known.office, delivery_ids=[taken.delivery_id], folder=tmp_path / "docs")
    assert page.parent == tmp_path / "docs" and (page.parent / "data_docs.css").exists()
