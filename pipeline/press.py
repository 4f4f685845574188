"""The press: makes one site's next release from the records that a run has read, decided, built beside, verified.

Order of events, so that a kill at any instruction does no harm: the release is entered as ``building``; its decisions
are entered while the directory is written and verified where no reader looks; when both are there, one rename makes it
visible; the ledger says ``visible``. A run that finds a ``building`` release asks the directory which side of the
rename it stopped on.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import pyarrow as pa
import sqlalchemy as sa

from expectations.suite import Suite
from feeds.manifest import MANIFEST, Manifest, Part, manifest_hash, part_file
from feeds.release import ReleaseSummary, build_release
from feeds.signature import Signer
from feeds.sites import Site, Table
from feeds.twin import Twin, reads_alike
from feeds.visible import building_directory, current_release, discard_unfinished, make_visible
from pipeline.acceptance import Acceptance, judge_acceptance, receiver_suite
from pipeline.engine import Engine, to_query
from pipeline.office import Office
from pipeline.successors import inherited
from pipeline.tombstones import withdrawn
from store import acceptance, releases
from store.bulk import copy_in, read_batches
from transforms.columns import DAY, STANDARD_COLUMNS, TEXT, Kind
from transforms.disclose import DECISION, disclose, doubt, refuse

_EARLIER: Final = """
WITH newest AS (
    SELECT DISTINCT ON (d.record_key) d.record_key, d.record_id, d.shown, d.until, d.first_shown, d.reason
    FROM disclosure d JOIN release r USING (release_id)
    WHERE d.site = $1 AND d.kind = $2 AND r.state = 'visible'
    ORDER BY d.record_key, d.disclosure_id DESC
), over AS (
    SELECT d.record_id, min(d.until) AS ended
    FROM disclosure d JOIN release r USING (release_id)
    WHERE d.site = $1 AND d.kind = $2 AND r.state = 'visible' AND d.reason = 'expired'
    GROUP BY d.record_id
)
SELECT n.*, o.record_id AS ended_id, o.ended FROM newest n LEFT JOIN over o USING (record_id)
"""
"""The newest decision per record key; of its version, the last day of a period that ended, now or before."""

_EARLIER_SCHEMA: Final = pa.schema(
    [
        ("record_key", TEXT), ("record_id", pa.int64()), ("shown", pa.bool_()), ("until", DAY), ("first_shown", DAY),
        ("reason", TEXT), ("ended_id", pa.int64()), ("ended", DAY),
    ]
)  # fmt: skip


class PublishError(RuntimeError):
    """A release that must not be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Published:
    """A release as it stands: its number, its rows per table, and whether this run made it."""

    site: str
    sequence: int
    as_of: dt.date
    already_published: bool
    manifest_sha256: str
    tables: Mapping[str, Any]
    directory: Path


