"""A folder as an agency fills it: dated files, each with manifest and done-mark, and what goes wrong while filling."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from simulator.faults import FaultKind, FaultSwitch
from simulator.servers.served import Served

Row = Mapping[str, str]
Writer = Callable[[Sequence[Row]], bytes]

_LOGIN_PAGE: Final = "<!DOCTYPE html><html><head><title>统一认证登录</title></head><body>请登录</body></html>".encode()
FOLDER_FAULTS: Final = (
    FaultKind.TRUNCATED,
    FaultKind.LOGIN_PAGE,
    FaultKind.EARLY_MARK,
    FaultKind.NO_MARK,
    FaultKind.STRAY_FILE,
    FaultKind.SENT_TWICE,
    FaultKind.OTHER_CHARSET,
)


def as_csv(rows: Sequence[Row], *, encoding: str = "gb18030") -> bytes:
    """Write rows as the offices export them: header of sheet codes, CR LF."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def drop_content(folder: Path, name: str, content: bytes, rows: int | None, *, full_set: bool = False) -> Path:
    """Put a file in place as an agency does: data, manifest, done-mark."""
    path = folder / name
    path.write_bytes(content)
    manifest = {"rows": rows, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    if full_set:
        manifest["full_set"] = True
    (folder / f"{name}.manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / f"{name}.done").touch()
    return path


def drop_file(folder: Path, name: str, rows: Sequence[Row], *, encoding: str = "gb18030") -> Path:
    """Write a CSV file with manifest and done-mark."""
    return drop_content(folder, name, as_csv(rows, encoding=encoding), len(rows))


class DropFolder(Served):
    """A folder of the shape that :mod:`simulator.servers` describes; faults befall what is published.

    ``page`` of a fault is ignored. ``TRUNCATED``: half of the file, with the manifest of the whole. ``LOGIN_PAGE``: a
    web page with a manifest of its own. ``EARLY_MARK``: the mark is there, half of the data and no manifest are.
    ``NO_MARK``: no done-mark. ``STRAY_FILE``: beside the file one whose name has no date. ``SENT_TWICE``: beside it
    the same under another name. ``OTHER_CHARSET``: UTF-8 for GB18030 and the other way round, where it is text.
    Publishing again without a fault puts everything right.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        self.folder: Final = folder
        self.faults: Final = FaultSwitch()
        self.start()

    def start(self) -> None:
        """Make the folder where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Nothing runs; the files stay."""

    @property
    def url(self) -> str:
        """The folder, fit for an endpoint."""
        return str(self.folder)

    def publish(
        self, path: str, day: date, rows: Sequence[Row], *, writer: Writer = as_csv, full_set: bool = False
    ) -> Path:
        """Write the file of a day; ``path`` is the pattern of the descriptor's transport."""
        name = file_name(path, day)
        whole = writer(rows)
        fault = self.faults.strike(0, FOLDER_FAULTS)
        kind = fault.kind if fault else None
        content = _as_handed_over(whole, kind)
        target = drop_content(self.folder, name, content, len(rows), full_set=full_set)
        if kind in (FaultKind.TRUNCATED, FaultKind.EARLY_MARK):
            target.write_bytes(content[: len(content) // 2])
        if kind is FaultKind.EARLY_MARK:
            target.with_name(f"{name}.manifest.json").unlink()
        if kind is FaultKind.NO_MARK:
            target.with_name(f"{name}.done").unlink()
        if kind is FaultKind.STRAY_FILE:
            target.with_name(re.sub(r"\d{4}-?\d{2}-?\d{2}", "最终版", name)).write_bytes(content)
        if kind is FaultKind.SENT_TWICE:
            drop_content(self.folder, file_name(path.replace("*", "_again"), day), content, len(rows))
        return target


def _as_handed_over(whole: bytes, fault: FaultKind | None) -> bytes:
    if fault is FaultKind.LOGIN_PAGE:
        return _LOGIN_PAGE
    if fault is not FaultKind.OTHER_CHARSET or whole.startswith(b"PK"):
        return whole
    try:
        return whole.decode("utf-8").encode("gb18030")
    except UnicodeDecodeError:
        return whole.decode("gb18030").encode("utf-8")


def file_name(pattern: str, day: date) -> str:
    """Return a name that fits a pattern of dated files."""
    return pattern.replace("{date}", f"{day:%Y%m%d}").replace("*", "")
