"""Account for every row received (invariant 1): sums per delivery, and whatever cannot be explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from pipeline.office import Office
from store.acceptance import COUNTS_DIFFER
from transforms.columns import Kind

STATES: Final = ("published", "withheld", "review", "returned", "superseded", "duplicate", "waiting", "unexplained")
"""States of a row. ``waiting`` is accepted and not yet attached or published; ``unexplained`` must not occur."""

_AS_A_WHOLE: Final = {"held": "review", "refused": "returned"}
"""State of the rows of a delivery that is decided about as a whole, so that none of them is stored: a batch that two
people have to approve, and one that they rejected. One that cannot be read has no rows."""

_PER_DELIVERY: Final = f"""
SELECT d.delivery_id, d.agency, d.kind, d.as_of, d.state AS delivery_state, coalesce(d.rows, 0) AS received,
       {", ".join(f"count(*) FILTER (WHERE s.state = '{state}') AS {state}" for state in STATES)},
       count(s.record_id) AS accounted
FROM delivery d LEFT JOIN row_state s ON s.delivery_id = d.delivery_id AND s.corrects IS NULL
GROUP BY d.delivery_id ORDER BY d.delivery_id
"""  # noqa: S608 (own constants)
_VERDICTS_DIFFER: Final = """
WITH stored AS (
    SELECT r.delivery_id, v.expectation, count(*) AS verdicts FROM verdict v LEFT JOIN received_row r USING (record_id)
    WHERE r.corrects IS NULL
    GROUP BY r.delivery_id, v.expectation
)
SELECT delivery_id, expectation, coalesce(c.unexpected, 0), coalesce(s.verdicts, 0)
FROM check_result c FULL JOIN stored s USING (delivery_id, expectation)
WHERE coalesce(c.unexpected, 0) <> coalesce(s.verdicts, 0)
ORDER BY delivery_id, expectation
"""
_NOT_AS_JUDGED: Final = """
WITH judged AS (
    SELECT record_id, bool_or(severity = 'reject') AS rejected, bool_or(severity = 'hold') AS held FROM verdict
    GROUP BY record_id
)
SELECT r.delivery_id, count(*)
FROM received_row r LEFT JOIN judged j USING (record_id)
WHERE CASE r.state
    WHEN 'accepted' THEN coalesce(j.rejected OR j.held, false)
    WHEN 'review' THEN coalesce(j.rejected, false) OR NOT coalesce(j.held, false)
    WHEN 'returned' THEN NOT coalesce(j.rejected, false)
    ELSE NOT EXISTS (SELECT 1 FROM received_row s WHERE s.record_id = r.superseded_by)
END
GROUP BY r.delivery_id ORDER BY r.delivery_id
"""
_FILES_DIFFER: Final = """
SELECT d.delivery_id, d.rows, sum(f.rows) FROM delivery d JOIN delivery_file f USING (delivery_id)
WHERE d.state IN ('checked', 'held') GROUP BY d.delivery_id HAVING sum(f.rows) IS DISTINCT FROM d.rows
ORDER BY d.delivery_id
"""
_HOLDS_DIFFER: Final = """
SELECT d.delivery_id FROM delivery d LEFT JOIN hold h USING (delivery_id)
WHERE d.state IS DISTINCT FROM 'held' AND h.state = 'open'
   OR d.state = 'held' AND h.state IS DISTINCT FROM 'open'
   OR d.state IS DISTINCT FROM 'refused' AND h.state = 'rejected'
   OR h.state = 'released' AND d.state NOT IN ('archived', 'checked', 'refused')
   OR h.state IN ('open', 'rejected') AND d.rows IS DISTINCT FROM (h.numbers ->> 'rows')::bigint
   OR h.state = 'released' AND (
        SELECT count(DISTINCT person_key) FROM approval a WHERE a.hold_id = h.hold_id AND a.decision = 'approve') < 2
