"""How each source answers: failures in a row, the circuit, the last pulls. One row per agency and stream.

Every function works inside the caller's transaction; every moment is one that the caller gave.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from store.schema import source_health

FailureClass = Literal["refused", "unavailable"]


@dataclass(frozen=True, slots=True)
class Health:
    """One source as the ledger knows it. ``failures`` counts those in a row that are of one class."""

    agency: str
    stream: str
    first_asked_at: datetime
    last_complete_at: datetime | None = None
    last_brought_at: datetime | None = None
    failures: int = 0
    failure_class: FailureClass | None = None
    failing_since: datetime | None = None
    last_failed_at: datetime | None = None
    last_failure: str | None = None
    openings: int = 0
    open_since: datetime | None = None
    open_until: datetime | None = None


def read_health(connection: sa.Connection, agency: str, stream: str) -> Health | None:
    """Return what is known of a source; null before it was asked for the first time."""
    query = sa.select(source_health).where(source_health.c.agency == agency, source_health.c.stream == stream)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Health(**row)


def write_health(connection: sa.Connection, health: Health) -> None:
    """Keep what is known of a source now."""
    values = asdict(health)
    statement = insert(source_health).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["agency", "stream"], set_=values))
