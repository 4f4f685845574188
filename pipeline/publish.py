"""Publish one site's next release: decide, build beside, verify, make visible by one atomic step.

Order of events, so that a kill at any instruction does no harm: the release and its decisions are entered as
``building``; the directory is written and verified where no reader looks; one rename makes it visible; the ledger
says ``visible``. A run that finds a ``building`` release asks the directory which side of the rename it stopped on.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from feeds.manifest import MANIFEST, Manifest, Part, manifest_hash, part_file
from feeds.release import ReleaseSummary, build_release
from feeds.signature import Signer
from feeds.sites import Site, load_sites
from feeds.twin import Twin
from feeds.visible import building_directory, current_release, discard_unfinished, make_visible
from pipeline.engine import Engine
from pipeline.journal import journaled
from pipeline.office import Office
from store import releases, runs
from store.bulk import copy_in, read_batches
from store.records import any_rows
from store.withdrawals import STANDING
from transforms import personal
from transforms.columns import DAY, FREE_TEXT, MONEY, STANDARD_COLUMNS, TEXT, Kind
from transforms.disclose import disclose
from transforms.policy import withholdings

_PUBLISHABLE: Final = """
SELECT r.record_id, r.record_key, coalesce(w.effective_date, r.as_of) AS last_changed, {columns},
       w.reason AS withdrawal, a.uscc AS enterprise_uscc, e.name AS enterprise_name
