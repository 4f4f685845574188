"""Tables in and out of PostgreSQL by COPY: Arrow on one side, the server's own bulk path on the other."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import sqlalchemy as sa

_WRITE = pa_csv.WriteOptions(include_header=False, quoting_style="needed", batch_size=16_384)


def copy_in(connection: sa.Connection, table: str, rows: pa.Table) -> None:
    """Append ``rows`` to a table by COPY, inside the connection's transaction; columns go by name.

    Null stays null and an empty text stays an empty text.
    """
    columns = ", ".join(f'"{name}"' for name in rows.column_names)
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN (FORMAT csv)') as copy,  # type: ignore[attr-defined]
    ):
        for batch in rows.to_batches(max_chunksize=16_384):
            buffer = io.BytesIO()
            pa_csv.write_csv(batch, buffer, _WRITE)
            copy.write(buffer.getbuffer())


def read_batches(
    database_url: str, query: str, parameters: Mapping[str, Any] | None = None, *, batch_bytes: int = 32 << 20
) -> Iterator[pa.RecordBatch]:
    """Stream the answer of a query as Arrow batches; memory stays flat. Numeric columns arrive as text."""
    from adbc_driver_postgresql import dbapi  # noqa: PLC0415  (only bulk readers load the driver)

    positional = list((parameters or {}).values())
    with dbapi.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})
        cursor.execute(query, positional or None)
        yield from cursor.fetch_record_batch()
