"""Open and close reviews as the records change: set-based, in the transaction of the step that changed them.

An item is a record and a rule, not a row: where the source sends a record again that still fails, the item moves to the
new row and keeps its age, its term and its assignee. It closes when the row that failed gave way, and its events say to
what.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from store.schema import RECORDS
from store.withdrawals import STANDING
from transforms.columns import Kind

_DUE: Final = "CASE {severity} WHEN 'reject' THEN CAST(:reject AS date) WHEN 'hold' THEN CAST(:hold AS date) END"

_FAILING: Final = """
SELECT r.record_id, r.record_key, {number} AS document_no, r.subject_name, v.expectation AS rule, v.severity, v.field,
       row_number() OVER (PARTITION BY r.record_key, v.expectation ORDER BY r.record_id) AS nth
FROM {table} r JOIN verdict v USING (record_id)
WHERE r.delivery_id = :delivery AND r.state IN ('review', 'returned') AND v.severity IN ('reject', 'hold')
"""
_FAILING_NOW: Final = """
CREATE TEMPORARY TABLE failing_now (
    record_id bigint, record_key text, document_no text, subject_name text, rule text, severity text, field text,
    nth bigint
) ON COMMIT DROP
"""
_MENDED: Final = """
CREATE TEMPORARY TABLE waiting_document (review_id bigint, document_key text, uscc text, subject_key text,
    record_key text) ON COMMIT DROP;
CREATE TEMPORARY TABLE mended (review_id bigint, record_id bigint) ON COMMIT DROP
"""
_CARRY: Final = """
WITH waiting AS (
    SELECT review_id, record_key, rule,
           row_number() OVER (PARTITION BY record_key, rule ORDER BY opened, review_id) AS nth
    FROM review WHERE state = 'open' AND kind = :kind AND agency = :agency AND delivery_id <> :delivery
      AND record_key IN (SELECT record_key FROM failing_now)
)
UPDATE review w SET record_id = f.record_id, delivery_id = :delivery, severity = f.severity, field = f.field
FROM failing_now f JOIN waiting o USING (record_key, rule, nth) WHERE w.review_id = o.review_id
"""
_OPEN: Final = """
INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity, field,
                    opened, due)
SELECT :kind, :agency, :delivery, record_id, record_key, document_no, subject_name, rule, severity, field,
       CAST(:day AS date), {due}
FROM failing_now ORDER BY record_id, rule
ON CONFLICT (record_id, rule) DO NOTHING
"""
_ENDED: Final = """
INSERT INTO review_event (review_id, event, person, reason)
SELECT review_id, 'closed', :step, closed_as FROM closed ORDER BY review_id
"""
_GAVE_WAY: Final = """
WITH closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = n.record_id, closed_as = CASE
        WHEN n.status = 'withdrawn' THEN 'withdrawn'
        WHEN n.state = 'accepted' AND w.severity <> 'review' THEN 'source_fixed'
        ELSE 'superseded' END
    FROM {table} o JOIN {table} n ON n.record_id = o.superseded_by
    WHERE w.state = 'open' AND w.kind = :kind AND w.record_id = o.record_id AND o.state IN ('superseded', 'duplicate')
    RETURNING w.review_id, w.closed_as
)
{ended}"""
_SENT_AGAIN: Final = """
WITH newest AS (
    SELECT record_key, max(record_id) AS record_id FROM failing_now WHERE record_key IS NOT NULL GROUP BY record_key
),
closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = n.record_id, closed_as = 'superseded'
    FROM newest n
    WHERE w.state = 'open' AND w.kind = :kind AND w.agency = :agency AND w.record_key = n.record_key
      AND w.delivery_id <> :delivery AND w.severity IN ('reject', 'hold')
    RETURNING w.review_id, w.closed_as
)
{ended}"""
_WAITING_DOCUMENTS: Final = """
INSERT INTO waiting_document
SELECT w.review_id, o.document_key, o.uscc, o.subject_key, o.record_key
FROM review w JOIN {table} o USING (record_id)
WHERE w.state = 'open' AND w.kind = :kind AND w.agency = :agency AND w.delivery_id <> :delivery
  AND w.severity IN ('reject', 'hold') AND o.document_key IS NOT NULL
"""
_SAME_DOCUMENT: Final = """
INSERT INTO mended
SELECT o.review_id, max(n.record_id)
FROM waiting_document o JOIN {table} n ON n.document_key = o.document_key
WHERE n.delivery_id = :delivery AND n.state = 'accepted' AND n.record_key IS DISTINCT FROM o.record_key
  AND (o.subject_key IS NULL OR n.uscc = o.uscc)