FROM {kind} r
JOIN (
    SELECT DISTINCT ON (record_id) record_id, uscc, grade, method
    FROM attachment WHERE kind = '{kind}' ORDER BY record_id, attachment_id DESC
) a USING (record_id)
LEFT JOIN enterprise e ON e.uscc = a.uscc AND e.to_version IS NULL
LEFT JOIN ({standing}) w USING (record_id)
WHERE r.state IN ('accepted', 'superseded') AND (a.grade = 'certain' OR a.method = 'natural_person')
"""
_EARLIER: Final = """
SELECT DISTINCT ON (d.record_key) d.record_key, d.record_id, d.shown, d.until, d.first_shown, d.reason
FROM disclosure d JOIN release r USING (release_id)
WHERE d.site = $1 AND d.kind = $2 AND r.state = 'visible'
ORDER BY d.record_key, d.disclosure_id DESC
"""
_EARLIER_SCHEMA: Final = pa.schema(
    [
        ("record_key", TEXT), ("record_id", pa.int64()), ("shown", pa.bool_()), ("until", DAY), ("first_shown", DAY),
        ("reason", TEXT),
    ]
)  # fmt: skip

_WITHDRAWAL_SCHEMA: Final = pa.schema(
    [("kind", TEXT), ("record_key", TEXT), ("reason_code", TEXT), ("effective_date", DAY)]
)


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


def publish(office: Office, site_ids: list[str], *, as_of: dt.date) -> list[Published]:
    """Publish the sites named, from one reading of the records.

    A site whose newest release is of the same day and already says all of it gets no other. Raises ``PublishError``
    when a release of a later day exists: history is not rewritten. Raises ``feeds.release.ReleaseError`` when a
    release fails its verification; nothing of it is visible then.
    """
    sites = load_sites()
    signer = Signer.load(os.environ, office.settings.key_file, generate=True)
    with (
        journaled(office),
        tempfile.TemporaryDirectory(dir=office.scratch(), prefix="publish-") as scratch,
        Engine(Path(scratch)) as engine,
        contextlib.ExitStack() as locks,
    ):
        for site_id in sorted(site_ids):
            locks.enter_context(_only_publisher(office, site_id))
        with office.engine.begin() as connection:
            runs.hold_still(connection, "records", "register")
            seen = releases.newest_attachment(connection)
            places = {site_id: runs.next_number(connection) for site_id in sorted(site_ids)}
            records = {kind: _load_records(office, engine, kind) for kind in Kind if any_rows(connection, kind)}
        press = _Press(office, engine, records, seen, places, as_of=as_of, signer=signer)
        return [press.publish(sites[site_id]) for site_id in sorted(site_ids)]


@contextlib.contextmanager
def _only_publisher(office: Office, site: str) -> Iterator[None]:
    """Hold the site for this process; another one waits."""
    with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"site": f"publish {site}"}
        connection.execute(sa.text("SELECT pg_advisory_lock(hashtext(:site))"), key)
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:site))"), key)


def _publishable(kind: Kind) -> pa.Schema:
    return pa.schema(
        [
            ("record_id", pa.int64()), ("record_key", TEXT), ("last_changed", DAY), *STANDARD_COLUMNS[kind].items(),
            ("withdrawal", TEXT), ("enterprise_uscc", TEXT), ("enterprise_name", TEXT),
        ]
    )  # fmt: skip


def _load_records(office: Office, engine: Engine, kind: Kind) -> ir.Table:
    """The newest attached row of each record; a version that is not attached yet does not displace one that is."""
    schema = _publishable(kind)
    columns = ", ".join(f"r.{name}" for name in STANDARD_COLUMNS[kind])
    query = _PUBLISHABLE.format(kind=kind.value, columns=columns, standing=STANDING.format(kind=kind.value))
    batches = (_readable(batch, schema) for batch in read_batches(office.bulk_url, query))
    every = engine.load(f"{kind}_attached", schema, batches)
    newest = ibis.row_number().over(group_by=every.record_key, order_by=every.record_id.desc())
    return engine.keep(f"{kind}_records", every.mutate(age=newest).filter(lambda t: t.age == 0).drop("age"))


def _readable(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give amounts their type back and cut telephone numbers from running text (domain 3.4)."""
    columns = []
    for field, column in zip(schema, batch.columns, strict=True):
        if field.type == MONEY:
            columns.append(pc.cast(pc.cast(column, TEXT), MONEY))
        elif field.name in FREE_TEXT:
            columns.append(personal.cut_telephones(column))
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class _Press:
    """Makes the releases of one run, from one reading of the records.

    ``records`` holds the kinds of which anything was ever received: of the others nothing is to be decided, and their
    tables are empty.
    """

    def __init__(
        self,
        office: Office,
        engine: Engine,
        records: Mapping[Kind, ir.Table],
        seen: int,
        places: Mapping[str, int],
        *,
        as_of: dt.date,
        signer: Signer,
    ) -> None:
        self._office = office
        self._engine = engine
        self._records = records
        self._seen = seen
        self._places = places
        self._as_of = as_of
        self._signer = signer
        self._made: list[tuple[Site, Path]] = []

    def publish(self, site: Site) -> Published:
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
            for kind in self._records:
                self._decide(connection, site, kind, release_id)
        building = building_directory(root, sequence)
        try:
            summary = self._build(site, current_release(root), building, sequence)
        except BaseException:
            self._take_back(release_id)
            raise
        if previous is not None and previous.as_of == self._as_of and not _says_something(summary):
            shutil.rmtree(building)
            self._take_back(release_id)
            return Published(
                site.site, previous.sequence, self._as_of, True, previous.manifest_sha256 or "",
                previous.summary or {}, (root / "current").resolve(),
            )  # fmt: skip
        make_visible(root, building, sequence)
        tables = _tables(summary)
        with self._office.engine.begin() as connection:
            releases.mark_visible(connection, release_id, summary.manifest_sha256, tables)
        directory = (root / "current").resolve()
        self._made.append((site, directory))
        return Published(site.site, sequence, self._as_of, False, summary.manifest_sha256, tables, directory)

    def _take_back(self, release_id: int) -> None:
        with self._office.engine.begin() as connection:
            releases.drop_unfinished(connection, release_id)

    def _decide(self, connection: sa.Connection, site: Site, kind: Kind, release_id: int) -> None:
        """Decide every record of a kind for a site, and enter the decisions that are new or changed."""
        earlier = self._engine.load(
            _named(site, kind, "earlier"),
            _EARLIER_SCHEMA,
            read_batches(self._office.bulk_url, _EARLIER, {"site": site.site, "kind": kind.value}),
        )
        shown_before = earlier.select("record_key", "first_shown")
        decided = self._engine.keep(
            _named(site, kind, "decisions"),
            disclose(self._records[kind], shown_before, site=site.site, kind=kind, as_of=self._as_of),
        )
        constants = {"release_id": release_id, "site": site.site, "kind": kind.value}
        for batch in self._engine.stream(_changed(decided, earlier)):
            table = pa.Table.from_batches([batch])
            for name, value in constants.items():
                table = table.append_column(name, pa.repeat(pa.scalar(value), batch.num_rows))
            copy_in(connection, "disclosure", table)

    def _build(self, site: Site, previous: Path | None, into: Path, sequence: int) -> ReleaseSummary:
        relations: dict[Kind, str] = {}
        for kind in {table.kind for table in site.tables} - self._records.keys():
            relations[kind] = self._nothing(kind)
        for kind, rows in self._records.items():
            shown = self._shown(site, kind)
            published = rows.inner_join(shown, rows.record_id == shown.shown_id).drop("shown_id", "record_id")
            relations[kind] = _named(site, kind, "published")
            self._engine.keep_view(relations[kind], published)
        withdrawals = f"{site.site}_withdrawals"
        self._engine.keep(withdrawals, self._withdrawals(site))
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
        schema = _publishable(kind).remove(0)
        self._engine.load(name, pa.schema([*schema, ("show_until", DAY), ("first_shown", DAY)]), [])
        return name

    def _alike(self, kind: Kind, site: Site, other: Site) -> bool:
        if kind not in self._records:
            return True
        return self._engine.same_rows(self._shown(site, kind), self._shown(other, kind))

    def _shown(self, site: Site, kind: Kind) -> ir.Table:
        decided = self._engine.table(_named(site, kind, "decisions"))
        return decided.filter(decided.shown).select(
            shown_id=decided.record_id, show_until=decided.until, first_shown=decided.first_shown
        )

    def _twin(self, site: Site) -> Twin | None:
        """Find a release of this run that shows the same records in the same way."""
        for other, directory in self._made:
            alike = Twin(other, directory, frozenset(Kind))
            kinds = {
                table.kind
                for table in site.tables
                if alike.serves(table, site) and self._alike(table.kind, site, other)
            }
            if kinds:
                return Twin(other, directory, frozenset(kinds))
        return None

    def _withdrawals(self, site: Site) -> ir.Table:
        """The reason of every record that is not shown; of one that is no longer there, that it was replaced."""
        schema = pa.schema([("code", TEXT), ("text", TEXT), ("basis", TEXT)])
        listed = [{"code": w.code, "text": w.reason, "basis": w.legal_basis} for w in withholdings().values()]
        reasons = self._engine.load("withholding_reasons", schema, [pa.RecordBatch.from_pylist(listed, schema=schema)])
        today = ibis.literal(self._as_of, type="date")
        parts = [self._engine.load("no_withdrawals", _WITHDRAWAL_SCHEMA, [])]
        for kind, rows in self._records.items():
            decided = self._engine.table(_named(site, kind, "decisions"))
            changed = rows.select(changed_id=rows.record_id, changed_on=rows.last_changed)
            withheld = decided.filter(~decided.shown)
            withheld = withheld.left_join(changed, withheld.record_id == changed.changed_id)
            ended = (withheld.until + ibis.interval(days=1)).cast("date")
            parts.append(
                withheld.select(
                    kind=ibis.literal(kind.value),
                    record_key=withheld.record_key,
                    reason_code=withheld.reason,
                    effective_date=ibis.ifelse(
                        withheld.reason == "expired", ended, ibis.coalesce(withheld.changed_on, today)
                    ),
                )
            )
            earlier = self._engine.table(_named(site, kind, "earlier"))
            gone = earlier.filter(earlier.shown).anti_join(decided, "record_key")
            parts.append(
                gone.select(
                    kind=ibis.literal(kind.value),
                    record_key=gone.record_key,
                    reason_code=ibis.literal("replaced"),
                    effective_date=today,
                )
            )
        every = ibis.union(*parts, distinct=False)
        every = every.left_join(reasons, every.reason_code == reasons.code)
        return every.select(
            "kind", "record_key", "reason_code", reason=every.text, legal_basis=every.basis,
            effective_date=every.effective_date, successor_key=ibis.null("string"),
        )  # fmt: skip


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
    ).select(decided.columns)


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
