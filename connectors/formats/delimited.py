"""CSV and TSV: blocks of whole records go to pyarrow; only blocks with damage are looked at record by record.

Row numbers count records, not lines: a quoted line break does not count, an empty line does. A record that cannot be
decoded, or is longer than the limit, is replaced by an empty line before parsing, so that the numbers of the later
rows stay right. A quote that is never closed damages the line it stands on; reading resumes on the next line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from connectors.formats.encoding import BOM_GB18030, Encoding
from connectors.formats.findings import EXCERPT_BYTES, Findings
from connectors.formats.header import LOOK_AHEAD, ROW_NO, clean_name, column_names, header_index
from connectors.formats.limits import Limits
from connectors.formats.records import End, complete_until, fields, split_records
from connectors.formats.rules import (
    FIELD_COUNT,
    LONG_CELL,
    NO_TABLE,
    UNDECODABLE,
    UNKNOWN_ENCODING,
    UNREADABLE,
    FormatRule,
)
from connectors.formats.screening import screened
from connectors.formats.source import Source

BLOCK_BYTES: Final = 24 << 20
"""Bytes parsed at a time; with rows of a thousand bytes a block is a batch of some twenty thousand rows."""

HEAD_BYTES: Final = 1 << 20

_MARKS: Final = (b",", b"\t")

_FEWEST_NAMES: Final = 3
"""Filled fields that make a row look like a header."""

_EMPTY_LINE: Final = b"\r\n"
"""Stands for a damaged record. LF alone would become one line end with the lone CR of the record before."""


@dataclass(frozen=True)
class _Damage:
    rule: FormatRule
    text: str
    values: dict[str, Any]


@dataclass
class _Block:
    """Whole records, and what is wrong with those (by ordinal from 0) that an empty line stands for."""

    data: bytes | memoryview
    damage: dict[int, _Damage] = field(default_factory=dict)


@dataclass(frozen=True)
class Delimited:
    """An opened CSV or TSV file.

    ``strict`` says that all bytes are known to decode. ``columns`` has one entry per field of the header, ``""`` for
    one without a name. The header is record ``header_row`` (from 1); its successor starts at byte ``body_start``.
    """

    source: Source
    encoding: Encoding
    strict: bool
    delimiter: bytes
    columns: tuple[str, ...]
    header_row: int
    body_start: int
    only_cr: bool

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in file order."""
        first = self.header_row + 1
        for raw in self._blocks(findings.limits):
            block = self._in_utf8(raw)
            table, skipped = _parsed(block.data, self.delimiter, len(self.columns))
            raw.data = block.data = b""  # the rows are worked on for a while, and what they were parsed from is not
            rows = table.num_rows + len(skipped)
            for ordinal in sorted({*skipped, *block.damage}):
                if damage := block.damage.get(ordinal):
                    findings.reject(damage.rule, first + ordinal, damage.text, **damage.values)
                else:
                    actual, text = skipped[ordinal]
                    findings.reject(FIELD_COUNT, first + ordinal, text, expected=len(self.columns), actual=actual)
            ordinals = np.delete(np.arange(rows), sorted(skipped))
            numbered = table.add_column(0, ROW_NO, pa.array(ordinals + first, pa.int64()))
            if block.damage:
                numbered = numbered.filter(pa.array(~np.isin(ordinals, list(block.damage))))
            for batch in numbered.combine_chunks().to_batches(max_chunksize=findings.limits.batch_rows):
                yield from screened(batch, self.columns, findings)
            first += rows

    def _blocks(self, limits: Limits) -> Iterator[_Block]:
        """Yield blocks of whole records in file order; a record that finds no end is a block of its own."""
        rest = b""
        skipping = False
        for piece in self.source.pieces(BLOCK_BYTES, self.body_start):
            data = piece.replace(b"\r", b"\n") if self.only_cr else piece
            if skipping:
                line_end = data.find(b"\n") + 1
                skipping, data = line_end == 0, data[line_end:] if line_end else b""
            rest += data
            del piece, data  # as large as the block
            block, taken = self._whole_records(rest)
            while taken or len(rest) > limits.record_bytes:
                if not taken:
                    skipping = b"\n" not in rest
                    taken = rest.find(b"\n") + 1 or len(rest)
                    rule = LONG_CELL if skipping else UNREADABLE
                    block = _Block(_EMPTY_LINE, {0: self._damage(rule, rest[:taken], limit=limits.cell_chars)})
                rest = rest[taken:]
                yield block
                block, taken = self._whole_records(rest)
        if rest:
            yield self._whole_records(rest, final=True)[0]

    def _whole_records(self, data: bytes, *, final: bool = False) -> tuple[_Block, int]:
        """Return the whole records at the beginning of ``data``, and how many bytes they take."""
        taken = None if final else complete_until(data, self.delimiter)
        if taken is not None:
            return _Block(memoryview(data)[:taken]), taken
        block = _Block(b"")
        lines = []
        taken = 0
        for ordinal, (start, end, kind) in enumerate(split_records(data, self.delimiter, final=final)):
            if not final and (kind is End.DATA or (end == len(data) and data.endswith(b"\r"))):
                break
            if kind is End.BAD_QUOTE:
                block.damage[ordinal] = self._damage(UNREADABLE, data[start:end])
                lines.append(_EMPTY_LINE)
            else:
                lines.append(data[start:end])
            taken = end
        block.data = b"".join(lines)
        return block, taken

    def _in_utf8(self, block: _Block) -> _Block:
        if self.strict:
            return block
        try:
            text = str(block.data, self.encoding)
        except UnicodeDecodeError:
            return self._decodable_records(block)
        return _Block(text.encode(), block.damage) if self.encoding == "gb18030" else block

    def _decodable_records(self, block: _Block) -> _Block:
        damage = dict(block.damage)
        lines = []
        data = bytes(block.data)
        for ordinal, (start, end, _) in enumerate(split_records(data, self.delimiter, final=True)):
            record = data[start:end]
            try:
                lines.append(record.decode(self.encoding).encode())
            except UnicodeDecodeError:
                damage[ordinal] = self._damage(UNDECODABLE, record, encoding=self.encoding.upper())
                lines.append(_EMPTY_LINE)
        return _Block(b"".join(lines), damage)

    def _damage(self, rule: FormatRule, record: bytes, **values: Any) -> _Damage:
        text = record[:EXCERPT_BYTES].decode(self.encoding, "replace").rstrip("\r\n")
        return _Damage(rule, text, {"what": "双引号没有配对"} | values)


