"""XML: the child elements of a container are records, their child elements are cells. Parsed by expat, as a stream.

Expat hands out text in pieces, so that a cell of megabytes damages one row and not the file; a document type
definition is refused at its first character, so that no entity is ever declared; nothing outside the file is read.
The declared encoding is not asked: the content is decoded before it is parsed. Row numbers count records from 1.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from connectors.formats.encoding import Encoding
from connectors.formats.findings import Findings, row_text
from connectors.formats.header import column_names
from connectors.formats.rules import (
    LONG_CELL,
    NO_TABLE,
    STRUCTURE,
    TOO_MANY_COLUMNS,
    UNDECODABLE,
    UNKNOWN_ENCODING,
    FormatRule,
)
from connectors.formats.safe_xml import fed, safe_parser
from connectors.formats.screening import Row, batches_of
from connectors.formats.source import Source

CONTAINERS: Final = ("ROWDATA", "DATAS")
"""Elements whose children are records, wherever they stand; without one it is the root."""

_DEEPEST: Final = 8
"""How deep a container may stand; in a SOAP envelope it is the fifth element from the root."""

_DECLARED: Final = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_KNOWN_ENCODINGS: Final = ("utf-8", "utf8", "us-ascii", "ascii", "gbk", "gb2312", "gb18030")


@dataclass
class _Names:
    """What the first pass finds: columns by order of first appearance, per container path the names of records."""

    records: dict[tuple[str, ...], dict[str, None]] = field(default_factory=dict)
    cells: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        path = self.path
        name = name.rpartition(":")[2]
        if 1 <= len(path) <= _DEEPEST:
            self.records.setdefault(tuple(path), {}).setdefault(name)
        if 2 <= len(path) <= _DEEPEST + 1:
            names = self.cells.setdefault(tuple(path[:-1]), {})
            names.setdefault(name, len(names))
        path.append(name)

    def end(self, _name: str) -> None:
        self.path.pop()


@dataclass
class _Rows:
    """Builds the rows of the second pass; ``done`` holds those that the parser has passed.

    ``level``: 0 outside the container, 1 between its records, 2 in a record, 3 in a cell, more in what is nested.
    """

    container: tuple[str, ...]
    positions: dict[str, int]
    findings: Findings
    spoilt: bool
    done: list[Row] = field(default_factory=list)
    number: int = 0
    level: int = 0
    path: list[str] = field(default_factory=list)
    cells: list[str | None] = field(default_factory=list)
    cell: str = ""
    filled: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    chars: int = 0
    attributes: bool = False
    wrong: tuple[FormatRule, str, dict[str, Any]] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        level = self.level
        if level == 2:
            self._stray_text()
            self.cell = name = name.rpartition(":")[2]
            if name in self.filled:
                self._spoil(STRUCTURE, name, what=f"数据项“{name}”重复")
            self.filled.add(name)
        elif level == 1:
            self.number += 1
            self.cells = [None] * len(self.positions)
            self.filled = set()
            self.wrong = None
            self.attributes = bool(attributes)
            self.text, self.chars = [], 0
        elif level == 0:
            self.path.append(name.rpartition(":")[2])
            self.level = int(tuple(self.path) == self.container)
            return
        else:
            self._spoil(STRUCTURE, self.cell, what=f"数据项“{self.cell}”含有下级内容")
        self.level = level + 1

    def data(self, text: str) -> None:
        if self.level >= 2:
            self.chars += len(text)
            if self.chars <= self.findings.limits.cell_chars:
                self.text.append(text)

    def end(self, _name: str) -> None:
        self.level = level = max(self.level - 1, 0)
        if level == 2:
            self._end_cell()
        elif level == 1:
            self._end_record()
        elif level == 0:
            self.path.pop()

    def _end_cell(self) -> None:
        limit = self.findings.limits.cell_chars
        if self.chars > limit:
            self._spoil(LONG_CELL, self.cell, limit=limit)
        if self.text:
            cell = "".join(self.text)
            if self.spoilt and "\ufffd" in cell:
                self._spoil(UNDECODABLE, self.cell, encoding="UTF-8/GB18030")
            self.cells[self.positions[self.cell]] = cell
            self.text, self.chars = [], 0

    def _end_record(self) -> None:
        self._stray_text()
        if self.attributes and not self.filled:
            self._spoil(STRUCTURE, what="数据项写成了属性,应写成下级元素")
        if self.wrong:
            rule, column, values = self.wrong
            self.findings.reject(rule, self.number, row_text(self.cells), column, **values)
        else:
            self.done.append((self.number, self.cells))

    def _stray_text(self) -> None:
        if self.text:
            if "".join(self.text).strip():
                self._spoil(STRUCTURE, what="记录里有不属于任何数据项的文字")
            self.text, self.chars = [], 0

    def _spoil(self, rule: FormatRule, name: str = "", **values: Any) -> None:
        self.wrong = self.wrong or (rule, name, values)


@dataclass(frozen=True)
class XmlRows:
    """An opened XML file; the records are the children of the element at path ``container``."""

    source: Source
    encoding: str
    sound: bool
    container: tuple[str, ...]
    columns: tuple[str, ...]
    positions: dict[str, int]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in file order."""
        return batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        rows = _Rows(self.container, self.positions, findings, spoilt=not self.sound)
        parser = safe_parser()
        parser.StartElementHandler = rows.start
        parser.EndElementHandler = rows.end
        parser.CharacterDataHandler = rows.data
        for _ in fed(parser, self.source, self.encoding, findings.file):
            yield from rows.done
            rows.done.clear()


