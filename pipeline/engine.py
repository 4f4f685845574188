"""The one place that knows which engine runs the expressions of ``transforms``: DuckDB, in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa


class Engine:
    """Tables of one step, and expressions over them. Beyond its memory limit it works from its scratch folder."""

    def __init__(self, scratch: Path, *, memory_limit: str = "700MB", threads: int = 2) -> None:
        """Open an empty engine that spills into ``scratch``."""
        self._backend = ibis.duckdb.connect(
            temp_directory=str(scratch), memory_limit=memory_limit, threads=threads, preserve_insertion_order=False
        )

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the engine's memory and files."""
        self._backend.disconnect()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Open another DuckDB connection to the same tables, for the release writer, which is DuckDB by contract."""
        return self._backend.con.cursor()

    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> ir.Table:
        """Store streamed batches as a table."""
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        with self.cursor() as cursor:
            cursor.register("incoming_batches", reader)
            cursor.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM incoming_batches').fetchall()  # noqa: S608
        return self._backend.table(name)

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Run an expression and store its answer as a table."""
        return self._backend.create_table(name, expression, overwrite=True)

    def same_rows(self, one: ir.Table, other: ir.Table) -> bool:
        """Tell whether two expressions hold the same rows (each row of an expression counts once)."""
        if self._backend.execute(one.count()) != self._backend.execute(other.count()):
            return False
        return not self._backend.execute(one.difference(other).count())

    def forget(self, name: str) -> None:
        """Free a table that nothing reads any more."""
        self._backend.drop_table(name)

    def keep_view(self, name: str, expression: ir.Table) -> ir.Table:
        """Name an expression without running it."""
        return self._backend.create_view(name, expression, overwrite=True)

    def table(self, name: str) -> ir.Table:
        """Return a table that was loaded or kept."""
        return self._backend.table(name)

    def keep_answer(self, name: str, query: str) -> None:
        """Run a query that ``to_query`` wrote and store its answer as a table."""
        with self.cursor() as cursor:
            cursor.execute(f'CREATE OR REPLACE TABLE "{name}" AS {query}').fetchall()

    def stream(self, expression: ir.Table | str, rows: int = 50_000) -> Iterator[pa.RecordBatch]:
        """Run an expression, or a query that ``to_query`` wrote, and yield the answer in batches."""
        query = expression if isinstance(expression, str) else to_query(expression)
        with self.cursor() as cursor:
            yield from cursor.sql(query).to_arrow_reader(rows)


def to_query(expression: ir.Table) -> str:
    """Write an expression as a query of this engine; the tables under it need not be there yet."""
    return str(ibis.to_sql(expression, dialect="duckdb", pretty=False))
