"""Findings of the cross-check over time, and what people decided about them (比对结果).

Events are appended (``discrepancy``): a run compares what it found with what holds; a finding that is new is
``opened``, one that says something else ``changed``, one that is no longer found ``closed``. Decisions of people are
appended beside them (``discrepancy_decision``) and no run ever touches them. ``finding`` has one row per finding: its
newest event and its newest decision. Every function works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import pyarrow as pa
import sqlalchemy as sa

from store.bulk import copy_in
from store.runs import Step
from store.schema import discrepancy, discrepancy_decision, finding, step_run

Decision = Literal[
    "confirmed",
    "rejected",
    "sent_for_correction",
    "to_inspection",
    "listing_proposed",
    "listing_signed",
    "listing_refused",
]
STATES: Final = (
    "open", "sent_for_correction", "to_inspection", "confirmed", "rejected", "listing_proposed", "listing_signed",
)  # fmt: skip
"""What a finding can be; a listing that was refused leaves it ``confirmed``."""

_COLUMNS: Final = (
    "finding_key, year, uscc, enterprise_name, kind, case_no, site_url, subject_id, report_id, fields, confidence,"
    " evidence, clears, district, correct_until, content_hash"
)
_CREATE: Final = f"""
CREATE TEMPORARY TABLE found ON COMMIT DROP AS SELECT {_COLUMNS} FROM discrepancy WITH NO DATA
"""  # noqa: S608 (own names)
_NEWEST: Final = """
CREATE TEMPORARY TABLE holding ON COMMIT DROP AS
SELECT d.* FROM finding f JOIN discrepancy d USING (discrepancy_id) WHERE f.year = :year
"""
_APPEND: Final = f"""
INSERT INTO discrepancy (event, as_of, run_no, {_COLUMNS})
SELECT event, :as_of, :run_no, {_COLUMNS} FROM (
    SELECT CASE WHEN h.finding_key IS NULL OR h.event = 'closed' THEN 'opened' ELSE 'changed' END AS event, f.*
    FROM found f LEFT JOIN holding h USING (finding_key)
    WHERE h.finding_key IS NULL OR h.event = 'closed' OR h.content_hash <> f.content_hash
    UNION ALL
    SELECT 'closed', {_COLUMNS} FROM holding h
    WHERE h.event <> 'closed' AND NOT EXISTS (SELECT 1 FROM found f WHERE f.finding_key = h.finding_key)
) told ORDER BY finding_key
RETURNING event
"""  # noqa: S608
_STAND: Final = """
INSERT INTO finding (finding_key, discrepancy_id, year, uscc, kind, case_no, district, link, confidence, opened, closed,
                     content_hash, state)
SELECT finding_key, discrepancy_id, year, uscc, kind, case_no, district, evidence ->> 'link', confidence, as_of,
       event = 'closed', content_hash, 'open'
FROM discrepancy WHERE run_no = :run_no
ON CONFLICT (finding_key) DO UPDATE SET discrepancy_id = excluded.discrepancy_id, kind = excluded.kind,
    district = excluded.district, link = excluded.link, confidence = excluded.confidence, closed = excluded.closed,
    content_hash = excluded.content_hash
