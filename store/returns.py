"""Return notices (退回机关): which failing rows were sent back to their agency, by whom, when, in which files."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store import audit
from store.schema import RECORDS, return_notice, return_notice_sequence
from transforms.columns import Kind

ROWS_AT_MOST: Final = 5_000
"""Rows of one notice; an agency that has more gets another one."""

_CAN_RETURN: Final = """
FROM review w JOIN {table} r USING (record_id)
WHERE w.state = 'open' AND w.kind = '{table}' AND w.severity IN ('reject', 'hold') AND r.state = 'returned'
"""
_NOT_TOLD: Final = """
AND NOT EXISTS (
    SELECT 1 FROM return_notice_item i WHERE i.review_id = w.review_id AND i.record_id = w.record_id
)
"""
_RETURNABLE: Final = """
SELECT w.agency, count(DISTINCT w.record_id), count(DISTINCT w.record_id) FILTER (WHERE i.review_id IS NULL),
       min(w.opened)
FROM review w LEFT JOIN (SELECT DISTINCT review_id, record_id FROM return_notice_item) i USING (review_id, record_id)
WHERE w.state = 'open' AND w.severity = 'reject' {where}
GROUP BY w.agency ORDER BY 2 DESC, 1
"""
_FAILURES: Final = """
WITH chosen AS (
    SELECT DISTINCT w.record_id {can_return} AND w.agency = :agency {rule} {not_told}
    ORDER BY w.record_id LIMIT :rows
)
SELECT w.review_id, w.record_id, w.rule, w.severity, w.due, v.field, v.value, v.finding, v.remedy,
       w.document_no, w.subject_name, r.sheet, r.delivery_id, r.file_ordinal, r.row_no, r.source_text
FROM chosen c JOIN review w USING (record_id) JOIN {table} r USING (record_id)
     JOIN verdict v ON v.record_id = w.record_id AND v.expectation = w.rule
WHERE w.state = 'open' AND w.severity IN ('reject', 'hold')
ORDER BY w.record_id, w.rule
"""


class NoticeUnknown(LookupError):
    """There is no return notice with that number."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that a row failed, and where the row came from. ``source_text`` as in the table of records."""

    review_id: int
    record_id: int
    rule: str
    severity: str
    due: dt.date | None
    field: str
    value: str | None
    finding: str | None
    remedy: str
    document_no: str | None
    subject_name: str | None
    sheet: str
    delivery_id: int
    file_ordinal: int
    row_no: int
    source_text: str | None


@dataclass(frozen=True, slots=True)
class Returnable:
    """What an agency has to mend: rows in state ``returned``, and how many of them no notice has told it of."""

    agency: str
    rows: int
    untold: int
    oldest: dt.date


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as issued, and what has become of its items. ``left`` are still open, ``closed`` the others by how."""

    notice_id: int
    agency: str
    as_of: dt.date
    person: str
    remark: str
    rows: int
    reviews: int
    workbook_sha256: str
    cover_sha256: str
    at: dt.datetime
    left: int = 0
    closed: Mapping[str, int] | None = None


def returnable(connection: sa.Connection, *, agency: str | None = None) -> list[Returnable]:
    """Return per agency what is to be mended, most rows first: a row with an open ``reject`` item is returned."""
    where = "" if agency is None else "AND w.agency = :agency"
    query = _RETURNABLE.format(where=where)
    rows = connection.execute(sa.text(query), {} if agency is None else {"agency": agency})
    return [Returnable(*row) for row in rows]


def failures(
    connection: sa.Connection, kind: Kind, *, agency: str, rules: Sequence[str] = (), again: bool, rows: int
) -> list[Failure]:
    """Return what the oldest ``rows`` returned rows of an agency and kind failed, by row.

    ``rules``: only rows that failed one of these; ``again``: also rows that a notice has told already.
    """
    table = RECORDS[kind].name
    query = _FAILURES.format(
        table=table, can_return=_CAN_RETURN.format(table=table), not_told="" if again else _NOT_TOLD,
        rule="AND w.rule = ANY(:rules)" if rules else "",
    )  # fmt: skip
    asked: dict[str, Any] = {"agency": agency, "rows": rows} | ({"rules": list(rules)} if rules else {})
    return [Failure(**row) for row in connection.execute(sa.text(query), asked).mappings()]


def next_notice(connection: sa.Connection, agency: str) -> int:
    """Take the number of the next notice; another notice to the same agency waits until the transaction ends."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"return {agency}"})
    return int(connection.scalar(sa.select(return_notice_sequence.next_value())) or 0)


