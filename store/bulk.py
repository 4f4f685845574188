"""Tables in and out of PostgreSQL by COPY: Arrow on one side, the server's own bulk path on the other."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql

from store.ahead import ahead
from store.binary_rows import HEADER, TRAILER, encoded

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcDatabase

_BLOCK_ROWS: Final = 8_192
_BLOCK_BYTES: Final = 32 << 20
_TYPES: Final = sa.text(
    "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0"
)
_PARAMETER: Final = re.compile(r"\$(\d+)")
_WHOLE_TABLES: Final = ("SET work_mem = '64MB'", "SET enable_nestloop = off")
"""Who reads in bulk reads whole tables, often just after they were filled, when the server does not know yet how many
rows they hold and would look each row's partner up by itself: 1.3 s instead of 3.0 s for 180,000 records."""


def copy_in(connection: sa.Connection, table: str, rows: pa.Table) -> None:
    """Append ``rows`` to a table by COPY, inside the connection's transaction; columns go by name.

    Null stays null and an empty text stays an empty text. Raises as ``binary_rows.encoded``, and ``KeyError`` for a
    column that the table does not have.
    """
    columns = ", ".join(f'"{name}"' for name in rows.column_names)
    server_types = {row.attname: row.typname for row in connection.execute(_TYPES, {"table": f'"{table}"'})}
    at_once = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES * rows.num_rows // max(rows.nbytes, 1)))
    blocks = (encoded(batch, server_types) for batch in rows.to_batches(max_chunksize=at_once))
    driver: Any = connection.connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN (FORMAT binary)') as copy,
        contextlib.closing(ahead(blocks)) as written,
    ):
        copy.write(HEADER)
        for block in written:
            copy.write(block)
        copy.write(TRAILER)


def read_batches(
    database_url: str, query: str, parameters: Mapping[str, Any] | None = None, *, batch_bytes: int = 32 << 20
) -> Iterator[pa.RecordBatch]:
    """Stream the answer of a query as Arrow batches; memory stays flat. Numeric columns arrive as text.

    ``parameters`` stand for $1, $2, ... in their order. They are written into the query as quoted literals: with
    bound ones the driver leaves the server's COPY path and holds the whole answer in one batch.
    """
    from adbc_driver_manager import AdbcConnection, AdbcStatement  # noqa: PLC0415  (only bulk readers load the driver)

    literals = [sql.Literal(value).as_string(None) for value in (parameters or {}).values()]
    literal_query = _PARAMETER.sub(lambda found: literals[int(found[1]) - 1], query)
    with AdbcConnection(_database(database_url)) as connection, AdbcStatement(connection) as statement:
        for setting in _WHOLE_TABLES:
            statement.set_sql_query(setting)
            statement.execute_update()
        statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})
        statement.set_sql_query(literal_query)
        answer, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(answer) as batches:
            yield from batches


@functools.lru_cache(maxsize=4)
def _database(url: str) -> AdbcDatabase:
    """What the driver knows of a database. It asks for every type there is, 50 ms of it, and stays unconnected."""
    import adbc_driver_postgresql  # noqa: PLC0415

    return adbc_driver_postgresql.connect(url)
