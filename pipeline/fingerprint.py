"""What the record says, as one hash per day and part: two systems with equal hashes tell the same story.

Every row becomes one line of natural keys and values (no id, no wall clock), lines are sorted by their bytes, and the
SHA-256 of a day's lines, each with its line end, is the hash of the day. Parts: ``records`` (the day of the delivery),
``attachments`` (the day of the decision), ``disclosures`` and ``feeds`` (the day of the release), ``withdrawals``
(records that left or came back without a row of their own, the day from which that holds), ``findings`` (events and
decisions of the cross-check, their day).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from store.bulk import read_batches
from transforms.columns import Kind, Reference

_RECEIVED: Final = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, record_id, delivery_id, file_ordinal, row_no, as_of, record_key, content_hash,"  # noqa: S608
    f" state, superseded_by FROM {kind}"
    for kind in (*Kind, *Reference)
)
_ROW: Final = "r.kind, d.agency, d.content_sha256, r.file_ordinal, r.row_no, coalesce(r.record_key, '-')"
_CHECKED: Final = """
    SELECT delivery_id, min(run_no) AS run_no FROM step_run WHERE step = 'ingest' AND outcome = 'checked'
    GROUP BY delivery_id
"""

PARTS: Final[Mapping[str, str]] = {
    # A row that a later step displaced was, before it, what its verdicts say.
    "records": f"""
        WITH received AS ({_RECEIVED}), checked AS ({_CHECKED}),
        judged AS (
            SELECT record_id, bool_or(severity = 'reject') AS rejected, bool_or(severity = 'hold') AS held
            FROM verdict GROUP BY record_id
        )
        SELECT r.as_of AS day, concat_ws('|', {_ROW}, coalesce(r.content_hash, '-'), CASE
            WHEN r.state <> 'superseded' OR c.run_no <= $1 THEN r.state
            WHEN j.rejected THEN 'returned' WHEN j.held THEN 'review' ELSE 'accepted'
        END) COLLATE "C" AS line
        FROM received r JOIN delivery d USING (delivery_id) JOIN checked USING (delivery_id)
        LEFT JOIN received s ON s.record_id = r.superseded_by LEFT JOIN checked c ON c.delivery_id = s.delivery_id
        LEFT JOIN judged j ON j.record_id = r.record_id
        WHERE checked.run_no <= $1 AND NOT d.content_sha256 = ANY($2) ORDER BY day, line
    """,  # noqa: S608 (own constants)
    "attachments": f"""
        WITH received AS ({_RECEIVED})
        SELECT a.as_of AS day, concat_ws('|', {_ROW}, coalesce(a.uscc, '-'), a.method, a.grade, a.score,
            coalesce(a.reason, '-'), coalesce(v.sha256, '-')) COLLATE "C" AS line
        FROM attachment a JOIN received r USING (record_id) JOIN delivery d USING (delivery_id)
        LEFT JOIN register_version v USING (register_version)
        WHERE a.attachment_id <= (
            SELECT coalesce(max(up_to_attachment), 0) FROM step_run WHERE step = 'attach' AND run_no <= $1
        ) AND NOT d.content_sha256 = ANY($2) ORDER BY day, line
    """,  # noqa: S608
    "disclosures": f"""
        WITH received AS ({_RECEIVED})
        SELECT p.as_of AS day, concat_ws('|', p.site, p.sequence, {_ROW}, x.shown, coalesce(x.until::text, '-'),
            coalesce(x.first_shown::text, '-'), x.reason) COLLATE "C" AS line
        FROM disclosure x JOIN release p USING (release_id) JOIN received r USING (record_id)
        JOIN delivery d USING (delivery_id)
        WHERE p.state = 'visible' AND p.run_no <= $1 AND NOT d.content_sha256 = ANY($2) ORDER BY day, line
    """,  # noqa: S608
    "withdrawals": f"""
        WITH received AS ({_RECEIVED}), checked AS ({_CHECKED})
        SELECT w.effective_date AS day, concat_ws('|', {_ROW}, w.event, w.reason, by.agency, by.content_sha256)
            COLLATE "C" AS line
        FROM withdrawal w JOIN checked USING (delivery_id) JOIN delivery by USING (delivery_id)
        JOIN received r ON r.record_id = w.record_id JOIN delivery d ON d.delivery_id = r.delivery_id
        WHERE checked.run_no <= $1 AND NOT d.content_sha256 = ANY($2) AND NOT by.content_sha256 = ANY($2)
        ORDER BY day, line
    """,  # noqa: S608
    "feeds": """
        SELECT as_of AS day, concat_ws('|', site, sequence, manifest_sha256) COLLATE "C" AS line
        FROM release WHERE state = 'visible' AND run_no <= $1 AND NOT '' = ANY($2) ORDER BY day, line
    """,
    "findings": """
        SELECT as_of AS day, concat_ws('|', finding_key, event, content_hash) COLLATE "C" AS line
        FROM discrepancy WHERE run_no <= $1 AND NOT '' = ANY($2)
        UNION ALL
        SELECT as_of, concat_ws('|', finding_key, decision, content_hash, person, reason) COLLATE "C"
        FROM discrepancy_decision WHERE run_no <= $1 AND NOT '' = ANY($2) ORDER BY day, line
    """,
}
"""Queries of day and line; $1 is the run up to which the record is looked at, $2 content hashes left out."""

NEWEST: Final = 2**62
"""A run later than any."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash of a day's lines, and how many they are."""

    sha256: str
    lines: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A day and part in which two systems differ, with the first lines that only one of them has."""

    day: dt.date
    part: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A database as it stood after a run, some deliveries left out (by the hash of their content)."""

    database_url: str
    upto: int = NEWEST
    without: tuple[str, ...] = ()

    def lines(self, part: str, day: dt.date | None = None) -> Iterator[tuple[dt.date, str]]:
        """Yield day and line in order, of one day or of all."""
        query = PARTS[part]
        if day is not None:
            query = f"SELECT * FROM ({query}) every WHERE day = '{day.isoformat()}' ORDER BY line"  # noqa: S608
        for batch in read_batches(self.database_url, query, {"upto": self.upto, "without": list(self.without)}):
            yield from zip(batch.column("day").to_pylist(), batch.column("line").to_pylist(), strict=True)

    def fingerprint(self, parts: Iterable[str] = PARTS) -> dict[dt.date, dict[str, Digest]]:
        """Return a digest per day and part; a part without a line on a day is not named."""
        days: dict[dt.date, dict[str, Digest]] = {}
        for part in parts:
            for day, lines in itertools.groupby(self.lines(part), key=lambda found: found[0]):
                digest, count = hashlib.sha256(), 0
                for _, line in lines:
                    digest.update(f"{line}\n".encode())
                    count += 1
                days.setdefault(day, {})[part] = Digest(digest.hexdigest(), count)
        return dict(sorted(days.items()))


