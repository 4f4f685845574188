"""The one door for files: told by content, opened as a table of text, read in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

import pyarrow as pa

from connectors.formats.content import Format, told_format
from connectors.formats.delimited import open_delimited
from connectors.formats.encoding import told_encoding
from connectors.formats.envelope import unwrapped
from connectors.formats.findings import Findings
from connectors.formats.html_detail import open_html
from connectors.formats.json_lines import open_json_lines
from connectors.formats.json_value import open_json
from connectors.formats.limits import Limits
from connectors.formats.rules import BLANK_ROWS, NO_ROWS
from connectors.formats.screening import table_schema
from connectors.formats.source import Source
from connectors.formats.workbook import Fits, open_workbook
from connectors.formats.xml_rows import open_xml
from transforms.problems import Problem


class _Body(Protocol):
    @property
    def columns(self) -> tuple[str, ...]: ...

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]: ...


class TextTable:
    """A file as a table of text; nothing is interpreted, nothing is trimmed but the column names.

    ``format``: csv (comma or tab), xlsx, xml, html, json, jsonl. ``encoding``: utf-8, utf-8-sig or gb18030; of XLSX and
    JSON always that of the format. ``header``: names of the columns, without byte order mark and blanks at the ends,
    each once; empty for XML and JSON without any record.

    Row numbers are those a person sees: CSV and XLSX count as a spreadsheet does (header 1, first data row 2; rows
    above the header count too); XML and JSON count records from 1; JSON Lines counts lines from 1.

    ``problems`` fills while ``batches`` is consumed. Each damaged row has exactly one problem of severity ``reject``,
    so that ``rows`` (received so far, damaged ones included) = rows in batches + rejects. Blank rows are no rows; a
    ``warn`` says how many were skipped. A caller may empty the list between batches.
    """

    def __init__(self, source: Source, told: Format, encoding: str, body: _Body, findings: Findings) -> None:
        """Made by ``open_table``."""
        self.format: Final = told
        self.encoding: Final = encoding
        self.header: Final[tuple[str, ...]] = tuple(name for name in body.columns if name)
        self.schema: Final[pa.Schema] = table_schema(self.header)
        self._source = source
        self._body = body
        self._findings = findings
        self._started = False

    @property
    def problems(self) -> list[Problem]:
        """What was found so far, in the order of finding."""
        return self._findings.problems

    @property
    def rows(self) -> int:
        """Rows received so far, damaged ones included, blank ones not."""
        return self._findings.good + self._findings.damaged

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in file order: ``row_no`` int64, then each column as text, null where the cell is empty.

        At most ``limits.batch_rows`` rows at a time; no batch is empty. Can be called once. May raise
        DeliveryRefused when damage shows late (F09, F11, F12); the file is closed at the end.
        """
        if self._started:
            raise RuntimeError("batches() can be called once; open the table again")
        self._started = True
        with self:
            yield from self._body.batches(self._findings)
            if self._findings.blank:
                self._findings.warn(BLANK_ROWS, count=self._findings.blank)
            if not self.rows:
                self._findings.warn(NO_ROWS)

    def close(self) -> None:
        """Close the file; a stream of the caller stays open."""
        self._source.close()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def open_table(
    stream_or_path: BinaryIO | Path,
    *,
    file: str,
    limits: Limits = Limits(),  # noqa: B008 frozen
    rows_at: str | None = None,
    fits: Fits = lambda _header: 0,
    worksheet: str | None = None,
) -> TextTable:
    """Open a delivered file, told by its content whatever its name; ``file`` is the name used in messages.

    ``rows_at`` is the dotted path to the rows of a JSON value (``data.list``) or to the element around the records of
    an XML file; without it the usual places are tried. ``fits`` (how many cells of a row name a column that is wanted)
    and ``worksheet`` (a pattern of its title) choose the sheet and the header row of a workbook.
    Raises DeliveryRefused when the file as a whole cannot be read (F01-F12 of ``rules.py``).
    """
    source = Source(stream_or_path, file, limits)
    findings = Findings(file, limits)
    try:
        told = told_format(source, file)
        body: _Body
        if told == "xlsx":
            encoding, body = "utf-8", open_workbook(source, findings, fits=fits, worksheet=worksheet)
        else:
            encoding, strict = told_encoding(source, file, header_line=told == "csv")
            if told == "csv":
                body = open_delimited(source, (encoding, strict), file, limits)
            elif told == "xml":
                inner = unwrapped(source, encoding, file, limits)
                if inner:
                    source.close()
                    source = inner
                body = open_xml(source, "utf-8" if inner else encoding, strict or not inner, rows_at, findings)
            elif told == "html":
                body = open_html(source, encoding, findings)
            elif told == "json":
                body = open_json(source, encoding, rows_at, findings)
            else:
                body = open_json_lines(source, encoding, findings)
        return TextTable(source, told, encoding, body, findings)
    except BaseException:
        source.close()
        raise
