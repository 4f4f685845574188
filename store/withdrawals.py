"""Records that left, or came back, without a row of their own: events beside the rows received.

A full set withdraws what it no longer holds. No row is made up for it (invariant 1 counts rows received): the row that
held stays as it is, and the newest event about it says whether it stands. Works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from store.schema import RECORDS, withdrawal
from transforms.columns import Kind

ABSENT: Final = "absent_from_full_set"

STANDING: Final = """
SELECT record_id, reason, effective_date FROM (
    SELECT DISTINCT ON (record_id) record_id, event, reason, effective_date
    FROM withdrawal WHERE kind = '{kind}' ORDER BY record_id, withdrawal_id DESC
) newest WHERE event = 'withdrawn'
"""
"""Withdrawals that hold, of one kind."""

_WITHDRAW: Final = """
WITH mine AS (SELECT delivery_id FROM delivery WHERE agency = :agency AND kind = :kind AND stream = :stream),
gone AS ({standing})
INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)
SELECT :delivery, :kind, r.record_id, r.record_key, 'withdrawn', :reason, :day
FROM {table} r
WHERE r.agency = :agency AND r.state = 'accepted' AND r.as_of <= :day AND r.delivery_id <> :delivery
  AND r.delivery_id IN (SELECT delivery_id FROM mine)
  AND NOT EXISTS (SELECT 1 FROM {table} p WHERE p.record_key = r.record_key AND p.delivery_id = :delivery)
  AND NOT EXISTS (SELECT 1 FROM {table} p WHERE p.superseded_by = r.record_id AND p.delivery_id = :delivery)
  AND NOT EXISTS (
    SELECT 1 FROM {table} o WHERE o.record_key = r.record_key AND o.delivery_id NOT IN (SELECT delivery_id FROM mine)
  )
  AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.record_id = r.record_id)
ORDER BY r.record_id
"""
_REINSTATE: Final = """
WITH gone AS ({standing})
INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)
SELECT DISTINCT :delivery, :kind, g.record_id, r.record_key, 'reinstated', g.reason, :day
FROM gone g
JOIN {table} r ON r.superseded_by = g.record_id
WHERE r.delivery_id = :delivery AND r.state = 'duplicate' AND g.effective_date <= :day
ORDER BY g.record_id
"""
_WITHOUT_KEY: Final = "SELECT count(*) FROM {table} WHERE delivery_id = :delivery AND record_key IS NULL"
_LATER_SET: Final = """
SELECT EXISTS (
    SELECT 1 FROM delivery WHERE agency = :agency AND kind = :kind AND stream = :stream AND full_set
    AND state = 'checked' AND as_of > :day
)
"""


def withdraw_absent(
    connection: sa.Connection, *, kind: Kind, agency: str, stream: str, delivery_id: int, day: dt.date
) -> int:
    """Withdraw the records in force of a stream that its full set ``delivery_id`` does not hold; how many.

    A record that also came by another way (another stream, a ministry, by hand) stays: that source still says it. So
    does one dated after the set.
    """
    parameters = {
        "kind": kind.value, "agency": agency, "stream": stream, "delivery": delivery_id, "day": day, "reason": ABSENT,
    }  # fmt: skip
    return int(connection.execute(_of(_WITHDRAW, kind), parameters).rowcount)


def reinstate(connection: sa.Connection, *, kind: Kind, delivery_id: int, day: dt.date) -> int:
    """Let records stand again that a delivery holds as they were; how many."""
    ever = sa.select(withdrawal.c.record_id).where(withdrawal.c.kind == kind.value).limit(1)
    if connection.execute(ever).first() is None:
        return 0
    parameters = {"kind": kind.value, "delivery": delivery_id, "day": day}
    return int(connection.execute(_of(_REINSTATE, kind), parameters).rowcount)


def rows_without_key(connection: sa.Connection, *, kind: Kind, delivery_id: int) -> int:
    """Count rows of a delivery that nobody can tell the record of: damaged, or without 文书号 or name."""
    return int(connection.scalar(_of(_WITHOUT_KEY, kind), {"delivery": delivery_id}) or 0)


def later_set_checked(connection: sa.Connection, *, kind: Kind, agency: str, stream: str, day: dt.date) -> bool:
    """Tell whether a full set of a later day was taken in already."""
    parameters = {"kind": kind.value, "agency": agency, "stream": stream, "day": day}
    return bool(connection.scalar(sa.text(_LATER_SET), parameters))


def _of(query: str, kind: Kind) -> sa.TextClause:
    table = RECORDS[kind].name
    return sa.text(query.format(table=table, standing=STANDING.format(kind=kind.value)))
