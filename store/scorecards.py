"""What scorecards count, set-based: one statement per kind of record and question, grouped by agency.

A month's rows are those of deliveries whose business day lies in it. Rows that repeat what is held already
(``duplicate``) are not counted: an agency that reports its full set every day would look better or worse for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store import audit
from store.schema import RECORDS, agency_output
from store.typed_text import require_no_number
from transforms.columns import Kind

_SPAN: Final = """
SELECT min(delivery_id), max(delivery_id) FROM delivery
WHERE kind = :kind AND as_of BETWEEN :first AND :last AND state = 'checked'
"""
_DECIDED_ON: Final = """
SELECT DISTINCT decision_date FROM {table}
WHERE delivery_id BETWEEN :low AND :high AND as_of BETWEEN :first AND :last AND decision_date IS NOT NULL
"""
_COUNTED: Final = """
WITH term AS (
    SELECT * FROM unnest(CAST(:decided AS date[]), CAST(:last_days AS date[])) AS t (decision_date, last_day)
),
told AS (
    SELECT r.agency, t.last_day,
           NOT EXISTS (
               SELECT 1 FROM verdict v WHERE v.record_id = r.record_id AND v.severity IN ('reject', 'hold')
           ) AS passed,
           NOT EXISTS (
               SELECT 1 FROM {table} e
               WHERE e.record_key = r.record_key AND e.agency = r.agency AND e.record_id < r.record_id
                 AND e.corrects IS NULL
           ) AS first_report,
           r.as_of > t.last_day OR (r.state = 'returned' AND CAST(:today AS date) > t.last_day) AS late
    FROM {table} r LEFT JOIN term t USING (decision_date)
    WHERE r.delivery_id BETWEEN :low AND :high AND r.as_of BETWEEN :first AND :last
      AND r.corrects IS NULL AND r.state <> 'duplicate'
)
SELECT agency, count(*) AS received, count(*) FILTER (WHERE passed) AS passed,
       count(*) FILTER (WHERE first_report AND last_day IS NOT NULL) AS timed,
       count(*) FILTER (WHERE first_report AND late) AS late,
       count(*) FILTER (WHERE first_report AND last_day IS NULL) AS untimed
FROM told GROUP BY agency
"""
_REPORTED: Final = """
SELECT agency, count(DISTINCT record_key) FROM {table}
WHERE decision_date BETWEEN :first AND :end AND as_of <= :today AND agency = ANY(:agencies)
  AND corrects IS NULL AND state IN ('accepted', 'superseded')
GROUP BY agency
"""
_OUTPUTS: Final = """
SELECT DISTINCT ON (agency, kind) agency, kind, produced, self_published, unreported
FROM agency_output WHERE month = :month ORDER BY agency, kind, output_id DESC
"""
_FAILED: Final = """
SELECT agency, expectation, rows FROM (
    SELECT d.agency, c.expectation, sum(c.unexpected) AS rows,
           row_number() OVER (PARTITION BY d.agency ORDER BY sum(c.unexpected) DESC, c.expectation) AS place
    FROM check_result c JOIN delivery d USING (delivery_id)
    WHERE d.as_of BETWEEN :first AND :last AND c.severity IN ('reject', 'hold') AND c.unexpected > 0
    GROUP BY d.agency, c.expectation
) ranked WHERE place <= :most ORDER BY agency, place
"""
_WAITING: Final = """
SELECT agency, count(*) AS open, count(*) FILTER (WHERE due < :today) AS overdue, min(opened) AS oldest,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY CAST(:today AS date) - opened) AS median_age
FROM review WHERE opened <= :today AND (state = 'open' OR closed_on > :today) GROUP BY agency
"""
_CAME: Final = """
SELECT agency, as_of, count(*) FILTER (WHERE state = 'refused') AS refused, count(*) AS deliveries
FROM delivery WHERE as_of BETWEEN :first AND :last GROUP BY agency, as_of
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of one agency and kind. ``timed`` of the first reports have a last day on time, ``late`` came after it."""

    received: int
    passed: int
    timed: int
    late: int
    untimed: int


@dataclass(frozen=True, slots=True)
class Output:
    """What an agency says that it decided in a month; null where nobody said."""

    produced: int
    self_published: int | None
    unreported: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open items of an agency on a day; ages in days."""

    open: int
    overdue: int
    oldest: dt.date | None
    median_age: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """The deliveries of a kind in a month, by number, and the days that are looked at."""

    kind: Kind
    low: int
    high: int
    first: dt.date
    last: dt.date

    def asked(self) -> dict[str, Any]:
        """Return the parameters of the queries."""
        return {"low": self.low, "high": self.high, "first": self.first, "last": self.last}


