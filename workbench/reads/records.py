"""Records for lists: by delivery, by the key of a decision, by number of the document."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from pipeline.office import Office
from store.schema import RECORDS
from transforms.columns import Kind
from transforms.names import document_key

PAGE = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A record in a list; ``state`` is that of its row, before attachment and publication."""

    record_id: int
    kind: str
    delivery_id: int
    agency: str
    as_of: dt.date
    row_no: int
    state: str
    document_no: str | None
    subject_name: str | None
    superseded_by: int | None


def _select(kind: Kind) -> sa.Select[Any]:
    t = RECORDS[kind].c
    return sa.select(
        t.record_id, sa.literal(kind.value), t.delivery_id, t.agency, t.as_of, t.row_no, t.state, t.document_no,
        t.subject_name, t.superseded_by,
    )  # fmt: skip


def of_delivery(
    office: Office, kind: Kind, delivery_id: int, *, state: str | None = None, after: int = 0
) -> list[Listed]:
    """Return the rows of a delivery in their order; ``after`` is the last number of the page before."""
    t = RECORDS[kind].c
    query = _select(kind).where(t.delivery_id == delivery_id, t.record_id > after)
    if state is not None:
        query = query.where(t.state == state)
    # without the offset the planner walks the primary key from its start, which for a new delivery is all of it
    rows = query.offset(0).subquery()
    return _listed(office, sa.select(rows).order_by(rows.c.record_id).limit(PAGE))


def of_document(office: Office, document_no: str, *, agency: str | None) -> list[Listed]:
    """Return the rows that carry a 文书号, newest first; brackets and blanks do not matter."""
    [key] = document_key(pa.array([document_no])).to_pylist()
    if key is None:
        return []
    found: list[Listed] = []
    for kind, table in RECORDS.items():
        query = _select(kind).where(table.c.document_key == key)
        if agency is not None:
            query = query.where(table.c.agency == agency)
        found += _listed(office, query.order_by(table.c.record_id.desc()).limit(PAGE))
    return sorted(found, key=lambda listed: -listed.record_id)


def versions_of(office: Office, kind: Kind, record_key: str) -> list[Listed]:
    """Return every row of one decision about one subject, oldest first."""
    t = RECORDS[kind].c
    return _listed(office, _select(kind).where(t.record_key == record_key).order_by(t.record_id).limit(PAGE))


def _listed(office: Office, query: sa.Select[Any]) -> list[Listed]:
    with office.engine.connect() as connection:
        return [Listed(*row) for row in connection.execute(query)]
