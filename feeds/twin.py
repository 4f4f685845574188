"""Full files that two sites share, written once.

The two sites of a family (信用中国 and 信用北京; gsxt and 北京市企业信用信息网) take the same columns of the same
records, written alike. When both are published in one run from the same rows, the second site's full files are the
first one's: the same bytes by hard link where nothing differs, the same rows under another head where only the head
does (a byte order mark, the name of the XML root). Whoever calls says that the rows are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from feeds.hashed_file import BLOCK, write_lines
from feeds.manifest import FORMATS, MANIFEST, FileEntry, Manifest, Part, part_file
from feeds.part_files import Frame, file_entry, frame_of
from feeds.sites import Site, Table
from transforms.columns import Kind


def reads_alike(table: Table, site: Site, other: Site) -> bool:
    """Tell whether the same rows of ``table`` are written the same, letter by letter, for two sites."""
    return table in other.tables and (
        (site.date_format, site.permanent_date, site.xml.row)
        == (other.date_format, other.permanent_date, other.xml.row)
    )


@dataclass(frozen=True, slots=True)
class Twin:
    """A finished release of another site, made from the same rows of ``kinds``."""

    site: Site
    directory: Path
    kinds: frozenset[Kind]

    def serves(self, table: Table, site: Site) -> bool:
        """Tell whether rows of ``table`` read the same, letter by letter, on both sites."""
        return table.kind in self.kinds and reads_alike(table, site, self.site)

    def write_full(self, table: Table, site: Site, into: Path) -> Mapping[str, FileEntry]:
        """Make the full files of ``table`` in ``into`` from this release's own; return their manifest entries."""
        known = Manifest.from_bytes((self.directory / MANIFEST).read_bytes()).files
        entries: dict[str, FileEntry] = {}
        for form in FORMATS:
            name = part_file(table.table, Part.FULL, form)
            frame, own = frame_of(form, table.codes, self.site), frame_of(form, table.codes, site)
            if frame == own:
                (into / name).hardlink_to(self.directory / name)
                entries[name] = known[name]
            else:
                hashes = write_lines(into / name, _reframed(self.directory / name, frame, own))
                entries[name] = file_entry(known[name].rows, hashes)
        return entries

    def has_linked(self, table: Table, into: Path) -> bool:
        """Tell whether the full files of ``table`` in ``into`` are this release's very files."""
        names = [part_file(table.table, Part.FULL, form) for form in FORMATS]
        return all((into / name).samefile(self.directory / name) for name in names)


def _reframed(path: Path, frame: Frame, own: Frame) -> Iterator[bytes]:
    rows = path.stat().st_size - len(frame[0]) - len(frame[1])
    yield own[0]
    with path.open("rb") as stream:
        stream.seek(len(frame[0]))
        while rows:
            block = stream.read(min(BLOCK, rows))
            rows -= len(block)
            yield block
    yield own[1]
