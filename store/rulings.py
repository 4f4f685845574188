"""Rulings of stewards about single records: proposed, signed, in force, undone; and the rows that they make.

A row that a ruling made lies in the table of its kind beside the row received, which it names in ``corrects`` and
displaces. Every function works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from store.holds import person_key
from store.schema import RECORDS, ruling, ruling_event
from transforms.columns import Kind

What = Literal["correct", "attach"]
IN_FORCE: Final = ("in_force", "undo_proposed")


class RulingUnknown(LookupError):
    """There is no ruling with that number."""


class RulingRefused(RuntimeError):
    """The ruling cannot be made or signed as things stand; the message says why."""


@dataclass(frozen=True, slots=True)
class RulingEvent:
    """Who did what to a ruling, why and when."""

    event: str
    person: str
    reason: str
    as_of: dt.date
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """A ruling. ``content`` of a correction: cells, waives, sends_back; of an attachment: decision, uscc."""

    ruling_id: int
    what: What
    kind: Kind
    agency: str
    received_id: int
    record_key: str | None
    base_id: int
    content: Mapping[str, Any]
    signatures: int
    state: str
    made_id: int | None
    events: tuple[RulingEvent, ...] = ()

    @property
    def author(self) -> str:
        """Who proposed it."""
        return self.events[0].person

    @property
    def in_force(self) -> bool:
        """Tell whether it counts now."""
        return self.state in IN_FORCE


def enter(connection: sa.Connection, made: Ruling) -> None:
    """Enter a proposal; its events follow."""
    connection.execute(
        sa.insert(ruling).values(
            ruling_id=made.ruling_id, what=made.what, kind=made.kind.value, agency=made.agency,
            received_id=made.received_id, record_key=made.record_key, base_id=made.base_id,
            content=dict(made.content), signatures=made.signatures, state=made.state, made_id=made.made_id,
        )
    )  # fmt: skip


def enter_event(
    connection: sa.Connection,
    ruling_id: int,
    event: str,
    *,
    person: str,
    reason: str,
    as_of: dt.date,
    run_no: int | None = None,
) -> None:
    """Append what happened to a ruling."""
    connection.execute(
        sa.insert(ruling_event).values(
            ruling_id=ruling_id, event=event, person=person.strip(), person_key=person_key(person),
            reason=reason.strip(), as_of=as_of, run_no=run_no,
        )
    )  # fmt: skip


def set_state(connection: sa.Connection, ruling_id: int, state: str, *, made_id: int | None = None) -> None:
    """Set the state, and what the ruling made where it made something."""
    values: dict[str, Any] = {"state": state} | ({"made_id": made_id} if made_id is not None else {})
    connection.execute(sa.update(ruling).where(ruling.c.ruling_id == ruling_id).values(**values))


def read_ruling(connection: sa.Connection, ruling_id: int, *, lock: bool = False) -> Ruling:
    """Read a ruling with its events. Raises ``RulingUnknown``."""
    if lock:
        connection.execute(sa.select(ruling.c.ruling_id).where(ruling.c.ruling_id == ruling_id).with_for_update())
    found = _rulings(connection, ruling.c.ruling_id == ruling_id)
    if not found:
        raise RulingUnknown(f"there is no ruling {ruling_id}")
    return found[0]


def list_rulings(
    connection: sa.Connection, *, state: str | None = None, agency: str | None = None, received_id: int | None = None
) -> list[Ruling]:
    """Return rulings, oldest first."""
    asked = {ruling.c.state: state, ruling.c.agency: agency, ruling.c.received_id: received_id}
    return _rulings(connection, *(column == value for column, value in asked.items() if value is not None))


def rulings_over(connection: sa.Connection, kind: Kind, record_key: str | None, received_id: int) -> list[Ruling]:
    """Return the corrections in force that speak about a row received: made about it or about its record before."""
    about = ruling.c.received_id == received_id
    if record_key is not None:
        about = sa.or_(about, ruling.c.record_key == record_key)
    return _rulings(
        connection, ruling.c.kind == kind.value, ruling.c.what == "correct", ruling.c.state.in_(IN_FORCE), about
    )


def keys_in_force(connection: sa.Connection, kind: Kind) -> frozenset[str]:
    """Return the keys of records that corrections in force speak about."""
    query = sa.select(ruling.c.record_key).where(
        ruling.c.kind == kind.value, ruling.c.what == "correct", ruling.c.state.in_(IN_FORCE),
        ruling.c.record_key.is_not(None),
    )  # fmt: skip
    return frozenset(connection.scalars(query))


def any_in_force(connection: sa.Connection, kind: Kind) -> bool:
    """Tell whether any correction of a kind is in force."""
    query = sa.select(ruling.c.ruling_id).where(
        ruling.c.kind == kind.value, ruling.c.what == "correct", ruling.c.state.in_(IN_FORCE)
    )
    return connection.execute(query.limit(1)).first() is not None


def row_of(connection: sa.Connection, record_id: int) -> tuple[Kind, Mapping[str, Any]]:
    """Find a row of any kind by its id. Raises ``LookupError``."""
    kind = connection.scalar(sa.text("SELECT kind FROM received_row WHERE record_id = :id"), {"id": record_id})
    if kind is None:
        raise LookupError(f"there is no record {record_id}")
    return Kind(kind), read_row(connection, Kind(kind), record_id)


def read_row(connection: sa.Connection, kind: Kind, record_id: int) -> Mapping[str, Any]:
    """Read one row with all its columns."""
    table = RECORDS[kind]
    return dict(connection.execute(sa.select(table).where(table.c.record_id == record_id)).mappings().one())


def head_of(connection: sa.Connection, kind: Kind, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row that holds now instead of a row: what displaced it, and so on to the end."""
    while row["state"] in ("superseded", "duplicate") and row["superseded_by"] is not None:
        row = read_row(connection, kind, row["superseded_by"])
    return row