def open_delimited(source: Source, encoding: tuple[Encoding, bool], file: str, limits: Limits) -> Delimited:
    """Find the delimiter and the header; rows above the header (a title, ``sep=,``) are passed over.

    The header is the first of the top rows with three filled fields, else the first row that is not blank; the
    delimiter is the one of comma and tab that gives a header earlier, and of two in one row the one with more names.
    Raises DeliveryRefused: no header (F05), header not decodable (F04), and those of ``column_names``.
    """
    name, strict = encoding
    bom = {"utf-8-sig": codecs.BOM_UTF8, "gb18030": BOM_GB18030}.get(name, b"")
    head = source.head(HEAD_BYTES)
    start = len(bom) if bom and head.startswith(bom) else 0
    head = head[start:]
    only_cr = b"\n" not in head and b"\r" in head
    name = "gb18030" if name == "gb18030" else "utf-8"
    row, end, delimiter, cells = max((_header(head, mark) for mark in _MARKS), key=_likelihood)
    if sum(1 for cell in cells if cell.strip()) < 2:
        raise NO_TABLE.refusal(file, what="找不到表头:前几行都不是用逗号或制表符分隔的列名")
    try:
        texts = [cell.decode(name) for cell in cells]
    except UnicodeDecodeError as error:
        raise UNKNOWN_ENCODING.refusal(file, row, what="表头既不是 UTF-8,也不是 GB18030") from error
    named = column_names(texts, file, limits, row)
    columns = named + ("",) * (len(texts) - len(named))
    return Delimited(source, name, strict, delimiter, columns, row, start + end, only_cr)


def _likelihood(found: tuple[int, int, bytes, list[bytes]]) -> tuple[bool, int, int]:
    """A row of data full of the other mark comes after the header: of two rows that could be it, the earlier one is."""
    row, _, _, cells = found
    names = sum(1 for cell in cells if cell.strip())
    return names >= _FEWEST_NAMES, -row, names


def _header(head: bytes, delimiter: bytes) -> tuple[int, int, bytes, list[bytes]]:
    rows: list[list[bytes]] = []
    ends: list[int] = []
    for start, end, _ in split_records(head, delimiter, final=True):
        rows.append(fields(head[start:end], delimiter))
        ends.append(end)
        if len(rows) == LOOK_AHEAD:
            break
    shown = [[clean_name(cell.decode("latin-1")) for cell in row] for row in rows]
    index = header_index(shown)
    if index is None:
        index = next((index for index, row in enumerate(shown) if any(row)), 0)
    return index + 1, ends[index], delimiter, rows[index]


def _parsed(data: bytes | memoryview, delimiter: bytes, width: int) -> tuple[pa.Table, dict[int, tuple[int, str]]]:
    """Return the rows with ``width`` fields, and of the others by ordinal the number of fields and the text.

    pyarrow numbers skipped rows only when it works on one thread; a block that has some is parsed again so.
    """
    table, skipped = _read(data, delimiter, width, threads=True)
    if skipped:
        table, skipped = _read(data, delimiter, width, threads=False)
    return table, {row.number - 1: (row.actual_columns, row.text) for row in skipped}


def _read(data: bytes | memoryview, delimiter: bytes, width: int, *, threads: bool) -> tuple[pa.Table, list[Any]]:
    skipped: list[Any] = []

    def skip(row: Any) -> str:
        skipped.append(row)
        return "skip"

    names = [str(position) for position in range(width)]
    if data[:3] == codecs.BOM_UTF8:  # the parser drops one, here in the middle of a file
        data = b"".join([codecs.BOM_UTF8, data])
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=threads),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter.decode(),
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,
        ),
    )
    return table, skipped