def differences(first: View, second: View, *, parts: Iterable[str] = PARTS, shown: int = 3) -> list[Difference]:
    """Compare two systems and name each day and part that differs, with up to ``shown`` lines of each side."""
    chosen = tuple(parts)
    here, there = first.fingerprint(chosen), second.fingerprint(chosen)
    found = []
    for day in sorted(here.keys() | there.keys()):
        for part in chosen:
            if here.get(day, {}).get(part) != there.get(day, {}).get(part):
                sides = _only(first.lines(part, day), second.lines(part, day), shown)
                found.append(Difference(day, part, *sides))
    return found


def _only(
    first: Iterator[tuple[dt.date, str]], second: Iterator[tuple[dt.date, str]], shown: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Walk two sorted streams side by side until enough lines are found that one of them has alone."""
    sides: tuple[list[str], list[str]] = ([], [])

    def note(side: list[str], line: str) -> None:
        if len(side) < shown:
            side.append(line)

    left, right = next(first, None), next(second, None)
    while (left or right) and min(len(sides[0]), len(sides[1])) < shown:
        if left is not None and (right is None or left[1].encode() < right[1].encode()):
            note(sides[0], left[1])
            left = next(first, None)
        elif right is not None and (left is None or right[1].encode() < left[1].encode()):
            note(sides[1], right[1])
            right = next(second, None)
        else:
            left, right = next(first, None), next(second, None)
    return tuple(sides[0]), tuple(sides[1])
