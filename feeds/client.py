"""The reference client of a publicity site: verifies a release and keeps its own copy of the feed up to date.

It knows nothing but the files of a release and the public key; what it does can be done with other tools, see
``docs/feeds.md``. State of a client, under the directory it is given::

    <to>/current -> releases/000002
    <to>/releases/000002/<TABLE>.csv   the whole table, byte for byte the site's <TABLE>.full.csv
    <to>/releases/000002/manifest.json the manifest of the release that was applied
    <to>/releases/000002/applied.json  {"site", "sequence", "manifest_sha256", "key_id"}
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from lxml import etree
from pydantic import BaseModel, ConfigDict, ValidationError

from feeds import algebra
from feeds.hashed_file import hash_file, write_lines
from feeds.manifest import (
    FORMATS,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    Manifest,
    ManifestError,
    Part,
    PreviousRelease,
    manifest_hash,
    part_file,
    schema_file,
)
from feeds.row_text import csv_header, csv_text
from feeds.signature import KeyFileError, is_signed_by, key_id
from feeds.visible import building_directory, current_release, discard_unfinished, point_at, release_directory

APPLIED: Final = "applied.json"
_HASHING_THREADS: Final = 4


class ApplyError(Exception):
    """A release that must not be applied; the client's state is as it was."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Outcome of all checks of one release."""

    ok: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What applying did: ``how`` is ``unchanged``, ``delta``, ``full`` or ``full, chain broken``; tables have rows."""

    site: str
    sequence: int
    how: str
    releases: tuple[int, ...]
    tables: dict[str, int]
    directory: Path


class _Applied(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    site: str
    sequence: int
    manifest_sha256: str
    key_id: str


def _release(path: Path) -> Path:
    """Return the release that ``path`` means: itself, or the current one of a site root."""
    return current_release(path) or path


# --- verify ------------------------------------------------------------------------------------------------------


def _check(name: str, problems: Iterable[str], good: str) -> Check:
    found = list(problems)
    return Check(name, not found, "; ".join(found[:20]) if found else good)


def _signature_check(directory: Path, content: bytes, manifest: Manifest, public_key: bytes | None) -> Check:
    try:
        key = public_key if public_key is not None else (directory / PUBLIC_KEY).read_bytes()
        signed = is_signed_by(key, (directory / SIGNATURE).read_bytes(), content)
        known = key_id(key) == manifest.key_id
    except (OSError, KeyFileError) as error:
        return Check("signature", False, str(error))
    if not (signed and known):
        return Check("signature", False, "清单的 Ed25519 签名与公钥不符")
    origin = "给定的公钥" if public_key is not None else "随期附带的公钥, 请另行核对其指纹"
    return Check("signature", True, f"{origin} {manifest.key_id}")


def _present_files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


def _file_problems(directory: Path, manifest: Manifest) -> Iterator[str]:
    present = _present_files(directory)
    for name in sorted(present - set(manifest.files) - {MANIFEST, SIGNATURE}):
        yield f"{name}: 清单中没有"
    found = [name for name in sorted(manifest.files) if name in present and not (directory / name).is_symlink()]
    for name in sorted(set(manifest.files).difference(found)):
        yield f"{name}: 缺失"
    with ThreadPoolExecutor(_HASHING_THREADS) as pool:
        for name, hashes in zip(found, pool.map(lambda name: hash_file(directory / name), found), strict=True):
            entry = manifest.files[name]
            if hashes.bytes != entry.bytes:
                yield f"{name}: 大小 {hashes.bytes}, 清单为 {entry.bytes}"
            elif hashes.sha256 != entry.sha256:
                yield f"{name}: SHA-256 不符"
            elif hashes.sm3 != entry.sm3:
                yield f"{name}: SM3 不符"


def _completeness_problems(manifest: Manifest) -> Iterator[str]:
    expected = {part_file(table, part, form) for table in manifest.tables for part in Part for form in FORMATS}
    expected |= {schema_file(manifest.site), "datapackage.json", PUBLIC_KEY}
    for name in sorted(expected.symmetric_difference(manifest.files)):
        yield f"{name}: {'清单缺少' if name in expected else '清单多出'}"
    for table, entry in manifest.tables.items():
        full = manifest.files.get(part_file(table, Part.FULL, "csv"))
        if full and (full.sha256 != entry.delta.result_sha256 or full.rows != entry.delta.result_rows):
            yield f"{table}: 增量结果与全量文件的哈希或行数不符"
        for part in Part:
            rows = {
                manifest.files[name].rows
                for form in FORMATS
                if (name := part_file(table, part, form)) in manifest.files
            }
            if len(rows) > 1:
                yield f"{table}.{part}: 三种格式的行数不同"


def _chain_problems(directory: Path, manifest: Manifest) -> Iterator[str]:
    before = manifest.previous
    if before is None:
        for table, entry in manifest.tables.items():
            empty = algebra.sha256_of(csv_header(entry.columns, bom=manifest.csv_bom), ())
            if entry.delta.base_sha256 != empty or entry.delta.base_rows:
                yield f"{table}: 第一期的基准应为空表"
        return
    if before.sequence >= manifest.sequence:
        yield f"上一期期号 {before.sequence} 不小于本期"
    neighbour = directory.with_name(f"{before.sequence:06d}") / MANIFEST
    if not neighbour.is_file():
        return
    content = neighbour.read_bytes()
    if manifest_hash(content) != before.manifest_sha256:
        yield f"上一期 {before.sequence} 的清单与本期所记不符"
        return
    last = Manifest.from_bytes(content)
    for table, entry in manifest.tables.items():
        if table not in last.tables or last.tables[table].delta.result_sha256 != entry.delta.base_sha256:
            yield f"{table}: 增量基准不是上一期的全量"


def _deep_part_problems(directory: Path, manifest: Manifest, table: str, part: Part) -> Iterator[str]:
    """Rewrite the rows of JSON Lines and XML as canonical CSV and compare hashes, rows and order."""
    entry = manifest.tables[table]
    codes = entry.tombstone_columns if part is Part.TOMBSTONES else entry.columns
    names = {form: part_file(table, part, form) for form in FORMATS}
    expected = manifest.files[names["csv"]]
    keyed = sum(1 for _ in algebra.keyed_rows(directory / names["csv"]))
    if keyed != expected.rows:
        yield f"{names['csv']}: {keyed} 行, 清单为 {expected.rows}"
    header = csv_header(codes, bom=manifest.csv_bom)
    readings = {
        "jsonl": _json_values(directory / names["jsonl"], codes),
        "xml": _xml_values(directory / names["xml"], codes, manifest),
    }
    for form, values in readings.items():
        if algebra.sha256_of(header, (csv_text(row).encode() for row in values)) != expected.sha256:
            yield f"{names[form]}: 内容与 {names['csv']} 不同"


def _json_values(path: Path, codes: tuple[str, ...]) -> Iterator[list[str | None]]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            record = json.loads(line)
            if not isinstance(record, dict) or tuple(record) != codes:
                raise ValueError(f"{path.name}: 列与清单不同")
            yield list(record.values())


def _xml_values(path: Path, codes: tuple[str, ...], manifest: Manifest) -> Iterator[list[str | None]]:
    place = {code: i for i, code in enumerate(codes)}
    with path.open("rb") as stream:
        for _, row in etree.iterparse(stream, tag=manifest.xml.row, resolve_entities=False, no_network=True):
            values: list[str | None] = [None] * len(codes)
            for cell in row:
                values[place[str(cell.tag)]] = cell.text
            yield values
            row.clear()
            while row.getprevious() is not None:
                del row.getparent()[0]


def _schema_problems(directory: Path, manifest: Manifest) -> Iterator[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    schema = etree.XMLSchema(etree.parse(directory / schema_file(manifest.site), parser))
    for name in sorted(name for name in manifest.files if name.endswith(".xml")):
        try:
            with (directory / name).open("rb") as stream:
                rows = etree.iterparse(
                    stream, tag=manifest.xml.row, schema=schema, resolve_entities=False, no_network=True
                )
                for _, row in rows:
                    row.clear()
                    while row.getprevious() is not None:
                        del row.getparent()[0]
        except etree.XMLSyntaxError as error:
            yield f"{name}: {error}"


def _algebra_problems(directory: Path, manifest: Manifest) -> Iterator[str]:
    base_directory = directory.with_name(f"{manifest.previous.sequence:06d}") if manifest.previous else None
    if base_directory is not None and not base_directory.is_dir():
        return
    for table, entry in manifest.tables.items():
        base = algebra.keyed_rows(base_directory / part_file(table, Part.FULL, "csv")) if base_directory else ()
        delta, gone = (algebra.keyed_rows(directory / part_file(table, part, "csv")) for part in _STEPS)
        header = csv_header(entry.columns, bom=manifest.csv_bom)
        if algebra.sha256_of(header, algebra.merged(base, delta, gone)) != entry.delta.result_sha256:
            yield f"{table}: 上一期全量加增量不等于本期全量"


_STEPS: Final = (Part.DELTA, Part.TOMBSTONES)


def _guarded_check(name: str, problems: Callable[[], Iterator[str]], good: str) -> Check:
    """Run one check over files that may hold anything; what cannot be read is a failed check."""
    try:
        return _check(name, problems(), good)
    except (OSError, ValueError, KeyError, etree.LxmlError, algebra.CanonicalFormError, ManifestError) as error:
        return Check(name, False, f"无法读取: {error}")


def verify_release(path: Path, *, public_key: bytes | None = None, deep: bool = False) -> VerifyReport:
    """Verify a release directory, or the current release of a site root.

    Checks, each named in the report: ``manifest`` can be read; ``signature`` over its bytes; ``completeness`` of
    tables and formats; ``files`` are exactly those listed, with their size, SHA-256 and SM3; ``chain`` to the previous
    release where it lies beside. With ``deep``, if all is well so far: ``rows`` say the same in all three formats;
    ``schema`` of every XML file; ``algebra`` with the previous release.

    Args:
        path: a release directory or a site root.
        public_key: PEM of the key the site trusts; without it the key in the release is used, which proves only that
            the release is whole.
        deep: read every row of every file.
    """
    directory = _release(path)
    try:
        content = (directory / MANIFEST).read_bytes()
        manifest = Manifest.from_bytes(content)
    except (OSError, ManifestError) as error:
        return VerifyReport(False, (Check("manifest", False, str(error)),))
    checks = [
        Check("manifest", True, f"{manifest.site_name} 第 {manifest.sequence} 期, {manifest.as_of}"),
        _signature_check(directory, content, manifest, public_key),
        _guarded_check("completeness", lambda: _completeness_problems(manifest), f"{len(manifest.tables)} 张表"),
        _guarded_check("files", lambda: _file_problems(directory, manifest), f"{len(manifest.files)} 个文件"),
        _guarded_check("chain", lambda: _chain_problems(directory, manifest), _chain_words(manifest)),
    ]
    if deep and all(check.ok for check in checks):
        parts = [(table, part) for table in manifest.tables for part in Part]

        def row_problems() -> Iterator[str]:
            for table, part in parts:
                yield from _deep_part_problems(directory, manifest, table, part)

        checks += [
            _guarded_check("rows", row_problems, "三种格式内容一致"),
            _guarded_check("schema", lambda: _schema_problems(directory, manifest), schema_file(manifest.site)),
            _guarded_check("algebra", lambda: _algebra_problems(directory, manifest), "上一期全量 + 增量 = 本期全量"),
        ]
    return VerifyReport(all(check.ok for check in checks), tuple(checks))


def _chain_words(manifest: Manifest) -> str:
    return f"接第 {manifest.previous.sequence} 期" if manifest.previous else "第一期"


# --- apply -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """What a client holds. ``whole``: it said so itself; if not, the manifest beside its tables did."""

    directory: Path
    applied: _Applied
    whole: bool


def _state(to: Path, public_key: bytes | None) -> _State | None:
    """Return what is held under ``to``; None before anything was applied.

    A state that cannot say which release it is, of which site and under whose key, would take any: it is given up
    only for a release under a key that was given.
    """
    directory = current_release(to)
    if directory is None:
        return None
    try:
        return _State(directory, _Applied.model_validate_json((directory / APPLIED).read_bytes()), whole=True)
    except (OSError, ValidationError):
        pass
    try:
        content = (directory / MANIFEST).read_bytes()
        held = Manifest.from_bytes(content)
    except (OSError, ManifestError) as error:
        if public_key is None:
            raise ApplyError(
                f"{directory.name}: 已有状态的 {APPLIED} 与 {MANIFEST} 都无法读取, 不知道已应用到哪一期; "
                "请给定公钥 (--key) 后再应用"
            ) from error
        return None
    applied = _Applied(
        site=held.site, sequence=held.sequence, manifest_sha256=manifest_hash(content), key_id=held.key_id
    )
    return _State(directory, applied, whole=False)


def _table_file(directory: Path, table: str) -> Path:
    return directory / f"{table}.csv"


def _holds(directory: Path, hashes: dict[str, str]) -> bool:
    """Tell whether a client's tables still have the bytes they should have."""
    return all(
        _table_file(directory, table).is_file() and hash_file(_table_file(directory, table)).sha256 == sha256
        for table, sha256 in hashes.items()
    )


