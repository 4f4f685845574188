"""Which of several rows about one decision holds (domain 1.7 R22, 1.10).

Rows are versions of one record when they share the natural key (文书号, 相对人名称), with natural persons and
organisations, licences and penalties kept apart: ``record_key``. Equal content is a duplicate. A later version
supersedes an earlier one; where nothing says which is later, or whether it is one subject, no machine decides.

The key holds no code of the subject: within a delivery two parties of one name are told apart by their codes
(``within_delivery``), from one delivery to the next they are not, and the later is taken for a version of the other.
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
    """What tells one row of a record from another.

    ``position`` orders rows as they came; ``uscc`` is the valid code that the row gives its subject, if it gives one.
    """

    position: int
    record_key: str
    content_hash: str
    updated_at: str | None
    uscc: str | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that repeats (``duplicate``) or is older than (``superseded``) the row at ``of``; or one in conflict."""

    outcome: Literal["duplicate", "superseded", "conflict"]
    of: int | None


def within_delivery(
    rows: Iterable[Version], *, known: Mapping[tuple[str, str], bool] | None = None
) -> dict[int, Repeat]:
    """Compare rows of one delivery that share a key; a position that is not in the answer stands alone or is kept.

    With an update time on every row the newest content holds. Without one, different contents under one key are a
    conflict: each is held (R22), unless all but one were heard before: a source that is asked with an overlap sends
    a text again beside its correction, and that is no second opinion. ``known`` holds the (record_key, content_hash) of
    rows that earlier deliveries brought, and whether they are accepted now. Of rows of equal content the one with the
    newest update time is kept, else the first.

    Rows of one key that name different enterprises by their codes are a conflict whatever else tells them apart: two
    parties of one document may share a name, and no update time says that one of them is the other.
    """
    groups: dict[str, list[Version]] = defaultdict(list)
    for row in rows:
        groups[row.record_key].append(row)
    found: dict[int, Repeat] = {}
    for group in groups.values():
        if len(group) > 1:
            found |= _within_group(sorted(group, key=lambda row: row.position), known or {})
    return found


def _within_group(group: Sequence[Version], known: Mapping[tuple[str, str], bool]) -> dict[int, Repeat]:
    kept: dict[str, Version] = {}
    for row in group:
        best = kept.setdefault(row.content_hash, row)
        if (row.updated_at or "") > (best.updated_at or ""):
            kept[row.content_hash] = row
    found = {
        row.position: Repeat("duplicate", kept[row.content_hash].position)
        for row in group
        if row is not kept[row.content_hash]
    }
    if len(kept) == 1:
        return found
    holds = None
    if len({row.uscc for row in group if row.uscc is not None}) <= 1:
        standing = {content: known.get((row.record_key, content)) for content, row in kept.items()}
        holds = _newest_content(group) or _only_news(standing)
    for content, row in kept.items():
        if holds is None:
            found[row.position] = Repeat("conflict", None)
        elif content != holds:
            found[row.position] = Repeat("superseded", kept[holds].position)
    return found


def _only_news(standing: Mapping[str, bool | None]) -> str | None:
    """The one content not heard before; where all were, the one that holds. Values: holds, held once, never heard."""
    unheard = [content for content, holds in standing.items() if holds is None]
    found = unheard or [content for content, holds in standing.items() if holds]
    return found[0] if len(found) == 1 else None


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
    status: str | None = None
    agency: str | None = None
    file_day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an incoming row, which held rows it supersedes, which row of another agency it contradicts."""

    state: RowState
    superseded_by: int | None
    supersedes: tuple[int, ...]
    contradicts: int | None = None


def against_held(
    incoming: Iterable[Incoming],
    held: Mapping[str, Sequence[Held]],
    *,
    sheet: str,
    as_of: dt.date,
    says_status: bool = True,
    agency: str | None = None,
    file_day: dt.date | None = None,
) -> dict[int, Decision]:
    """Decide for each incoming row whose key is already held; by ``record_id``.

    A returned row changes nothing. A row in review does not displace what is published. A row of the old sheet does
    not displace one of the new sheet, which says more, unless it carries an event (撤销, 异议). A sheet that cannot say
    a status (``says_status``: the new penalty sheet has no such column) cannot undo a withdrawal by sending the old
    text again. A row that another agency already told otherwise (a ministry passes decisions of its offices on, domain
    8 c) goes to review unless update times order the two: no machine decides between agencies.

    Without update times the business day of the delivery (``as_of``) orders rows; where both came in dated files, the
    days of these (``file_day``) do: an old file that is sent once more says nothing new.
    """
    came = _Came(sheet, as_of, says_status, agency, file_day)
    return {
        row.record_id: _decide(row, held[row.record_key], came)
        for row in incoming
        if row.record_key in held and row.state in ("accepted", "review")
    }


@dataclass(frozen=True, slots=True)
class _Came:
    """How the incoming rows came, as ``against_held`` was told."""

    sheet: str
    as_of: dt.date
    says_status: bool
    agency: str | None
    file_day: dt.date | None


def _decide(row: Incoming, held: Sequence[Held], came: _Came) -> Decision:
    live = [other for other in held if other.state in ("accepted", "review")]
    for other in live:
        if other.content_hash == row.content_hash:
            return Decision("duplicate", other.record_id, ())
    standing = [other for other in live if other.state == "accepted"]
    ended = [other for other in standing if other.status in ("withdrawn", "invalid") and not came.says_status]
    later = ended or [other for other in standing if _is_later(other, row, came)]
    if later:
        return Decision("superseded", max(other.record_id for other in later), ())
    foreign = [other for other in standing if other.agency != came.agency and not _ordered(other, row)]
    if foreign:
        return Decision("review", None, (), contradicts=max(other.record_id for other in foreign))
    if row.state == "review":
        return Decision("review", None, tuple(sorted(o.record_id for o in held if o.state == "returned")))
    return Decision("accepted", None, tuple(sorted(other.record_id for other in held)))


def _ordered(other: Held, row: Incoming) -> bool:
    return other.updated_at is not None and row.updated_at is not None and other.updated_at != row.updated_at


def _is_later(other: Held, row: Incoming, came: _Came) -> bool:
    if _ordered(other, row):
        return (other.updated_at or "") > (row.updated_at or "")
    if other.sheet == "standard" and came.sheet == "legacy" and row.status in (None, "valid"):
        return True
    if other.file_day is not None and came.file_day is not None:
        return other.file_day > came.file_day
    return other.as_of > came.as_of
