"""Sorted rows in Parquet files, turned into the lines of one format and hashed on the way to disk.

The order is in our own hands: files are read one after the other, batch by batch, and DuckDB only turns the rows of one
batch into lines. Left to read several files itself, DuckDB 2.0.0 was seen to swap some of them now and then, even with
one thread. Three formats written side by side keep the machine busy instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feeds.hashed_file import FileHashes, HashedFile
from feeds.row_text import PLAIN, Line

_BATCH_ROWS: Final = 16_384
_ONE_THREAD: Final = {"threads": 1, "memory_limit": "512MB"}


def _text_bytes(lines: pa.Array) -> memoryview:
    """Return the texts of a string array without nulls, one after the other, as the bytes they are stored in."""
    _, offsets, data = lines.buffers()
    if data is None:
        return memoryview(b"")
    starts = memoryview(offsets).cast("B").cast("i")
    return memoryview(data)[starts[lines.offset] : starts[lines.offset + len(lines)]]


def write_rows(rows: Sequence[Path], line: Line, target: Path, head: bytes, tail: bytes) -> tuple[int, FileHashes]:
    """Write ``head``, one line per row of the Parquet files ``rows``, and ``tail`` to the new file ``target``.

    Args:
        rows: values as text and ``PLAIN``, in the order in which they are to be written.
        line: what a line is, over the columns of ``rows``.
        target: must not exist.
        head: bytes before the first row.
        tail: bytes after the last row.

    Returns:
        Number of rows, and size and digests of the file.
    """
    with HashedFile(target) as file:
        file.write(head)
        count = _write_lines(rows, line, file) if rows else 0
        file.write(tail)
        return count, file.hashes()


def _write_lines(rows: Sequence[Path], line: Line, file: HashedFile) -> int:
    count = 0
    with duckdb.connect(config=_ONE_THREAD) as database:
        for batch in _batches(rows):
            for chunk in _lines(database, batch, line).chunks:
                file.write(_text_bytes(chunk))
            count += batch.num_rows
    return count


def _lines(database: duckdb.DuckDBPyConnection, batch: pa.RecordBatch, line: Line) -> pa.ChunkedArray:
    """Ask for the lines of plain rows and of the others apart: one expression for both would cost as escaping all."""
    plain = batch.column(PLAIN)
    others = pc.indices_nonzero(pc.invert(plain))
    if not len(others):
        return _asked(database, batch, line.plain)
    if len(others) == batch.num_rows:
        return _asked(database, batch, line.escaped)
    standing = pc.indices_nonzero(plain)
    lines = [
        *_asked(database, batch.take(standing), line.plain).chunks,
        *_asked(database, batch.take(others), line.escaped).chunks,
    ]
    places = np.argsort(np.concatenate([standing.to_numpy(), others.to_numpy()]))
    return pa.chunked_array(lines).take(pa.array(places))


def _asked(database: duckdb.DuckDBPyConnection, batch: pa.RecordBatch, line: str) -> pa.ChunkedArray:
    database.register("batch", batch)
    return database.sql(f"SELECT {line} FROM batch").to_arrow_table().column(0)  # noqa: S608 (descriptor's)


def _batches(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    for file in files:
        with pq.ParquetFile(file) as source:
            yield from source.iter_batches(_BATCH_ROWS)
