"""Reports and subjects as received: every version of a report, every snapshot of a subject (年报, 网监主体).

Rows of one version (``record_key``: report and moment, subject and day) come in one delivery. Delivered again with the
same content they are duplicates; with another content they take the place of what was delivered before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from store.bulk import copy_in
from store.schema import REFERENCES
from transforms.columns import Reference

_SAME: Final = {
    Reference.ANNUAL_REPORT: "concat_ws('|', uscc, regno, subject_key, report_year, has_site)",
    Reference.ONLINE_SUBJECT: "content_hash",
}
"""What all rows of one version must agree in."""

_REPEATED_ROWS: Final = """
UPDATE {table} t SET state = 'duplicate', superseded_by = f.first
FROM (
    SELECT record_id, min(record_id) OVER (PARTITION BY record_key, content_hash) AS first
    FROM {table} WHERE delivery_id = :delivery AND state = 'accepted'
) f WHERE t.record_id = f.record_id AND f.first <> t.record_id
"""
_VERSIONS_HELD: Final = """
CREATE TEMPORARY TABLE version_held ON COMMIT DROP AS
WITH mine AS (
    SELECT record_key, min(record_id) AS row, string_agg(content_hash, ',' ORDER BY content_hash) AS content
    FROM {table} WHERE delivery_id = :delivery AND state = 'accepted' GROUP BY record_key
), held AS (
    SELECT record_key, min(record_id) AS row, string_agg(content_hash, ',' ORDER BY content_hash) AS content
    FROM {table} WHERE delivery_id <> :delivery AND state = 'accepted' AND record_key IN (SELECT record_key FROM mine)
    GROUP BY record_key
)
SELECT record_key, mine.row AS mine, held.row AS held, mine.content = held.content AS same
FROM mine JOIN held USING (record_key)
"""
_DISPLACE: Final = (
    "UPDATE {table} t SET state = 'duplicate', superseded_by = v.held FROM version_held v"
    " WHERE v.same AND t.record_key = v.record_key AND t.delivery_id = :delivery AND t.state = 'accepted'",
    "UPDATE {table} t SET state = 'superseded', superseded_by = v.mine FROM version_held v"
    " WHERE NOT v.same AND t.record_key = v.record_key AND t.delivery_id <> :delivery AND t.state = 'accepted'",
)


_OPEN_REVIEWS: Final = """
INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule, severity, field,
                    opened, due)
SELECT :kind, :agency, :delivery, r.record_id, r.record_key, {number}, {name}, v.expectation, v.severity, v.field,
       CAST(:day AS date), CASE v.severity WHEN 'reject' THEN CAST(:reject AS date) ELSE CAST(:hold AS date) END
FROM {table} r JOIN verdict v USING (record_id)
WHERE r.delivery_id = :delivery AND r.state IN ('review', 'returned') AND v.severity IN ('reject', 'hold')
ORDER BY r.record_id, v.expectation
ON CONFLICT (record_id, rule) DO NOTHING
"""
_CLOSE_REVIEWS: Final = """
WITH newest AS (
    SELECT record_key, max(record_id) AS record_id, bool_and(state <> 'review') AS mended FROM {table}
    WHERE delivery_id = :delivery AND record_key IS NOT NULL GROUP BY record_key
), closed AS (
    UPDATE review w SET state = 'closed', closed_on = :day, closed_by_record = n.record_id,
        closed_as = CASE WHEN n.mended THEN 'source_fixed' ELSE 'superseded' END
    FROM newest n
    WHERE w.state = 'open' AND w.kind = :kind AND w.record_key = n.record_key AND w.delivery_id <> :delivery
    RETURNING w.review_id, w.closed_as
)
INSERT INTO review_event (review_id, event, person, reason)
SELECT review_id, 'closed', 'ingest', closed_as FROM closed ORDER BY review_id
"""
_CALLED: Final = {
    Reference.ANNUAL_REPORT: ("report_id", "enterprise_name"),
    Reference.ONLINE_SUBJECT: ("subject_id", "operator_name"),
}
"""Columns that stand for number and name in a list of reviews."""


def open_reviews(
    connection: sa.Connection,
    reference: Reference,
    delivery_id: int,
    *,
    agency: str,
    day: dt.date,
    due: Mapping[str, dt.date | None],
) -> None:
    """Open what a delivery's rows failed, and close what waits under a version that it brings again."""
    told = {
        "kind": reference.value, "agency": agency, "delivery": delivery_id, "day": day,
        "reject": due["reject"], "hold": due["hold"],
    }  # fmt: skip
    number, name = _CALLED[reference]
    for query in (_OPEN_REVIEWS, _CLOSE_REVIEWS):
        connection.execute(
            _of(query.replace("{number}", f"r.{number}").replace("{name}", f"r.{name}"), reference), told
        )