ORDER BY d.delivery_id
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
WITH newest AS (
    SELECT DISTINCT ON (site) site, summary FROM release WHERE state = 'visible' ORDER BY site, sequence DESC
)
SELECT n.site, t.value ->> 'kind' AS kind, (t.value ->> 'full')::bigint AS full
FROM newest n, LATERAL json_each(CASE json_typeof(n.summary) WHEN 'object' THEN n.summary ELSE '{}' END) t
ORDER BY n.site, kind
"""

_KEPT_BACK: Final = """
WITH newest AS (
    SELECT DISTINCT ON (site) site, release_id FROM release WHERE state = 'visible' ORDER BY site, sequence DESC
), failed AS (
    SELECT DISTINCT n.site, release_id, a.kind, a.record_id FROM not_accepted a JOIN newest n USING (release_id)
), stood AS (
    SELECT DISTINCT ON (d.site, d.kind, d.record_key) d.site, d.release_id, d.kind, d.record_id, d.reason
    FROM disclosure d JOIN release r USING (release_id) WHERE r.state = 'visible'
    ORDER BY d.site, d.kind, d.record_key, d.disclosure_id DESC
), kept_back AS (
    SELECT * FROM stood WHERE reason = 'not_accepted'
)
SELECT site, kind, count(*) FROM (
    SELECT site, kind, record_id FROM failed EXCEPT SELECT site, kind, record_id FROM kept_back
    UNION ALL
    SELECT k.site, k.kind, k.record_id FROM kept_back k JOIN newest USING (site, release_id)
    WHERE NOT EXISTS (SELECT 1 FROM failed f WHERE f.site = k.site AND f.record_id = k.record_id)
) differs GROUP BY site, kind ORDER BY site, kind
"""
"""Records that fail a withholding rule in a site's newest release and are shown, or are kept back for none."""


_STRAYS: Final = (
    *(
        (
            f"SELECT count(*) FROM {kind} r WHERE NOT EXISTS (SELECT 1 FROM delivery d"  # noqa: S608 (own names)
            " WHERE d.delivery_id = r.delivery_id)",
            f"{{}} {kind} rows belong to no delivery",
        )
        for kind in Kind
    ),
    (
        "SELECT count(*) FROM attachment a WHERE a.register_version IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM register_version v WHERE v.register_version = a.register_version)",
        "{} attachments name no register version",
    ),
    (
        "SELECT count(*) FROM disclosure d WHERE NOT EXISTS"
        " (SELECT 1 FROM release r WHERE r.release_id = d.release_id)",
        "{} disclosures belong to no release",
    ),
)
"""Rows that point nowhere: the bulk tables have no foreign keys."""


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
            whole = _AS_A_WHOLE.get(row["delivery_state"])
            if whole is not None:
                states[whole] += row["received"]
            lost = row["received"] - row["accounted"] - (row["received"] if whole else 0)
            if lost:
                findings.append(
                    f"delivery {row['delivery_id']}: {row['received']} rows received, {row['accounted']} held"
                )
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
        for delivery_id, rows, in_files in connection.execute(sa.text(_FILES_DIFFER)):
            findings.append(f"delivery {delivery_id}: {rows} rows received, {in_files} in its files")
        findings += [
            f"delivery {delivery_id}: its state is not what its hold and the approvals say"
            for delivery_id in connection.scalars(sa.text(_HOLDS_DIFFER))
        ]
        for delivery_id, expectation, unexpected, verdicts in connection.execute(sa.text(_VERDICTS_DIFFER)):
            findings.append(f"delivery {delivery_id} {expectation}: {unexpected} failures, {verdicts} verdicts")
        for delivery_id, rows in connection.execute(sa.text(_NOT_AS_JUDGED)):
            findings.append(f"delivery {delivery_id}: {rows} rows in a state that their verdicts do not give")
        shown = {(site, kind): count for site, kind, count in connection.execute(sa.text(_SHOWN))}
        for site, kind, full in connection.execute(sa.text(_IN_RELEASE)):
            if shown.get((site, kind), 0) != full:
                findings.append(
                    f"{site} {kind}: {shown.get((site, kind), 0)} records decided shown, {full} in the feed"
                )
        for release_id, kind, expectation, *numbers in connection.execute(sa.text(COUNTS_DIFFER)):
            findings.append(
                f"release {release_id} {kind} {expectation}: {numbers[0]} values and {numbers[1]} records counted,"
                f" {numbers[2]} and {numbers[3]} kept back"
            )
        for site, kind, records in connection.execute(sa.text(_KEPT_BACK)):
            findings.append(f"{site} {kind}: {records} records kept back without a rule, or shown against one")
        findings += [text.format(count) for query, text in _STRAYS if (count := connection.scalar(sa.text(query)))]
    return Reconciliation(tuple(sums), tuple(findings))