def open_xml(source: Source, encoding: Encoding, sound: bool, rows_at: str | None, findings: Findings) -> XmlRows:
    """Parse the whole file once: it must be well-formed to its end, and all names of cells are gathered.

    ``sound`` is false where U+FFFD may stand for something that was lost before, in a document around this one.
    Raises DeliveryRefused: malformed or cut off (F09), a document type definition (F10), an encoding declared that
    the exchange does not know (F04), no records or records of several names (F05).
    """
    file = findings.file
    declared = _DECLARED.match(source.head(200).removeprefix(codecs.BOM_UTF8).lstrip())
    if declared and declared[1].decode().lower() not in _KNOWN_ENCODINGS:
        raise UNKNOWN_ENCODING.refusal(file, what=declared[1].decode())
    name = "gb18030" if encoding == "gb18030" else "utf-8"
    names = _Names()
    parser = safe_parser()
    parser.StartElementHandler = names.start
    parser.EndElementHandler = names.end
    most = 4 * findings.limits.columns
    for decoded in fed(parser, source, name, file):
        sound = sound and decoded
        counts = [*map(len, names.records.values()), *map(len, names.cells.values())]
        if max(counts, default=0) > most:
            raise TOO_MANY_COLUMNS.refusal(file, count=max(counts), limit=findings.limits.columns)
    paths = [path for path in names.records if _is_container(path, rows_at)]
    container = paths[0] if paths else None
    if container is None and rows_at is None:
        container = next(iter(names.records), ("",))
    if container is None or len(paths) > 1:
        raise NO_TABLE.refusal(file, what=f"XML 中没有找到唯一的记录位置“{rows_at or '、'.join(CONTAINERS)}”")
    records = names.records.get(container, {})
    if len(records) > 1:
        raise NO_TABLE.refusal(file, what=f"XML 的记录元素不止一种:{'、'.join(list(records)[:5])}")
    positions = names.cells.get(container, {})
    columns = column_names(list(positions), file, findings.limits)
    return XmlRows(source, name, sound, container, columns, positions)


def _is_container(path: tuple[str, ...], rows_at: str | None) -> bool:
    return ".".join(path) == rows_at if rows_at else path[-1] in CONTAINERS