def _steps_from(release: Path, applied: _Applied) -> list[Path] | None:
    """Return the releases that lead from the applied state to ``release``, oldest first; None if one is missing.

    Each must be the one that its successor names: by number, which falls, and by the hash of its manifest.
    """
    steps: list[Path] = []
    directory, named = release, None
    while True:
        try:
            content = (directory / MANIFEST).read_bytes()
            manifest = Manifest.from_bytes(content)
        except (OSError, ManifestError):
            return None
        if named is not None and named != PreviousRelease(
            sequence=manifest.sequence, manifest_sha256=manifest_hash(content)
        ):
            return None
        steps.append(directory)
        named = manifest.previous
        if named is None or not applied.sequence <= named.sequence < manifest.sequence:
            return None
        if named.sequence == applied.sequence:
            return steps[::-1] if named.manifest_sha256 == applied.manifest_sha256 else None
        directory = directory.with_name(f"{named.sequence:06d}")


def _apply_delta(base: Path, release: Path, manifest: Manifest, into: Path) -> None:
    for table, entry in manifest.tables.items():
        source, target = _table_file(base, table), _table_file(into, table)
        delta, gone = (algebra.keyed_rows(release / part_file(table, part, "csv")) for part in _STEPS)
        rows = algebra.merged(algebra.keyed_rows(source), delta, gone)
        header = csv_header(entry.columns, bom=manifest.csv_bom)
        if write_lines(target, chain([header], rows)).sha256 != entry.delta.result_sha256:
            raise ApplyError(f"{target.name}: 应用增量后的哈希与清单不符")


