"""Verify a release: signature, files, chain and, read to the last row, what its formats say (``docs/feeds.md``).

It knows nothing but the files of a release and the public key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from feeds import algebra
from feeds.hashed_file import hash_file
from feeds.manifest import (
    FORMATS,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    Manifest,
    ManifestError,
    Part,
    manifest_hash,
    part_file,
    schema_file,
)
from feeds.row_text import csv_header, csv_text
from feeds.signature import KeyFileError, is_signed_by, key_id
from feeds.visible import current_release

STEPS: Final = (Part.DELTA, Part.TOMBSTONES)
"""The parts that lead from one release to the next."""
_HASHING_THREADS: Final = 4


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


def release_at(path: Path) -> Path:
    """Return the release that ``path`` means: itself, or the current one of a site root."""
    return current_release(path) or path


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
        delta, gone = (algebra.keyed_rows(directory / part_file(table, part, "csv")) for part in STEPS)
        header = csv_header(entry.columns, bom=manifest.csv_bom)
        if algebra.sha256_of(header, algebra.merged(base, delta, gone)) != entry.delta.result_sha256:
            yield f"{table}: 上一期全量加增量不等于本期全量"


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
    directory = release_at(path)
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