def enter(
    connection: sa.Connection,
    notice_id: int,
    *,
    agency: str,
    as_of: dt.date,
    person: str,
    remark: str,
    told: Sequence[Failure],
    workbook: bytes,
    cover: bytes,
) -> Notice:
    """Enter a notice with its files, an event on each of its items, and one in the audit log."""
    notice = {
        "agency": agency, "as_of": as_of, "person": person, "remark": remark,
        "rows": len({each.record_id for each in told}), "reviews": len(told),
        "workbook_sha256": sha256(workbook), "cover_sha256": sha256(cover),
    }  # fmt: skip
    connection.execute(sa.insert(return_notice).values(notice_id=notice_id, workbook=workbook, cover=cover, **notice))
    items = {"ids": [each.review_id for each in told], "records": [each.record_id for each in told]}
    connection.execute(
        sa.text(
            "INSERT INTO return_notice_item (notice_id, review_id, record_id)"
            " SELECT :notice, * FROM unnest(CAST(:ids AS bigint[]), CAST(:records AS bigint[]))"
        ),
        {"notice": notice_id, **items},
    )
    connection.execute(
        sa.text(
            "INSERT INTO review_event (review_id, event, person, reason)"
            " SELECT review_id, 'notified', :person, :reason FROM unnest(CAST(:ids AS bigint[])) AS t (review_id)"
        ),
        {"person": person, "reason": f"return notice {notice_id}", "ids": items["ids"]},
    )
    audit.append(connection, actor=person, action="return_notice", about=f"return_notice:{notice_id}", details=notice)
    return read_notice(connection, notice_id)


def sha256(content: bytes) -> str:
    """Return the hash by which a file of a notice is known."""
    return hashlib.sha256(content).hexdigest()


def read_notice(connection: sa.Connection, notice_id: int) -> Notice:
    """Read one notice. Raises ``NoticeUnknown``."""
    found = _notices(connection, return_notice.c.notice_id == notice_id)
    if not found:
        raise NoticeUnknown(f"there is no return notice {notice_id}")
    return found[0]


def list_notices(connection: sa.Connection, *, agency: str | None = None, limit: int = 50) -> list[Notice]:
    """Return notices, newest first."""
    where = sa.true() if agency is None else return_notice.c.agency == agency
    return _notices(connection, where, limit)


def file_of(connection: sa.Connection, notice_id: int, which: str) -> bytes:
    """Return ``workbook`` or ``cover`` as issued. Raises ``NoticeUnknown``."""
    query = sa.select(return_notice.c[which]).where(return_notice.c.notice_id == notice_id)
    content = connection.scalar(query)
    if content is None:
        raise NoticeUnknown(f"there is no return notice {notice_id}")
    return bytes(content)


_SETTLED: Final = """
SELECT i.notice_id, CASE WHEN w.state = 'open' THEN '' ELSE w.closed_as END AS how, count(*)
FROM return_notice_item i JOIN review w USING (review_id) WHERE i.notice_id = ANY(:notices) GROUP BY 1, 2
"""


def _notices(connection: sa.Connection, where: sa.ColumnElement[bool], limit: int = 1) -> list[Notice]:
    t = return_notice.c
    query = (
        sa.select(
            t.notice_id, t.agency, t.as_of, t.person, t.remark, t.rows, t.reviews, t.workbook_sha256, t.cover_sha256,
            t.at,
        )
        .where(where)
        .order_by(t.notice_id.desc())
        .limit(limit)
    )  # fmt: skip
    rows = connection.execute(query).mappings().all()
    settled: dict[int, dict[str, int]] = {row["notice_id"]: {} for row in rows}
    for notice_id, how, count in connection.execute(sa.text(_SETTLED), {"notices": list(settled)}):
        settled[notice_id][how] = count
    return [
        Notice(**row, left=settled[row["notice_id"]].pop("", 0), closed=dict(sorted(settled[row["notice_id"]].items())))
        for row in rows
    ]
