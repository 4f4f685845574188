"""All agencies as one simulator: each behind its own transport, a register, and the truth about every row.

``home`` holds the certificate authority (``ca.pem``), a folder per agency that hands over files, the register files and
the truth.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Final

import trustme

from connectors.descriptor import Absence, ReferenceStream, load_agency
from connectors.endpoint import Endpoint
from pipeline.register_pull import register_streams
from simulator.business_days import DEMO_DAYS, FULL_REGISTER_DAYS
from simulator.desks import Building, Desk, HttpsDesk, set_up
from simulator.online_market import Enterprise as Played
from simulator.online_market import Identity, played_by
from simulator.plan import SERVED, plans
from simulator.population import COLUMNS, Enterprise, make_population, register_name, write_register_of
from simulator.records import World, make_world
from simulator.servers.served import Served

MARKET_YEAR: Final = 2017
"""Year of the annual reports."""
MARKET_SIZE: Final = 60
"""Enterprises of the register that play a part in the cross-check."""


class Simulator(Served):
    """Serves what the agencies send; publish a day to put its data in place.

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
        days: Sequence[date] = DEMO_DAYS,
        agencies: Sequence[str] = SERVED,
    ) -> None:
        """Make the register and the records of some days and agencies; equal seeds and sizes give equal bytes."""
        self._home: Final = home
        self.days: Final = tuple(days)
        self.population: Final = make_population(seed, enterprises, days)
        self.world: Final[World] = make_world(seed, self.population, scale, days)
        home.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(home / "ca.pem")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
        building = Building(home, tls, exchange_url, self.days[0])
        self.desks: Final[Mapping[str, Desk]] = {agency: set_up(load_agency(agency), building) for agency in agencies}
        self._running = ExitStack()
        self._published: list[date] = []

    def start(self) -> None:
        """Make the exchange tables and answer requests from now on."""
        for desk in self.desks.values():
            self._running.enter_context(desk)

    def stop(self) -> None:
        """Stop answering; files and tables stay."""
        self._running.close()

    def endpoints(self) -> dict[str, Endpoint]:
        """Return where each agency is reached."""
        return {agency: desk.endpoint for agency, desk in self.desks.items()}

    def register_file(self, day: date) -> Path:
        """Return the register file of a published day: the full set once a week, else changes."""
        return self._home / register_name(day)

    @property
    def truth_file(self) -> Path:
        """What must become of every row published so far."""
        return self._home / "truth.csv"

    def publish_day(self, day: date) -> None:
        """Put a day's data in place at all agencies, and its register file; a second time changes nothing."""
        if day not in self.days:
            raise ValueError(f"there is data for {', '.join(map(str, self.days))} only, not for {day}")
        self.publish_register(day)
        for agency in self.desks:
            self.publish_agency(agency, day)
        if day == self.days[0]:
            self._serve_market()
        self._published = sorted({*self._published, day})
        self.world.write_truth(self.truth_file, self._published)

    def sent_until(self, agency: str, day: date) -> int:
        """Count the rows that an agency published up to a day."""
        return sum(len(rows) for (name, _, sent), rows in self.world.rows.items() if name == agency and sent <= day)

    def publish_register(self, day: date) -> None:
        """Write the register file of a day, and put its rows in place at the agencies that serve the register."""
        write_register_of(self.population, day, self._home)
        for agency, desk in self.desks.items():
            if isinstance(desk, HttpsDesk):
                for stream in register_streams(load_agency(agency)):
                    self._serve_register(desk, stream, day)

    def _serve_register(self, desk: HttpsDesk, stream: ReferenceStream, day: date) -> None:
        """Put a day's register in place where the stream carries what the day has: the full set, or changes."""
        is_full = isinstance(stream.deletions, Absence)
        days = [each for each in self.days if each <= day and (each in FULL_REGISTER_DAYS) == is_full]
        if day in days:
            first = 1 + sum(len(self._register(earlier)) for earlier in days[:-1])
            rows = [dict(zip(COLUMNS, each.row(), strict=True)) for each in self._register(day)]
            desk.publish_reference(stream, day, rows, first)

    def _register(self, day: date) -> Sequence[Enterprise]:
        return self.population.on(day) if day in FULL_REGISTER_DAYS else self.population.changes[day]

    def market(self) -> list[Played]:
        """Return what some enterprises of the register report of their sites, what the base knows, and the truth."""
        settled = dt.date(MARKET_YEAR, 1, 1)
        names = Counter(each.name for each in self.population.on(self.days[0]))
        companies = [
            Identity(each.uscc, each.regno, each.name)
            for each in self.population.on(self.days[0])
            if each.state == "存续" and each.established < settled and each.regno and names[each.name] == 1
        ]
        return list(played_by(companies[:MARKET_SIZE], year=MARKET_YEAR, seed=MARKET_YEAR))

    def _serve_market(self) -> None:
        """Put annual reports and online subjects in place, at the agencies that serve them."""
        rows = {
            "annual_report": [row for each in self.market() for row in each.report],
            "online_subject": [row for each in self.market() for row in each.subjects],
        }
        for agency, desk in self.desks.items():
            for stream in load_agency(agency).references:
                if isinstance(desk, HttpsDesk) and stream.content in rows:
                    desk.publish_reference(stream, self.days[0], rows[stream.content], 1)

    def publish_agency(self, agency: str, day: date) -> None:
        """Put one agency's rows of a day in place."""
        for plan in plans():
            if plan.agency == agency:
                rows = self.world.rows[agency, plan.stream, day]
                first = 1 + sum(len(self.world.rows[agency, plan.stream, d]) for d in self.days if d < day)
                self.desks[agency].publish(plan.stream, day, rows, first)