def span_of(connection: sa.Connection, kind: Kind, *, first: dt.date, last: dt.date) -> Span | None:
    """Return where the rows of a kind lie; nothing where none came."""
    asked = {"kind": kind.value, "first": first, "last": last}
    low, high = connection.execute(sa.text(_SPAN), asked).one()
    return None if low is None else Span(kind, low, high, first, last)


def decided_on(connection: sa.Connection, span: Span) -> list[dt.date]:
    """Return the days on which the decisions that came were made."""
    return list(connection.scalars(_of(_DECIDED_ON, span.kind), span.asked()))


def count_rows(
    connection: sa.Connection, span: Span, *, last_days: Mapping[dt.date, dt.date], today: dt.date
) -> dict[str, Counted]:
    """Count rows by agency; ``last_days`` is the last day on time by day of decision.

    A row still returned on ``today`` past its last day is late, whenever it came.
    """
    asked = span.asked() | {"decided": list(last_days), "last_days": list(last_days.values()), "today": today}
    rows = connection.execute(_of(_COUNTED, span.kind), asked)
    return {agency: Counted(*counted) for agency, *counted in rows}


def count_reported(
    connection: sa.Connection, kind: Kind, *, first: dt.date, end: dt.date, today: dt.date, agencies: Iterable[str]
) -> dict[str, int]:
    """Count by agency the decisions made in a month that were reported and stored by ``today``."""
    asked = {"first": first, "end": end, "today": today, "agencies": sorted(agencies)}
    rows = connection.execute(_of(_REPORTED, kind), asked)
    return {row[0]: row[1] for row in rows}


def outputs(connection: sa.Connection, month: dt.date) -> dict[tuple[str, Kind], Output]:
    """Return what agencies said that they decided in a month."""
    rows = connection.execute(sa.text(_OUTPUTS), {"month": month})
    return {(agency, Kind(kind)): Output(*told) for agency, kind, *told in rows}


def enter_output(
    connection: sa.Connection, agency: str, kind: Kind, month: dt.date, told: Output, *, source: str, person: str
) -> None:
    """Enter what an agency says; audited. Raises ``typed_text.NumberTyped`` for what ``source`` must not hold."""
    require_no_number("姓名", person)
    require_no_number("数据来源", source)
    values = {
        "agency": agency, "kind": kind.value, "month": month, "produced": told.produced,
        "self_published": told.self_published, "unreported": told.unreported, "source": source, "person": person,
    }  # fmt: skip
    connection.execute(sa.insert(agency_output).values(**values))
    audit.append(connection, actor=person, action="agency_output", about=f"agency:{agency}", details=values)


def top_failures(
    connection: sa.Connection, *, first: dt.date, last: dt.date, most: int
) -> dict[str, list[tuple[str, int]]]:
    """Return by agency the rules that most rows failed, with the number of rows."""
    found: dict[str, list[tuple[str, int]]] = {}
    asked = {"first": first, "last": last, "most": most}
    for agency, rule, rows in connection.execute(sa.text(_FAILED), asked):
        found.setdefault(agency, []).append((rule, int(rows)))
    return found


def waiting(connection: sa.Connection, today: dt.date) -> dict[str, Waiting]:
    """Return what waited by agency on a day."""
    rows = connection.execute(sa.text(_WAITING), {"today": today})
    return {agency: Waiting(*told) for agency, *told in rows}


def days_with_deliveries(
    connection: sa.Connection, *, first: dt.date, last: dt.date
) -> tuple[dict[str, set[dt.date]], dict[str, int]]:
    """Return by agency the days on which something readable came, and how many deliveries were refused."""
    came: dict[str, set[dt.date]] = {}
    refused: dict[str, int] = {}
    for agency, day, no, every in connection.execute(sa.text(_CAME), {"first": first, "last": last}):
        refused[agency] = refused.get(agency, 0) + no
        if no < every:
            came.setdefault(agency, set()).add(day)
    return came, refused


def _of(query: str, kind: Kind) -> sa.TextClause:
    return sa.text(query.format(table=RECORDS[kind].name))
