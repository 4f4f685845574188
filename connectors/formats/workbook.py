"""XLSX: the first visible sheet with a header, cell by cell as text, never a formula's cached value.

Row numbers are those of the sheet.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Final
from xml.parsers.expat import ExpatError

import pyarrow as pa
from defusedxml.common import DefusedXmlException
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException

from connectors.formats.findings import Findings, row_text
from connectors.formats.header import LOOK_AHEAD, NAMED_CELLS, clean_name, column_names
from connectors.formats.limits import Limits
from connectors.formats.rules import (
    BROKEN_XML,
    NO_TABLE,
    OTHER_SHEETS,
    ROWS_ABOVE,
    TOO_LARGE,
    UNKNOWN_FORMAT,
    XML_DTD,
)
from connectors.formats.screening import Row, batches_of
from connectors.formats.sheet_xml import DateStyles, DoctypeError, SheetRow, sheet_rows
from connectors.formats.source import Source

Fits = Callable[[Sequence[str]], int]
"""Says of the cells of a row how many name a column that is wanted."""

_SHARED_TEXT: Final = "xl/sharedStrings.xml"
_SHARED_TEXT_BYTES: Final = 256 << 20
_SHEETS: Final = "xl/worksheets/"
_PART_BYTES: Final = 32 << 20
"""Sheets are streamed; every other part is held in memory as a whole."""
_MOST_PARTS: Final = 10_000

_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # the base of openpyxl's XML errors
    ExpatError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
)
"""What openpyxl lets out when the container or a part of it is not what it should be."""


@dataclass(frozen=True)
class _Sheet:
    """A sheet by its title and the part of the container that holds it."""

    excel: ExcelReader
    title: str
    part: str

    def rows(self, file: str) -> Iterator[SheetRow]:
        """Yield each row that is there; damage in the sheet's XML refuses the file (F09, F10)."""
        book: Any = self.excel.wb
        dates = DateStyles(book.epoch, book._date_formats, book._timedelta_formats)
        last = 0
        try:
            with self.excel.archive.open(self.part) as content:
                for row in sheet_rows(content, self.excel.shared_strings, dates):
                    if row.number <= last or row.twice:
                        raise BROKEN_XML.refusal(file, line=row.number, what="XLSX 工作表的行号或列号重复")
                    last = row.number
                    yield row
        except DoctypeError as error:
            raise XML_DTD.refusal(file) from error
        except _DAMAGE as error:
            raise BROKEN_XML.refusal(file, line=last + 1, what="XLSX 工作表") from error

    def header(self, file: str, fits: Fits) -> _Header | None:
        """Return the best of the top rows with three cells of text: the first of those that fit best."""
        found: _Header | None = None
        for row in islice(self.rows(file), LOOK_AHEAD):
            if row.text_cells >= NAMED_CELLS:
                names = [text or "" for text in row.texts]
                score = fits([clean_name(name) for name in names])
                if found is None or score > found.score:
                    found = _Header(self, row.number, names, score)
        return found


@dataclass(frozen=True)
class _Header:
    """A row that may be the header of a sheet; ``score``: how many of its cells name a column that is wanted."""

    sheet: _Sheet
    row: int
    cells: list[str]
    score: int


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
        above: list[int] = []
        for row in self.sheet.rows(findings.file):
            if row.number <= self.header_row:
                above += [row.number] if row.number < self.header_row and any(row.texts) else []
                continue
            if above:
                findings.warn(ROWS_ABOVE, header=self.header_row, rows="、".join(map(str, above)))
                above = []
            if row.wrong is None:
                yield row.number, row.texts
            else:
                position, rule, values = row.wrong
                name = self.columns[position] if position < len(self.columns) else ""
                findings.reject(rule, row.number, row_text(row.texts), name, **values)
        if above:
            findings.warn(ROWS_ABOVE, header=self.header_row, rows="、".join(map(str, above)))


def open_workbook(
    source: Source, findings: Findings, *, fits: Fits = lambda _header: 0, worksheet: str | None = None
) -> Workbook:
    """Weigh the container before it is unpacked, then find the visible sheet and the row that are wanted.

    ``fits`` says how many cells of a row name a column that is wanted: the first sheet with the best row is read, its
    header is that row. ``worksheet`` is a pattern (``行政许可*``) that the sheet's title must have. Sheets that fit as
    well and are not read are told of (F23), so are rows above the header (F24). Raises DeliveryRefused: a zip bomb or
    too large (F08), a broken container (F03) or part (F09), a document type definition (F10), no header (F05).
    """
    file = findings.file
    source.stream.seek(0)
    _weigh(source, file, findings.limits)
    source.stream.seek(0)
    sheets = [s for s in _visible_sheets(source, file) if worksheet is None or fnmatchcase(s.title, worksheet)]
    if not sheets and worksheet is not None:
        raise NO_TABLE.refusal(file, what=f"工作簿里没有名称符合“{worksheet}”的可见工作表")
    headers = [header for sheet in sheets if (header := sheet.header(file, fits))]
    if not headers:
        raise NO_TABLE.refusal(file, what="工作簿里没有找到表头:没有一行有三个以上的列名")
    most = max(header.score for header in headers)
    first, *others = (header for header in headers if header.score == most)
    columns = column_names(first.cells, file, findings.limits, first.row)
    return Workbook(first.sheet, columns, first.row, tuple(other.sheet.title for other in others))


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
