"""Workbooks as offices upload them: several sheets, merged title rows, serial dates, numbers kept as text or spoilt."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkbookHabits:
    """How an office writes its books.

    ``titles``: merged rows above the header. ``cover``: a first sheet without a table. ``hidden``: a hidden copy of
    the last sheet. ``serial_dates``: columns written as Excel dates. ``as_numbers``: columns written as numbers, codes
    of 18 digits lose their last ones there. ``blank_rows``: formatted rows at the end. ``formulas``: columns written
    as formulas.
    """

    titles: Sequence[str] = ()
    cover: str = ""
    hidden: bool = False
    serial_dates: Sequence[str] = ()
    as_numbers: Sequence[str] = ()
    blank_rows: int = 0
    formulas: Sequence[str] = ()


def as_workbook(sheets: Mapping[str, Sequence[Row]], habits: WorkbookHabits = WorkbookHabits()) -> bytes:
    """Write one worksheet per title; every sheet has at least one row."""
    book = Workbook()
    book.remove(book.worksheets[0])
    if habits.cover:
        book.create_sheet("封面").append([habits.cover])
    for title, rows in sheets.items():
        _write(book.create_sheet(title), rows, habits)
    if habits.hidden:
        copy = book.copy_worksheet(book.worksheets[-1])
        copy.sheet_state = "hidden"
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write(sheet: Worksheet, rows: Sequence[Row], habits: WorkbookHabits) -> None:
    codes = list(rows[0])
    for number, title in enumerate(habits.titles, start=1):
        sheet.append([title])
        sheet.merge_cells(start_row=number, start_column=1, end_row=number, end_column=len(codes))
    sheet.append(codes)
    for row in rows:
        sheet.append([_cell(code, row[code], habits) for code in codes])
    for _ in range(habits.blank_rows):
        sheet.append([""] * len(codes))


def _cell(code: str, text: str, habits: WorkbookHabits) -> str | float | datetime | None:
    if not text:
        return None
    if code in habits.serial_dates:
        return datetime.fromisoformat(text)
    if code in habits.as_numbers:
        return float(text)
    return f'="{text}"' if code in habits.formulas else text
