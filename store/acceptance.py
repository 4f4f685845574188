"""What sites would not take, as releases found it. Works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from store.bulk import copy_in
from store.schema import acceptance_check
from transforms.columns import TEXT, Kind

NOT_ACCEPTED: Final = pa.schema(
    [
        ("record_id", pa.int64()), ("expectation", TEXT), ("kind", TEXT), ("field", TEXT), ("judged", TEXT),
        ("value", TEXT), ("suite", TEXT),
    ]
)  # fmt: skip
"""A withholding rule that a record failed; the release is added when it is entered."""

COUNTS_DIFFER: Final = """
WITH entered AS (
    SELECT release_id, kind, expectation, count(DISTINCT judged) AS judged, count(*) AS records
    FROM not_accepted GROUP BY release_id, kind, expectation
)
SELECT release_id, kind, expectation, coalesce(c.unexpected, 0), coalesce(c.rows, 0), coalesce(e.judged, 0),
       coalesce(e.records, 0)
FROM (SELECT * FROM acceptance_check WHERE severity = 'withhold') c
FULL JOIN entered e USING (release_id, kind, expectation)
WHERE (coalesce(c.unexpected, 0), coalesce(c.rows, 0)) <> (coalesce(e.judged, 0), coalesce(e.records, 0))
ORDER BY release_id, kind, expectation
"""
"""Rules by which other values or records were entered than Great Expectations and the publication counted."""

_OF_RECORD: Final = """
WITH newest AS (
    SELECT DISTINCT ON (site) site, release_id, sequence, as_of FROM release WHERE state = 'visible'
    ORDER BY site, sequence DESC
)
SELECT n.site, n.sequence, n.as_of, a.kind, a.expectation, a.field, a.value, a.suite
FROM not_accepted a JOIN newest n USING (release_id) WHERE a.record_id = :record ORDER BY n.site, a.expectation
"""
_OF_RELEASE: Final = """
SELECT a.record_id, a.kind, a.expectation, a.field, a.value, a.suite, s.document_no, s.subject_name, s.agency
FROM not_accepted a JOIN row_state s USING (record_id)
WHERE a.release_id = :release ORDER BY a.expectation, a.record_id LIMIT :most
"""

_WITHHELD: Final = """
WITH stood AS (
    SELECT DISTINCT ON (d.kind, d.record_key) d.shown, d.reason
    FROM disclosure d JOIN release r USING (release_id)
    WHERE d.site = :site AND r.state = 'visible' AND r.sequence <= :sequence
    ORDER BY d.kind, d.record_key, d.disclosure_id DESC
)
SELECT reason, count(*) FROM stood WHERE NOT shown GROUP BY reason ORDER BY count(*) DESC, reason
"""


class CountsDiffer(RuntimeError):
    """The records entered are not those that were counted; the release is taken back."""


@dataclass(frozen=True, slots=True)
class AcceptanceCount:
    """One rule of a receiver over one release: different values judged, those that failed, records that have them."""

    expectation: str
    severity: str
    evaluated: int
    unexpected: int
    rows: int


def enter(
    connection: sa.Connection,
    release_id: int,
    *,
    kind: Kind,
    suite: str,
    counts: Iterable[AcceptanceCount],
    rows: pa.Table,
) -> None:
    """Enter what was counted and the records that are kept back (``NOT_ACCEPTED``).

    Raises ``CountsDiffer`` where the two do not agree.
    """
    constants = {"release_id": release_id, "kind": kind.value, "suite": suite}
    listed = [
        constants
        | {
            "expectation": each.expectation, "severity": each.severity, "evaluated": each.evaluated,
            "unexpected": each.unexpected, "rows": each.rows,
        }
        for each in counts
    ]  # fmt: skip
    connection.execute(sa.insert(acceptance_check), listed)
    if rows.num_rows:
        release = pa.repeat(pa.scalar(release_id, pa.int64()), rows.num_rows)
        copy_in(connection, "not_accepted", rows.append_column("release_id", release))
    mine = f"SELECT * FROM ({COUNTS_DIFFER}) d WHERE release_id = :release AND kind = :kind"  # noqa: S608 (own constant)
    wrong = connection.execute(sa.text(mine), {"release": release_id, "kind": kind.value}).first()
    if wrong is not None:
        raise CountsDiffer(
            f"{suite} {wrong[2]}: {wrong[3]} values and {wrong[4]} records counted, {wrong[5]} and {wrong[6]} entered"
        )


def not_accepted_of_record(connection: sa.Connection, record_id: int) -> list[dict[str, Any]]:
    """Return which rules of which sites keep a record back from their newest releases."""
    return [dict(row) for row in connection.execute(sa.text(_OF_RECORD), {"record": record_id}).mappings()]


def not_accepted_of_release(connection: sa.Connection, release_id: int, *, most: int) -> list[dict[str, Any]]:
    """Return records that a release left out because its site would not take them, ``most`` of them."""
    parameters = {"release": release_id, "most": most}
    return [dict(row) for row in connection.execute(sa.text(_OF_RELEASE), parameters).mappings()]


def counts_of_release(connection: sa.Connection, release_id: int) -> list[dict[str, Any]]:
    """Return the rules that values of a release failed, the most frequent first."""
    c = acceptance_check.c
    query = sa.select(acceptance_check).where(c.release_id == release_id, c.unexpected > 0)
    ordered = query.order_by(c.severity.desc(), c.rows.desc(), c.kind, c.expectation)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def withheld_of_release(connection: sa.Connection, site: str, sequence: int) -> dict[str, int]:
    """Return how many records a site was not shown in a release, by reason, as its decisions stood then."""
    rows = connection.execute(sa.text(_WITHHELD), {"site": site, "sequence": sequence}).mappings()
    return {row["reason"]: row["count"] for row in rows}