"""


class LaterRunExists(ValueError):
    """A later day was compared already: an earlier one would close what it does not know."""


class FindingUnknown(LookupError):
    """There is no finding with that key."""


class FindingRefused(RuntimeError):
    """The decision cannot be made as things stand; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding as it stands. ``fields`` holds per field what was reported and what the base has.

    ``decided_by`` made the newest decision, ``decided_hash`` is what that person saw.
    """

    finding_key: str
    year: int
    uscc: str
    enterprise_name: str | None
    kind: str
    case_no: int
    site_url: str | None
    subject_id: str | None
    report_id: str | None
    fields: Mapping[str, Sequence[str]]
    confidence: Decimal
    evidence: Mapping[str, Any]
    clears: str
    district: str | None
    correct_until: dt.date
    content_hash: str
    as_of: dt.date
    opened: dt.date
    closed: bool
    state: str
    decided_by: str | None
    decided_hash: str | None

    @property
    def outdated(self) -> bool:
        """Tell whether it says something else now than when it was decided about."""
        return self.decided_hash is not None and self.decided_hash != self.content_hash


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decided what about a finding, why and when."""

    decision: str
    person: str
    reason: str
    as_of: dt.date
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a finding: opened, changed, closed."""

    event: str
    as_of: dt.date
    fields: Mapping[str, Sequence[str]]


def newest_day(connection: sa.Connection, year: int) -> dt.date | None:
    """Return the newest day for which the reports of a year were compared."""
    query = sa.select(sa.func.max(step_run.c.as_of)).where(
        step_run.c.step == Step.CROSSCHECK.value, step_run.c.told["year"].as_integer() == year
    )
    found: dt.date | None = connection.scalar(query)
    return found


def enter(
    connection: sa.Connection, findings: Iterable[pa.Table], *, year: int, as_of: dt.date, run_no: int
) -> dict[str, int]:
    """Enter what a run found for a year, block by block, and return events by name.

    ``findings`` have the columns of ``discrepancy`` but event, day and run. Raises ``LaterRunExists`` for a day before
    the newest one.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('discrepancy'))"))
    newest = newest_day(connection, year)
    if newest is not None and newest > as_of:
        raise LaterRunExists(f"the findings of {year} are those of {newest}; {as_of} is earlier")
    connection.execute(sa.text(_CREATE))
    for block in findings:
        copy_in(connection, "found", block)
    connection.execute(sa.text(_NEWEST), {"year": year})
    told = {"as_of": as_of, "run_no": run_no}
    events = connection.execute(sa.text(_APPEND), told).scalars().all()
    connection.execute(sa.text(_STAND), {"run_no": run_no})
    connection.execute(sa.text("DROP TABLE found"))
    connection.execute(sa.text("DROP TABLE holding"))
    return {event: events.count(event) for event in ("opened", "changed", "closed") if event in events}


def select_findings() -> sa.Select[Any]:
    """Return the query of findings as they stand, a column per field of ``Finding``; narrow it by ``finding``."""
    d, f, p = discrepancy.c, finding.c, discrepancy_decision.c
    return (
        sa.select(
            f.finding_key, d.year, d.uscc, d.enterprise_name, d.kind, d.case_no, d.site_url, d.subject_id, d.report_id,
            d.fields, d.confidence, d.evidence, d.clears, d.district, d.correct_until, d.content_hash, d.as_of,
            f.opened, f.closed, f.state, p.person.label("decided_by"), p.content_hash.label("decided_hash"),
        )
        .join(discrepancy, d.discrepancy_id == f.discrepancy_id)
        .outerjoin(discrepancy_decision, p.decision_id == f.decision_id)
    )  # fmt: skip


def read_finding(connection: sa.Connection, finding_key: str) -> Finding:
    """Read one finding. Raises ``FindingUnknown``."""
    row = connection.execute(select_findings().where(finding.c.finding_key == finding_key)).one_or_none()
    if row is None:
        raise FindingUnknown(f"there is no finding {finding_key}")
    return Finding(*row)


def lock_findings(connection: sa.Connection, keys: Sequence[str]) -> dict[str, Finding]:
    """Read findings by key, and keep others from deciding about them until the transaction ends."""
    chosen = finding.c.finding_key.in_(keys)
    connection.execute(sa.select(finding.c.finding_key).where(chosen).order_by(finding.c.finding_key).with_for_update())
    return {row.finding_key: Finding(*row) for row in connection.execute(select_findings().where(chosen))}


def history(connection: sa.Connection, finding_key: str) -> tuple[list[Happened], list[Decided]]:
    """Return the events and the decisions of a finding, oldest first."""
    d, p = discrepancy.c, discrepancy_decision.c
    events = sa.select(d.event, d.as_of, d.fields).where(d.finding_key == finding_key).order_by(d.discrepancy_id)
    decisions = (
        sa.select(p.decision, p.person, p.reason, p.as_of, p.at)
        .where(p.finding_key == finding_key)
        .order_by(p.decision_id)
    )
    return (
        [Happened(*row) for row in connection.execute(events)],
        [Decided(*row) for row in connection.execute(decisions)],
    )


def decide(
    connection: sa.Connection,
    finding_key: str,
    decision: Decision,
    *,
    content_hash: str,
    person: str,
    reason: str,
    as_of: dt.date,
    run_no: int,
) -> None:
    """Append a person's decision about a finding; whether it may be made is the caller's to know."""
    appended = sa.insert(discrepancy_decision).values(
        finding_key=finding_key, decision=decision, content_hash=content_hash, person=person.strip(),
        reason=reason.strip(), as_of=as_of, run_no=run_no,
    )  # fmt: skip
    decision_id = connection.scalar(appended.returning(discrepancy_decision.c.decision_id))
    state = "confirmed" if decision == "listing_refused" else decision
    connection.execute(
        sa.update(finding).where(finding.c.finding_key == finding_key).values(state=state, decision_id=decision_id)
    )