def _apply_steps(
    base: Path, pinned: str, steps: Sequence[Path], public_key: bytes | None, draft: Path
) -> tuple[int, ...] | None:
    """Apply deltas one after the other; None, with nothing left behind, where one does not fit."""
    sequences: list[int] = []
    work: list[Path] = []
    try:
        for step in steps:
            manifest = _verified(step, public_key, pinned)
            if not _holds(base, {table: entry.delta.base_sha256 for table, entry in manifest.tables.items()}):
                return None
            work.append(draft / f".{manifest.sequence:06d}")
            work[-1].mkdir()
            _apply_delta(base, step, manifest, work[-1])
            base = work[-1]
            sequences.append(manifest.sequence)
        for file in sorted(base.iterdir()):
            file.rename(draft / file.name)
    except (ApplyError, algebra.CanonicalFormError):
        return None
    finally:
        for directory in work:
            shutil.rmtree(directory)
    return tuple(sequences)


def _copy_full(release: Path, manifest: Manifest, into: Path) -> None:
    for table, entry in manifest.tables.items():
        target = _table_file(into, table)
        shutil.copyfile(release / part_file(table, Part.FULL, "csv"), target)
        if hash_file(target).sha256 != entry.delta.result_sha256:
            raise ApplyError(f"{target.name}: 全量文件的哈希与清单不符")


