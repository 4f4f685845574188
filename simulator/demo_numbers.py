"""What two days came to: rows per agency and day, releases per site, failing rules, the simulator's own account."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import load_agency
from expectations.suite import load_suite
from feeds.client import apply_release
from feeds.manifest import Part, part_file
from feeds.signature import Signer
from feeds.sites import load_sites
from feeds.verification import verify_release
from pipeline.office import Office
from simulator.plan import SERVED
from simulator.records import VIA_MINISTRY
from transforms.columns import Kind
from transforms.sheets import SHEETS

METHODS: Final = ("uscc", "org_code", "regno", "tax_no", "name", "former_name", "natural_person")
"""Ways in which a row that is published or withheld found its subject, in the order in which they are tried."""

_DISCLOSED: Final = {"kinds": [kind.value for kind in Kind]}
"""What rows are counted: records, not what they are held against."""

HELD: Final = "held"
"""State of the rows of a delivery that waits for two people: nothing of it is stored yet."""

_RECEIVED: Final = """
SELECT agency, as_of, sum(coalesce(rows, 0)) FROM delivery WHERE kind = ANY(:kinds) GROUP BY agency, as_of
"""
_STATES: Final = """
SELECT agency, as_of, state, count(*) FROM row_state WHERE kind = ANY(:kinds) GROUP BY agency, as_of, state
UNION ALL SELECT agency, as_of, 'held', sum(rows)::bigint FROM delivery WHERE state = 'held' GROUP BY agency, as_of
"""
_METHODS: Final = """
SELECT agency, as_of, method, count(*) FROM row_state WHERE state IN ('published', 'withheld') AND kind = ANY(:kinds)
GROUP BY agency, as_of, method
"""
_SITES: Final = """
WITH newest AS (
    SELECT DISTINCT ON (d.site, d.kind, d.record_key) d.site, d.record_id, d.shown
    FROM disclosure d JOIN release r USING (release_id) WHERE r.state = 'visible'
    ORDER BY d.site, d.kind, d.record_key, d.disclosure_id DESC
)
SELECT s.agency, s.as_of, n.site, count(*) FROM newest n JOIN row_state s USING (record_id) WHERE n.shown
GROUP BY s.agency, s.as_of, n.site
"""
_RELEASES: Final = """
SELECT site, sequence, as_of, summary FROM release WHERE state = 'visible' ORDER BY site, sequence
"""
_FAILURES: Final = """
SELECT split_part(suite, '@', 1), expectation, severity, count(*) FROM verdict WHERE severity IN ('reject', 'hold')
GROUP BY 1, expectation, severity
"""
_UNCERTAIN: Final = """
SELECT s.attach_reason, m.remedy, count(*) FROM row_state s LEFT JOIN attach_remedy m ON m.reason = s.attach_reason
WHERE s.state = 'review' AND s.attach_reason IS NOT NULL GROUP BY s.attach_reason, m.remedy
"""
_FINDINGS: Final = """
SELECT DISTINCT ON (f.kind, f.case_no) f.kind, f.case_no, count(*) OVER (PARTITION BY f.kind, f.case_no),
       d.enterprise_name, d.site_url, d.fields, d.evidence, d.clears
FROM finding f JOIN discrepancy d USING (discrepancy_id) WHERE NOT f.closed
ORDER BY f.kind, f.case_no, d.uscc, d.finding_key
"""
_EXAMPLE: Final = """
SELECT s.document_no FROM disclosure d JOIN release r USING (release_id) JOIN row_state s USING (record_id)
WHERE NOT d.shown AND d.reason IN ('withdrawn', 'invalid') AND r.sequence > 1 AND s.document_no IS NOT NULL
ORDER BY d.reason DESC, s.document_no LIMIT 1
"""


@dataclass(slots=True)
class Column:
    """Rows that an agency delivered on one day (or on all): received, and where they stand now."""

    received: int = 0
    states: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Column) -> Column:
        """Add another day's rows."""
        self.received += other.received
        self.states += other.states
        self.methods += other.methods
        self.sites += other.sites
        return self


@dataclass(frozen=True, slots=True)
class AgencyNumbers:
    """One agency: a column per business day, and what the simulator says must become of the rows it made."""

    agency: str
    name: str
    days: Mapping[str, Column]
    expected: Counter[str]

    @property
    def total(self) -> Column:
        """All days together."""
        total = Column()
        for column in self.days.values():
            total += column
        return total


@dataclass(frozen=True, slots=True)
class ReleaseNumbers:
    """One release of one site: rows per kind of the full set, of the delta, and tombstones per reason."""

    site: str
    name: str
    sequence: int
    day: str
    full: Mapping[str, int]
    delta: int
    tombstones: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Failing:
    """Rows that fail one rule (severity reject or hold), or that one reason keeps from being attached (review)."""

    code: str
    severity: str
    title: str
    rows: int