GROUP BY o.review_id
"""
_CLOSE_MENDED: Final = """
WITH closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = m.record_id, closed_as = 'source_fixed'
    FROM mended m WHERE w.review_id = m.review_id AND w.state = 'open'
    RETURNING w.review_id, w.closed_as
)
{ended}"""
_WITHDRAWN: Final = """
WITH closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_as = 'withdrawn'
    FROM withdrawal x
    WHERE w.state = 'open' AND w.kind = :kind AND w.record_id = x.record_id AND x.delivery_id = :delivery
      AND x.event = 'withdrawn'
    RETURNING w.review_id, w.closed_as
)
{ended}"""

_DECIDED: Final = """
WITH closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = w.record_id, closed_as = CASE
        WHEN a.method = 'steward' AND a.grade = 'none' THEN 'rejected'
        WHEN a.grade <> 'certain' THEN 'superseded'
        WHEN a.method = 'steward' THEN 'attached_by_steward'
        ELSE 'attached' END
    FROM attachment a
    WHERE a.attachment_id > :after AND w.state = 'open' AND w.severity = 'review' AND w.record_id = a.record_id
      AND w.rule IS DISTINCT FROM a.reason
      AND NOT EXISTS (
        SELECT 1 FROM attachment b WHERE b.record_id = a.record_id AND b.attachment_id > a.attachment_id
      )
    RETURNING w.review_id, w.closed_as
)
{ended}"""
_UNCERTAIN: Final = """
WITH opened AS (
    INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity,
                        field, opened, due)
    SELECT :kind, r.agency, r.delivery_id, r.record_id, r.record_key, {number}, r.subject_name, a.reason, 'review',
           'subject_name', CAST(:day AS date), CAST(:review AS date)
    FROM attachment a JOIN {table} r USING (record_id) LEFT JOIN ({standing}) x USING (record_id)
    WHERE a.attachment_id > :after AND a.kind = :kind AND a.reason IS NOT NULL AND a.method <> 'steward'
      AND NOT EXISTS (
        SELECT 1 FROM attachment b WHERE b.record_id = a.record_id AND b.attachment_id > a.attachment_id
      )
      AND r.state = 'accepted' AND x.record_id IS NULL
    ORDER BY r.record_id
    ON CONFLICT (record_id, rule) DO UPDATE SET state = 'open', closed_as = NULL, closed_on = NULL,
        closed_by_record = NULL WHERE review.state = 'closed'
    RETURNING review_id, opened < CAST(:day AS date) AS again
)
INSERT INTO review_event (review_id, event, person, reason)
SELECT review_id, 'reopened', :step, 'no certain enterprise any more' FROM opened WHERE again ORDER BY review_id
"""

_MOVE_TO_RULED: Final = """
WITH failing AS (
    SELECT expectation, severity, field FROM verdict WHERE record_id = :made AND severity IN ('reject', 'hold')
),
known AS (
    SELECT DISTINCT ON (rule) review_id, rule, state FROM review
    WHERE record_id = ANY(:lineage) ORDER BY rule, (state = 'open') DESC, review_id DESC
),
moved AS (
    UPDATE review w SET record_id = :made, severity = f.severity, field = f.field, state = 'open', closed_as = NULL,
        closed_on = NULL, closed_by_record = NULL
    FROM known k JOIN failing f ON f.expectation = k.rule WHERE w.review_id = k.review_id
    RETURNING w.review_id, k.state AS was
)
INSERT INTO review_event (review_id, event, person, reason)
SELECT review_id, 'reopened', :person, :reason FROM moved WHERE was = 'closed' ORDER BY review_id
"""
_OPEN_RULED: Final = """
INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity, field,
                    opened, due)
SELECT :kind, r.agency, r.delivery_id, r.record_id, r.record_key, {number}, r.subject_name, v.expectation, v.severity,
       v.field, CAST(:day AS date), {due}
