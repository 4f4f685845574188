"""The reference client of a publicity site: keeps its own copy of the feed up to date, from verified releases only.

It knows nothing but the files of a release and the public key; what it does can be done with other tools, see
``docs/feeds.md``. State of a client, under the directory it is given::

    <to>/current -> releases/000002
    <to>/releases/000002/<TABLE>.csv   the whole table, byte for byte the site's <TABLE>.full.csv
    <to>/releases/000002/manifest.json the manifest of the release that was applied
    <to>/releases/000002/applied.json  {"site", "sequence", "manifest_sha256", "key_id"}
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from feeds import algebra
from feeds.hashed_file import hash_file, write_lines
from feeds.manifest import MANIFEST, Manifest, ManifestError, Part, PreviousRelease, manifest_hash, part_file
from feeds.row_text import csv_header
from feeds.verification import STEPS, release_at, verify_release
from feeds.visible import building_directory, current_release, discard_unfinished, point_at, release_directory, sync

APPLIED: Final = "applied.json"


class ApplyError(Exception):
    """A release that must not be applied; the client's state is as it was."""


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
        delta, gone = (algebra.keyed_rows(release / part_file(table, part, "csv")) for part in STEPS)
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
        sync(file)
    sync(draft)
    draft.rename(place)
    sync(place.parent)
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
    release = release_at(path).resolve()
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