def _verified(release: Path, key: bytes | None, pinned: str | None) -> Manifest:
    report = verify_release(release, public_key=key)
    if not report.ok:
        bad = next(check for check in report.checks if not check.ok)
        raise ApplyError(f"{release.name}: 校验未通过 ({bad.name}): {bad.detail}")
    manifest = Manifest.from_bytes((release / MANIFEST).read_bytes())
    if key is None and pinned is not None and manifest.key_id != pinned:
        raise ApplyError(f"{release.name}: 签名公钥与此前不同, 请用给定的公钥核对后再应用")
    return manifest


def _refuse_backwards(applied: _Applied, manifest: Manifest, digest: str) -> None:
    if applied.site != manifest.site:
        raise ApplyError(f"目录中是站点 {applied.site} 的数据, 不能应用 {manifest.site}")
    if manifest.sequence < applied.sequence:
        raise ApplyError(f"已应用第 {applied.sequence} 期, 不能退回第 {manifest.sequence} 期")
    if manifest.sequence == applied.sequence and digest != applied.manifest_sha256:
        raise ApplyError(f"第 {manifest.sequence} 期已应用过, 但清单内容不同: 同一期号不能有两个版本")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _show(to: Path, draft: Path, sequence: int) -> Path:
    """Move the finished state to a free place, point ``current`` at it and drop the states before.

    All of it is on the disk before ``current`` is: a power failure leaves the old state or the new one.
    """
    place, attempt = release_directory(to, sequence), 1
    while place.exists():
        attempt += 1
        place = place.with_name(f"{sequence:06d}-{attempt:03d}")
    place.parent.mkdir(exist_ok=True)
    for file in sorted(draft.iterdir()):
        _sync(file)
    _sync(draft)
    draft.rename(place)
    _sync(place.parent)
    point_at(to, place)
    for old in place.parent.iterdir():
        if old != place:
            shutil.rmtree(old)
    return place


