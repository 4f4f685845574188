"""A front-end exchange database 前置库 as an office fills it: numbered changes, late commits, gaps, cut connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from connectors.endpoint import Endpoint
from connectors.transports.exchange_db import database_url
from simulator.faults import FaultKind, FaultSwitch
from simulator.servers.served import Served

Row = Mapping[str, str]

_AMOUNTS: Final = ("CF_NR_FK", "CF_NR_WFFF")
WHILE_WRITING: Final = (FaultKind.LATE_COMMIT, FaultKind.NUMBER_GAP)
_KEY: Final = "CHANGE_NO"


class ExchangeDatabase(Served):
    """Tables of the shape that :mod:`simulator.servers` describes, in PostgreSQL or MariaDB.

    ``path`` of ``publish`` is the table. Faults befall what is published: ``LATE_COMMIT``: the first half of the rows
    takes its numbers and is seen only after ``commit_late``; ``NUMBER_GAP``: as many numbers as rows are left out
    before them, for good: given numbers are moved by the gaps before them. ``drop_connections`` cuts all readers off.
    """

    def __init__(self, url: str, tables: Mapping[str, Sequence[str]]) -> None:
        """Name the database (SQLAlchemy URL with the password of an owner) and per table its sheet codes."""
        self.url: Final = url
        self.faults: Final = FaultSwitch()
        self._tables: Final = exchange_tables(tables)
        self._engine = sa.create_engine(database_url(Endpoint(url)))
        self._late: list[sa.Connection] = []
        self._gaps: dict[tuple[str, date], int] = {}

    def start(self) -> None:
        """Make the tables that are not there."""
        self._tables.create_all(self._engine)

    def stop(self) -> None:
        """Undo what was not committed and disconnect; the tables stay."""
        for connection in self._late:
            connection.close()
        self._late.clear()
        self._engine.dispose()

    def publish(self, path: str, day: date, rows: Sequence[Row], first_number: int | None = None) -> None:
        """Put a day's rows in place instead of those that the day had."""
        table = self._tables.tables[path]
        fault = self.faults.strike(0, WHILE_WRITING)
        with self._engine.begin() as connection:
            begins = datetime.combine(day, time())
            of_the_day = (table.c["CHANGED_AT"] >= begins) & (table.c["CHANGED_AT"] < begins + timedelta(days=1))
            before = connection.scalars(sa.select(table.c[_KEY]).where(of_the_day)).all()
            connection.execute(sa.delete(table).where(table.c[_KEY].in_(before)))
            highest = int(connection.scalar(sa.select(sa.func.max(table.c[_KEY]))) or 0)
        if fault and fault.kind is FaultKind.NUMBER_GAP:
            self._gaps.setdefault((path, day), len(rows))
        if first_number is None:
            first = highest + 1 + self._gaps.get((path, day), 0)
        else:
            first = first_number + sum(gap for (name, on), gap in self._gaps.items() if name == path and on <= day)
        changes = [_change(first + place, day, place, row) for place, row in enumerate(rows)]
        late = len(changes) // 2 if fault and fault.kind is FaultKind.LATE_COMMIT else 0
        if late:
            held = self._engine.connect()
            held.execute(sa.insert(table), changes[:late])
            self._late.append(held)
        with self._engine.begin() as connection:
            connection.execute(sa.insert(table), changes[late:])

    def commit_late(self) -> None:
        """Commit what took its numbers early."""
        for connection in self._late:
            connection.commit()
            connection.close()
        self._late.clear()

    def drop_connections(self) -> int:
        """Cut off every other session that reads; return how many there were."""
        kept = {self._session(connection) for connection in self._late}
        with self._engine.connect() as connection:
            own = self._session(connection)
            if connection.dialect.name == "postgresql":
                others = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
                cut = "SELECT pg_terminate_backend({})"
            else:
                others = sa.text("SELECT id FROM information_schema.processlist WHERE db = DATABASE()")
                cut = "KILL CONNECTION {}"
            found = [int(pid) for pid in connection.scalars(others) if int(pid) not in {own, *kept}]
            for pid in found:
                connection.execute(sa.text(cut.format(pid)))
        return len(found)

    def _session(self, connection: sa.Connection) -> int:
        own = "pg_backend_pid()" if connection.dialect.name == "postgresql" else "CONNECTION_ID()"
        return int(connection.scalar(sa.text(f"SELECT {own}")) or 0)


def exchange_tables(tables: Mapping[str, Sequence[str]]) -> sa.MetaData:
    """Describe exchange tables: change number, time of change, the columns of the sheet.

    Amounts of the standard sheet are decimal(18,6) as the sheet says; everything else is text, as it is in the wild.
    """
    metadata = sa.MetaData()
    for name, codes in tables.items():
        sa.Table(
            name,
            metadata,
            sa.Column(_KEY, sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("CHANGED_AT", sa.DateTime),
            *(sa.Column(code, sa.Numeric(18, 6) if code in _AMOUNTS else sa.Text) for code in codes),
        )
    return metadata


def _change(number: int, day: date, place: int, row: Row) -> dict[str, object]:
    moment = datetime.combine(day, time(9)) + timedelta(seconds=place)
    return {_KEY: number, "CHANGED_AT": moment, **{code: _cell(code, value) for code, value in row.items()}}


def _cell(code: str, value: str) -> str | Decimal | None:
    if not value:
        return None
    return Decimal(value) if code in _AMOUNTS else value