@dataclass(frozen=True, slots=True)
class FindingNumbers:
    """Findings of one case of the cross-check, and the first of them with its evidence.

    ``fields``: what was reported and what the monitoring base has.
    """

    kind: str
    case_no: int
    findings: int
    enterprise_name: str
    site_url: str | None
    fields: Mapping[str, Sequence[str]]
    evidence: Mapping[str, Any]
    clears: str


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """What a client found at one site: ``problems`` is empty when all is well."""

    site: str
    sequence: int
    checks: int
    how: tuple[str, ...]
    rows: Mapping[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoNumbers:
    """Everything that the tables and the page show; ``example`` is a document number that was withdrawn."""

    agencies: tuple[AgencyNumbers, ...]
    releases: tuple[ReleaseNumbers, ...]
    failing: tuple[Failing, ...]
    example: str | None
    crosscheck: tuple[FindingNumbers, ...] = ()


def count(office: Office, truth_file: Path) -> DemoNumbers:
    """Read all numbers from the ledger, the visible releases and the simulator's account."""
    with office.engine.connect() as connection:
        return DemoNumbers(
            agencies=tuple(_agencies(connection, _expected(truth_file))),
            releases=tuple(_releases(connection, office.settings.feeds)),
            failing=tuple(sorted(_failing(connection), key=lambda each: (-each.rows, each.code))),
            example=connection.scalar(sa.text(_EXAMPLE)),
            crosscheck=tuple(FindingNumbers(*row) for row in connection.execute(sa.text(_FINDINGS))),
        )


def _expected(truth_file: Path) -> dict[str, Counter[str]]:
    """Count what must become of the rows while nobody approves what is held by default."""
    expected = {agency: Counter[str]() for agency in SERVED}
    with truth_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    held = {agency for agency in SERVED if load_agency(agency).default_hold}
    waiting = {row["document_no"] for row in rows if row["agency"] in held and row["expected_state"] == "published"}
    for row in rows:
        state = HELD if row["agency"] in held else row["expected_state"]
        if row["defect"] == VIA_MINISTRY and row["document_no"] in waiting:
            state = "published"  # what it repeats is held, so it is the first to be heard
        expected[row["agency"]][state] += 1
    return expected


def _agencies(connection: sa.Connection, expected: Mapping[str, Counter[str]]) -> Iterator[AgencyNumbers]:
    days: dict[str, dict[str, Column]] = {agency: {} for agency in SERVED}

    def column(agency: str, day: dt.date) -> Column:
        return days[agency].setdefault(day.isoformat(), Column())

    for agency, day, rows in connection.execute(sa.text(_RECEIVED), _DISCLOSED):
        column(agency, day).received = int(rows)
    for agency, day, state, rows in connection.execute(sa.text(_STATES), _DISCLOSED):
        column(agency, day).states[state] = rows
    for agency, day, method, rows in connection.execute(sa.text(_METHODS), _DISCLOSED):
        column(agency, day).methods[method] = rows
    for agency, day, site, rows in connection.execute(sa.text(_SITES)):
        column(agency, day).sites[site] = rows
    for agency, columns in days.items():
        name = load_agency(agency).names[0].name
        yield AgencyNumbers(agency, name, dict(sorted(columns.items())), expected[agency])


def _releases(connection: sa.Connection, feeds: Path) -> Iterator[ReleaseNumbers]:
    sites = load_sites()
    for site, sequence, day, summary in connection.execute(sa.text(_RELEASES)):
        tables: dict[str, dict[str, Any]] = summary
        reasons: Counter[str] = Counter()
        for table in tables:
            path = feeds / site / "releases" / f"{sequence:06d}" / part_file(table, Part.TOMBSTONES, "csv")
            with path.open(encoding="utf-8-sig", newline="") as file:
                reasons.update(row["REASON_CODE"] for row in csv.DictReader(file))
        yield ReleaseNumbers(
            site=site,
            name=sites[site].name,
            sequence=sequence,
            day=day.isoformat(),
            full={each["kind"]: each["full"] for each in tables.values()},
            delta=sum(each["delta"] for each in tables.values()),
            tombstones=dict(sorted(reasons.items())),
        )


def _failing(connection: sa.Connection) -> Iterator[Failing]:
    titles: dict[tuple[str, str], str] = {}
    for kind, sheet in SHEETS:
        suite = load_suite(kind, sheet)
        titles |= {(suite.name, expectation.id): expectation.title for expectation in suite.expectations}
    rows_of: Counter[tuple[str, str, str]] = Counter()
    for suite_name, expectation_id, severity, rows in connection.execute(sa.text(_FAILURES)):
        rows_of[expectation_id, severity, titles[suite_name, expectation_id]] += rows
    for (expectation_id, severity, title), rows in rows_of.items():
        yield Failing(expectation_id, severity, title, rows)
    for reason, remedy, rows in connection.execute(sa.text(_UNCERTAIN)):
        yield Failing(reason, "review", (remedy or reason).partition(":")[0], rows)


def check_feeds(office: Office, clients: Path) -> list[FeedCheck]:
    """Act as each site's client: verify the feed with the office's key, apply every release in turn, compare.

    The client's tables, made from the first release and the deltas after it, must be byte for byte the full files.
    """
    key = Signer.load(os.environ, office.settings.key_file).public_pem
    return [_check_feed(office.settings.feeds / site, clients / site, key) for site in load_sites()]


def _check_feed(root: Path, client: Path, key: bytes) -> FeedCheck:
    report = verify_release(root, public_key=key)
    problems = [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]
    applied = [apply_release(release, client, public_key=key) for release in sorted((root / "releases").iterdir())]
    newest = applied[-1]
    for table in sorted(newest.tables):
        full = root / "current" / part_file(table, Part.FULL, "csv")
        if (newest.directory / f"{table}.csv").read_bytes() != full.read_bytes():
            problems.append(f"{table}: applying the deltas does not give {full.name}")
    how = tuple(each.how for each in applied)
    if any(each != "delta" for each in how[1:]):
        problems.append(f"the releases could not be followed by deltas: {', '.join(how)}")
    return FeedCheck(root.name, newest.sequence, len(report.checks), how, newest.tables, tuple(problems))


def kinds(releases: Sequence[ReleaseNumbers]) -> list[str]:
    """Return the kinds of record that the releases hold, in the order of ``Kind``."""
    return [kind.value for kind in Kind if any(kind.value in release.full for release in releases)]
