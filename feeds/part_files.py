"""The files of one table of a release, in three formats: full, delta, tombstones, hashed on their way to disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from feeds import algebra
from feeds.hashed_file import BLOCK, FileHashes, write_lines
from feeds.line_stream import write_rows
from feeds.manifest import FORMATS, FileEntry, Part, part_file
from feeds.row_text import (
    csv_header,
    csv_line,
    csv_text,
    day_text,
    json_line,
    json_text,
    xml_head,
    xml_line,
    xml_tail,
    xml_text,
)
from feeds.site_schema import tombstone_columns
from feeds.sites import Site, Table

Frame = tuple[bytes, bytes]
"""What stands before and after the rows of a file."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A tombstone: why the record of ``key`` is no longer shown."""

    key: str
    reason_code: str | None
    reason: str | None
    legal_basis: str | None
    effective_date: dt.date | None
    successor_key: str | None


def frame_of(form: str, codes: Sequence[str], site: Site) -> Frame:
    """Return what stands before and after the rows of a file with these columns."""
    if form == "csv":
        return csv_header(codes, bom=site.csv.bom), b""
    if form == "xml":
        return xml_head(site.xml.root), xml_tail(site.xml.root)
    return b"", b""


def _frames(site: Site, codes: Sequence[str]) -> dict[str, Frame]:
    return {form: frame_of(form, codes, site) for form in FORMATS}


def file_entry(rows: int | None, hashes: FileHashes) -> FileEntry:
    """Return what the manifest says of a file; ``rows`` is null for one without any."""
    return FileEntry(rows=rows, bytes=hashes.bytes, sha256=hashes.sha256, sm3=hashes.sm3)


def write_full(table: Table, site: Site, sorted_rows: Sequence[Path], into: Path) -> dict[str, FileEntry]:
    """Write the full files of a table from its sorted rows, a format per thread; return their manifest entries."""
    frames = _frames(site, table.codes)
    lines = {
        "csv": csv_line(table.columns),
        "jsonl": json_line(table.columns),
        "xml": xml_line(table.columns, site),
    }
    names = _names(table, Part.FULL)
    with ThreadPoolExecutor(len(FORMATS)) as pool:
        writing = {
            form: pool.submit(write_rows, sorted_rows, lines[form], into / names[form], *frames[form])
            for form in FORMATS
        }
        return {names[form]: file_entry(*written.result()) for form, written in writing.items()}


def _picked(path: Path, skip: int, ordinals: Sequence[int]) -> Iterator[bytes]:
    """Yield the lines of ``path`` whose number, counted from 0 after the first ``skip`` lines, is in ``ordinals``."""
    with path.open("rb", buffering=BLOCK) as stream:
        at = 0
        lines = islice(stream, skip, None)
        for ordinal in ordinals:
            yield next(islice(lines, ordinal - at, None))
            at = ordinal + 1


def write_delta(table: Table, site: Site, into: Path, ordinals: Sequence[int]) -> dict[str, FileEntry]:
    """Write the delta of a table: the very lines of its full files that have these numbers, counted from 0."""
    frames = _frames(site, table.codes)
    full = {form: into / name for form, name in _names(table, Part.FULL).items()}
    wanted = set(ordinals)
    rows: dict[str, Iterable[bytes]] = {
        "csv": (row for i, (_, row) in enumerate(algebra.keyed_rows(full["csv"])) if i in wanted),
        "jsonl": _picked(full["jsonl"], 0, ordinals),
        "xml": _picked(full["xml"], frames["xml"][0].count(b"\n"), ordinals),
    }
    return {
        name: file_entry(len(ordinals), write_lines(into / name, _framed(frames[form], rows[form])))
        for form, name in _names(table, Part.DELTA).items()
    }


def _names(table: Table, part: Part) -> dict[str, str]:
    return {form: part_file(table.table, part, form) for form in FORMATS}


def _framed(frame: Frame, rows: Iterable[bytes]) -> Iterator[bytes]:
    yield frame[0]
    yield from rows
    yield frame[1]


def link_first_delta(table: Table, into: Path, full: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """Make the delta of a first release, which is the full file itself, by hard link."""
    entries = {}
    for whole, name in zip(_names(table, Part.FULL).values(), _names(table, Part.DELTA).values(), strict=True):
        (into / name).hardlink_to(into / whole)
        entries[name] = full[whole]
    return entries


def write_tombstones(table: Table, site: Site, into: Path, gone: Sequence[Gone]) -> dict[str, FileEntry]:
    """Write the tombstones of a table, in the order given."""
    codes = [column.code for column in tombstone_columns(table)]
    cells = [
        (
            one.key,
            one.reason_code,
            one.reason,
            one.legal_basis,
            day_text(one.effective_date, site) if one.effective_date else None,
            one.successor_key,
        )
        for one in gone
    ]
    frames = _frames(site, codes)
    rows = {
        "csv": (csv_text(row).encode() for row in cells),
        "jsonl": (json_text(codes, row).encode() for row in cells),
        "xml": (xml_text(site.xml.row, codes, row).encode() for row in cells),
    }
    return {
        name: file_entry(len(cells), write_lines(into / name, _framed(frames[form], rows[form])))
        for form, name in _names(table, Part.TOMBSTONES).items()
    }
