"""A table of an agency's front-end exchange database 前置库, read by a growing change number.

Rows become JSON Lines, one object per row in the order of the change number, keys in the order of the table's
columns and in upper case, as the sheets write them; the columns that steer the pull (change number, day) belong to no
sheet and are left out. Every value is text exactly as the database holds it (a number is its decimal digits, a date
its ISO form), or null. Any database that SQLAlchemy has a driver for will do; a password given as the endpoint's
secret takes the place of the one in the URL.

A transaction may take its number early and commit late. So a pull reads again from the number below which nothing can
have appeared: the highest number of an earlier pull, once a pull has been made after the end of all transactions that
ran then (``running_transactions``). Where the database cannot tell, and beside it for numbers that are handed out in
blocks, ``overlap`` numbers below the highest one are read again. Gaps in the numbers mean nothing: a transaction was
undone.
Rows dated after ``as_of`` (``day_column``) stay for a later pull.

A page is one statement of its own: no transaction is held open at the agency, and after a broken connection the page
is asked for again.

Cursor between pulls: ``{"change_no": highest number read}`` and, where the database tells, ``sure`` (all up to it was
read for good) and ``pending`` (``upto``: what becomes sure once the transactions ``running`` have ended); ``held``, the
number of the first row that was left for a later day; in the middle of a pull, beside them, ``after`` (the last number
handed over) and ``page``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from connectors.descriptor import ExchangeDb, Retries, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, Cursor, Piece, Reason
from connectors.transports.database_errors import agency_error
from connectors.transports.patience import asked_patiently
from connectors.transports.running_transactions import running_transactions

_CONNECT_SECONDS: Final = 10
_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}

T = TypeVar("T")


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield pages of at most ``page_rows`` rows that changed since the cursor, up to and including ``as_of``."""
    options = stream.transport
    if not isinstance(options, ExchangeDb):
        raise TypeError(f"stream {stream.id} is not read from an exchange database")
    before: int = cursor.get("change_no", 0)
    number: int = cursor.get("page", 1)
    with contextlib.closing(_Table(endpoint, options, stream.retries)) as table:
        horizon: Cursor = {key: cursor[key] for key in ("sure", "pending", "held") if key in cursor}
        after: int = cursor.get("after", before - options.overlap)
        if "after" not in cursor:
            after = min(after, _start(horizon, before))
            horizon = table.asked(lambda connection: _sure(connection, table, horizon))
            horizon |= table.asked(lambda connection: table.held_back(connection, after, as_of))
        more = True
        while more:
            rows, more = table.page(after, as_of)
            if not rows:
                return
            after = table.number_of(rows[-1])
            before = max(before, after)
            behind: Cursor = {"change_no": before, **horizon}
            yield Piece(
                name=f"{stream.id}_{as_of:%Y%m%d}_{number:05d}.jsonl",
                content=table.json_lines(rows),
                cursor={**behind, **({"after": after, "page": number + 1} if more else {})},
                last=not more,
                rows=len(rows),
            )
            number += 1


def database_url(endpoint: Endpoint) -> sa.URL:
    """Return the URL with the secret as its password; without a driver's name the one at hand is taken."""
    try:
        url = sa.make_url(endpoint.url)
    except sa.exc.ArgumentError as error:
        what = "the address of the exchange database is no URL such as postgresql://host/name"
        raise AgencyRefused(what, Reason.ADDRESS) from error
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    return url.set(password=endpoint.secret) if endpoint.secret else url


def _engine(endpoint: Endpoint, options: ExchangeDb) -> sa.Engine:
    url = database_url(endpoint)
    backend = url.get_backend_name()
    arguments: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    if backend == "postgresql":
        arguments = {"connect_timeout": _CONNECT_SECONDS, "options": f"-c statement_timeout={options.read_timeout}s"}
        arguments |= {"sslmode": "verify-full", "sslrootcert": endpoint.ca_file} if endpoint.ca_file else {}
    elif backend in ("mysql", "mariadb"):
        arguments = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": options.read_timeout}
        trusted = {"ssl_ca": endpoint.ca_file, "ssl_verify_cert": True, "ssl_verify_identity": True}
        arguments |= trusted if endpoint.ca_file else {}
    if arguments:
        settings = {"isolation_level": "AUTOCOMMIT"}
    try:
        return sa.create_engine(url, connect_args=arguments, pool_size=1, max_overflow=0, **settings)
    except (sa.exc.ArgumentError, ImportError) as error:
        what = f"{endpoint.shown}: there is no driver for {url.drivername}"
        raise AgencyRefused(what, Reason.ADDRESS) from error


