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
    """What a system holds per record: the (content, state, enterprise) that stand, and where they came by."""

    standing: Mapping[RecordKey, frozenset[tuple[str | None, str, str | None]]]
    brought_by: Mapping[RecordKey, frozenset[tuple[str, str, date]]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One record on which two runs do not agree; ``lost`` says that a destroyed delivery had brought it."""

    key: RecordKey
    whole: tuple[str, ...]
    faulty: tuple[str, ...]
    lost: bool


def held(office: Office) -> Held:
    """Read what stands: rows that were superseded or are duplicates say nothing more."""
    standing: dict[RecordKey, set[tuple[str | None, str, str | None]]] = defaultdict(set)
    brought: dict[RecordKey, set[tuple[str, str, date]]] = defaultdict(set)
    with office.engine.connect() as connection:
        for row in connection.execute(sa.text(_HELD)):
            key = (row.kind, row.record_key)
            standing[key].add((row.content_hash, row.state, row.uscc))
            brought[key].add((row.agency, row.stream, row.as_of))
    return Held(
        {key: frozenset(found) for key, found in standing.items()},
        {key: frozenset(found) for key, found in brought.items()},
    )


def compare(whole: Held, faulty: Held, destroyed: Sequence[tuple[str, date]]) -> list[Difference]:
    """Return every record on which the run with faults differs from the one without.

    ``destroyed`` are agency and day of the deliveries that no longer exist: what stands in the whole run because of
    one of them, and only that, may be missing or older in the other.
    """
    gone = set(destroyed)
    differing = []
    for key in sorted(whole.standing.keys() | faulty.standing.keys()):
        one, other = whole.standing.get(key, frozenset()), faulty.standing.get(key, frozenset())
        if one != other:
            lost = any((agency, day) in gone for agency, _, day in whole.brought_by.get(key, ()))
            differing.append(Difference(key, _shown(one), _shown(other), lost))
    return differing


def must_be_missing(whole: Held, destroyed: Sequence[tuple[str, date]]) -> set[RecordKey]:
    """Return the records that stand in the whole run by destroyed deliveries alone."""
    gone = set(destroyed)
    return {
        key for key, brought in whole.brought_by.items() if all((agency, day) in gone for agency, _, day in brought)
    }


def _shown(found: frozenset[tuple[str | None, str, str | None]]) -> tuple[str, ...]:
    return tuple(sorted(f"{state} {content or '-'} {uscc or '-'}" for content, state, uscc in found))
