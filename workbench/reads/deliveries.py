"""Deliveries for lists and for the overview."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from pipeline.office import Office
from store.schema import check_result, delivery, delivery_file, hold, problem

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Arrived:
    """A delivery in a list."""

    delivery_id: int
    agency: str
    kind: str
    sheet: str | None
    stream: str | None
    as_of: dt.date
    state: str
    rows: int | None
    full_set: bool
    suite: str | None
    received_at: dt.datetime
    hold_id: int | None


_ARRIVED: Final[tuple[sa.ColumnElement[Any], ...]] = (
    delivery.c.delivery_id, delivery.c.agency, delivery.c.kind, delivery.c.sheet, delivery.c.stream, delivery.c.as_of,
    delivery.c.state, delivery.c.rows, delivery.c.full_set, delivery.c.suite, delivery.c.received_at, hold.c.hold_id,
)  # fmt: skip


def list_deliveries(
    office: Office,
    *,
    agency: str | None = None,
    state: str | None = None,
    day: dt.date | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Arrived]:
    """Return deliveries, newest first; ``before`` is the last number of the page before."""
    query = sa.select(*_ARRIVED).outerjoin(hold, hold.c.delivery_id == delivery.c.delivery_id)
    for column, value in ((delivery.c.agency, agency), (delivery.c.state, state), (delivery.c.as_of, day)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(delivery.c.delivery_id < before)
    with office.engine.connect() as connection:
        rows = connection.execute(query.order_by(delivery.c.delivery_id.desc()).limit(limit))
        return [Arrived(*row) for row in rows]


def read_delivery(office: Office, delivery_id: int) -> Arrived | None:
    """Return one delivery."""
    query = sa.select(*_ARRIVED).outerjoin(hold, hold.c.delivery_id == delivery.c.delivery_id)
    with office.engine.connect() as connection:
        row = connection.execute(query.where(delivery.c.delivery_id == delivery_id)).one_or_none()
    return None if row is None else Arrived(*row)


def files_of(office: Office, delivery_id: int) -> list[sa.RowMapping]:
    """Return name, bytes, sha256, rows, declared_rows of each file."""
    return _all(office, sa.select(delivery_file).where(delivery_file.c.delivery_id == delivery_id).order_by("ordinal"))


def problems_of(office: Office, delivery_id: int, *, limit: int = 100) -> list[sa.RowMapping]:
    """Return what was wrong with a delivery as a file, the first ones."""
    query = sa.select(problem).where(problem.c.delivery_id == delivery_id).order_by("problem_id")
    return _all(office, query.limit(limit))


def failures_of(office: Office, delivery_id: int) -> list[sa.RowMapping]:
    """Return expectation, severity, unexpected of each rule that rows of a delivery failed, most first."""
    query = (
        sa.select(check_result.c.expectation, check_result.c.severity, check_result.c.unexpected)
        .where(check_result.c.delivery_id == delivery_id, check_result.c.unexpected > 0)
        .order_by(check_result.c.unexpected.desc(), check_result.c.expectation)
    )
    return _all(office, query)


@dataclass(frozen=True, slots=True)
class AgencyDay:
    """What one agency brought on one business day."""

    agency: str
    deliveries: int
    rows: int
    held: int
    refused: int


def day_by_agency(office: Office, day: dt.date, agency: str | None) -> list[AgencyDay]:
    """Return what each agency brought on a day, most rows first."""
    query = (
        sa.select(
            delivery.c.agency, sa.func.count(), sa.func.coalesce(sa.func.sum(delivery.c.rows), 0),
            sa.func.count().filter(delivery.c.state == "held"), sa.func.count().filter(delivery.c.state == "refused"),
        )
        .where(delivery.c.as_of == day, sa.true() if agency is None else delivery.c.agency == agency)
        .group_by(delivery.c.agency)
        .order_by(sa.func.coalesce(sa.func.sum(delivery.c.rows), 0).desc(), delivery.c.agency)
    )  # fmt: skip
    with office.engine.connect() as connection:
        return [AgencyDay(row[0], row[1], int(row[2]), row[3], row[4]) for row in connection.execute(query)]


def _all(office: Office, query: sa.Select[Any]) -> list[sa.RowMapping]:
    with office.engine.connect() as connection:
        return list(connection.execute(query).mappings())
