"""Where a record of delimited text ends: exactly as the parser (pyarrow.csv, RFC 4180) sees it.

A quote opens a quoted field only as the first character of a field; inside, two quotes are one; after the closing
quote the rest up to the delimiter belongs to the field. Outside quotes CR, LF and CR LF end a record. All of these
bytes are below 0x30, so that the rules hold on the raw bytes of UTF-8 and of GB18030 alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

import numpy as np

_FIELD: Final = {
    mark: re.compile(
        rb'(?:(?P<open>")(?P<quoted>[^"]*(?:""[^"]*)*)(?P<close>"?))?(?P<plain>[^%b\r\n]*)(?P<end>%b|\r\n|\r|\n|\Z)'
        % (mark, mark)
    )
    for mark in (b",", b"\t")
}


class End(Enum):
    """How a record stops: at a line end, with the data (it may be whole), or inside a quote that is still open."""

    LINE = "line"
    DATA = "data"
    OPEN_QUOTE = "open quote"


def split_records(data: bytes, delimiter: bytes) -> Iterator[tuple[int, int, End]]:
    """Yield start, end (line end included) and kind of end of each record of ``data``, which starts with a record."""
    start = position = 0
    match_field = _FIELD[delimiter].match
    while position < len(data):
        match = match_field(data, position)
        if match is None:
            raise AssertionError("the pattern of a field matches everywhere")
        position = match.end()
        if match["end"] == delimiter:
            continue
        if match["open"] and not match["close"]:
            yield start, position, End.OPEN_QUOTE
        else:
            yield start, position, End.LINE if match["end"] else End.DATA
        start = position
    if start < position:
        yield start, position, End.DATA


def fields(record: bytes, delimiter: bytes) -> list[bytes]:
    """Return the fields of one record, quotes resolved."""
    found = []
    position = 0
    while match := _FIELD[delimiter].match(record, position):
        found.append((match["quoted"] or b"").replace(b'""', b'"') + match["plain"])
        position = match.end()
        if match["end"] != delimiter:
            break
    return found


def complete_until(data: bytes, delimiter: bytes) -> int:
    """Return the length of the longest prefix of ``data`` that holds only complete records and ends in LF."""
    if b'"' not in data:
        return data.rfind(b"\n") + 1
    if _regularly_quoted(data, delimiter):
        return _last_end_outside_quotes(data)
    last = 0
    for _, end, kind in split_records(data, delimiter):
        if kind is End.LINE and data[end - 1 : end] == b"\n":
            last = end
    return last


def _regularly_quoted(data: bytes, delimiter: bytes) -> bool:
    """Say whether every second quote opens a field or follows a quote: then parity tells in from out."""
    content = np.frombuffer(data, dtype=np.uint8)
    opening = np.flatnonzero(content == ord('"'))[0::2]
    before = content[opening[opening > 0] - 1]
    return bool(np.isin(before, np.frombuffer(b'"\r\n' + delimiter, dtype=np.uint8)).all())


def _last_end_outside_quotes(data: bytes) -> int:
    quotes_before = data.count(b'"')
    stop = len(data)
    while (newline := data.rfind(b"\n", 0, stop)) >= 0:
        quotes_before -= data.count(b'"', newline, stop)
        if quotes_before % 2 == 0:
            return newline + 1
        stop = newline
    return 0
