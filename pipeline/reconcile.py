"""Account for every row received (invariant 1): sums per delivery, and whatever cannot be explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from pipeline.office import Office

STATES: Final = ("published", "withheld", "review", "returned", "superseded", "duplicate", "waiting", "unexplained")
"""States of a row. ``waiting`` is accepted and not yet attached or published; ``unexplained`` must not occur."""

_PER_DELIVERY: Final = f"""
SELECT d.delivery_id, d.agency, d.kind, d.as_of, d.state AS delivery_state, coalesce(d.rows, 0) AS received,
       {", ".join(f"count(*) FILTER (WHERE s.state = '{state}') AS {state}" for state in STATES)},
       count(s.record_id) AS accounted
FROM delivery d LEFT JOIN row_state s USING (delivery_id)
GROUP BY d.delivery_id ORDER BY d.delivery_id
"""  # noqa: S608 (own constants)
_COUNTS_DIFFER: Final = """
SELECT delivery_id, expectation, unexpected, quarantined FROM check_result WHERE unexpected <> quarantined
ORDER BY delivery_id, expectation
"""
_SHOWN: Final = """
WITH newest AS (
    SELECT DISTINCT ON (d.site, d.kind, d.record_key) d.site, d.kind, d.shown
    FROM disclosure d JOIN release r USING (release_id) WHERE r.state = 'visible'
    ORDER BY d.site, d.kind, d.record_key, d.disclosure_id DESC
)
SELECT site, kind, count(*) FILTER (WHERE shown) FROM newest GROUP BY site, kind
"""
_IN_RELEASE: Final = """
SELECT DISTINCT ON (r.site, t.value ->> 'kind') r.site, t.value ->> 'kind' AS kind, (t.value ->> 'full')::bigint AS full
FROM release r, LATERAL json_each(r.summary) t
WHERE r.state = 'visible' AND r.summary IS NOT NULL AND json_typeof(r.summary) = 'object'
ORDER BY r.site, t.value ->> 'kind', r.sequence DESC
"""


@dataclass(frozen=True, slots=True)
class DeliverySums:
    """One delivery: rows received, rows per state, and what is wrong with the sums."""

    delivery_id: int
    agency: str
    kind: str
    as_of: str
    delivery_state: str
    received: int
    states: Mapping[str, int]
    unexplained: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All deliveries, and every finding in words. ``ok`` is what the exit code says."""

    deliveries: tuple[DeliverySums, ...]
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when every row is accounted for and every count agrees."""
        return not self.findings


def reconcile(office: Office) -> Reconciliation:
    """Compare rows received with rows in each state, failures counted with verdicts stored, rows shown with feeds."""
    sums: list[DeliverySums] = []
    findings: list[str] = []
    with office.engine.connect() as connection:
        for row in connection.execute(sa.text(_PER_DELIVERY)).mappings():
            states = {state: int(row[state]) for state in STATES}
            lost = row["received"] - row["accounted"]
            if lost:
                findings.append(f"delivery {row['delivery_id']}: {row['received']} rows received, {row['accounted']} held")
            if states["unexplained"]:
                findings.append(f"delivery {row['delivery_id']}: {states['unexplained']} rows that no step takes up")
            if row["delivery_state"] == "archived":
                findings.append(f"delivery {row['delivery_id']}: archived but never read; run its ingest again")
            sums.append(
                DeliverySums(
                    row["delivery_id"], row["agency"], row["kind"], row["as_of"].isoformat(), row["delivery_state"],
                    row["received"], states, abs(lost) + states["unexplained"],
                )
            )  # fmt: skip
        for delivery_id, expectation, unexpected, quarantined in connection.execute(sa.text(_COUNTS_DIFFER)):
            findings.append(f"delivery {delivery_id} {expectation}: {unexpected} failures, {quarantined} verdicts")
        shown = {(site, kind): count for site, kind, count in connection.execute(sa.text(_SHOWN))}
        for site, kind, full in connection.execute(sa.text(_IN_RELEASE)):
            if shown.get((site, kind), 0) != full:
                findings.append(f"{site} {kind}: {shown.get((site, kind), 0)} records decided shown, {full} in the feed")
    return Reconciliation(tuple(sums), tuple(findings))
