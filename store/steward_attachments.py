"""Attachments that stewards decided (method ``steward``): appended like any other, never taken over by a machine.

They hold for later versions of the record too, as long as these name their subject in the same way. Every function
works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from store.schema import RECORDS, attachment
from transforms.columns import Kind

NOT_IN_REGISTER: Final = "not_in_register_confirmed"
"""A steward's word that the register does not know the subject (外省市主体等)."""

_CARRY: Final = """
INSERT INTO attachment (record_id, kind, uscc, method, grade, score, reason, evidence, register_version, as_of)
SELECT a.record_id, a.kind, s.uscc, s.method, s.grade, s.score, s.reason, s.evidence, a.register_version, :day
FROM attachment a JOIN {table} n USING (record_id)
JOIN LATERAL (
    SELECT o.record_id FROM {table} o
    WHERE o.record_key = n.record_key AND o.record_id < n.record_id AND o.subject_key = n.subject_key
      AND o.uscc IS NOT DISTINCT FROM n.uscc AND o.org_code IS NOT DISTINCT FROM n.org_code
      AND o.regno IS NOT DISTINCT FROM n.regno AND o.tax_no IS NOT DISTINCT FROM n.tax_no
      AND EXISTS (SELECT 1 FROM attachment x WHERE x.record_id = o.record_id AND x.method = 'steward')
    ORDER BY o.record_id DESC LIMIT 1
) o ON true
JOIN LATERAL (
    SELECT * FROM attachment x WHERE x.record_id = o.record_id ORDER BY x.attachment_id DESC LIMIT 1
) s ON s.method = 'steward'
WHERE a.attachment_id > :after AND a.kind = :kind AND a.grade <> 'certain' AND a.method <> 'natural_person'
ORDER BY a.attachment_id
"""


def any_made(connection: sa.Connection) -> bool:
    """Tell whether a steward ever attached anything."""
    made = sa.text("SELECT 1 FROM ruling WHERE what = 'attach' AND made_id IS NOT NULL LIMIT 1")
    return connection.execute(made).first() is not None


def newest(connection: sa.Connection, record_id: int) -> tuple[str, str] | None:
    """Return method and grade of the attachment that holds, if there is any."""
    query = (
        sa.select(attachment.c.method, attachment.c.grade)
        .where(attachment.c.record_id == record_id)
        .order_by(attachment.c.attachment_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.method, row.grade)


def decide(
    connection: sa.Connection, kind: Kind, record_id: int, *, uscc: str | None, ruling_id: int, day: dt.date
) -> int:
    """Append a steward's decision: the enterprise, or none where the register does not know the subject."""
    version = connection.scalar(sa.text("SELECT max(register_version) FROM register_version"))
    values = {
        "record_id": record_id, "kind": kind.value, "uscc": uscc, "method": "steward",
        "grade": "certain" if uscc else "none", "score": 1 if uscc else 0,
        "reason": None if uscc else NOT_IN_REGISTER, "evidence": {"ruling": ruling_id},
        "register_version": version, "as_of": day,
    }  # fmt: skip
    made = sa.insert(attachment).values(**values).returning(attachment.c.attachment_id)
    return int(connection.execute(made).scalar_one())


def take_back(connection: sa.Connection, record_id: int, *, day: dt.date) -> int:
    """Append what the machine had last decided before a steward did; a newer register is asked again."""
    query = sa.text(
        "INSERT INTO attachment"
        " (record_id, kind, uscc, method, grade, score, reason, evidence, register_version, as_of)"
        " SELECT record_id, kind, uscc, method, grade, score, reason, evidence, register_version, :day FROM attachment"
        " WHERE record_id = :record AND method <> 'steward' ORDER BY attachment_id DESC LIMIT 1 RETURNING attachment_id"
    )
    return int(connection.execute(query, {"record": record_id, "day": day}).scalar_one())


def carry(connection: sa.Connection, *, after: int, day: dt.date) -> int:
    """Let decisions of stewards hold for versions that attachments newer than ``after`` left uncertain; how many."""
    if not any_made(connection):
        return 0
    carried = 0
    for kind in Kind:
        query = sa.text(_CARRY.format(table=RECORDS[kind].name))
        carried += connection.execute(query, {"after": after, "day": day, "kind": kind.value}).rowcount
    return carried
