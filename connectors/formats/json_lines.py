"""JSON Lines: one object a line; a broken line is one damaged row. Row numbers are line numbers from 1."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from connectors.formats.encoding import Encoding
from connectors.formats.findings import EXCERPT_BYTES, Findings
from connectors.formats.flat_record import EXACT, as_row, is_object, member_names
from connectors.formats.header import clean_name, column_names
from connectors.formats.limits import Limits
from connectors.formats.rules import LONG_CELL, STRUCTURE, UNDECODABLE, UNREADABLE
from connectors.formats.screening import Row, batches_of
from connectors.formats.source import Source


@dataclass(frozen=True)
class JsonLines:
    """An opened JSON Lines file; ``positions`` maps each member name as sent to its column."""

    source: Source
    encoding: str
    columns: tuple[str, ...]
    positions: dict[str, int]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in file order."""
        return batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        for number, line, whole in _lines(self.source, findings.limits):
            shown = line[:EXCERPT_BYTES].decode(self.encoding, "replace")
            if not whole:
                findings.reject(LONG_CELL, number, shown, limit=findings.limits.cell_chars)
                continue
            try:
                value = EXACT.decode(line.decode(self.encoding))
            except UnicodeDecodeError:
                findings.reject(UNDECODABLE, number, shown, encoding=self.encoding.upper())
                continue
            except (json.JSONDecodeError, RecursionError):
                findings.reject(UNREADABLE, number, shown, what="不是完整的 JSON 对象")
                continue
            cells, wrong = as_row(value, self.positions)
            if wrong:
                findings.reject(STRUCTURE, number, shown, what=wrong)
            else:
                yield number, cells


def open_json_lines(source: Source, encoding: Encoding, findings: Findings) -> JsonLines:
    """Gather the member names of all lines in order of first appearance; one pass, nothing is kept.

    Raises DeliveryRefused when two names differ in blanks only (F06) or there are too many (F07).
    """
    name = "gb18030" if encoding == "gb18030" else "utf-8"
    positions: dict[str, int] = {}
    for _, line, whole in _lines(source, findings.limits):
        try:
            value = EXACT.decode(line.decode(name)) if whole else None
        except (ValueError, RecursionError):
            continue
        if is_object(value):
            for member in member_names(value):
                positions.setdefault(member, len(positions))
    return JsonLines(source, name, named_positions(positions, findings), positions)


def named_positions(positions: dict[str, int], findings: Findings) -> tuple[str, ...]:
    """Return the columns for member names, which must stay distinct when cleaned; a nameless one keeps its place."""
    named = column_names(list(positions), findings.file, findings.limits)
    return named + tuple(clean_name(member) for member in list(positions)[len(named) :])


def _lines(source: Source, limits: Limits) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, content and wholeness of each line that is not blank; an over-long one is cut."""
    source.stream.seek(0)
    number = 0
    while line := source.stream.readline(limits.record_bytes):
        number += 1
        whole = line.endswith(b"\n") or len(line) < limits.record_bytes
        text = (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()
        if text:
            yield number, text, whole
        while not whole:
            rest = source.stream.readline(limits.record_bytes)
            whole = rest.endswith(b"\n") or len(rest) < limits.record_bytes
