"""Which of several rows about one decision holds (domain 1.7 R22, 1.10).

Rows are versions of one record when they share the natural key (文书号, 相对人名称), with natural persons and
organisations, licences and penalties kept apart: ``record_key``. Equal content is a duplicate. A later version
supersedes an earlier one; where nothing says which is later, no machine decides.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

RowState = Literal["returned", "review", "duplicate", "superseded", "accepted"]


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one row of a record from another. ``position`` orders rows as they came."""

    position: int
    record_key: str
    content_hash: str
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that repeats (``duplicate``) or is older than (``superseded``) the row at ``of``; or one in conflict."""

    outcome: Literal["duplicate", "superseded", "conflict"]
    of: int | None


def within_delivery(rows: Iterable[Version]) -> dict[int, Repeat]:
    """Compare rows of one delivery that share a key; a position that is not in the answer stands alone or is kept.

    With an update time on every row the newest content holds. Without one, different contents under one key are a
    conflict: each is held (R22).
    """
    groups: dict[str, list[Version]] = defaultdict(list)
    for row in rows:
        groups[row.record_key].append(row)
    found: dict[int, Repeat] = {}
    for group in groups.values():
        if len(group) > 1:
            found |= _within_group(sorted(group, key=lambda row: row.position))
    return found


def _within_group(group: Sequence[Version]) -> dict[int, Repeat]:
    first_of: dict[str, int] = {}
    found: dict[int, Repeat] = {}
    for row in group:
        if row.content_hash in first_of:
            found[row.position] = Repeat("duplicate", first_of[row.content_hash])
        else:
            first_of[row.content_hash] = row.position
    if len(first_of) == 1:
        return found
    holds = _newest_content(group)
    for content, position in first_of.items():
        if holds is None:
            found[position] = Repeat("conflict", None)
        elif content != holds:
            found[position] = Repeat("superseded", first_of[holds])
    return found


def _newest_content(group: Sequence[Version]) -> str | None:
    moments = [row.updated_at for row in group if row.updated_at is not None]
    if len(moments) < len(group):
        return None
    newest = {row.content_hash for row in group if row.updated_at == max(moments)}
    return newest.pop() if len(newest) == 1 else None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A row of the delivery in hand, with the state that its verdicts gave it."""

    record_id: int
    record_key: str
    content_hash: str
    updated_at: str | None
    status: str | None
    state: RowState


@dataclass(frozen=True, slots=True)
class Held:
    """A row already in the system of record: accepted, in review or returned."""

    record_id: int
    record_key: str
    content_hash: str
    updated_at: str | None
    sheet: str
    as_of: dt.date
    state: RowState


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an incoming row, and which held rows it supersedes."""

    state: RowState
    superseded_by: int | None
    supersedes: tuple[int, ...]


def against_held(
    incoming: Iterable[Incoming], held: Mapping[str, Sequence[Held]], *, sheet: str, as_of: dt.date
) -> dict[int, Decision]:
    """Decide for each incoming row whose key is already held; by ``record_id``.

    A returned row changes nothing. A row in review does not displace what is published. A row of the old sheet does
    not displace one of the new sheet, which says more, unless it carries an event (撤销, 异议).
    """
    return {
        row.record_id: _decide(row, held[row.record_key], sheet, as_of)
        for row in incoming
        if row.record_key in held and row.state in ("accepted", "review")
    }


def _decide(row: Incoming, held: Sequence[Held], sheet: str, as_of: dt.date) -> Decision:
    live = [other for other in held if other.state in ("accepted", "review")]
    for other in live:
        if other.content_hash == row.content_hash:
            return Decision("duplicate", other.record_id, ())
    later = [other for other in live if other.state == "accepted" and _is_later(other, row, sheet, as_of)]
    if later:
        return Decision("superseded", max(other.record_id for other in later), ())
    if row.state == "review":
        return Decision("review", None, tuple(sorted(o.record_id for o in held if o.state == "returned")))
    return Decision("accepted", None, tuple(sorted(other.record_id for other in held)))


def _is_later(other: Held, row: Incoming, sheet: str, as_of: dt.date) -> bool:
    if other.updated_at is not None and row.updated_at is not None:
        return other.updated_at > row.updated_at
    if other.sheet == "standard" and sheet == "legacy" and row.status in (None, "valid"):
        return True
    return other.as_of > as_of