def store_rows(connection: sa.Connection, reference: Reference, rows: pa.Table) -> None:
    """Append rows."""
    copy_in(connection, REFERENCES[reference].name, rows)


def ids_of_delivery(connection: sa.Connection, reference: Reference, delivery_id: int) -> list[int]:
    """Return the ids of the rows of a delivery that carry a key, in order."""
    table = REFERENCES[reference]
    query = sa.select(table.c.record_id).where(table.c.delivery_id == delivery_id, table.c.record_key.is_not(None))
    return list(connection.scalars(query.order_by(table.c.record_id)))


def contradicting_rows(connection: sa.Connection, reference: Reference, delivery_id: int) -> list[tuple[int, str]]:
    """Return rows (id, key) of versions whose rows do not agree in what they must agree in, in order."""
    query = (
        "SELECT record_id, record_key FROM {table} WHERE delivery_id = :delivery AND record_key IN ("
        " SELECT record_key FROM {table} WHERE delivery_id = :delivery AND record_key IS NOT NULL"
        " GROUP BY record_key HAVING count(DISTINCT {same}) > 1) ORDER BY record_id"
    )
    query = query.replace("{same}", _SAME[reference])
    return [(row[0], row[1]) for row in connection.execute(_of(query, reference), {"delivery": delivery_id})]


def hold_rows(connection: sa.Connection, reference: Reference, record_ids: list[int]) -> None:
    """Let rows that were accepted wait for a steward."""
    query = "UPDATE {table} SET state = 'review' WHERE record_id = ANY(:ids) AND state = 'accepted'"
    connection.execute(_of(query, reference), {"ids": record_ids})


def settle(connection: sa.Connection, reference: Reference, delivery_id: int) -> None:
    """Tell repeated rows and repeated versions; let a version delivered anew take the place of the one before."""
    table, told = REFERENCES[reference].name, {"delivery": delivery_id}
    connection.execute(sa.text(f"ANALYZE {table}"))
    for query in (_REPEATED_ROWS, _VERSIONS_HELD, *_DISPLACE, "DROP TABLE version_held"):
        connection.execute(_of(query, reference), told if ":delivery" in query else {})


def counts_of_delivery(connection: sa.Connection, reference: Reference, delivery_id: int) -> dict[str, int]:
    """Return rows per state of a delivery."""
    query = "SELECT state, count(*) FROM {table} WHERE delivery_id = :delivery GROUP BY state ORDER BY state"
    return {row[0]: row[1] for row in connection.execute(_of(query, reference), {"delivery": delivery_id})}


def verdicts_of_delivery(connection: sa.Connection, reference: Reference, delivery_id: int) -> dict[str, int]:
    """Return verdicts per expectation of a delivery, counted from the stored rows."""
    query = (
        "SELECT v.expectation, count(*) FROM verdict v JOIN {table} r USING (record_id)"
        " WHERE r.delivery_id = :delivery GROUP BY v.expectation"
    )
    return {row[0]: row[1] for row in connection.execute(_of(query, reference), {"delivery": delivery_id})}


def _of(query: str, reference: Reference) -> sa.TextClause:
    return sa.text(query.format(table=REFERENCES[reference].name))
