"""JSON as one value: an array of objects, or an object that holds one. Rows are decoded one at a time.

Row numbers count records from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from connectors.formats.encoding import Encoding
from connectors.formats.findings import Findings
from connectors.formats.flat_record import EXACT, as_row, member_names
from connectors.formats.json_lines import named_positions
from connectors.formats.rules import BROKEN_JSON, NO_TABLE, STRUCTURE, TOO_LARGE, UNKNOWN_ENCODING
from connectors.formats.screening import Row, batches_of
from connectors.formats.source import Source

USUAL_PLACES: Final = (
    "rows",
    "data",
    "list",
    "records",
    "ROWDATA.ROW",
    "DATAS.DATA",
    "data.rows",
    "data.list",
    "data.records",
)
"""Where the rows of an object are looked for, in this order, when no path is given."""

_BLANK: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class JsonValue:
    """An opened JSON value: ``start`` is the place in ``text`` of the array (or lone object) of rows."""

    text: str
    start: int
    columns: tuple[str, ...]
    positions: dict[str, int]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in file order."""
        return batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        for number, (value, begin, end) in enumerate(_elements(self.text, self.start), start=1):
            cells, wrong = as_row(value, self.positions)
            if wrong:
                findings.reject(STRUCTURE, number, self.text[begin : min(end, begin + 1000)], what=wrong)
            else:
                yield number, cells


def open_json(source: Source, encoding: Encoding, rows_at: str | None, findings: Findings) -> JsonValue:
    """Read the text, find the rows at ``rows_at`` or a usual place, gather the member names in a first pass.

    An object whose members are all scalars is one record. Raises DeliveryRefused: larger than
    ``limits.whole_json_bytes`` (F08), undecodable (F04), broken or cut off (F11), no rows found (F05).
    """
    most = findings.limits.whole_json_bytes
    if source.size > most:
        raise TOO_LARGE.refusal(findings.file, what=f"JSON 超过 {most >> 20} MB")
    try:
        text = source.head(source.size).decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UNKNOWN_ENCODING.refusal(findings.file, what="JSON 含有无法解码的字节") from error
    positions: dict[str, int] = {}
    try:
        start = _rows_start(text, rows_at)
        if start is not None:
            for value, _, _ in _elements(text, start):
                for name in member_names(value):
                    positions.setdefault(name, len(positions))
    except json.JSONDecodeError as error:
        raise BROKEN_JSON.refusal(findings.file, line=error.lineno) from error
    except RecursionError as error:
        raise NO_TABLE.refusal(findings.file, what="JSON 嵌套过深") from error
    if start is None:
        where = f"“{rows_at}”" if rows_at else "常用位置(rows、data、list、records 等)"
        raise NO_TABLE.refusal(findings.file, what=f"JSON 在{where}没有找到记录")
    return JsonValue(text, start, named_positions(positions, findings), positions)


def _rows_start(text: str, rows_at: str | None) -> int | None:
    begin = _skip_blank(text, 0)
    value, end = EXACT.raw_decode(text, begin)
    if (rest := _skip_blank(text, end)) != len(text):
        raise json.JSONDecodeError("Extra data", text, rest)
    if text[begin] == "[" and rows_at is None:
        return begin
    places = [rows_at] if rows_at else USUAL_PLACES
    for place in places:
        if (found := _at(text, begin, place.split("."))) is not None:
            return found
    scalars = isinstance(value, list) and all(not isinstance(cell, list) for _, cell in value)
    return begin if rows_at is None and value and scalars else None


def _at(text: str, begin: int, path: Sequence[str]) -> int | None:
    """Return the place of the array or object at ``path`` below the object at ``begin``."""
    for step in path:
        if text[begin] != "{":
            return None
        for name, place in _members(text, begin):
            if name == step:
                begin = place
                break
        else:
            return None
    return begin if text[begin] in "[{" and (text[begin] == "[" or len(path) > 1) else None


def _members(text: str, begin: int) -> Iterator[tuple[str, int]]:
    position = _skip_blank(text, begin + 1)
    while text[position] != "}":
        name, position = EXACT.raw_decode(text, position)
        place = _skip_blank(text, _skip_blank(text, position) + 1)
        yield name, place
        _, position = EXACT.raw_decode(text, place)
        position = _skip_blank(text, position)
        if text[position] == ",":
            position = _skip_blank(text, position + 1)


def _elements(text: str, begin: int) -> Iterator[tuple[Any, int, int]]:
    """Yield value, start and end of each element of the array at ``begin``; an object there is its own element."""
    if text[begin] == "{":
        value, end = EXACT.raw_decode(text, begin)
        yield value, begin, end
        return
    position = _skip_blank(text, begin + 1)
    while text[position] != "]":
        value, end = EXACT.raw_decode(text, position)
        yield value, position, end
        position = _skip_blank(text, end)
        if text[position] == ",":
            position = _skip_blank(text, position + 1)


def _skip_blank(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position
