"""Workbooks as offices upload them: the sheet and the header are found, what is passed over is told."""

from __future__ import annotations

import io

import pytest

from connectors.formats.reader import TextTable, open_table
from simulator.servers.workbook import WorkbookHabits, as_workbook
from transforms.columns import Kind, Sheet
from transforms.problems import DeliveryRefused
from transforms.source_fields import SourceFields, cells_known, only_worksheet

LICENCES = [
    {"XK_WSH": f"京许〔2018〕{n}号", "XK_XDR_MC": "甲", "XK_JDRQ": "2018-08-21", "XK_XDR_SHXYM": "1"} for n in (1, 2)
]
PENALTIES = [
    {"CF_WSH": f"京罚〔2018〕{n}号", "CF_XDR_MC": "乙", "CF_JDRQ": "2018-08-22", "CF_XDR_SHXYM": "2"} for n in (1, 2)
]
BOOK = {"行政许可": LICENCES, "行政处罚": PENALTIES}


def read(content: bytes, kind: Kind, worksheet: str | None = None) -> tuple[TextTable, list[dict[str, str | None]]]:
    table = open_table(
        io.BytesIO(content), file="book.xlsx", fits=lambda row: cells_known(row, kind, ()), worksheet=worksheet
    )
    return table, [row for batch in table.batches() for row in batch.to_pylist()]


@pytest.mark.parametrize(("kind", "rows"), [(Kind.LICENCE, LICENCES), (Kind.PENALTY, PENALTIES)])
def test_one_book_holds_a_sheet_for_each_kind(kind: Kind, rows: list[dict[str, str]]) -> None:
    habits = WorkbookHabits(titles=("公示表", "单位:万元"), cover="报送说明", hidden=True, blank_rows=3)
    table, received = read(as_workbook(BOOK, habits), kind)
    assert [{k: v for k, v in row.items() if k != "row_no"} for row in received] == rows
    assert [row["row_no"] for row in received] == [4, 5]
    said = {problem.rule: problem for problem in table.problems}
    assert set(said) <= {"F22", "F24"}
    assert said["F24"].severity == "warn"
    assert "第 1、2 行" in said["F24"].message


def test_a_row_of_words_above_the_header_is_not_taken_for_it() -> None:
    words = {"填表人": "", "单位": "", "日期": "", "电话": ""}
    content = as_workbook({"许可": [dict(zip(words, row.values(), strict=True)) for row in [*_headed(LICENCES)]]})
    table, received = read(content, Kind.LICENCE)
    assert table.header == tuple(LICENCES[0])
    assert [row["row_no"] for row in received] == [3, 4]


def _headed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{code: code for code in rows[0]}, *rows]


def test_serial_dates_and_numbers_become_text_and_spoilt_codes_damage_their_row() -> None:
    rows = [*LICENCES, {**LICENCES[0], "XK_XDR_SHXYM": "911100000000000017"}]
    habits = WorkbookHabits(serial_dates=("XK_JDRQ",), as_numbers=("XK_XDR_SHXYM",))
    table, received = read(as_workbook({"许可": rows}, habits), Kind.LICENCE)
    assert [(row["XK_JDRQ"], row["XK_XDR_SHXYM"]) for row in received] == [("2018-08-21", "1")] * 2
    assert [(p.rule, p.row, p.field) for p in table.problems] == [("F18", 4, "XK_XDR_SHXYM")]


def test_a_formula_damages_its_row() -> None:
    table, received = read(as_workbook({"许可": LICENCES}, WorkbookHabits(formulas=("XK_XDR_MC",))), Kind.LICENCE)
    assert received == []
    assert [(p.rule, p.field) for p in table.problems[:2]] == [("F17", "XK_XDR_MC")] * 2


def test_a_pattern_chooses_between_sheets_that_fit_alike() -> None:
    content = as_workbook({"许可一月": LICENCES[:1], "许可二月": LICENCES[1:]})
    table, received = read(content, Kind.LICENCE)
    assert (len(received), [p.rule for p in table.problems]) == (1, ["F23"])
    table, received = read(content, Kind.LICENCE, "*二月")
    assert [row["XK_WSH"] for row in received] == ["京许〔2018〕2号"]
    assert table.problems == []
    with pytest.raises(DeliveryRefused, match="没有名称符合"):
        read(content, Kind.LICENCE, "处罚*")


def test_streams_of_a_kind_agree_on_a_worksheet_or_name_none() -> None:
    one, other = (SourceFields(Sheet.STANDARD, worksheet=name) for name in ("许可*", None))
    assert only_worksheet([one, one]) == "许可*"
    assert only_worksheet([one, other]) is None
    assert only_worksheet([]) is None
