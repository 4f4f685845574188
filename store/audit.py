"""The audit log: who decided what, in one chain of hashes, so that an edit, a deletion or another order shows.

Event n carries the hash of event n - 1 and its own, SHA-256 over the canonical JSON list ``[sequence, at, actor,
action, object, details, previous]`` (``at`` in UTC to the microsecond; UTF-8, no blanks). An event belongs to the
transaction of the decision. Appending takes a lock that is held to the end of the transaction, so it comes last in it.

A database that had steps before it had this log begins with an event that says after which (``after_run``).

The chain shows every change before its end. Whoever owns the database could cut off its end, or write it all anew:
the steps named in ``step_run`` and in the archive's journal bound the first, a head noted elsewhere
(``Head``, printed by every verification) shows both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.schema import audit_event
from store.typed_text import masked_text, masked_told

GENESIS: Final = "0" * 64
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision. ``details`` is the JSON text that was hashed."""

    sequence: int
    at: dt.datetime
    actor: str
    action: str
    object: str
    details: str
    previous: str
    hash: str

    def expected_hash(self) -> str:
        """Return the hash that these contents have."""
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        listed = [self.sequence, at, self.actor, self.action, self.object, self.details, self.previous]
        return hashlib.sha256(json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: to note elsewhere, and to hold a later verification against."""

    sequence: int
    hash: str


def append(
    connection: sa.Connection, *, actor: str, action: str, about: str, details: Mapping[str, Any] | None = None
) -> Head:
    """Append an event in the transaction of what it tells; the last thing that the transaction does.

    ``about`` names the object (``review:7``). Whoever takes a typed text refuses numbers of persons in it
    (``store.typed_text``); one that comes here all the same is masked, because the chain can never be cleaned. It is
    not refused: events are appended by steps that nobody watches too, and a text that only looks like a telephone
    would stop the office in the middle of a night.
    """
    actor, about = masked_text(actor), masked_text(about)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('audit'))"))
    before = head(connection)
    at: dt.datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    shown = masked_told(details or {})
    told = json.dumps(shown, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    event = AuditEvent(before.sequence + 1, at, actor, action, about, told, before.hash, "")
    made = Head(event.sequence, event.expected_hash())
    connection.execute(
        sa.insert(audit_event).values(
            sequence=event.sequence, at=at, actor=actor, action=action, object=about, details=told,
            previous=before.hash, hash=made.hash,
        )
    )  # fmt: skip
    return made


def head(connection: sa.Connection) -> Head:
    """Return the end of the chain; sequence 0 before the first event."""
    newest = sa.select(audit_event.c.sequence, audit_event.c.hash).order_by(audit_event.c.sequence.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return Head(0, GENESIS) if row is None else Head(*row)


def events(
    connection: sa.Connection, *, about: str | None = None, actor: str | None = None, limit: int = 100
) -> list[AuditEvent]:
    """Return the newest events, newest first; of one object or one actor where named."""
    query = sa.select(audit_event).order_by(audit_event.c.sequence.desc()).limit(limit)
    if about is not None:
        query = query.where(audit_event.c.object == about)
    if actor is not None:
        query = query.where(audit_event.c.actor == actor)
    return [AuditEvent(*row) for row in connection.execute(query)]


def faults(connection: sa.Connection, noted: Head | None = None) -> Iterator[str]:
    """Walk the whole chain and say in words what is wrong with it; nothing when it is whole.

    ``noted`` is an earlier end of the chain that it has to hold still.
    """
    before = Head(0, GENESIS)
    found_noted = noted is None or noted.sequence == 0
    every = sa.select(audit_event).order_by(audit_event.c.sequence)
    with connection.execution_options(yield_per=_AT_ONCE).execute(every) as rows:
        for row in rows:
            event = AuditEvent(*row)
            if event.sequence != before.sequence + 1:
                yield f"event {event.sequence} follows {before.sequence}: events are missing"
            elif event.previous != before.hash:
                yield f"event {event.sequence} does not follow the event before it"
            if event.hash != event.expected_hash():
                yield f"event {event.sequence} was changed: its contents do not have its hash"
            if noted is not None and event.sequence == noted.sequence:
                found_noted = event.hash == noted.hash
                if not found_noted:
                    yield f"event {event.sequence} is not the one that was noted: the log was written anew"
            before = Head(event.sequence, event.hash)
    if noted is not None and not found_noted and before.sequence < noted.sequence:
        yield f"the log ends with event {before.sequence}, but event {noted.sequence} was noted: its end is gone"
    for run_no in connection.scalars(sa.text(_UNTOLD)):
        yield f"step {run_no} is not in the log"


_UNTOLD: Final = """
SELECT s.run_no FROM step_run s
WHERE s.run_no > coalesce(
    (SELECT CAST(CAST(details AS json) ->> 'after_run' AS bigint) FROM audit_event WHERE sequence = 1), 0
)
  AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.object = 'run:' || s.run_no)
ORDER BY s.run_no
"""
