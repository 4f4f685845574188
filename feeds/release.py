"""Building one release of one site's feed: written beside, verified, and only then handed to ``feeds.visible``.

Each table is sorted once; the sorted rows become lines of the three formats in three streams, hashed on the way to
disk, so memory does not grow with the table. Delta and tombstones come from comparing the new full CSV file
with the one of the previous release, byte for byte; a row of the delta is the very line of the full file.

The same relations, previous release, sequence, day and key give the same bytes, whatever the number of threads.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from feeds import algebra
from feeds.hashed_file import hash_file, write_lines
from feeds.manifest import (
    DATA_PACKAGE,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    DeltaProof,
    FileEntry,
    Manifest,
    ManifestError,
    Part,
    PreviousRelease,
    TableEntry,
    XmlNames,
    manifest_hash,
    part_file,
    schema_file,
)
from feeds.part_files import Gone, file_entry, link_first_delta, write_delta, write_full, write_tombstones
from feeds.privacy import is_personal, review
from feeds.row_text import (
    clean_text,
    csv_header,
    identifier,
    literal,
    published_value,
)
from feeds.sample import ReadBackError, check_sample
from feeds.signature import Signer
from feeds.site_schema import data_package, tombstone_columns, xml_schema
from feeds.sites import Site, Table
from feeds.sorted_rows import write_sorted
from feeds.twin import Twin
from transforms.columns import Kind

_NAMED_KEYS: Final = 20
_KEY_FORM: Final = "^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$"


class ReleaseError(Exception):
    """A release that must not be published; nothing of it is left behind. The message is for stewards."""


@dataclass(frozen=True, slots=True)
class TableSummary:
    """Rows of one table of a release."""

    kind: Kind
    full: int
    delta: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """What was built. ``bytes`` counts what a reader can fetch; ``manifest_sha256`` names the release for ever."""

    site: str
    sequence: int
    tables: Mapping[str, TableSummary]
    bytes: int
    manifest_sha256: str


def _some(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_NAMED_KEYS])
    return shown if len(items) <= _NAMED_KEYS else f"{shown} 等共 {len(items)} 条"


# --- from relation to sorted rows --------------------------------------------------------------------------------


def _refuse_bad_keys(database: duckdb.DuckDBPyConnection, table: Table, relation: str) -> None:
    bad = database.execute(
        f"SELECT coalesce(record_key, '(空)') AS key FROM {relation} GROUP BY record_key "  # noqa: S608
        f"HAVING count(*) > 1 OR record_key IS NULL OR NOT regexp_matches(record_key, {literal(_KEY_FORM)}) "
        f"ORDER BY key LIMIT {_NAMED_KEYS}"
    ).fetchall()
    if bad:
        raise ReleaseError(f"{table.table}: 记录标识为空、重复或含有不允许的字符: {_some([key for (key,) in bad])}")


def _refuse_untranslated(database: duckdb.DuckDBPyConnection, table: Table, relation: str, site: Site) -> None:
    for column in table.columns:
        if column.values is None or column.unknown != "refuse":
            continue
        source = identifier(column.source[0])
        bad = database.execute(
            f"SELECT record_key, {source} FROM {relation} WHERE {source} IS NOT NULL AND "  # noqa: S608
            f"{published_value(column, site)} IS NULL ORDER BY record_key LIMIT {_NAMED_KEYS}"
        ).fetchall()
        if bad:
            named = _some([f"{key} ({value})" for key, value in bad])
            raise ReleaseError(f"{table.table}.{column.code}: 站点代码表没有对应的值: {named}")


def _sorted_rows(
    database: duckdb.DuckDBPyConnection, table: Table, relation: str, site: Site, *, into: Path, as_of: dt.date
) -> list[Path]:
    """Write what the table publishes, in order of the key, as Parquet files, and look at what must hold before."""
    _refuse_bad_keys(database, table, relation)
    _refuse_untranslated(database, table, relation, site)
    files = write_sorted(database, table, relation, site, into, drop_illegal=False)
    seen = review(database, files, table.columns, as_of)
    if seen.holds_illegal_characters:
        shutil.rmtree(into)
        files = write_sorted(database, table, relation, site, into, drop_illegal=True)
        seen = review(database, files, table.columns, as_of)
    if seen.personal:
        named = _some([f"{key} {code}" for key, code in seen.personal])
        raise ReleaseError(f"{table.table}: 含有身份证号、电话或其他个人信息, 本期不发布 (记录标识 列): {named}")
    return files


# --- withdrawals -------------------------------------------------------------------------------------------------


def _tombstones(database: duckdb.DuckDBPyConnection, table: Table, withdrawals: str, keys: Sequence[str]) -> list[Gone]:
    """Find the reason of each key that is gone: of several, the one that took effect last."""
    if not keys:
        return []
    texts = ", ".join(
        f"{clean_text(name)} AS {name}" for name in ("reason_code", "reason", "legal_basis", "successor_key")
    )
    rows = database.execute(
        f"SELECT record_key, effective_date, {texts} FROM {withdrawals} "  # noqa: S608
        "WHERE kind = ? AND record_key IN (SELECT unnest(?::VARCHAR[])) "
        "ORDER BY record_key, effective_date NULLS FIRST, reason_code NULLS FIRST, reason, legal_basis, successor_key",
        [table.kind.value, list(keys)],
    ).fetchall()
    found = {row[0]: Gone(row[0], row[2], row[3], row[4], row[1], row[5]) for row in rows}
    if unexplained := [key for key in keys if key not in found or not found[key].reason_code]:
        raise ReleaseError(f"{table.table}: 记录不再公示却没有撤下原因, 不能无声消失: {_some(unexplained)}")
    gone = [found[key] for key in keys]
    reasons = [text for one in gone for text in (one.reason_code, one.reason, one.legal_basis)]
    if is_personal(pa.array(reasons, pa.string())):
        raise ReleaseError(f"{table.table}: 撤下原因或依据中含有身份证号或电话")
    return gone


# --- the previous release ----------------------------------------------------------------------------------------


def _previous_manifest(previous: Path, site: Site, sequence: int) -> tuple[Manifest, str]:
    try:
        content = (previous / MANIFEST).read_bytes()
        manifest = Manifest.from_bytes(content)
    except (OSError, ManifestError) as error:
        raise ReleaseError(f"上一期 {previous.name} 的清单无法读取: {error}") from error
    if manifest.site != site.site or manifest.sequence >= sequence:
        raise ReleaseError(f"上一期是 {manifest.site} 第 {manifest.sequence} 期, 不能接第 {sequence} 期 {site.site}")
    columns = {table.table: table.codes for table in site.tables}
    if {name: entry.columns for name, entry in manifest.tables.items()} != columns or (
        manifest.csv_bom != site.csv.bom
    ):
        raise ReleaseError(f"{site.site} 的表结构与上一期不同: 增量无法衔接, 请以新的站点目录从第 1 期重新开始")
    return manifest, manifest_hash(content)


@dataclass(frozen=True, slots=True)
class _Base:
    """The full CSV file of the previous release; none before the first."""

    path: Path | None
    rows: int
    sha256: str

    def keyed_rows(self) -> Iterable[algebra.Row]:
        return algebra.keyed_rows(self.path) if self.path else ()


def _base(table: Table, site: Site, previous: tuple[Path, Manifest] | None) -> _Base:
    if previous is None:
        return _Base(None, 0, algebra.sha256_of(csv_header(table.codes, bom=site.csv.bom), ()))
    directory, manifest = previous
    proof = manifest.tables[table.table].delta
    path = directory / part_file(table.table, Part.FULL, "csv")
    if not path.is_file() or hash_file(path).sha256 != proof.result_sha256:
        raise ReleaseError(f"上一期的 {path.name} 缺失或已被改动, 不能作为增量的基准")
    return _Base(path, proof.result_rows, proof.result_sha256)


# --- one table, one release --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _BuiltTable:
    entry: TableEntry
    summary: TableSummary
    files: Mapping[str, FileEntry]


def _build_table(
    database: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    site: Site,
    relation: str,
    withdrawals: str,
    previous: tuple[Path, Manifest] | None,
    into: Path,
    as_of: dt.date,
    twin: Twin | None,
) -> _BuiltTable:
    read_back = False
    if twin and twin.serves(table, site):
        files = dict(twin.write_full(table, site, into))
        read_back = twin.has_linked(table, into)
    else:
        sorting = into / f".{table.table}"
        files = write_full(table, site, _sorted_rows(database, table, relation, site, into=sorting, as_of=as_of), into)
        shutil.rmtree(sorting)
    full = into / part_file(table.table, Part.FULL, "csv")
    entry = files[full.name]
    base = _base(table, site, previous)
    gone: list[Gone] = []
    if base.path is None:
        changed = entry.rows or 0
        files |= link_first_delta(table, into, files)
    else:
        ordinals, keys = [], []
        for ordinal, key in algebra.compared(base.keyed_rows(), algebra.keyed_rows(full)):
            if key is None and ordinal is not None:
                ordinals.append(ordinal)
            elif key is not None:
                keys.append(key.decode())
        changed = len(ordinals)
        gone = _tombstones(database, table, withdrawals, keys)
        files |= write_delta(table, site, into, ordinals)
    files |= write_tombstones(table, site, into, gone)
    _verify_table(table, site, base, into, files, read_back=read_back)
    rows = entry.rows or 0
    return _BuiltTable(
        TableEntry(
            kind=table.kind,
            columns=table.codes,
            tombstone_columns=tuple(column.code for column in tombstone_columns(table)),
            delta=DeltaProof(
                base_rows=base.rows, base_sha256=base.sha256, result_rows=rows, result_sha256=entry.sha256
            ),
        ),
        TableSummary(table.kind, rows, changed, len(gone)),
        files,
    )


def _verify_table(
    table: Table, site: Site, base: _Base, into: Path, files: Mapping[str, FileEntry], *, read_back: bool
) -> None:
    """Read back what was written: keys and row counts of every file, a sample of rows across formats, the algebra.

    Before the first release there is nothing to add to: its delta is the full file itself, by hard link. ``read_back``
    where the full files are another release's own, which were read back when that one was made.
    """
    full, delta, gone = (into / part_file(table.table, part, "csv") for part in Part)
    unread = [part for part in Part if not (read_back and part is Part.FULL)]
    try:
        for part in unread:
            if base.path is not None or part is not Part.DELTA:
                check_sample(into, table, part, site, files)
        if base.path is None:
            return
        rows = algebra.merged(base.keyed_rows(), algebra.keyed_rows(delta), algebra.keyed_rows(gone))
        if algebra.sha256_of(algebra.header_of(full), rows) != files[full.name].sha256:
            raise ReleaseError(f"{table.table}: 上一期全量加本期增量不等于本期全量")
    except (algebra.CanonicalFormError, ReadBackError) as error:
        raise ReleaseError(f"{table.table}: 写出的文件读回后不符: {error}") from error


@contextmanager
def _whole_or_nothing(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(directory)
        raise


def build_release(
    database: duckdb.DuckDBPyConnection,
    *,
    site: Site,
    relations: Mapping[Kind, str],
    withdrawals: str,
    previous: Path | None,
    into: Path,
    sequence: int,
    as_of: dt.date,
    signer: Signer,
    twin: Twin | None = None,
) -> ReleaseSummary:
    """Build release ``sequence`` of ``site`` in the new directory ``into``, verified and signed, not yet visible.

    Args:
        database: a connection that sees ``relations`` and ``withdrawals``.
        site: whose feed it is.
        relations: per kind, the table or view of what the site shows now: the standard columns of the kind,
            ``record_key`` (unique, letters and digits), ``enterprise_uscc``, ``enterprise_name`` VARCHAR,
            ``show_until``, ``first_shown``, ``last_changed`` DATE.
        withdrawals: table or view of ``kind``, ``record_key``, ``reason_code``, ``reason``, ``legal_basis``,
            ``effective_date`` DATE, ``successor_key``; rows about records that were not shown are ignored.
        previous: directory of the release before, None for the first.
        into: must not exist; is removed again when anything fails.
        sequence: 1 for the first release, greater than that of ``previous``.
        as_of: the business day of the release.
        signer: signs the manifest.
        twin: a finished release of another site made from the same rows; what reads the same is taken from it.

    Raises:
        ReleaseError: a key is missing or occurs twice, a record went without a reason, a text holds an ID number, a
            telephone or another detail of a person, a code cannot be written, the previous release does not fit, or
            what was written does not read back. Nothing is left in ``into``.
        FileExistsError: ``into`` exists.
    """
    with _whole_or_nothing(into):
        before = _previous_manifest(previous, site, sequence) if previous else None
        built = {
            table.table: _build_table(
                database,
                table,
                site=site,
                relation=relations[table.kind],
                withdrawals=withdrawals,
                previous=(previous, before[0]) if previous and before else None,
                into=into,
                as_of=as_of,
                twin=twin,
            )
            for table in site.tables
        }
        files = {name: entry for table in built.values() for name, entry in table.files.items()}
        (into / "schema").mkdir()
        for name, content in (
            (schema_file(site.site), xml_schema(site)),
            (DATA_PACKAGE, data_package(site, sequence, files)),
            (PUBLIC_KEY, signer.public_pem),
        ):
            files[name] = file_entry(None, write_lines(into / name, [content]))
        manifest = Manifest(
            site=site.site,
            site_name=site.name,
            sequence=sequence,
            as_of=as_of,
            key_id=signer.key_id,
            csv_bom=site.csv.bom,
            xml=XmlNames(root=site.xml.root, row=site.xml.row),
            previous=PreviousRelease(sequence=before[0].sequence, manifest_sha256=before[1]) if before else None,
            tables={name: table.entry for name, table in built.items()},
            files=files,
        ).to_bytes()
        (into / SIGNATURE).write_bytes(signer.sign(manifest))
        (into / MANIFEST).write_bytes(manifest)
        return ReleaseSummary(
            site=site.site,
            sequence=sequence,
            tables={name: table.summary for name, table in built.items()},
            bytes=sum(entry.bytes for entry in files.values()) + len(manifest),
            manifest_sha256=manifest_hash(manifest),
        )
