"""Findings of the cross-check over time: append-only events, the newest of a finding holds (比对结果).

A run compares what it found with what holds: a finding that is new is ``opened``, one that says something else
``changed``, one that is no longer found ``closed``. What people decide about a finding is theirs and is never touched.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from store.bulk import copy_in

_COLUMNS: Final = (
    "finding_key, year, uscc, enterprise_name, kind, case_no, site_url, subject_id, report_id, fields, confidence,"
    " evidence, clears, district, correct_until, content_hash"
)
_CREATE: Final = f"""
CREATE TEMPORARY TABLE found ON COMMIT DROP AS SELECT {_COLUMNS} FROM discrepancy WITH NO DATA
"""  # noqa: S608 (own names)
_NEWEST: Final = """
CREATE TEMPORARY TABLE holding ON COMMIT DROP AS
SELECT DISTINCT ON (finding_key) * FROM discrepancy WHERE year = :year
ORDER BY finding_key, discrepancy_id DESC
"""
_APPEND: Final = f"""
INSERT INTO discrepancy (event, as_of, {_COLUMNS})
SELECT event, :as_of, {_COLUMNS} FROM (
    SELECT CASE WHEN h.finding_key IS NULL OR h.event = 'closed' THEN 'opened' ELSE 'changed' END AS event, f.*
    FROM found f LEFT JOIN holding h USING (finding_key)
    WHERE h.finding_key IS NULL OR h.event = 'closed' OR h.content_hash <> f.content_hash
    UNION ALL
    SELECT 'closed', {_COLUMNS} FROM holding h
    WHERE h.event <> 'closed' AND NOT EXISTS (SELECT 1 FROM found f WHERE f.finding_key = h.finding_key)
) told ORDER BY finding_key
RETURNING event
"""  # noqa: S608


class LaterRunExists(ValueError):
    """A later day was compared already: an earlier one would close what it does not know."""


def enter(connection: sa.Connection, findings: pa.Table, *, year: int, as_of: dt.date) -> dict[str, int]:
    """Enter what a run found for a year and return events by name.

    ``findings`` has the columns of ``discrepancy`` but event and day. Raises ``LaterRunExists`` for a day before the
    newest one.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('discrepancy'))"))
    newest = connection.scalar(sa.text("SELECT max(as_of) FROM discrepancy WHERE year = :year"), {"year": year})
    if newest is not None and newest > as_of:
        raise LaterRunExists(f"the findings of {year} are those of {newest}; {as_of} is earlier")
    connection.execute(sa.text(_CREATE))
    copy_in(connection, "found", findings)
    connection.execute(sa.text(_NEWEST), {"year": year})
    events = connection.execute(sa.text(_APPEND), {"as_of": as_of}).scalars().all()
    connection.execute(sa.text("DROP TABLE found"))
    connection.execute(sa.text("DROP TABLE holding"))
    return {event: events.count(event) for event in ("opened", "changed", "closed") if event in events}
