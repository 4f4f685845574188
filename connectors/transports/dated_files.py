"""Dated files with manifest and done-mark, whatever folder they lie in: the rules that drop folder and SFTP share.

Beside ``NAME`` the agency writes ``NAME.manifest.json`` (``{"rows": 120, "sha256": "..", "size": 34567}``, rows null
where it does not count them) and then, last of all, an empty ``NAME.done``. ``"full_set": true`` in a manifest says
that the file holds everything and not only what changed. The date in the name may be written 20180821 or 2018-08-21.

A file whose size or hash is not that of its manifest, or whose content is no table (empty, a web page, a foreign or
cut-off format: F01 to F03 of ``connectors.formats.rules``), is left where it is and reported on every pull; the other
files go on. A file that is sent again with other bytes is another file. A name that begins as the stream's do and
goes on otherwise (no date at all, or another ending after it), and a file whose done-mark is still missing after its
day, are reported once, as warnings.

Cursor: ``{"done": {name: sha256}}`` of the files handed over that still lie in the folder; beside it ``told``, the
names reported once. The cursor moves with a piece, so what is reported once may be so again until one comes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from connectors.formats.content import told_format
from connectors.formats.limits import Limits
from connectors.formats.rules import WEB_PAGE
from connectors.formats.source import Source
from connectors.transports.contract import AgencyUnavailable, Cursor, FilesRefusedError, Piece
from transforms.problems import DeliveryRefused, Problem

LARGEST_MANIFEST: Final = 1 << 16
_SOME_DATE: Final = r"\d{8}|\d{4}-\d{2}-\d{2}"
_DATE: Final = f"(?P<date>{_SOME_DATE})"
_MANIFEST: Final = ".manifest.json"
_DONE: Final = ".done"
_AGAIN: Final = "请对照原文件重新传送该文件及其清单, 最后再放完成标记"


class Folder(Protocol):
    """A folder of files. What concerns one file raises OSError, what concerns the whole folder AgencyError."""

    def names(self) -> set[str]:
        """Return the names of the files that are there now."""

    def read(self, name: str, most: int) -> bytes:
        """Return the first ``most`` bytes of a file."""

    def size(self, name: str) -> int:
        """Return the bytes of a file."""

    def fetch(self, name: str, size: int) -> Path:
        """Return a local file with the content of one that should have ``size`` bytes."""

    def release(self, path: Path) -> None:
        """Take a fetched file back: it has been kept."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    rows: int | None
    size: int
    sha256: str
    full_set: bool


@dataclass(frozen=True, slots=True)
class _SoundFile:
    """A fetched file that is what its manifest says."""

    name: str
    path: Path
    manifest: _Manifest

    def piece(self, cursor: Cursor, *, last: bool) -> Piece:
        said = self.manifest
        return Piece(self.name, self.path, cursor, last, said.rows, said.sha256, full_set=said.full_set)


