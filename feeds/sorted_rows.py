"""What a table publishes, as text and in order of the key, in Parquet files that are read one after the other.

Sorting holds about twice its input in memory. A large table is therefore first dealt out into ranges of keys that are
small enough, then sorted range by range: memory stays that of one range however many rows there are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from feeds.row_text import PLAIN, identifier, is_plain, literal, published_value
from feeds.sites import Site, Table

RANGE_ROWS: Final = 200_000
_ROW_GROUP_ROWS: Final = 20_480
_FLUSH_ROWS: Final = 16_384
_SAMPLE_PER_RANGE: Final = 400


def parquet(files: Sequence[Path]) -> str:
    """Return the SQL table of the rows of ``files``, in no order to rely on."""
    return f"read_parquet([{', '.join(literal(str(file)) for file in files)}], hive_partitioning = false)"


@contextmanager
def settings(database: duckdb.DuckDBPyConnection, **values: object) -> Iterator[None]:
    """Set options of the connection for a while."""
    before = {name: database.execute("SELECT current_setting(?)", [name]).fetchall()[0][0] for name in values}
    try:
        for name, value in values.items():
            database.execute(f"SET {name} = {literal(str(value))}")
        yield
    finally:
        for name, value in before.items():
            database.execute(f"SET {name} = {literal(str(value))}")


def _sort(database: duckdb.DuckDBPyConnection, rows: str, table: Table, file: Path) -> None:
    with settings(database, preserve_insertion_order=True):
        database.execute(
            f"COPY (SELECT *, {is_plain(table.columns)} AS {identifier(PLAIN)} FROM {rows} "  # noqa: S608
            f"ORDER BY {identifier(table.key)}) TO {literal(str(file))} "
            f"(FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
        )


def _bounds(database: duckdb.DuckDBPyConnection, relation: str, ranges: int) -> list[str]:
    """Return ``ranges - 1`` keys, rising, that split the rows about evenly."""
    sample = database.execute(
        f"SELECT record_key FROM {relation} USING SAMPLE reservoir({ranges * _SAMPLE_PER_RANGE} ROWS) "  # noqa: S608
        "REPEATABLE (1)"
    ).fetchall()
    keys = sorted(key for (key,) in sample)
    return [keys[len(keys) * i // ranges] for i in range(1, ranges)]


def write_sorted(
    database: duckdb.DuckDBPyConnection, table: Table, relation: str, site: Site, into: Path, *, drop_illegal: bool
) -> list[Path]:
    """Write the published values of ``relation`` and ``PLAIN``, ordered by key, into the new directory ``into``.

    Returns:
        The files, in order; together they hold every row once; no file where there is no row.
    """
    into.mkdir()
    count = database.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]  # noqa: S608
    if not count:
        return []
    values = ", ".join(
        f"{published_value(column, site, drop_illegal=drop_illegal)} AS {identifier(column.code)}"
        for column in table.columns
    )
    ranges = -(-count // RANGE_ROWS)
    if ranges == 1:
        _sort(database, f"(SELECT {values} FROM {relation})", table, into / "0.parquet")  # noqa: S608
        return [into / "0.parquet"]
    bounds = _bounds(database, relation, ranges)
    number = " ".join(f"WHEN record_key < {literal(key)} THEN {i}" for i, key in enumerate(bounds))
    dealt = into / "dealt"
    with settings(database, partitioned_write_flush_threshold=_FLUSH_ROWS, preserve_insertion_order=False):
        database.execute(
            f"COPY (SELECT {values}, CASE {number} ELSE {len(bounds)} END AS key_range FROM {relation}) "  # noqa: S608
            f"TO {literal(str(dealt))} (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (key_range))"
        )
    files = []
    for i in range(ranges):
        if parts := sorted((dealt / f"key_range={i}").glob("*.parquet")):
            files.append(into / f"{i}.parquet")
            _sort(database, parquet(parts), table, files[-1])
            shutil.rmtree(dealt / f"key_range={i}")
    return files
