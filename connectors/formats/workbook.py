"""XLSX: the first visible sheet with a header, cell by cell as text, never a formula's cached value.

Row numbers are those of the sheet.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import pyarrow as pa
from defusedxml.common import DefusedXmlException
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import WorkSheetParser

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
    FormatRule,
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

_Cell = dict[str, Any]
"""A cell as openpyxl parses it: column (from 1), value, data_type."""


@dataclass(frozen=True)
class _Sheet:
    """A sheet by its title and the part of the container that holds it."""

    excel: ExcelReader
    title: str
    part: str

    def rows(self, file: str) -> Iterator[tuple[int, list[_Cell]]]:
        """Yield number and cells of each row that is there; damage in the sheet's XML refuses the file (F09, F10).

        openpyxl's parser is used below its worksheet class, which looks for the size of a sheet by loading all of it,
        drops a row whose number is not above the one before, and fills gaps with empty rows.
        """
        book: Any = self.excel.wb
        last = 0
        try:
            with self.excel.archive.open(self.part) as content:
                parser = WorkSheetParser(
                    content,
                    self.excel.shared_strings,
                    data_only=False,
                    epoch=book.epoch,
                    date_formats=book._date_formats,
                    timedelta_formats=book._timedelta_formats,
                )
                for number, cells in parser.parse():
                    columns = {cell["column"] for cell in cells}
                    if number <= last or len(columns) < len(cells):
                        raise BROKEN_XML.refusal(file, line=number, what="XLSX 工作表的行号或列号重复")
                    last = number
                    yield number, cells
        except _DAMAGE as error:
            if isinstance(error, DefusedXmlException):
                raise XML_DTD.refusal(file) from error
            raise BROKEN_XML.refusal(file, line=last + 1, what="XLSX 工作表") from error

    def header(self, file: str) -> tuple[int, list[str]] | None:
        """Return number and texts of the first of the top rows with three cells of text."""
        for number, cells in islice(self.rows(file), LOOK_AHEAD):
            named = [cell for cell in cells if cell["data_type"] == "s" and clean_name(str(cell["value"] or ""))]
            if len(named) >= NAMED_CELLS:
                return number, [text or "" for text in _texts(cells)[0]]
        return None


@dataclass(frozen=True)
class Workbook:
    """An opened workbook: the sheet that is read, where its header is, and the titles of sheets that are not read."""

    sheet: _Sheet
    columns: tuple[str, ...]
    header_row: int
    others: tuple[str, ...]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in sheet order."""
        if self.others:
            findings.warn(OTHER_SHEETS, read=self.sheet.title, others="、".join(self.others))
        yield from batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        for number, cells in self.sheet.rows(findings.file):
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
    file = findings.file
    source.stream.seek(0)
    _weigh(source, file, findings.limits)
    source.stream.seek(0)
    headers: dict[_Sheet, tuple[int, list[str]]] = {}
    for sheet in _visible_sheets(source, file):
        if found := sheet.header(file):
            headers[sheet] = found
    if not headers:
        raise NO_TABLE.refusal(file, what="工作簿里没有找到表头:没有一行有三个以上的列名")
    first, *others = headers
    row, cells = headers[first]
    columns = column_names(cells, file, findings.limits, row)
    return Workbook(first, columns, row, tuple(sheet.title for sheet in others))


def _visible_sheets(source: Source, file: str) -> list[_Sheet]:
    """Read what the cells refer to (shared texts, styles) and list the sheets; nothing else of the container."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
            excel = ExcelReader(source.stream, read_only=True, keep_links=False)
            excel.read_manifest()
            excel.read_strings()
            excel.read_workbook()
            apply_stylesheet(excel.archive, excel.wb)
            return [
                _Sheet(excel, sheet.name, relation.target)
                for sheet, relation in excel.parser.find_sheets()
                if sheet.state == "visible"
                and relation.Type.endswith("/worksheet")
                and relation.target in excel.valid_files
            ]
    except (*_DAMAGE, OSError, InvalidFileException) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk, not the delivery
            raise
        if isinstance(error, DefusedXmlException):
            raise XML_DTD.refusal(file) from error
        raise UNKNOWN_FORMAT.refusal(file, what="损坏的 XLSX 工作簿") from error


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


def _texts(cells: Sequence[_Cell]) -> tuple[list[str | None], tuple[int, FormatRule, dict[str, Any]] | None]:
    """Return the texts of a row by position, and position, rule and values of its first damaged cell."""
    texts: list[str | None] = [None] * max((cell["column"] for cell in cells), default=0)
    wrong: tuple[int, FormatRule, dict[str, Any]] | None = None
    for cell in cells:
        value, kind, position = cell["value"], cell["data_type"], cell["column"] - 1
        if value is None:
            continue
        if wrong is None and kind == "f":
            wrong = position, FORMULA, {}
        elif wrong is None and kind == "e":
            wrong = position, EXCEL_VALUE, {"what": str(value)}
        elif wrong is None and kind == "n" and isinstance(value, int | float) and abs(value) >= EXACT_BELOW:
            wrong = position, EXCEL_VALUE, {"what": "超过 15 位的数字"}
        texts[position] = (value if kind == "s" and isinstance(value, str) else _shown(value)) or None
    return texts, wrong


def _shown(value: object) -> str:
    match value:
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
