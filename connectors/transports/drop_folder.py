"""Dated files in a folder; a file counts only once its done-mark is there.

Beside ``NAME`` the agency writes ``NAME.manifest.json`` (``{"rows": 120, "sha256": "..", "size": 34567}``) and then,
last of all, an empty ``NAME.done``. The date in the name may be written 20180821 or 2018-08-21. A file whose size or
hash is not that of its manifest is left where it is and reported; the other files go on. A file that is sent again
with other bytes is another file.

Cursor: ``{"done": {name: sha256}}`` of the files handed over that still lie in the folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from connectors.descriptor import DropFolder, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyUnavailable, Cursor, FilesRefusedError, Piece
from transforms.problems import DeliveryRefused, Problem

_DATE: Final = r"(?P<date>\d{8}|\d{4}-\d{2}-\d{2})"
_MANIFEST: Final = ".manifest.json"
_DONE: Final = ".done"
_LARGEST_MANIFEST: Final = 1 << 16


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield each finished file dated up to ``as_of`` that was not handed over before, by date and name."""
    options = stream.transport
    if not isinstance(options, DropFolder):
        raise TypeError(f"stream {stream.id} is not read from a drop folder")
    folder = _folder(endpoint)
    try:
        present = {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise AgencyUnavailable(f"{folder}: the drop folder cannot be read: {error.strerror}") from error
    handed_over: dict[str, str] = cursor.get("done", {})
    done = {name: sha for name, sha in handed_over.items() if not present.isdisjoint((name, f"{name}{_DONE}"))}
    sound: list[_DroppedFile] = []
    problems: list[Problem] = []
    for day, name in _finished(options.pattern, present, problems):
        cleared_away = name in done and name not in present
        if day > as_of or cleared_away:
            continue
        try:
            file = _check(folder / name, done.get(name))
        except DeliveryRefused as refused:
            problems.append(refused.problem)
        else:
            sound += [file] if file else []
    for ordinal, file in enumerate(sound, start=1):
        done = {**done, file.path.name: file.sha256}
        last = ordinal == len(sound)
        yield Piece(file.path.name, file.path, {"done": done}, last, file.rows, file.sha256)
    if problems:
        raise FilesRefusedError(tuple(problems))


@dataclass(frozen=True, slots=True)
class _DroppedFile:
    path: Path
    rows: int
    sha256: str


def _folder(endpoint: Endpoint) -> Path:
    address = urlsplit(endpoint.url)
    return Path(unquote(address.path)) if address.scheme == "file" else Path(endpoint.url)


def _finished(pattern: str, present: set[str], problems: list[Problem]) -> list[tuple[date, str]]:
    """Return (day, name) of the files of this stream whose done-mark is there, in order."""
    before, after = (re.escape(part).replace(r"\*", ".*") for part in pattern.split("{date}"))
    wanted = re.compile(f"{before}{_DATE}{after}")
    found = []
    for name in sorted(entry.removesuffix(_DONE) for entry in present if entry.endswith(_DONE)):
        match = wanted.fullmatch(name)
        if not match:
            continue
        try:
            found.append((date.fromisoformat(match["date"]), name))
        except ValueError:
            problems.append(
                _problem(
                    "FILE_DATE",
                    name,
                    f"文件名中的日期 {match['date']} 不存在",
                    "请更正文件名后重新放置文件、清单和完成标记",
                )
            )
    return sorted(found)


def _check(path: Path, known_sha256: str | None) -> _DroppedFile | None:
    """Hold a file against its manifest; null where these bytes were handed over before."""
    again = "请对照原文件重新传送该文件及其清单, 最后再放完成标记"
    rows, size, sha256 = _manifest(path)
    if sha256 == known_sha256:
        return None
    try:
        actual_size = path.stat().st_size
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DeliveryRefused(_problem("FILE_READ", path.name, f"文件无法读取: {error.strerror}", again)) from error
    if actual_size != size:
        message = f"文件为 {actual_size} 字节, 清单为 {size} 字节"
        raise DeliveryRefused(_problem("FILE_SIZE", path.name, message, again))
    if actual != sha256:
        message = f"文件的 SHA-256 为 {actual[:12]}…, 清单为 {sha256[:12]}…"
        raise DeliveryRefused(_problem("FILE_HASH", path.name, message, again))
    return _DroppedFile(path, rows, sha256)


def _manifest(path: Path) -> tuple[int, int, str]:
    """Return rows, size in bytes and sha256 as the agency declared them."""
    name = f"{path.name}{_MANIFEST}"
    try:
        with path.with_name(name).open("rb") as file:
            manifest = json.loads(file.read(_LARGEST_MANIFEST))
        rows, size, sha256 = manifest["rows"], manifest["size"], manifest["sha256"].lower()
    except FileNotFoundError as error:
        raise DeliveryRefused(_problem("MANIFEST", path.name, "缺少清单文件", f"请补送 {name}")) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"清单无法读取, 须有 rows、size 和 sha256 ({type(error).__name__})"
        raise DeliveryRefused(_problem("MANIFEST", path.name, message, f"请重送 {name}")) from error
    if type(rows) is not int or type(size) is not int or not re.fullmatch("[0-9a-f]{64}", sha256):
        message = "清单中 rows、size 须为整数, sha256 须为 64 位十六进制"
        raise DeliveryRefused(_problem("MANIFEST", path.name, message, f"请重送 {name}"))
    return rows, size, sha256


def _problem(rule: str, name: str, message: str, remedy: str) -> Problem:
    return Problem(rule, "refuse", message, remedy, file=name)
