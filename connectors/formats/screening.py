"""The last gate of every format: no batch leaves with a cell that the store could not hold as it was received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.formats.findings import Findings, row_text
from connectors.formats.header import ROW_NO
from connectors.formats.rules import FIELD_COUNT, LONG_CELL, NUL_BYTE, UNDECODABLE

BATCH_CHARS: Final = 16 << 20
"""A batch of rows is closed early at so many characters, so that a batch is bounded in bytes too."""

Row = tuple[int, Sequence[str | None]]
"""Row number, and one text or None per column of the header; more cells than columns make a damaged row."""


def table_schema(header: Sequence[str]) -> pa.Schema:
    """Return the schema of the batches: ``row_no`` int64, then one string column per named column."""
    return pa.schema([pa.field(ROW_NO, pa.int64()), *(pa.field(name, pa.string()) for name in header if name)])


def batches_of(rows: Iterable[Row], header: Sequence[str], findings: Findings) -> Iterator[pa.RecordBatch]:
    """Gather rows into screened batches; blank rows are counted, rows that do not fit the header are damaged."""
    width = len(header)
    numbers: list[int] = []
    cells: list[Sequence[str | None]] = []
    chars = 0
    for number, row in rows:
        if not any(row):
            findings.blank += 1
            continue
        if len(row) > width and any(row[width:]):
            findings.reject(FIELD_COUNT, number, row_text(row), expected=width, actual=len(row))
            continue
        numbers.append(number)
        cells.append(row)
        chars += sum(map(len, filter(None, row)))
        if len(numbers) == findings.limits.batch_rows or chars > BATCH_CHARS:
            yield from _gathered(numbers, cells, header, findings)
            numbers, cells, chars = [], [], 0
    if numbers:
        yield from _gathered(numbers, cells, header, findings)


def screened(batch: pa.RecordBatch, header: Sequence[str], findings: Findings) -> Iterator[pa.RecordBatch]:
    """Take damaged and blank rows out of ``batch`` (``row_no`` and one text column per entry of ``header``).

    Damaged are: a cell with NUL (F15) or above the limit (F16), a value in a column without a name (F13). Nothing is
    yielded when no row is left.
    """
    bad: dict[int, None] = {}
    columns = batch.columns[1:]
    if columns and all(column.null_count for column in columns):
        blank = _indexes(_all_null(columns))
        findings.blank += len(blank)
        bad.update(dict.fromkeys(blank))
    for position, column in enumerate(columns):
        name = header[position]
        for index in _indexes(pc.match_substring(column, "\0")) if _holds_nul(column) else []:
            if index not in bad:
                bad[index] = None
                findings.reject(NUL_BYTE, batch[0][index].as_py(), _row_text(batch, index), name)
        for index in _longer_than(column, findings.limits.cell_chars):
            if index not in bad:
                bad[index] = None
                limit = findings.limits.cell_chars
                findings.reject(LONG_CELL, batch[0][index].as_py(), _row_text(batch, index), name, limit=limit)
        for index in [] if name or column.null_count == len(column) else _indexes(pc.is_valid(column)):
            if index not in bad:
                bad[index] = None
                named = sum(1 for known in header if known)
                text = _row_text(batch, index)
                findings.reject(FIELD_COUNT, batch[0][index].as_py(), text, expected=named, actual=named + 1)
    if bad:
        keep = [index for index in range(batch.num_rows) if index not in bad]
        batch = batch.take(pa.array(keep, pa.int64()))
    if batch.num_rows:
        findings.good += batch.num_rows
        named_columns = [column for column, name in zip(batch.columns[1:], header, strict=True) if name]
        yield pa.RecordBatch.from_arrays([batch.columns[0], *named_columns], schema=table_schema(header))


def _gathered(
    numbers: list[int], cells: list[Sequence[str | None]], header: Sequence[str], findings: Findings
) -> Iterator[pa.RecordBatch]:
    width = len(header)
    try:
        columns = [
            pa.array([(row[position] or None) if position < len(row) else None for row in cells], pa.string())
            for position in range(width)
        ]
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape
        sound = [index for index, row in enumerate(cells) if _encodable(row)]
        for index in sorted(set(range(len(cells))).difference(sound)):
            findings.reject(UNDECODABLE, numbers[index], row_text(cells[index]), encoding="Unicode")
        if sound:
            yield from _gathered([numbers[i] for i in sound], [cells[i] for i in sound], header, findings)
        return
    names = [ROW_NO, *(str(position) for position in range(width))]
    batch = pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *columns], names=names)
    yield from screened(batch, header, findings)


def _encodable(row: Sequence[str | None]) -> bool:
    try:
        "".join(filter(None, row)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _all_null(columns: list[pa.Array]) -> pa.Array:
    mask = pc.is_null(columns[0])
    for column in columns[1:]:
        mask = pc.and_(mask, pc.is_null(column))
    return mask


def _holds_nul(column: pa.Array) -> bool:
    data = column.buffers()[2]
    return data is not None and data.size > 0 and bool(np.frombuffer(data, np.uint8).min() == 0)


def _longer_than(column: pa.Array, limit: int) -> list[int]:
    longest = pc.max(pc.binary_length(column)).as_py()
    if longest is None or longest <= limit:
        return []
    return _indexes(pc.greater(pc.utf8_length(column), limit))


def _indexes(mask: pa.Array) -> list[int]:
    indexes: list[int] = pc.indices_nonzero(mask).to_pylist()
    return indexes


def _row_text(batch: pa.RecordBatch, index: int) -> str:
    return row_text(column[index].as_py() for column in batch.columns[1:])