def lineage(connection: sa.Connection, kind: Kind, received_id: int) -> list[int]:
    """Return the row received and all that rulings made of it, oldest first."""
    table = RECORDS[kind]
    made = sa.select(table.c.record_id).where(table.c.corrects == received_id).order_by(table.c.record_id)
    return [received_id, *connection.scalars(made)]


def verdicts_of_row(connection: sa.Connection, record_id: int) -> list[dict[str, Any]]:
    """Return the verdicts about one row, by expectation."""
    query = sa.text("SELECT * FROM verdict WHERE record_id = :id ORDER BY expectation")
    return [dict(row) for row in connection.execute(query, {"id": record_id}).mappings()]


def withdraw_key(
    connection: sa.Connection, kind: Kind, *, record_key: str, delivery_id: int, reason: str, day: dt.date
) -> None:
    """Take back whatever is shown under a key: its record goes by another key, or is not to be shown any more."""
    table = RECORDS[kind].name
    connection.execute(
        sa.text(
            "INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)"  # noqa: S608
            " SELECT :delivery, :kind, record_id, record_key, 'withdrawn', :reason, :day"
            f" FROM {table} WHERE record_key = :key AND state = 'superseded' ORDER BY record_id"
        ),
        {"delivery": delivery_id, "kind": kind.value, "reason": reason, "day": day, "key": record_key},
    )


def _rulings(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Ruling]:
    rows = connection.execute(sa.select(ruling).where(*where).order_by(ruling.c.ruling_id)).all()
    events: dict[int, list[RulingEvent]] = {row.ruling_id: [] for row in rows}
    query = sa.select(ruling_event).where(ruling_event.c.ruling_id.in_(list(events))).order_by(ruling_event.c.event_id)
    for each in connection.execute(query):
        events[each.ruling_id].append(RulingEvent(each.event, each.person, each.reason, each.as_of, each.at))
    return [
        Ruling(
            row.ruling_id, row.what, Kind(row.kind), row.agency, row.received_id, row.record_key, row.base_id,
            row.content, row.signatures, row.state, row.made_id, tuple(events[row.ruling_id]),
        )
        for row in rows
    ]  # fmt: skip


def other_person(made: Ruling, person: str) -> bool:
    """Tell whether a person is not the one whose act on the ruling waits for a signature."""
    waiting: Sequence[str] = ("propose", "undo")
    last = next(event for event in reversed(made.events) if event.event in waiting)
    return person_key(last.person) != person_key(person)
