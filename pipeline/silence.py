"""Sources that are silent for longer than their descriptor allows, and the state of every source in one table.

A source speaks when a pull reaches its end (``last_complete_at``). One that answers and has nothing for us speaks too,
but ``quiet_since`` tells since when it brought nothing. Time comes in as ``now``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.descriptor import agency_ids, load_agency
from pipeline.circuit import is_open
from pipeline.office import Office
from store import sources
from store.schema import collection, delivery, watermark


@dataclass(frozen=True, slots=True)
class LateSource:
    """A source past its limit. ``last_complete_at`` is null for one that never answered."""

    agency: str
    stream: str
    silent_since: datetime
    last_complete_at: datetime | None
    limit_hours: int
    last_failure: str | None
    contact: str

    def alarm(self, now: datetime) -> str:
        """One line for whoever is woken by it: what, since when, why, whom to ask."""
        hours = int((now - self.silent_since) / timedelta(hours=1))
        spoke = "last complete pull" if self.last_complete_at else "never answered, first asked"
        why = f"last failure: {self.last_failure}" if self.last_failure else "no failure known: did its DAG run?"
        return (
            f"source={self.agency}/{self.stream} silent for {hours} h (limit {self.limit_hours} h), {spoke}"
            f" {self.silent_since:%Y-%m-%d %H:%M %Z}; {why}; next: disclosure diagnose {self.agency};"
            f" contact {self.contact}"
        )


def late_sources(office: Office, now: datetime) -> list[LateSource]:
    """Return the sources whose last complete pull is older than their ``freshness_hours``, the longest silent first.

    A source that was never asked is not late: the office has not begun with it.
    """
    late: list[LateSource] = []
    with office.engine.connect() as connection:
        for agency_id in agency_ids():
            agency = load_agency(agency_id)
            for stream in agency.streams:
                health = sources.read_health(connection, agency_id, stream.id)
                if health is None:
                    continue
                since = health.last_complete_at or health.first_asked_at
                if now - since > timedelta(hours=stream.freshness_hours):
                    late.append(
                        LateSource(
                            agency_id, stream.id, since, health.last_complete_at, stream.freshness_hours,
                            health.last_failure if health.failures else None, agency.contacts[0].email,
                        )
                    )  # fmt: skip
    return sorted(late, key=lambda source: (source.silent_since, source.agency, source.stream))


def source_status(office: Office, now: datetime, agencies: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return, per source: watermark, last pulls, failures, circuit, silence against its limit, deliveries held."""
    told: list[dict[str, Any]] = []
    with office.engine.connect() as connection:
        for agency_id in agencies or agency_ids():
            for stream in load_agency(agency_id).streams:
                health = sources.read_health(connection, agency_id, stream.id)
                since = (health.last_complete_at or health.first_asked_at) if health else None
                limit = timedelta(hours=stream.freshness_hours)
                told.append(
                    {
                        "agency": agency_id,
                        "stream": stream.id,
                        "watermark": connection.scalar(
                            sa.select(watermark.c.value).where(
                                watermark.c.agency == agency_id, watermark.c.stream == stream.id
                            )
                        ),
                        "last_complete_day": connection.scalar(
                            sa.select(sa.func.max(collection.c.as_of)).where(
                                collection.c.agency == agency_id,
                                collection.c.stream == stream.id,
                                collection.c.state == "complete",
                            )
                        ),
                        "circuit": _circuit(health, now),
                        "silent_hours": None if since is None else int((now - since) / timedelta(hours=1)),
                        "limit_hours": stream.freshness_hours,
                        "late": since is not None and now - since > limit,
                        "held": connection.scalar(
                            sa.select(sa.func.count()).where(
                                delivery.c.agency == agency_id,
                                delivery.c.stream == stream.id,
                                delivery.c.state == "held",
                            )
                        ),
                        "health": asdict(health) if health else None,
                    }
                )
    return told


def _circuit(health: sources.Health | None, now: datetime) -> str:
    if health is None or health.open_since is None:
        return "closed"
    return "open" if is_open(health, now) else "half-open"