class _Table:
    """The table of one stream; each question is a statement of its own, asked again after a broken connection."""

    def __init__(self, endpoint: Endpoint, options: ExchangeDb, retries: Retries) -> None:
        self._shown = endpoint.shown
        self._options = options
        self._retries = retries
        self._engine = _engine(endpoint, options)
        try:
            self._table = self.asked(self._described)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._engine.dispose()

    def asked(self, question: Callable[[sa.Connection], T]) -> T:
        """Return the answer. Raises AgencyRefused, or AgencyUnavailable after as many attempts as the stream says."""

        def ask() -> T:
            try:
                with self._engine.connect() as connection:
                    return question(connection)
            except sa.exc.SQLAlchemyError as error:
                raise agency_error(error, self._shown) from error

        return asked_patiently(ask, self._retries)

    def page(self, after: int, as_of: date) -> tuple[Sequence[sa.Row[Any]], bool]:
        """Return the next page and whether rows follow it."""
        options, change = self._options, self.change
        query = sa.select(self._table).where(change > after).order_by(change).limit(options.page_rows + 1)
        if options.day_column:
            day = self._table.c[options.day_column]
            query = query.where((day < _end_of(as_of)) | day.is_(None))
        rows = self.asked(lambda connection: connection.execute(query).all())
        page, following = rows[: options.page_rows], rows[options.page_rows :]
        if following and self.number_of(following[0]) == self.number_of(page[-1]):
            number = self.number_of(page[-1])
            what = f"table {options.table}: change number {number} stands twice, a row would be lost"
            raise AgencyRefused(what, Reason.INTERFACE)
        return page, bool(following)

    def held_back(self, connection: sa.Connection, after: int, as_of: date) -> Cursor:
        """Return the number (``held``) of the first row behind ``after`` that is dated later, nothing without one."""
        if not self._options.day_column:
            return {}
        later = (self.change > after) & (self._table.c[self._options.day_column] >= _end_of(as_of))
        first = connection.scalar(sa.select(sa.func.min(self.change)).where(later))
        return {} if first is None else {"held": int(first)}

    @property
    def change(self) -> sa.Column[Any]:
        """The column that grows with every change."""
        return self._table.c[self._options.change_column]

    def number_of(self, row: sa.Row[Any]) -> int:
        """Return the change number of a row."""
        return int(row._mapping[self._options.change_column])

    def json_lines(self, rows: Sequence[sa.Row[Any]]) -> bytes:
        """Write rows as JSON Lines, without the columns that steer the pull."""
        steering = (self._options.change_column, self._options.day_column)
        keys = {column.name: column.name.upper() for column in self._table.columns if column.name not in steering}
        objects = ({key: _text(row._mapping[name]) for name, key in keys.items()} for row in rows)
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in objects).encode()

    def _described(self, connection: sa.Connection) -> sa.Table:
        options = self._options
        try:
            table = sa.Table(options.table, sa.MetaData(), schema=options.table_schema, autoload_with=connection)
        except sa.exc.NoSuchTableError as error:
            what = f"the exchange database has no table {options.table}: check `table` and rights"
            raise AgencyRefused(what, Reason.INTERFACE) from error
        for column in filter(None, (options.change_column, options.day_column)):
            if column not in table.c:
                what = f"table {options.table} has no column {column}: check the descriptor"
                raise AgencyRefused(what, Reason.INTERFACE)
        return table


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min)


def _start(known: Cursor, before: int) -> int:
    """Return the number behind which rows may have appeared since the pull before, or were left for a later day."""
    pending = known.get("pending")
    sure = known.get("sure", before) if pending is None or pending["running"] else pending["upto"]
    return int(min(sure, known.get("held", before + 1) - 1))


def _sure(connection: sa.Connection, table: _Table, known: Cursor) -> Cursor:
    """Say up to which number the next pull need not look any more, and what has to end before that moves on.

    The highest number is read before the running transactions are: whoever holds a lower one and is not to be seen in
    the pages read later ran at that moment.
    """
    highest = int(connection.scalar(sa.select(sa.func.max(table.change))) or 0)
    running = running_transactions(connection)
    if running is None:
        return {}
    sure, pending = known.get("sure", 0), known.get("pending")
    if pending and not running.isdisjoint(pending["running"]):
        return {"sure": sure, "pending": pending}
    upto = pending["upto"] if pending else sure
    return {"sure": upto, "pending": {"upto": highest, "running": sorted(running)}}


def _text(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(sep=" ")
        case timedelta():  # TIME of MariaDB
            return str(value)
        case bool() | int() | float() | date() | time():
            return str(value)
    what = f"a column holds {type(value).__name__}, which is no text, number or date: leave it out of the view"
    raise AgencyRefused(what, Reason.INTERFACE)
