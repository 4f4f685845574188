"""The records that two runs end with, compared by what they say: never by internal ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from pipeline.office import Office
from transforms.columns import Kind

RecordKey = tuple[str, str]
"""Kind and record key; a row without a key, which went back to its agency, stands under its content."""

Standing = tuple[str | None, str, str | None]
"""Content, state and enterprise of one row."""

_OPEN_STATES = "('published', 'withheld', 'review', 'returned', 'waiting', 'unexplained')"
_CONTENTS = " UNION ALL ".join(f"SELECT record_id, content_hash FROM {kind}" for kind in Kind)  # noqa: S608 (own names)
_HELD = f"""
WITH content AS ({_CONTENTS})
SELECT s.kind, coalesce(s.record_key, r.content_hash, '') AS record_key, r.content_hash, s.state, s.uscc,
       s.agency, c.stream, c.as_of
FROM row_state s JOIN content r USING (record_id) JOIN collection c ON c.delivery_id = s.delivery_id
WHERE s.state IN {_OPEN_STATES}
"""  # noqa: S608 (own names)


@dataclass(frozen=True, slots=True)
class Held:
    """What a system holds per record: what stands, and where it came by."""

    standing: Mapping[RecordKey, frozenset[Standing]]
    brought_by: Mapping[RecordKey, frozenset[tuple[str, str, date]]]
    open_of: Mapping[tuple[RecordKey, Standing], frozenset[tuple[str, date]]]
    """Agency and day of the deliveries of what waits in review or went back."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One record on which two runs do not agree.

    ``lost`` says that a destroyed delivery had brought it; ``misread`` that the runs agree but for rows that a delivery
    which said something else than it should left in review, or sent back.
    """

    key: RecordKey
    whole: tuple[str, ...]
    faulty: tuple[str, ...]
    lost: bool
    misread: bool = False


def held(office: Office) -> Held:
    """Read what stands: rows that were superseded or are duplicates say nothing more."""
    standing: dict[RecordKey, set[Standing]] = defaultdict(set)
    waiting: dict[tuple[RecordKey, Standing], set[tuple[str, date]]] = defaultdict(set)
    brought: dict[RecordKey, set[tuple[str, str, date]]] = defaultdict(set)
    with office.engine.connect() as connection:
        for row in connection.execute(sa.text(_HELD)):
            key = (row.kind, row.record_key)
            stands = (row.content_hash, row.state, row.uscc)
            standing[key].add(stands)
            if row.state in ("review", "returned"):
                waiting[key, stands].add((row.agency, row.as_of))
            brought[key].add((row.agency, row.stream, row.as_of))
    return Held(
        {key: frozenset(found) for key, found in standing.items()},
        {key: frozenset(found) for key, found in brought.items()},
        {of: frozenset(found) for of, found in waiting.items()},
    )


def compare(
    whole: Held,
    faulty: Held,
    destroyed: Sequence[tuple[str, date]],
    misleading: Sequence[tuple[str, date]] = (),
) -> list[Difference]:
    """Return every record on which the run with faults differs from the one without.

    ``destroyed`` are agency and day of the deliveries that no longer exist: what stands in the whole run because of
    one of them, and only that, may be missing or older in the other. ``misleading`` are those of the deliveries that
    said something else than they should: rows of theirs may wait or have gone back beside the right ones.
    """
    gone, wrong = set(destroyed), set(misleading)
    differing = []
    for key in sorted(whole.standing.keys() | faulty.standing.keys()):
        one, other = whole.standing.get(key, frozenset()), faulty.standing.get(key, frozenset())
        if one != other:
            lost = any((agency, day) in gone for agency, _, day in whole.brought_by.get(key, ()))
            left = {row for row in other if (key, row) in faulty.open_of and faulty.open_of[key, row] <= wrong}
            differing.append(
                Difference(key, _shown(one), _shown(other), lost, misread=bool(left) and other - left == one)
            )
    return differing


def must_be_missing(whole: Held, destroyed: Sequence[tuple[str, date]]) -> set[RecordKey]:
    """Return the records that stand in the whole run by destroyed deliveries alone."""
    gone = set(destroyed)
    return {
        key for key, brought in whole.brought_by.items() if all((agency, day) in gone for agency, _, day in brought)
    }


def _shown(found: frozenset[Standing]) -> tuple[str, ...]:
    return tuple(sorted(f"{state} {content or '-'} {uscc or '-'}" for content, state, uscc in found))
