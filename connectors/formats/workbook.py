"""XLSX: the first visible sheet with a header, cell by cell as text, never a formula's cached value.

Row numbers are those of the sheet.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import pyarrow as pa
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from connectors.formats.findings import Findings
from connectors.formats.header import LOOK_AHEAD, NAMED_CELLS, clean_name, column_names
from connectors.formats.limits import Limits
from connectors.formats.rules import (
    BROKEN_XML,
    EXCEL_VALUE,
    FORMULA,
    NO_TABLE,
    OTHER_SHEETS,
    TOO_LARGE,
    UNKNOWN_FORMAT,
    XML_DTD,
)
from connectors.formats.screening import Row, batches_of
from connectors.formats.source import Source

EXACT_BELOW: Final = 10**15
"""Excel keeps 15 significant digits; a larger whole number has lost its last ones."""

_SHARED_TEXT: Final = "xl/sharedStrings.xml"
_SHARED_TEXT_BYTES: Final = 256 << 20
_SHEETS: Final = "xl/worksheets/"
_PART_BYTES: Final = 32 << 20
"""Sheets are streamed; every other part is held in memory as a whole."""
_MOST_PARTS: Final = 10_000

_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # the base of every XML parser's error
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
)
"""What openpyxl lets out when the container or a part of it is not what it should be."""

_LAST_ROW: Final = 1_048_576
"""The last row of a sheet; openpyxl fills the gap before a row with a higher number with empty rows, one by one."""


@dataclass(frozen=True)
class Workbook:
    """An opened workbook: the sheet that is read, where its header is, and the sheets that are not read."""

    book: Any
    sheet: Any
    columns: tuple[str, ...]
    header_row: int
    others: tuple[str, ...]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in sheet order."""
        if self.others:
            findings.warn(OTHER_SHEETS, read=self.sheet.title, others="、".join(self.others))
        yield from batches_of(self._rows(findings), self.columns, findings)
        self.book.close()

    def _rows(self, findings: Findings) -> Iterator[Row]:
        for number, cells in enumerate(_guarded(self.sheet.iter_rows(), findings.file), start=1):
            if number > self.header_row:
                texts, wrong = _texts(cells)
                if wrong is None:
                    yield number, texts
                else:
                    position, rule, values = wrong
                    name = self.columns[position] if position < len(self.columns) else ""
                    shown = ",".join((text or "")[:200] for text in texts)
                    findings.reject(rule, number, shown, name, **values)


def open_workbook(source: Source, findings: Findings) -> Workbook:
    """Weigh the container before it is unpacked, then find the first visible sheet with a header row.

    The header is the first of the top rows with three cells of text. Raises DeliveryRefused: a zip bomb or too large
    (F08), a broken container (F03) or part (F09), a document type definition (F10), no header (F05).
    """
    source.stream.seek(0)
    _weigh(source, findings.file, findings.limits)
    source.stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
            book = load_workbook(source.stream, read_only=True, data_only=False, keep_links=False)
    except (*_DAMAGE, OSError, InvalidFileException) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the delivery
            raise
        if isinstance(error.__cause__ or error, DefusedXmlException):
            raise XML_DTD.refusal(findings.file) from error
        raise UNKNOWN_FORMAT.refusal(findings.file, what="损坏的 XLSX 工作簿") from error
    headers: dict[str, tuple[int, list[str]]] = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        if sheet.sheet_state == "visible" and (found := _header(sheet, findings.file)):
            headers[sheet.title] = found
    if not headers:
        raise NO_TABLE.refusal(findings.file, what="工作簿里没有找到表头:没有一行有三个以上的列名")
    title, *others = headers
    row, cells = headers[title]
    return Workbook(book, book[title], column_names(cells, findings.file, findings.limits, row), row, tuple(others))


def _weigh(source: Source, file: str, limits: Limits) -> None:
    """Refuse by the declared sizes: zipfile stops unpacking a part at its declared size and checks its sum."""
    with zipfile.ZipFile(source.stream) as container:
        parts = container.infolist()
        if any(part.flag_bits & 0x1 for part in parts):
            raise UNKNOWN_FORMAT.refusal(file, what="加密的工作簿")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked_bytes or len(parts) > _MOST_PARTS:
        raise TOO_LARGE.refusal(file, what=f"XLSX 解压后超过 {limits.unpacked_bytes >> 20} MB,疑似压缩炸弹")
    if unpacked > (10 << 20) and unpacked > limits.unpack_ratio * source.size:
        raise TOO_LARGE.refusal(file, what=f"XLSX 解压后是原来的 {unpacked // source.size} 倍,疑似压缩炸弹")
    for part in parts:
        most = _SHARED_TEXT_BYTES if part.filename == _SHARED_TEXT else _PART_BYTES
        if part.file_size > most and part.filename.endswith((".xml", ".rels")) and _SHEETS not in part.filename:
            raise TOO_LARGE.refusal(file, what=f"XLSX 的组成部分 {part.filename} 过大")


def _header(sheet: Any, file: str) -> tuple[int, list[str]] | None:
    for number, cells in enumerate(islice(_guarded(sheet.iter_rows(), file), LOOK_AHEAD), start=1):
        texts = [cell.value if cell.data_type == "s" and isinstance(cell.value, str) else "" for cell in cells]
        if sum(1 for text in texts if clean_name(text)) >= NAMED_CELLS:
            return number, [text or _shown(cell) for text, cell in zip(texts, cells, strict=True)]
    return None


def _guarded(rows: Iterable[Sequence[Any]], file: str) -> Iterator[Sequence[Any]]:
    """Pass the rows on; damage inside the sheet's XML refuses the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        walk = iter(rows)
    number = 0
    while True:
        try:
            row = next(walk)
        except StopIteration:
            return
        except _DAMAGE as error:
            if isinstance(error, DefusedXmlException):
                raise XML_DTD.refusal(file) from error
            raise BROKEN_XML.refusal(file, line=number + 1, what="XLSX 工作表") from error
        number += 1
        if number > _LAST_ROW:
            raise BROKEN_XML.refusal(file, line=number, what="XLSX 工作表")
        yield row


def _texts(cells: Sequence[Any]) -> tuple[list[str | None], tuple[int, Any, dict[str, Any]] | None]:
    """Return the texts of a row, and position, rule and values of its first damaged cell."""
    texts: list[str | None] = []
    wrong: tuple[int, Any, dict[str, Any]] | None = None
    for position, cell in enumerate(cells):
        value = cell.value
        if value is None:
            texts.append(None)
            continue
        kind = cell.data_type
        if wrong is None and kind == "f":
            wrong = position, FORMULA, {}
        elif wrong is None and kind == "e":
            wrong = position, EXCEL_VALUE, {"what": str(value)}
        elif wrong is None and kind == "n" and isinstance(value, int | float) and abs(value) >= EXACT_BELOW:
            wrong = position, EXCEL_VALUE, {"what": "超过 15 位的数字"}
        texts.append((value if kind == "s" and isinstance(value, str) else _shown(cell)) or None)
    return texts, wrong


def _shown(cell: Any) -> str:
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return format(Decimal(repr(value)), "f").removesuffix(".0")
        case dt.datetime():
            whole = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
            return f"{whole:%Y-%m-%d}" if whole.time() == dt.time() else f"{whole:%Y-%m-%d %H:%M:%S}"
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)
