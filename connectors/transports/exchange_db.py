"""A table of an agency's front-end exchange database 前置库, read by a growing change number.

Rows become JSON Lines, one object per row in the order of the change number, keys in the order of the table's
columns and in upper case, as the sheets write them; the columns that steer the pull (change number, day) belong to no
sheet and are left out. Every value is text exactly as the database holds it (a number is its decimal digits, a date
its ISO form), or null. Any database that SQLAlchemy has a driver for will do; a password given as the endpoint's
secret takes the place of the one in the URL.

A pull reads the change numbers above the last one less an overlap, because a transaction may take its number early
and commit late. Rows dated after ``as_of`` (``day_column``) stay for a later pull.

Cursor between pulls: ``{"change_no": highest number read}``; in the middle of one, beside it, ``after`` (the last
number handed over) and ``page``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import ExchangeDb, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece

_CONNECT_SECONDS: Final = 10
_KNOW_CONNECT_TIMEOUT: Final = ("postgresql", "mysql", "mariadb")
_WRONG_PASSWORD: Final = ("28000", "28P01")


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield pages of at most ``page_rows`` rows that changed since the cursor, up to and including ``as_of``."""
    options = stream.transport
    if not isinstance(options, ExchangeDb):
        raise TypeError(f"stream {stream.id} is not read from an exchange database")
    before: int = cursor.get("change_no", 0)
    after: int = cursor.get("after", before - options.overlap)
    number: int = cursor.get("page", 1)
    engine = _engine(endpoint)
    try:
        with engine.connect() as connection:
            table = _table(connection, options)
            more = True
            while more:
                rows, more = _read(connection, table, options, after, as_of)
                if not rows:
                    return
                after = _change_number(rows[-1], options)
                before = max(before, after)
                yield Piece(
                    name=f"{stream.id}_{as_of:%Y%m%d}_{number:05d}.jsonl",
                    content=_json_lines(table, options, rows),
                    cursor={"change_no": before, **({"after": after, "page": number + 1} if more else {})},
                    last=not more,
                    rows=len(rows),
                )
                number += 1
    except sa.exc.SQLAlchemyError as error:
        raise _plain(error, endpoint) from error
    finally:
        engine.dispose()


def database_url(endpoint: Endpoint) -> sa.URL:
    """Return the URL with the secret as its password; PostgreSQL without a driver's name is reached by psycopg 3."""
    try:
        url = sa.make_url(endpoint.url)
    except sa.exc.ArgumentError as error:
        raise AgencyRefused("the address of the exchange database is no URL such as postgresql://host/name") from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.set(password=endpoint.secret) if endpoint.secret else url


def _engine(endpoint: Endpoint) -> sa.Engine:
    url = database_url(endpoint)
    timeout = {"connect_timeout": _CONNECT_SECONDS} if url.get_backend_name() in _KNOW_CONNECT_TIMEOUT else {}
    try:
        return sa.create_engine(url, connect_args=timeout)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise AgencyRefused(f"{endpoint.shown}: there is no driver for {url.drivername}") from error


def _table(connection: sa.Connection, options: ExchangeDb) -> sa.Table:
    try:
        table = sa.Table(options.table, sa.MetaData(), schema=options.table_schema, autoload_with=connection)
    except sa.exc.NoSuchTableError as error:
        raise AgencyRefused(f"the exchange database has no table {options.table}: check `table` and rights") from error
    for column in filter(None, (options.change_column, options.day_column)):
        if column not in table.c:
            raise AgencyRefused(f"table {options.table} has no column {column}: check the descriptor")
    return table


def _read(
    connection: sa.Connection, table: sa.Table, options: ExchangeDb, after: int, as_of: date
) -> tuple[Sequence[sa.Row[Any]], bool]:
    """Return the next page and whether rows follow it."""
    change = table.c[options.change_column]
    query = sa.select(table).where(change > after).order_by(change).limit(options.page_rows + 1)
    if options.day_column:
        day = table.c[options.day_column]
        query = query.where((day < datetime.combine(as_of + timedelta(days=1), time.min)) | day.is_(None))
    rows = connection.execute(query).all()
    page, following = rows[: options.page_rows], rows[options.page_rows :]
    if following and _change_number(following[0], options) == _change_number(page[-1], options):
        number = _change_number(page[-1], options)
        raise AgencyRefused(f"table {options.table}: change number {number} stands twice, a row would be lost")
    return page, bool(following)


def _change_number(row: sa.Row[Any], options: ExchangeDb) -> int:
    return int(row._mapping[options.change_column])


def _json_lines(table: sa.Table, options: ExchangeDb, rows: Sequence[sa.Row[Any]]) -> bytes:
    steering = (options.change_column, options.day_column)
    keys = {column.name: column.name.upper() for column in table.columns if column.name not in steering}
    objects = ({key: _text(row._mapping[name]) for name, key in keys.items()} for row in rows)
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in objects).encode()


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(sep=" ")
        case bool() | int() | float() | date() | time():
            return str(value)
    raise AgencyRefused(
        f"a column holds {type(value).__name__}, which is no text, number or date: leave it out of the view"
    )


def _plain(error: sa.exc.SQLAlchemyError, endpoint: Endpoint) -> AgencyRefused | AgencyUnavailable:
    """Say what to do, without the statement and the parameters that SQLAlchemy puts into its messages."""
    cause = getattr(error, "orig", None)
    what = f"{endpoint.shown}: {type(cause or error).__name__}"
    if getattr(cause, "sqlstate", None) in _WRONG_PASSWORD or "authentication failed" in str(cause):
        return AgencyRefused(f"{what}: user or password is wrong: renew the secret of this connection")
    if isinstance(error, sa.exc.ProgrammingError):
        return AgencyRefused(f"{what}: the query was refused: check the descriptor and the rights of the reader")
    return AgencyUnavailable(what)
