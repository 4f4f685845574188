"""Releases for lists, and what stands in the files of one."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from feeds.manifest import MANIFEST, Manifest, Part, part_file
from feeds.visible import release_directory
from pipeline.office import Office
from store.schema import release

PAGE: Final = 30
SAMPLE: Final = 20
"""Rows of a file that a page shows."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A visible release in a list; ``summary`` has rows per table: full, delta, tombstones."""

    release_id: int
    site: str
    sequence: int
    as_of: dt.date
    manifest_sha256: str | None
    summary: Mapping[str, Mapping[str, Any]]


_LISTED = (
    release.c.release_id, release.c.site, release.c.sequence, release.c.as_of, release.c.manifest_sha256,
    release.c.summary,
)  # fmt: skip


def list_releases(office: Office, site: str, *, before: int | None = None) -> list[Listed]:
    """Return the releases of a site, newest first; ``before`` is the last number of the page before."""
    query = sa.select(*_LISTED).where(release.c.site == site, release.c.state == "visible")
    if before is not None:
        query = query.where(release.c.sequence < before)
    with office.engine.connect() as connection:
        rows = connection.execute(query.order_by(release.c.sequence.desc()).limit(PAGE))
        return [Listed(*row[:5], row.summary or {}) for row in rows]


def read_release(office: Office, site: str, sequence: int) -> Listed | None:
    """Return one visible release."""
    query = sa.select(*_LISTED).where(
        release.c.site == site, release.c.sequence == sequence, release.c.state == "visible"
    )
    with office.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Listed(*row[:5], row.summary or {})


def directory_of(office: Office, listed: Listed) -> Path:
    """Return where the files of a release lie."""
    return release_directory(office.settings.feeds / listed.site, listed.sequence)


def manifest_of(directory: Path) -> Manifest | None:
    """Return the manifest; nothing where the release is no longer kept on this machine."""
    try:
        return Manifest.from_bytes((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Head:
    """The first rows of one file of a release, as they were published."""

    name: str
    rows: int
    columns: tuple[str, ...]
    first: tuple[tuple[str, ...], ...]


def head_of(directory: Path, manifest: Manifest, table: str, part: Part) -> Head:
    """Read the first rows of a part in its CSV form."""
    name = part_file(table, part, "csv")
    with (directory / name).open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        columns = tuple(next(reader, ()))
        first = tuple(tuple(row) for row in islice(reader, SAMPLE))
    return Head(name, manifest.files[name].rows or 0, columns, first)
