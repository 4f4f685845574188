"""Sorted rows in Parquet files, turned into the lines of one format and hashed on the way to disk.

Every stream has a DuckDB of its own with one thread: with more, batches of a streamed result were seen to arrive out
of order (DuckDB 2.0.0). Three formats written side by side keep the machine busy instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from feeds.hashed_file import FileHashes, HashedFile
from feeds.sorted_rows import parquet

_BATCH_ROWS: Final = 4_096
_ONE_THREAD: Final = {"threads": 1, "memory_limit": "512MB"}


def _text_bytes(lines: pa.Array) -> memoryview:
    """Return the texts of a string array without nulls, one after the other, as the bytes they are stored in."""
    _, offsets, data = lines.buffers()
    if data is None:
        return memoryview(b"")
    starts = memoryview(offsets).cast("B").cast("i")
    return memoryview(data)[starts[lines.offset] : starts[lines.offset + len(lines)]]


def write_rows(rows: Sequence[Path], line: str, target: Path, head: bytes, tail: bytes) -> tuple[int, FileHashes]:
    """Write ``head``, one line per row of the Parquet files ``rows``, and ``tail`` to the new file ``target``.

    Args:
        rows: values as text, in the order in which they are to be written.
        line: SQL expression of a line over the columns of ``rows`` (see ``feeds.row_text``).
        target: must not exist.
        head: bytes before the first row.
        tail: bytes after the last row.

    Returns:
        Number of rows, and size and digests of the file.
    """
    count = 0
    with HashedFile(target) as file, duckdb.connect(config=_ONE_THREAD) as database:
        file.write(head)
        lines = f"SELECT {line} FROM {parquet(rows)}"  # noqa: S608  the line comes from the descriptor
        for batch in database.sql(lines).to_arrow_reader(_BATCH_ROWS):
            file.write(_text_bytes(batch.column(0)))
            count += batch.num_rows
        file.write(tail)
        return count, file.hashes()