def publishable(kind: Kind) -> pa.Schema:
    """Return the columns of the records of a run, one row per record: what may be published of it and what decides."""
    return pa.schema(
        [
            ("record_id", pa.int64()), ("record_key", TEXT), ("last_changed", DAY), *STANDARD_COLUMNS[kind].items(),
            ("withdrawal", TEXT), ("enterprise_uscc", TEXT), ("enterprise_name", TEXT),
        ]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Begun:
    """A release whose records are decided; ``entered`` is done when the record has all of its decisions."""

    site: Site
    root: Path
    previous: releases.Release | None
    sequence: int
    release_id: int
    entered: Future[None]


class Press:
    """Makes the releases of one run, from one reading of the records.

    ``records`` holds the kinds of which anything was ever received: of the others nothing is to be decided, and their
    tables are empty. ``successors`` (``pipeline.successors``) holds the kinds of which a record took another's place.
    """

    def __init__(
        self,
        office: Office,
        engine: Engine,
        records: Mapping[Kind, ir.Table],
        successors: Mapping[Kind, ir.Table],
        *,
        seen: int,
        places: Mapping[str, int],
        as_of: dt.date,
        signer: Signer,
    ) -> None:
        """Take what the run has read."""
        self._office = office
        self._engine = engine
        self._records = records
        self._successors = successors
        self._seen = seen
        self._places = places
        self._as_of = as_of
        self._signer = signer
        self._made: list[tuple[Site, Path]] = []
        self._acceptances: dict[tuple[str, Kind], tuple[Site, Acceptance]] = {}
        self._answered_as: dict[tuple[str, Kind], str] = {}

    def publish(self, sites: Sequence[Site]) -> list[Published]:
        """Make the next release of each site in turn, or say that the newest one is of the day and says all of it.

        While the files of one are written, the next is decided. Raises as ``pipeline.publish.publish``; what is
        visible by then stays, nothing is left of the others.
        """
        made = []
        with ThreadPoolExecutor(1) as deciding, ThreadPoolExecutor(1) as entering:
            begun = deque(deciding.submit(self._begin, site, entering) for site in sites)
            try:
                while begun:
                    first = begun[0].result()
                    summary = self._built(first)
                    begun.popleft()  # from here on its directory says what becomes of it
                    made.append(self._make_known(first, summary))
            except BaseException:
                under_way = [each for each in begun if not each.cancel()]
                for each in under_way:
                    self._give_up(each)
                raise
        return made

    def _begin(self, site: Site, entering: Executor) -> _Begun:
        """Open the next release of a site, decide its records and have the decisions entered."""
        root = self._office.settings.feeds / site.site
        root.mkdir(parents=True, exist_ok=True)
        with self._office.engine.begin() as connection:
            _recover(connection, site.site, root)
            previous = releases.newest_release(connection, site.site, "visible")
            if previous is not None and previous.as_of > self._as_of:
                raise PublishError(
                    f"{site.site}: 第 {previous.sequence} 期的业务日是 {previous.as_of}, 晚于 {self._as_of}; "
                    "已公布的历史不再改写。"
                )
            sequence = previous.sequence + 1 if previous else 1
            release_id = releases.open_release(
                connection, site.site, sequence, self._as_of, after_attachment=self._seen,
                run_no=self._places[site.site],
            )  # fmt: skip
        try:
            changed = {kind: self._decide(site, kind) for kind in self._records}
        except BaseException:
            self._take_back(release_id)
            raise
        entered = entering.submit(self._enter, site, changed, release_id)
        return _Begun(site, root, previous, sequence, release_id, entered)

    def _built(self, begun: _Begun) -> ReleaseSummary:
        """Build a release that is decided; return when its decisions are entered as well."""
        building = building_directory(begun.root, begun.sequence)
        summary = self._build(begun.site, current_release(begun.root), building, begun.sequence)
        try:
            begun.entered.result()
        except BaseException:
            shutil.rmtree(building)
            raise
        return summary

    def _make_known(self, begun: _Begun, summary: ReleaseSummary) -> Published:
        """Make a release visible that is built and entered, or drop it where it says nothing new."""
        site, root, previous = begun.site, begun.root, begun.previous
        building = building_directory(root, begun.sequence)
        if previous is not None and previous.as_of == self._as_of and not _says_something(summary):
            shutil.rmtree(building)
            self._take_back(begun.release_id)
            return Published(
                site.site, previous.sequence, self._as_of, True, previous.manifest_sha256 or "",
                previous.summary or {}, (root / "current").resolve(),
            )  # fmt: skip
        make_visible(root, building, begun.sequence)
        tables = _tables(summary)
        with self._office.engine.begin() as connection:
            releases.mark_visible(connection, begun.release_id, summary.manifest_sha256, tables)
        directory = (root / "current").resolve()
        self._made.append((site, directory))
        return Published(site.site, begun.sequence, self._as_of, False, summary.manifest_sha256, tables, directory)

    def _give_up(self, begun: Future[_Begun]) -> None:
        """Take back what was begun and will not be made; what could not be begun has taken itself back."""
        if begun.exception() is None:
            begun.result().entered.exception()
            self._take_back(begun.result().release_id)

    def _take_back(self, release_id: int) -> None:
        with self._office.engine.begin() as connection:
            releases.drop_unfinished(connection, release_id)

    def _decide(self, site: Site, kind: Kind) -> str:
        """Decide every record of a kind for a site; return the query of the decisions that are new or changed."""
        earlier = self._engine.load(
            _named(site, kind, "earlier"),
            _EARLIER_SCHEMA,
            read_batches(self._office.bulk_url, _EARLIER, {"site": site.site, "kind": kind.value}),
        )
        shown_before = self._shown_before(site, kind, earlier)
        held = disclose(self._records[kind], shown_before, site=site.site, kind=kind, as_of=self._as_of)
        proposed = self._engine.keep(_named(site, kind, "proposed"), doubt(held, earlier))
        answer = self._accept(site, kind)
        if answer is not None and answer.rows.num_rows:
            ids = answer.refused
            refused = self._engine.load(_named(site, kind, "refused"), ids.schema, [ids])
            decided = self._engine.keep(_named(site, kind, "decisions"), refuse(proposed, refused, shown_before))
        else:
            decided = self._engine.keep_view(_named(site, kind, "decisions"), proposed)
        return to_query(_changed(decided, earlier))

    def _shown_before(self, site: Site, kind: Kind, earlier: ir.Table) -> ir.Table:
        """What ``disclose`` asks of the past: a record that took the place of others was first shown when they were."""
        before = earlier.select("record_key", "first_shown", "ended_id", "ended")
        if kind not in self._successors:
            return before
        return self._engine.keep(_named(site, kind, "before"), inherited(before, self._successors[kind]))

    def _accept(self, site: Site, kind: Kind) -> Acceptance | None:
        """Judge what a site would not take of what is about to be shown there; null where it asks nothing."""
        table = next((table for table in site.tables if table.kind is kind), None)
        suite = None if table is None else receiver_suite(site, table, self._as_of)
        if table is None or suite is None:
            return None
        twin = self._asked_the_same(site, table, suite)
        if twin is not None:
            answer = twin.of(suite)
        else:
            proposed = _named(site, kind, "proposed")
            relation = f"{proposed}_rows"
            self._engine.keep_view(relation, self._rows_shown(kind, self._shown(proposed)))
            with self._engine.cursor() as database:
                answer = judge_acceptance(database, site=site, table=table, relation=relation, suite=suite)
        self._acceptances[site.site, kind] = site, answer
        return answer

    def _asked_the_same(self, site: Site, table: Table, suite: Suite) -> Acceptance | None:
        """Find the answer to the same questions about the same rows, written alike, on a site of this run."""
        for (_, kind), (other, answer) in self._acceptances.items():
            if (
                kind is table.kind
                and answer.suite.asks_as(suite)
                and reads_alike(table, site, other)
                and self._alike(site, other, kind, "proposed")
            ):
                self._answered_as[site.site, kind] = other.site
                return answer
        return None

    def _enter(self, site: Site, changed: Mapping[Kind, str], release_id: int) -> None:
        """Enter the decisions of a release, and what its site would not take."""
        with self._office.engine.begin() as connection:
            for kind, query in changed.items():
                constants = {"release_id": release_id, "site": site.site, "kind": kind.value}
                for batch in self._engine.stream(query):
                    rows = pa.Table.from_batches([batch])
                    for name, value in constants.items():
                        rows = rows.append_column(name, pa.repeat(pa.scalar(value), batch.num_rows))
                    copy_in(connection, "disclosure", rows)
                if (site.site, kind) in self._acceptances:
                    _, answer = self._acceptances[site.site, kind]
                    acceptance.enter(
                        connection, release_id, kind=kind, suite=answer.suite.label, counts=answer.counts,
                        rows=answer.rows,
                    )  # fmt: skip

    def _build(self, site: Site, previous: Path | None, into: Path, sequence: int) -> ReleaseSummary:
        relations: dict[Kind, str] = {}
        for kind in {table.kind for table in site.tables} - self._records.keys():
            relations[kind] = self._nothing(kind)
        for kind in self._records:
            shown = self._shown(_named(site, kind, "decisions"))
            relations[kind] = _named(site, kind, "published")
            self._engine.keep_view(relations[kind], self._rows_shown(kind, shown).drop("record_id"))
        withdrawals = f"{site.site}_withdrawals"
        tables = {
            kind: (rows, self._engine.table(_named(site, kind, "decisions"))) for kind, rows in self._records.items()
        }
        self._engine.keep(withdrawals, withdrawn(self._engine, tables, self._successors, as_of=self._as_of))
        with self._engine.cursor() as database:
            return build_release(
                database,
                site=site,
                relations=relations,
                withdrawals=withdrawals,
                previous=previous,
                into=into,
                sequence=sequence,
                as_of=self._as_of,
                signer=self._signer,
                twin=self._twin(site),
            )

    def _nothing(self, kind: Kind) -> str:
        """A relation without rows, as one of published records."""
        name = f"{kind}_nothing"
        schema = publishable(kind).remove(0)
        self._engine.load(name, pa.schema([*schema, ("show_until", DAY), ("first_shown", DAY)]), [])
        return name

    def _alike(self, site: Site, other: Site, kind: Kind, what: str) -> bool:
        """Tell whether two sites show the same records in the same way, by decisions proposed or made."""
        if kind not in self._records or self._answered_as.get((site.site, kind)) == other.site:
            return True
        shown, theirs = (self._shown(_named(each, kind, what)) for each in (site, other))
        return self._engine.same_rows(shown, theirs)

    def _shown(self, decisions: str) -> ir.Table:
        decided = self._engine.table(decisions)
        return decided.filter(decided.shown).select(
            shown_id=decided.record_id, show_until=decided.until, first_shown=decided.first_shown
        )

    def _rows_shown(self, kind: Kind, shown: ir.Table) -> ir.Table:
        rows = self._records[kind]
        return rows.inner_join(shown, rows.record_id == shown.shown_id).drop("shown_id")

    def _twin(self, site: Site) -> Twin | None:
        """Find a release of this run that shows the same records in the same way."""
        for other, directory in self._made:
            alike = Twin(other, directory, frozenset(Kind))
            kinds = {
                table.kind
                for table in site.tables
                if alike.serves(table, site) and self._alike(site, other, table.kind, "decisions")
            }
            if kinds:
                return Twin(other, directory, frozenset(kinds))
        return None


def _named(site: Site, kind: Kind, what: str) -> str:
    return f"{kind}_{site.site}_{what}"


def _changed(decided: ir.Table, earlier: ir.Table) -> ir.Table:
    """Decisions that differ from the newest visible one about the same record."""
    was = earlier.select(
        earlier_key=earlier.record_key, was_id=earlier.record_id, was_shown=earlier.shown, was_until=earlier.until,
        was_reason=earlier.reason,
    )  # fmt: skip
    compared = decided.left_join(was, decided.record_key == was.earlier_key)
    never = dt.date(1, 1, 1)
    return compared.filter(
        compared.was_id.isnull()
        | (compared.was_id != compared.record_id)
        | (compared.was_shown != compared.shown)
        | (compared.was_reason != compared.reason)
        | (compared.was_until.fill_null(never) != compared.until.fill_null(never))
    ).select(*(decided[name] for name in DECISION))


def _recover(connection: sa.Connection, site: str, root: Path) -> None:
    """Finish or take back what a killed run left."""
    building = releases.newest_release(connection, site, "building")
    current = current_release(root)
    if building is not None:
        if current is not None and int(current.name) == building.sequence:
            content = (current / MANIFEST).read_bytes()
            tables = _tables_of(Manifest.from_bytes(content))
            releases.mark_visible(connection, building.release_id, manifest_hash(content), tables)
        else:
            releases.drop_unfinished(connection, building.release_id)
    discard_unfinished(root)


def _tables_of(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What ``_tables`` says of a release, read from the release itself."""
    return {
        name: {"kind": entry.kind.value}
        | {part.value: manifest.files[part_file(name, part, "jsonl")].rows for part in Part}
        for name, entry in manifest.tables.items()
    }


def _tables(summary: ReleaseSummary) -> dict[str, dict[str, Any]]:
    return {
        name: {"kind": table.kind.value, "full": table.full, "delta": table.delta, "tombstones": table.tombstones}
        for name, table in summary.tables.items()
    }


def _says_something(summary: ReleaseSummary) -> bool:
    return any(table.delta or table.tombstones for table in summary.tables.values())