FROM {table} r JOIN verdict v USING (record_id)
WHERE r.record_id = :made AND r.state IN ('review', 'returned') AND v.severity IN ('reject', 'hold')
ORDER BY v.expectation
ON CONFLICT (record_id, rule) DO NOTHING
"""
_SETTLED_BY_RULING: Final = """
WITH closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = :made,
        closed_as = CASE WHEN w.severity = 'review' THEN 'superseded' ELSE :closed_as END
    WHERE w.state = 'open' AND w.record_id = ANY(:lineage) RETURNING w.review_id, w.closed_as
)
INSERT INTO review_event (review_id, event, person, reason)
SELECT review_id, 'closed', :person, :reason FROM closed ORDER BY review_id
"""


def follow_delivery(
    connection: sa.Connection,
    *,
    kind: Kind,
    agency: str,
    delivery_id: int,
    day: dt.date,
    due: Mapping[str, dt.date | None],
    withdrew: bool = False,
) -> None:
    """Open what a delivery's rows failed, and close what they settle; ``due`` is the last day to act by severity.

    A review is settled where the row that failed gave way (natural key), where the record came again and fails
    otherwise, or where the same agency sends the same document number right after the name was wrong: then the
    enterprise's code must agree, or the name have been missing. ``withdrew``: the delivery withdrew records.
    """
    parameters = {
        "kind": kind.value, "agency": agency, "delivery": delivery_id, "day": day, "step": "ingest",
        "reject": due["reject"], "hold": due["hold"],
    }  # fmt: skip
    connection.execute(sa.text(_FAILING_NOW))
    connection.execute(_of("INSERT INTO failing_now {failing}", kind), parameters)
    connection.execute(sa.text("ANALYZE failing_now"))
    for statement in (_CARRY, _OPEN, _GAVE_WAY, _SENT_AGAIN):
        connection.execute(_of(statement, kind), parameters)
    _close_mended(connection, kind, parameters)
    if withdrew:
        connection.execute(_of(_WITHDRAWN, kind), parameters)


def _close_mended(connection: sa.Connection, kind: Kind, parameters: Mapping[str, Any]) -> None:
    """Close what waits under a document number that the delivery brings right under another key.

    Nothing tells the planner how many rows have just come in: it would compare each with each, so it is told not to.
    """
    for statement in _MENDED.split(";"):
        connection.execute(sa.text(statement))
    if not connection.execute(_of(_WAITING_DOCUMENTS, kind), parameters).rowcount:
        return
    connection.execute(sa.text("SET LOCAL enable_nestloop = off"))
    connection.execute(_of(_SAME_DOCUMENT, kind), parameters)
    connection.execute(sa.text("SET LOCAL enable_nestloop = on"))
    connection.execute(_of(_CLOSE_MENDED, kind), parameters)


def follow_attachments(
    connection: sa.Connection, *, after: int, day: dt.date, due: Mapping[str, dt.date | None], step: str = "attach"
) -> None:
    """Open an item per record that attachments newer than ``after`` left uncertain, and close those that they settle.

    ``step`` is the name under which events are entered.
    """
    parameters = {"after": after, "day": day, "step": step, "review": due["review"]}
    connection.execute(sa.text(_DECIDED.format(ended=_ENDED)), parameters)
    for kind in Kind:
        connection.execute(_of(_UNCERTAIN, kind), parameters | {"kind": kind.value})


def follow_ruling(
    connection: sa.Connection,
    *,
    kind: Kind,
    lineage: Sequence[int],
    made: int,
    day: dt.date,
    due: Mapping[str, dt.date | None],
    closed_as: str,
    person: str,
    reason: str,
) -> None:
    """Close what a ruling settled, and open what the row ``made`` by it still fails.

    ``lineage`` are the row received and the rows made of it before. An item that was closed and fails again is opened
    again under its old number.
    """
    parameters = {
        "kind": kind.value, "lineage": list(lineage), "made": made, "day": day, "closed_as": closed_as,
        "person": person, "reason": reason, "reject": due["reject"], "hold": due["hold"],
    }  # fmt: skip
    for statement in (_MOVE_TO_RULED, _OPEN_RULED, _SETTLED_BY_RULING):
        connection.execute(_of(statement, kind), parameters)


def _of(query: str, kind: Kind) -> sa.TextClause:
    """Write the names of a kind's table into a query; 文书号, else the source's own number of an entry."""
    table = RECORDS[kind]
    number = "coalesce(r.document_no, r.entry_no)" if "entry_no" in table.c else "r.document_no"
    failing = _FAILING.format(table=table.name, number=number)
    due = _DUE.format(severity="v.severity" if "v.expectation, v.severity" in query else "severity")
    standing = STANDING.format(kind=kind.value)
    return sa.text(
        query.format(table=table.name, failing=failing, number=number, due=due, standing=standing, ended=_ENDED)
    )
