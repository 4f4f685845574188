"""The workbook of a return notice: failing rows as their agency sent them, what is wrong with each, what to do.

One worksheet per form of file that the rows came in, with the agency's own header, so that a mended sheet can be sent
back as it is; the columns added at the right end mean nothing to the reader of deliveries. The last worksheet lists
every failed rule on a line of its own. Cells are text: nothing is computed when the book is opened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import Workbook

from pipeline.text_workbook import add_sheet, new_book, packed, text_cell

ADDED: Final = ("退回原因", "处理办法", "处理期限", "原文件", "原行号")
LISTED: Final = (
    "文书号", "行政相对人", "数据项", "所报内容", "规则", "问题", "说明", "处理办法", "处理期限", "原文件", "原行号"
)  # fmt: skip
LIST_TITLE: Final = "问题清单"


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a row failed, in the words of the agency's sheet; ``said`` is a sentence with the row's values."""

    rule: str
    severity: str
    title: str
    said: str
    remedy: str
    value: str
    labels: str


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A row as received, personal data masked. ``wrong``: severity by place of the failing cells."""

    cells: Sequence[str]
    wrong: dict[int, str]
    problems: Sequence[Problem]
    document_no: str
    subject_name: str
    due: dt.date | None
    file: str
    row_no: int


@dataclass(frozen=True, slots=True)
class ReturnedSheet:
    """Rows that came under one header."""

    title: str
    header: Sequence[str]
    rows: Sequence[ReturnedRow]


def write_workbook(sheets: Sequence[ReturnedSheet], *, number: str, as_of: dt.date) -> bytes:
    """Return the XLSX of a notice; the same rows give the same bytes."""
    book = new_book(number, as_of)
    for sheet in sheets:
        _write_rows(book, sheet)
    _write_list(book, sheets)
    return packed(book)


def _write_rows(book: Workbook, sheet: ReturnedSheet) -> None:
    widths = [18] * len(sheet.header) + [44, 52, 12, 26, 8]
    into: Any = add_sheet(book, sheet.title, (*sheet.header, *ADDED), widths)
    for row in sheet.rows:
        received = [text_cell(into, text, row.wrong.get(place)) for place, text in enumerate(row.cells)]
        told = (
            "\n".join(f"{p.said or p.title} ({p.rule})" for p in row.problems),
            "\n".join(p.remedy for p in row.problems), _day(row.due), row.file, str(row.row_no),
        )  # fmt: skip
        into.append([*received, *(text_cell(into, text) for text in told)])


def _write_list(book: Workbook, sheets: Sequence[ReturnedSheet]) -> None:
    into: Any = add_sheet(book, LIST_TITLE, LISTED, [28, 30, 20, 30, 18, 36, 44, 52, 12, 26, 8])
    for sheet in sheets:
        for row in sheet.rows:
            for p in row.problems:
                told = (
                    row.document_no, row.subject_name, p.labels, p.value, p.rule, p.title, p.said, p.remedy,
                    _day(row.due), row.file, str(row.row_no),
                )  # fmt: skip
                into.append([text_cell(into, text) for text in told])


def _day(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()
