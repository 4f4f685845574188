"""Workbooks for people: a cell is text, or a number that was given as one; nothing is computed when the book is opened,
the same rows give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

_LONGEST_CELL: Final = 32_767
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_FILLS: Final = {
    "reject": PatternFill("solid", fgColor="F8D7D3"),
    "hold": PatternFill("solid", fgColor="FCEFC7"),
    "head": PatternFill("solid", fgColor="E7EDF4"),
}
"""Colours by what a cell is: a severity, or a header."""


def new_book(title: str, day: dt.date) -> Workbook:
    """Return an empty book, written row by row, that bears the day and no moment."""
    book = Workbook(write_only=True)
    book.properties.title = title
    book.properties.creator = "信用信息归集与公示平台"
    book.properties.created = book.properties.modified = dt.datetime.combine(day, dt.time())
    return book


def add_sheet(
    book: Workbook, title: str, header: Iterable[str], widths: Sequence[int], *, keep_first_column: bool = False
) -> Any:
    """Add a sheet with its header row, which stays in view; ``widths`` are of its columns, in characters."""
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "B2" if keep_first_column else "A2"
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    cells = [text_cell(sheet, text, "head") for text in header]
    for cell in cells:
        cell.font = Font(bold=True)
    sheet.append(cells)
    return sheet


def text_cell(sheet: Any, text: str, fill: str | None = None) -> Any:
    """Return a cell that holds a text and never a formula."""
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:_LONGEST_CELL])
    cell.data_type = "s"  # text that begins with = is no formula
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if fill:
        cell.fill = _FILLS[fill]
    return cell


def number_cell(sheet: Any, value: Decimal, decimals: int, fill: str | None = None) -> Any:
    """Return a cell that holds a number, rounded already, and shows it with so many places."""
    cell = WriteOnlyCell(sheet, float(value) if decimals else int(value))
    cell.number_format = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    cell.alignment = Alignment(vertical="top")
    if fill:
        cell.fill = _FILLS[fill]
    return cell


def packed(book: Workbook) -> bytes:
    """Return the XLSX of a book without the moment at which it was packed."""
    saved, raw, fixed = book.properties.created, io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(rf"\g<1>{saved:%Y-%m-%dT%H:%M:%SZ}\g<2>".encode(), part)
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, part)
    return fixed.getvalue()
