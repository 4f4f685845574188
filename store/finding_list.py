"""Findings for lists: filters, counts by what they can be narrowed by, and how often people found them right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from store.discrepancies import Finding, select_findings
from store.schema import finding

BANDS: Final[Mapping[str, tuple[str, str]]] = {
    "high": ("0.9", "1.001"),
    "middle": ("0.7", "0.9"),
    "low": ("0", "0.7"),
}
"""Bands of confidence: from, and below."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which findings a list shows; null asks nothing. ``state`` is that of people, or closed."""

    year: int | None = None
    district: str | None = None
    kind: str | None = None
    confidence: str | None = None
    state: str | None = "open"
    uscc: str | None = None

    def where(self) -> sa.ColumnElement[bool]:
        """Return the condition on ``finding``."""
        f = finding.c
        equal = {f.year: self.year, f.district: self.district, f.kind: self.kind, f.uscc: self.uscc}
        parts = [column == value for column, value in equal.items() if value]
        if self.state == "closed":
            parts.append(f.closed)
        elif self.state:
            parts += [~f.closed, f.state == self.state]
        if (band := BANDS.get(self.confidence or "")) is not None:
            least, below = map(Decimal, band)
            parts += [f.confidence >= least, f.confidence < below]
        return sa.and_(sa.true(), *parts)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many findings there are by the values of each filter, within the other filters."""

    year: Mapping[int, int]
    district: Mapping[str, int]
    kind: Mapping[str, int]
    state: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Precision:
    """What people decided about findings whose operator was told in one way. ``link`` is empty where none was needed.

    ``corrected`` were closed by a later report or snapshot after the enterprise was asked to correct itself.
    """

    link: str
    found: int
    confirmed: int
    corrected: int
    rejected: int

    @property
    def precision(self) -> float | None:
        """Share of the decided findings that were right; null before any decision."""
        decided = self.confirmed + self.corrected + self.rejected
        return (self.confirmed + self.corrected) / decided if decided else None


def list_findings(
    connection: sa.Connection, filters: Filters, *, after: tuple[Decimal, str] | None, limit: int
) -> list[Finding]:
    """Return findings, most certain first; ``after`` is confidence and key of the last one of the page before."""
    f = finding.c
    page = sa.select(f.finding_key).where(filters.where())
    if after is not None:
        confidence, key = after
        page = page.where(sa.or_(f.confidence < confidence, sa.and_(f.confidence == confidence, f.finding_key > key)))
    chosen = page.order_by(f.confidence.desc(), f.finding_key).limit(limit).scalar_subquery()
    query = select_findings().where(f.finding_key.in_(chosen)).order_by(f.confidence.desc(), f.finding_key)
    return [Finding(*row) for row in connection.execute(query)]


def counts(connection: sa.Connection, filters: Filters) -> Counts:
    """Count findings by year, district, kind and state."""
    f, count = finding.c, sa.func.count()
    shown = sa.case((f.closed, "closed"), else_=f.state)

    def by(column: sa.ColumnElement[Any], without: str) -> dict[Any, int]:
        where = replace(filters, **{without: None}).where()
        query = sa.select(column, count).where(where, column.is_not(None)).group_by(column).order_by(column)
        return {row[0]: row[1] for row in connection.execute(query)}

    return Counts(by(f.year, "year"), by(f.district, "district"), by(f.kind, "kind"), by(shown, "state"))


def precision(connection: sa.Connection, year: int | None = None) -> list[Precision]:
    """Return what was decided by how the operator was told, of one year or of all."""
    f = finding.c
    link = sa.func.coalesce(f.link, "")
    query = (
        sa.select(
            link,
            sa.func.count(),
            sa.func.count().filter(f.state.in_(["confirmed", "listing_proposed", "listing_signed"])),
            sa.func.count().filter(f.closed, f.state == "sent_for_correction"),
            sa.func.count().filter(f.state == "rejected"),
        )
        .where(sa.true() if year is None else f.year == year)
        .group_by(link)
        .order_by(link)
    )
    return [Precision(*row) for row in connection.execute(query)]
