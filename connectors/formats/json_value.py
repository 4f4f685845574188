"""JSON as one value: an array of objects, or an object that holds one. Rows are decoded one at a time.

Row numbers count records from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from connectors.formats.encoding import Encoding, decoded
from connectors.formats.findings import EXCERPT_CHARS, Findings
from connectors.formats.flat_record import EXACT, as_row, member_names
from connectors.formats.json_lines import named_positions
from connectors.formats.rules import BROKEN_JSON, NO_TABLE, STRUCTURE, TOO_LARGE, UNDECODABLE
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

_LONE_RECORD: Final = ("ROWDATA.ROW", "DATAS.DATA")
"""What was XML once writes a single record without an array around it."""

_SKIM: Final = json.JSONDecoder(strict=False, parse_float=str, parse_int=str, object_pairs_hook=lambda _members: None)
"""Finds where a value ends, and that it is whole, without keeping it."""

_BLANK: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class JsonValue:
    """An opened JSON value: ``start`` is the place in ``text`` of the array (or lone object) of rows.

    ``spoilt``: bytes that could not be decoded stand in ``text`` as U+FFFD; a row that holds one is damaged.
    """

    text: str
    spoilt: bool
    start: int
    columns: tuple[str, ...]
    positions: dict[str, int]

    def batches(self, findings: Findings) -> Iterator[pa.RecordBatch]:
        """Yield the screened batches, in file order."""
        return batches_of(self._rows(findings), self.columns, findings)

    def _rows(self, findings: Findings) -> Iterator[Row]:
        for number, (value, begin, end) in enumerate(_elements(self.text, self.start), start=1):
            cells, wrong = as_row(value, self.positions)
            shown = self.text[begin : min(end, begin + 2 * EXCERPT_CHARS)]
            if self.spoilt and self.text.find("\ufffd", begin, end) >= 0:
                findings.reject(UNDECODABLE, number, shown, encoding="UTF-8/GB18030")
            elif wrong:
                findings.reject(STRUCTURE, number, shown, what=wrong)
            else:
                yield number, cells


def open_json(source: Source, encoding: Encoding, rows_at: str | None, findings: Findings) -> JsonValue:
    """Read the text, find the rows at ``rows_at`` or a usual place, gather the member names in a first pass.

    An object whose members are all scalars is one record. Raises DeliveryRefused: larger than
    ``limits.whole_json_bytes`` (F08), broken or cut off (F11), no rows found (F05).
    """
    most = findings.limits.whole_json_bytes
    if source.size > most:
        raise TOO_LARGE.refusal(findings.file, what=f"JSON 超过 {most >> 20} MB")
    content = source.head(source.size)
    text, sound = decoded(content, encoding)
    text = text.removeprefix("\ufeff")
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
    return JsonValue(text, not sound, start, named_positions(positions, findings), positions)


def _rows_start(text: str, rows_at: str | None) -> int | None:
    begin = _skip_blank(text, 0)
    _, end = _SKIM.raw_decode(text, begin)
    if (rest := _skip_blank(text, end)) != len(text):
        raise json.JSONDecodeError("Extra data", text, rest)
    if rows_at:
        found = _at(text, begin, rows_at)
        return found if found is not None and text[found] in "[{" else None
    if text[begin] == "[":
        return begin
    for place in USUAL_PLACES:
        found = _at(text, begin, place)
        if found is not None and (text[found] == "[" or (text[found] == "{" and place in _LONE_RECORD)):
            return found
    members = [text[place] for _, place in _members(text, begin)]
    return begin if members and not any(opening in "[{" for opening in members) else None


def _at(text: str, begin: int, path: str) -> int | None:
    """Return where the value at the dotted ``path`` below the value at ``begin`` begins."""
    for step in path.split("."):
        places = dict(_members(text, begin)) if text[begin] == "{" else {}
        if step not in places:
            return None
        begin = places[step]
    return begin


def _members(text: str, begin: int) -> Iterator[tuple[str, int]]:
    """Yield the name of each member of the object at ``begin``, and where its value begins."""
    position = _skip_blank(text, begin + 1)
    while text[position] != "}":
        name, position = _SKIM.raw_decode(text, position)
        place = _skip_blank(text, _skip_blank(text, position) + 1)
        yield name, place
        _, position = _SKIM.raw_decode(text, place)
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
