"""The three agencies as one simulator: an API server, a drop folder, tables in an exchange database.

``home`` holds the certificate authority (``ca.pem``), the drop folder (``fda/``), the register files and the truth.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

import sqlalchemy as sa
import trustme

from connectors.descriptor import ExchangeDb, PagedApi, load_agency
from connectors.endpoint import Endpoint
from connectors.transports.exchange_db import database_url
from simulator.business_days import DEMO_DAYS, FULL_REGISTER_DAYS
from simulator.plan import plans
from simulator.population import make_population, write_register
from simulator.records import World, make_world
from simulator.servers.dated_files import drop_file
from simulator.servers.paged_api import PagedApiServer
from simulator.templates import TEMPLATES, Row

_AMOUNTS: Final = ("CF_NR_FK", "CF_NR_WFFF")
_TEXT_IN_FILE: Final = {"licence": "XK_{:%Y%m%d}.csv", "penalty": "CF_{:%Y-%m-%d}.csv"}


class Simulator:
    """Serves what three agencies send; publish a day to put its data in place.

    ``exchange_url`` is the SQLAlchemy URL of a database in which the exchange tables may be made.
    """

    def __init__(
        self,
        home: Path,
        exchange_url: str,
        seed: int = 2018,
        *,
        enterprises: int = 3_000,
        scale: float = 1.0,
        port: int = 0,
        days: Sequence[date] = DEMO_DAYS,
    ) -> None:
        """Make the register and the records of some days; equal seeds and sizes give equal bytes."""
        self._home = home
        self._exchange_url = exchange_url
        self.days = tuple(days)
        self.population = make_population(seed, enterprises, days)
        self.world: World = make_world(seed, self.population, scale, days)
        self.drop_folder = home / "fda"
        self.drop_folder.mkdir(parents=True, exist_ok=True)
        self._published: list[date] = []
        self._token = secrets.token_urlsafe(32)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(home / "ca.pem")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
        self.api = PagedApiServer(self._token, tls, port)
        for plan in plans():
            if plan.agency == "aic":
                self.api.publish(self._path(plan.stream), self.days[0], [])

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.stop()

    def start(self) -> None:
        """Make the exchange tables and answer requests from now on."""
        with connected(self._exchange_url) as engine:
            exchange_tables().create_all(engine)
        self.api.start()

    def stop(self) -> None:
        """Stop answering; files and tables stay."""
        self.api.stop()

    def endpoints(self) -> dict[str, Endpoint]:
        """Return where each agency is reached."""
        return {
            "aic": Endpoint(self.api.url, self._token, str(self._home / "ca.pem")),
            "fda": Endpoint(str(self.drop_folder)),
            "qtsb": Endpoint(self._exchange_url),
        }

    def register_file(self, day: date) -> Path:
        """Return the register file of a published day: the full set once a week, else changes."""
        return self._home / f"register_{day:%Y%m%d}_{'full' if day in FULL_REGISTER_DAYS else 'changes'}.csv"

    @property
    def truth_file(self) -> Path:
        """What must become of every row published so far."""
        return self._home / "truth.csv"

    def publish_day(self, day: date) -> None:
        """Put a day's data in place at all three agencies, and its register file; a second time changes nothing."""
        if day not in self.days:
            raise ValueError(f"there is data for {', '.join(map(str, self.days))} only, not for {day}")
        is_full = day in FULL_REGISTER_DAYS
        write_register(self.register_file(day), self.population.on(day) if is_full else self.population.changes[day])
        with connected(self._exchange_url) as engine, engine.begin() as connection:
            for plan in plans():
                rows = self.world.rows[plan.agency, plan.stream, day]
                match plan.agency:
                    case "aic":
                        first = self._first_number(plan.agency, plan.stream, day)
                        self.api.publish(self._path(plan.stream), day, rows, first)
                    case "fda":
                        drop_file(self.drop_folder, _TEXT_IN_FILE[plan.stream].format(day), rows)
                    case _:
                        first = self._first_number(plan.agency, plan.stream, day)
                        _put_in_exchange(connection, plan.stream, rows, first, day)
        self._published = sorted({*self._published, day})
        self.world.write_truth(self.truth_file, self._published)

    def _first_number(self, agency: str, stream: str, day: date) -> int:
        return 1 + sum(len(self.world.rows[agency, stream, earlier]) for earlier in self.days if earlier < day)

    def _path(self, stream: str) -> str:
        transport = load_agency("aic").stream(stream).transport
        if not isinstance(transport, PagedApi):
            raise TypeError(f"stream {stream} of aic is not read through an API")
        return transport.path


@contextmanager
def connected(exchange_url: str) -> Iterator[sa.Engine]:
    """Open an engine on the exchange database and dispose of it afterwards."""
    engine = sa.create_engine(database_url(Endpoint(exchange_url)))
    try:
        yield engine
    finally:
        engine.dispose()


def exchange_tables() -> sa.MetaData:
    """Describe the exchange tables of ``qtsb``: change number, time of change, the columns of the sheet.

    Amounts of the standard sheet are decimal(18,6) as the sheet says; everything else is text, as it is in the wild.
    """
    metadata = sa.MetaData()
    for plan in plans():
        if plan.agency == "qtsb":
            sa.Table(
                _table_name(plan.stream),
                metadata,
                sa.Column("CHANGE_NO", sa.BigInteger, primary_key=True, autoincrement=False),
                sa.Column("CHANGED_AT", sa.DateTime),
                *(
                    sa.Column(code, sa.Numeric(18, 6) if code in _AMOUNTS else sa.Text)
                    for code, _ in TEMPLATES[plan.kind, plan.sheet]
                ),
            )
    return metadata


def _table_name(stream: str) -> str:
    transport = load_agency("qtsb").stream(stream).transport
    if not isinstance(transport, ExchangeDb):
        raise TypeError(f"stream {stream} of qtsb is not read from an exchange database")
    return transport.table


def _put_in_exchange(connection: sa.Connection, stream: str, rows: Sequence[Row], first: int, day: date) -> None:
    table = exchange_tables().tables[_table_name(stream)]
    changes = [
        {
            "CHANGE_NO": first + place,
            "CHANGED_AT": datetime.combine(day, time(9)) + timedelta(seconds=place),
            **{code: _cell(code, value) for code, value in row.items()},
        }
        for place, row in enumerate(rows)
    ]
    connection.execute(sa.delete(table).where(table.c["CHANGE_NO"].between(first, first + len(rows) - 1)))
    connection.execute(sa.insert(table), changes)


def _cell(code: str, value: str) -> str | Decimal | None:
    if not value:
        return None
    return Decimal(value) if code in _AMOUNTS else value