def _report(manifest: Manifest, how: str, releases: tuple[int, ...], directory: Path) -> ApplyReport:
    rows = {table: entry.delta.result_rows for table, entry in manifest.tables.items()}
    return ApplyReport(manifest.site, manifest.sequence, how, releases, rows, directory)


def apply_release(path: Path, to: Path, *, public_key: bytes | None = None) -> ApplyReport:
    """Bring the client's copy under ``to`` to the state of a release, verified before anything is touched.

    An empty ``to`` takes the full files. Otherwise every release since the applied one is applied as delta and
    tombstones, checking the hash before and after; where a release in between is missing, or the client's own files
    were changed, the full files are taken. The new state is complete beside the old one before one atomic step shows
    it; applying the same release again changes nothing.

    Args:
        path: a release directory, or a site root, which means its current release and lets a client catch up.
        to: the client's directory, made when missing.
        public_key: PEM of the trusted key; without it the key of the first release applied is trusted from then on.

    Raises:
        ApplyError: the release fails verification, is older than the applied one, is of another site, has another
            signing key, or carries the number of the applied one with other content; or what was applied before
            cannot be told from its files, and no ``public_key`` is given.
    """
    release = _release(path).resolve()
    to.mkdir(parents=True, exist_ok=True)
    discard_unfinished(to)
    state = _state(to, public_key)
    manifest = _verified(release, public_key, state.applied.key_id if state else None)
    digest = manifest_hash((release / MANIFEST).read_bytes())
    results = {table: entry.delta.result_sha256 for table, entry in manifest.tables.items()}
    steps: list[Path] | None = None
    if state is not None:
        _refuse_backwards(state.applied, manifest, digest)
        if state.whole and state.applied.sequence == manifest.sequence and _holds(state.directory, results):
            return _report(manifest, "unchanged", (), state.directory)
        if state.applied.sequence < manifest.sequence:
            steps = _steps_from(release, state.applied)

    draft = building_directory(to, manifest.sequence)
    draft.mkdir()
    try:
        releases = _apply_steps(state.directory, manifest.key_id, steps, public_key, draft) if state and steps else None
        how = "delta" if releases else "full" if state is None else "full, chain broken"
        if releases is None:
            _copy_full(release, manifest, draft)
            releases = (manifest.sequence,)
        shutil.copyfile(release / MANIFEST, draft / MANIFEST)
        applied = _Applied(
            site=manifest.site, sequence=manifest.sequence, manifest_sha256=digest, key_id=manifest.key_id
        )
        (draft / APPLIED).write_text(applied.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except BaseException:
        shutil.rmtree(draft)
        raise
    return _report(manifest, how, releases, _show(to.resolve(), draft.resolve(), manifest.sequence))
