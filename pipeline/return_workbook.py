"""The workbook of a return notice: failing rows as their agency sent them, what is wrong with each, what to do.

One worksheet per form of file that the rows came in, with the agency's own header, so that a mended sheet can be sent
back as it is; the columns added at the right end mean nothing to the reader of deliveries. The last worksheet lists
every failed rule on a line of its own. Cells are text: nothing is computed when the book is opened.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

ADDED: Final = ("退回原因", "处理办法", "处理期限", "原文件", "原行号")
LISTED: Final = (
    "文书号", "行政相对人", "数据项", "所报内容", "规则", "问题", "处理办法", "处理期限", "原文件", "原行号"
)  # fmt: skip
LIST_TITLE: Final = "问题清单"
_LONGEST_CELL: Final = 32_767
_MODIFIED: Final = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_FILLS: Final = {
    "reject": PatternFill("solid", fgColor="F8D7D3"),
    "hold": PatternFill("solid", fgColor="FCEFC7"),
    "head": PatternFill("solid", fgColor="E7EDF4"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a row failed, in the words of the agency's sheet."""

    rule: str
    severity: str
    title: str
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
    book = Workbook(write_only=True)
    book.properties.title = number
    book.properties.creator = "信用信息归集与公示平台"
    book.properties.created = book.properties.modified = dt.datetime.combine(as_of, dt.time())
    for sheet in sheets:
        _write_rows(book.create_sheet(sheet.title), sheet)
    _write_list(book.create_sheet(LIST_TITLE), sheets)
    packed = io.BytesIO()
    book.save(packed)
    return _with_fixed_stamps(packed.getvalue(), book.properties.created)


def _write_rows(into: Any, sheet: ReturnedSheet) -> None:
    _shape(into, [18] * len(sheet.header) + [44, 52, 12, 26, 8])
    into.append([_head(into, text) for text in (*sheet.header, *ADDED)])
    for row in sheet.rows:
        received = [_cell(into, text, row.wrong.get(place)) for place, text in enumerate(row.cells)]
        told = (
            "\n".join(f"{p.title} ({p.rule})" for p in row.problems), "\n".join(p.remedy for p in row.problems),
            _day(row.due), row.file, str(row.row_no),
        )  # fmt: skip
        into.append([*received, *(_cell(into, text) for text in told)])


def _write_list(into: Any, sheets: Sequence[ReturnedSheet]) -> None:
    _shape(into, [28, 30, 20, 30, 18, 36, 52, 12, 26, 8])
    into.append([_head(into, text) for text in LISTED])
    for sheet in sheets:
        for row in sheet.rows:
            for p in row.problems:
                told = (
                    row.document_no, row.subject_name, p.labels, p.value, p.rule, p.title, p.remedy, _day(row.due),
                    row.file, str(row.row_no),
                )  # fmt: skip
                into.append([_cell(into, text) for text in told])


def _shape(into: Any, widths: Sequence[int]) -> None:
    into.freeze_panes = "A2"
    for place, width in enumerate(widths, start=1):
        into.column_dimensions[get_column_letter(place)].width = width


def _head(into: Any, text: str) -> Any:
    cell = _cell(into, text, "head")
    cell.font = Font(bold=True)
    return cell


def _cell(into: Any, text: str, fill: str | None = None) -> Any:
    cell = WriteOnlyCell(into, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:_LONGEST_CELL])
    cell.data_type = "s"  # text that begins with = is no formula
    cell.number_format = "@"
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    if fill:
        cell.fill = _FILLS[fill]
    return cell


def _day(day: dt.date | None) -> str:
    return "" if day is None else day.isoformat()


def _with_fixed_stamps(content: bytes, saved: dt.datetime) -> bytes:
    """Pack a workbook again without the moment at which it was packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(rf"\g<1>{saved:%Y-%m-%dT%H:%M:%SZ}\g<2>".encode(), part)
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, part)
    return packed.getvalue()
