"""The one place that knows which engine runs the expressions of ``transforms``: DuckDB, in this process.

Expressions are written as SQL before there is a table to run them on: its schema says all that is needed, nobody has to
ask the engine for it. Writing one takes longer than running it on a few records, so what was written is remembered.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.sql.datatypes import DuckDBType

EngineFailed: Final = duckdb.Error
"""What every method raises where the engine cannot do what it is asked: no memory, no disk, a damaged file."""


class Engine:
    """Tables of one step, and expressions over them. Beyond its memory limit it works from its scratch folder."""

    def __init__(self, scratch: Path, *, memory_limit: str = "550MB", threads: int = 2) -> None:
        """Open an empty engine that spills into ``scratch``."""
        self._database = duckdb.connect(
            config={
                "temp_directory": str(scratch),
                "memory_limit": memory_limit,
                "threads": threads,
                "preserve_insertion_order": False,
                "python_enable_replacements": False,
            }
        )
        self._tables: dict[str, ir.Table] = {}

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the engine's memory and files."""
        self._database.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Open another DuckDB connection to the same tables, for the release writer, which is DuckDB by contract."""
        return self._database.cursor()

    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> ir.Table:
        """Store streamed batches as a table."""
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        with self.cursor() as cursor:
            cursor.register("incoming_batches", reader)
            cursor.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM incoming_batches').fetchall()  # noqa: S608
        return self._know(name, ibis.Schema.from_pyarrow(schema))

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Run an expression and store its answer as a table of the types that the expression says.

        DuckDB itself makes a timestamp of a day and an interval.
        """
        schema = expression.schema()
        typed = ", ".join(f'"{column}"::{DuckDBType.to_string(kind)} AS "{column}"' for column, kind in schema.items())
        self.keep_answer(name, f"SELECT {typed} FROM ({to_query(expression)})")  # noqa: S608
        return self._know(name, schema)

    def lend(self, file: Path, names: Iterable[str]) -> None:
        """Write tables into a file of their own, for other engines to ``borrow``; as they are, which reads fastest."""
        with self.cursor() as cursor:
            cursor.execute("SET force_compression = 'uncompressed'")
            cursor.execute(f"ATTACH {_quoted(file)} AS lent")
            for name in names:
                cursor.execute(f'CREATE TABLE lent."{name}" AS SELECT * FROM "{name}"')  # noqa: S608
            cursor.execute("DETACH lent")
            cursor.execute("RESET force_compression")

    def borrow(self, file: Path, names: Iterable[str]) -> None:
        """Read tables where another engine wrote them; any number may, at the same time."""
        with self.cursor() as cursor:
            cursor.execute(f"ATTACH {_quoted(file)} AS borrowed (READ_ONLY)")
            for name in names:
                cursor.execute(f'CREATE VIEW "{name}" AS SELECT * FROM borrowed."{name}"')  # noqa: S608

    def same_rows(self, one: ir.Table, other: ir.Table) -> bool:
        """Tell whether two expressions hold the same rows (each row of an expression counts once)."""
        ours, theirs = to_query(one), to_query(other)
        with self.cursor() as cursor:
            [[as_many]] = cursor.sql(
                f"SELECT (SELECT count(*) FROM ({ours})) = (SELECT count(*) FROM ({theirs}))"  # noqa: S608
            ).fetchall()
            if not as_many:
                return False
            return not cursor.sql(f"SELECT 1 FROM (({ours}) EXCEPT ({theirs})) LIMIT 1").fetchall()  # noqa: S608

    def remove(self, name: str, column: str, values: ir.Table) -> None:
        """Delete the rows of a loaded or kept table that have one of these values (one column) in a column."""
        with self.cursor() as cursor:
            cursor.execute(f'DELETE FROM "{name}" WHERE "{column}" IN ({to_query(values)})').fetchall()  # noqa: S608

    def keep_view(self, name: str, expression: ir.Table) -> ir.Table:
        """Name an expression without running it."""
        with self.cursor() as cursor:
            cursor.execute(f'CREATE OR REPLACE VIEW "{name}" AS {to_query(expression)}')
        return self._know(name, expression.schema())

    def table(self, name: str) -> ir.Table:
        """Return a table that was loaded or kept."""
        return self._tables[name]

    def keep_answer(self, name: str, query: str) -> None:
        """Run a query that ``to_query`` wrote and store its answer as a table."""
        with self.cursor() as cursor:
            cursor.execute(f'CREATE OR REPLACE TABLE "{name}" AS {query}').fetchall()

    def stream(self, expression: ir.Table | str, rows: int = 50_000) -> Iterator[pa.RecordBatch]:
        """Run an expression, or a query that ``to_query`` wrote, and yield the answer in batches."""
        query = expression if isinstance(expression, str) else to_query(expression)
        with self.cursor() as cursor:
            yield from cursor.sql(query).to_arrow_reader(rows)

    def answer(self, expression: ir.Table) -> pa.Table:
        """Run an expression whose answer is small, and return all of it."""
        with self.cursor() as cursor:
            return cursor.sql(to_query(expression)).to_arrow_table()

    def _know(self, name: str, schema: ibis.Schema) -> ir.Table:
        self._tables[name] = ibis.table(schema, name=name)
        return self._tables[name]


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def to_query(expression: ir.Table) -> str:
    """Write an expression as a query of this engine; the tables under it need not be there yet."""
    return _written(expression.op())


@functools.lru_cache(maxsize=1024)
def _written(expression: ops.Node) -> str:
    return str(ibis.to_sql(expression.to_expr(), dialect="duckdb", pretty=False))