def pull_dated_files(folder: Folder, pattern: str, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield each finished file dated up to ``as_of`` that was not handed over before, by date and name.

    ``pattern`` is a file name with one ``{date}`` and ``*`` for anything. A piece's file is there until the next one
    is asked for.
    """
    present = folder.names()
    problems: list[Problem] = []
    known = cursor.get("done", {})
    done: dict[str, str] = {
        name: sha for name, sha in known.items() if not present.isdisjoint((name, f"{name}{_DONE}"))
    }
    told: list[str] = sorted(present.intersection(cursor.get("told", [])))
    for problem in _strays(pattern, present, as_of):
        if problem.file not in told:
            problems.append(problem)
            told.append(problem.file)

    def behind(file: _SoundFile) -> Cursor:
        done[file.name] = file.manifest.sha256
        return {"done": dict(done), **({"told": sorted(told)} if told else {})}

    finished = _finished(pattern, present, problems)
    cleared_away = done.keys() - present
    wanted = [name for day, name in finished if day <= as_of and name not in cleared_away]
    waiting: _SoundFile | None = None
    try:
        for file in _new_files(folder, wanted, dict(done), problems):
            if waiting:
                yield waiting.piece(behind(waiting), last=False)
                folder.release(waiting.path)
            waiting = file
    except AgencyUnavailable:
        if waiting:
            yield waiting.piece(behind(waiting), last=False)
        raise
    if waiting:
        yield waiting.piece(behind(waiting), last=True)
        folder.release(waiting.path)
    if problems:
        raise FilesRefusedError(tuple(problems))


def _new_files(
    folder: Folder, names: list[str], done: Mapping[str, str], problems: list[Problem]
) -> Iterator[_SoundFile]:
    for name in names:
        try:
            file = _check(folder, name, done.get(name))
        except DeliveryRefused as refused:
            problems.append(refused.problem)
        else:
            if file:
                yield file


def day_in_name(pattern: str, name: str) -> date | None:
    """Return the day in the name of a file of a stream; null for a name that is none of its files'."""
    match = _name_rule(pattern).fullmatch(name)
    return date.fromisoformat(match["date"]) if match else None


def _name_rule(pattern: str) -> re.Pattern[str]:
    before, after = (re.escape(part).replace(r"\*", ".*") for part in pattern.split("{date}"))
    return re.compile(f"{before}{_DATE}{after}")


def _finished(pattern: str, present: set[str], problems: list[Problem]) -> list[tuple[date, str]]:
    """Return (day, name) of the files of this stream whose done-mark is there, in order."""
    wanted = _name_rule(pattern)
    found = []
    for name in sorted(entry.removesuffix(_DONE) for entry in present if entry.endswith(_DONE)):
        match = wanted.fullmatch(name)
        if not match:
            continue
        try:
            found.append((date.fromisoformat(match["date"]), name))
        except ValueError:
            message = f"文件名中的日期 {match['date']} 不存在"
            problems.append(_problem("FILE_DATE", name, message, "请更正文件名后重新放置文件、清单和完成标记"))
    return sorted(found)


def _strays(pattern: str, present: set[str], as_of: date) -> Iterator[Problem]:
    """Tell of names that begin as this stream's do but fit no rule, and of files left without their done-mark."""
    wanted = _name_rule(pattern)
    beginning = re.split(r"\{date\}|\*", pattern)[0]
    begins = re.compile(f"{re.escape(beginning)}({_SOME_DATE}|(?!.*({_SOME_DATE})))", re.IGNORECASE)
    for name in sorted(present):
        base = name.removesuffix(_DONE).removesuffix(_MANIFEST)
        match = wanted.fullmatch(base)
        if not match:
            if beginning and begins.match(name):
                remedy = f"请按 {pattern} 命名后连同清单和完成标记重新放置, 或移走该文件"
                yield _problem("FILE_STRAY", name, "文件名不符合约定, 未读取", remedy, "warn")
        elif name == base and f"{name}{_DONE}" not in present:
            with contextlib.suppress(ValueError):
                if date.fromisoformat(match["date"]) < as_of:
                    message = "文件日期已过, 仍没有完成标记, 未读取"
                    yield _problem("FILE_UNFINISHED", name, message, f"请确认文件已传完, 再放 {name}{_DONE}", "warn")


def _check(folder: Folder, name: str, known_sha256: str | None) -> _SoundFile | None:
    """Hold a file against its manifest and look what it is; null where these bytes were handed over before."""
    manifest = _manifest(folder, name)
    if manifest.sha256 == known_sha256:
        return None
    try:
        actual_size = folder.size(name)
        if actual_size != manifest.size:
            message = f"文件为 {actual_size} 字节, 清单为 {manifest.size} 字节"
            raise DeliveryRefused(_problem("FILE_SIZE", name, message, _AGAIN))
        path = folder.fetch(name, manifest.size)
        with path.open("rb") as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
        if actual != manifest.sha256:
            raise DeliveryRefused(_other_content(folder, name, actual, manifest))
    except OSError as error:
        raise DeliveryRefused(_problem("FILE_READ", name, f"文件无法读取: {error.strerror}", _AGAIN)) from error
    source = Source(path, name, Limits())
    try:
        if told_format(source, name) == "html":
            raise WEB_PAGE.refusal(name)
    finally:
        source.close()
    return _SoundFile(name, path, manifest)


def _other_content(folder: Folder, name: str, actual: str, manifest: _Manifest) -> Problem:
    if folder.size(name) != manifest.size:
        return _problem("FILE_CHANGING", name, "文件在读取时仍在改动", "请先写完文件, 最后再放完成标记")
    message = f"文件的 SHA-256 为 {actual[:12]}…, 清单为 {manifest.sha256[:12]}…"
    return _problem("FILE_HASH", name, message, _AGAIN)


def _manifest(folder: Folder, name: str) -> _Manifest:
    """Return what the agency declared of a file."""
    manifest_name = f"{name}{_MANIFEST}"
    try:
        said = json.loads(folder.read(manifest_name, LARGEST_MANIFEST))
        manifest = _Manifest(said["rows"], said["size"], said["sha256"].lower(), said.get("full_set", False))
    except FileNotFoundError as error:
        raise DeliveryRefused(_problem("MANIFEST", name, "缺少清单文件", f"请补送 {manifest_name}")) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"清单无法读取, 须有 rows、size 和 sha256 ({type(error).__name__})"
        raise DeliveryRefused(_problem("MANIFEST", name, message, f"请重送 {manifest_name}")) from error
    sound = (
        (manifest.rows is None or type(manifest.rows) is int)
        and type(manifest.size) is int
        and type(manifest.full_set) is bool
        and re.fullmatch("[0-9a-f]{64}", manifest.sha256)
    )
    if not sound:
        message = "清单中 rows、size 须为整数, sha256 须为 64 位十六进制, full_set 须为 true 或 false"
        raise DeliveryRefused(_problem("MANIFEST", name, message, f"请重送 {manifest_name}"))
    return manifest


def _problem(rule: str, name: str, message: str, remedy: str, severity: str = "refuse") -> Problem:
    return Problem(rule, "warn" if severity == "warn" else "refuse", message, remedy, file=name)
