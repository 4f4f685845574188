"""Both runs, each in a home and a database of its own on one embedded server, and what comes of comparing them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from pipeline.office import Office, open_office
from pipeline.settings import Settings
from simulator.agencies import Simulator
from simulator.chaos.comparing import Difference, Held, RecordKey, compare, held, must_be_missing
from simulator.chaos.faults import Mishap, Planned, plan_faults
from simulator.chaos.running import Ran, run_days
from simulator.plan import SERVED
from store import embedded
from store.database import create_database

_DELIVERED = sa.text("""
SELECT d.agency, d.state, count(*), sum(coalesce(d.rows, 0))::bigint,
       (SELECT count(*) FROM row_state s WHERE s.agency = d.agency AND s.state <> 'unexplained')
FROM delivery d GROUP BY d.agency, d.state ORDER BY d.agency, d.state
""")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Deliveries of one agency in one state, their rows, and how many rows of the agency are accounted for."""

    agency: str
    state: str
    deliveries: int
    rows: int
    accounted: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that the two runs showed."""

    days: tuple[date, ...]
    plan: tuple[Planned, ...]
    faulty: Ran
    whole: Ran
    delivered: tuple[Delivered, ...]
    records: int
    differences: tuple[Difference, ...]
    not_missing: frozenset[RecordKey]
    seconds: float

    @property
    def unexpected(self) -> tuple[Difference, ...]:
        """Differences that neither a destroyed nor a misleading delivery explains."""
        return tuple(each for each in self.differences if not (each.lost or each.misread))

    @property
    def ok(self) -> bool:
        """Whether all bars are met."""
        return not (self.faulty.unexplained or self.whole.unexplained or self.unexpected or self.not_missing)


def run_twice(
    home: Path,
    *,
    days: Sequence[date],
    seed: int = 2018,
    enterprises: int = 800,
    scale: float = 0.2,
    agencies: Sequence[str] = SERVED,
    server: str | None = None,
    tell: Callable[[str], object] = str,
) -> Outcome:
    """Run the days with and without faults and compare; ``server`` is a PostgreSQL in use, else one is started."""
    started = time.monotonic()
    plan = plan_faults(seed, days, agencies)
    destroyed = [(each.agency, each.day) for each in plan if each.what is Mishap.DESTROYED]
    misleading = [(each.agency, each.day) for each in plan if each.misleads]
    with _server(home, server) as url:
        ran: dict[str, Ran] = {}
        records: dict[str, Held] = {}
        delivered: tuple[Delivered, ...] = ()
        runs: dict[str, tuple[Planned, ...]] = {"whole": (), "faulty": plan}
        for name, faults in runs.items():
            tell(f"run {name}: {len(days)} days, {len(faults)} faults")
            with _system(home / name, url, name) as office:
                exchange = create_database(url, f"exchange_{name}")
                with Simulator(
                    home / name / "agencies",
                    exchange,
                    seed,
                    enterprises=enterprises,
                    scale=scale,
                    days=days,
                    agencies=agencies,
                ) as simulator:
                    ran[name] = run_days(office, simulator, faults, tell)
                records[name] = held(office)
                delivered = tuple(_delivered(office))
    differences = tuple(compare(records["whole"], records["faulty"], destroyed, misleading))
    wanted = must_be_missing(records["whole"], destroyed)
    return Outcome(
        days=tuple(days),
        plan=plan,
        faulty=ran["faulty"],
        whole=ran["whole"],
        delivered=delivered,
        records=len(records["whole"].standing),
        differences=differences,
        not_missing=frozenset(wanted - {each.key for each in differences}),
        seconds=time.monotonic() - started,
    )


@contextmanager
def _server(home: Path, server: str | None) -> Iterator[str]:
    if server:
        yield server
        return
    data = home / "postgres"
    try:
        yield embedded.start(data)
    finally:
        embedded.stop(data)


@contextmanager
def _system(home: Path, server: str, name: str) -> Iterator[Office]:
    home.mkdir(parents=True, exist_ok=True)
    office = open_office(Settings(home=home, database_url=SecretStr(create_database(server, f"chaos_{name}"))))
    try:
        yield office
    finally:
        office.engine.dispose()


def _delivered(office: Office) -> Iterator[Delivered]:
    with office.engine.connect() as connection:
        for row in connection.execute(_DELIVERED):
            yield Delivered(*row)


def by_agency(delivered: Sequence[Delivered]) -> Mapping[str, list[Delivered]]:
    """Group deliveries by agency."""
    found: dict[str, list[Delivered]] = {}
    for each in delivered:
        found.setdefault(each.agency, []).append(each)
    return found
