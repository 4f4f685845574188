"""Where a record of delimited text ends: exactly as the parser (pyarrow.csv, RFC 4180) sees it.

A quote opens a quoted field only as the first character of a field; inside, two quotes are one; the closing quote must
stand before a delimiter or a line end. Outside quotes CR, LF and CR LF end a record. All of these bytes are below
0x30, so that the rules hold on the raw bytes of UTF-8 and of GB18030 alike.

The parser lets text after a closing quote pass and drops the quotes. Here such a record is badly quoted: most often a
quote that was never closed has run into the next quoted field, rows further down, and two rows would become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

_MARKS: Final = (b",", b"\t")

_FIELD: Final = {
    mark: re.compile(
        rb'(?:(?P<open>")(?P<quoted>[^"]*(?:""[^"]*)*)(?P<close>"?))?(?P<plain>[^%b\r\n]*)(?P<end>%b|\r\n|\r|\n|\Z)'
        % (mark, mark)
    )
    for mark in _MARKS
}

_UNQUOTED_RECORD: Final = {
    mark: re.compile(rb'(?:(?:[^"%b\r\n][^%b\r\n]*+)?%b)*+(?:[^"%b\r\n][^%b\r\n]*+)?(?:\r\n|\r|\n)' % (5 * (mark,)))
    for mark in _MARKS
}
"""A record none of whose fields begins with a quote: most are, and are passed over in one match."""

_FIELD_AFTER_UNQUOTED: Final = {
    mark: re.compile(rb'(?:(?:[^"%b\r\n][^%b\r\n]*+)?%b)*+' % (3 * (mark,)) + _FIELD[mark].pattern) for mark in _MARKS
}


_STRETCH: Final = 1 << 18
"""Bytes in which quotes are looked for at once: what is noted about them stays in the processor's own memory."""


class End(Enum):
    """How a record stops: at a line end, at the end of the data (it may go on), or badly quoted."""

    LINE = "line"
    DATA = "data"
    BAD_QUOTE = "bad quote"


def split_records(data: bytes, delimiter: bytes, *, final: bool) -> Iterator[tuple[int, int, End]]:
    """Yield start, end (line end included) and kind of end of each record of ``data``, which starts with a record.

    Of a badly quoted record only the first line is yielded; reading resumes on the next line. ``final`` says that
    nothing follows: then a quote that is still open is bad too, and only then.
    """
    start = 0
    match_unquoted = _UNQUOTED_RECORD[delimiter].match
    while start < len(data):
        if unquoted := match_unquoted(data, start):
            end, kind = unquoted.end(), End.LINE
        else:
            end, kind = _quoted_record(data, start, delimiter, final=final)
        if kind is End.BAD_QUOTE:
            end = data.find(b"\n", start, end) + 1 or end
        yield start, end, kind
        start = end


def _quoted_record(data: bytes, start: int, delimiter: bytes, *, final: bool) -> tuple[int, End]:
    match_field = _FIELD_AFTER_UNQUOTED[delimiter].match
    position = start
    bad = False
    while match := match_field(data, position):
        position = match.end()
        opened = bool(match["open"]) and not match["close"]
        bad = bad or (opened and final) or bool(match["close"] and match["plain"])
        if match["end"] == delimiter and not (bad and b"\n" in (match["quoted"] or b"")):
            continue
        whole = final or bool(match["end"]) or b"\n" in data[start:position]
        return position, End.BAD_QUOTE if bad and whole else End.LINE if match["end"] and not opened else End.DATA
    return position, End.DATA


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


def complete_until(data: bytes, delimiter: bytes) -> int | None:
    """Return the length of the longest prefix of ``data`` that holds only complete records and ends in LF.

    None when quotes stand where they are neither a field's first nor last character nor a pair: then only
    ``split_records`` can tell.
    """
    content = np.frombuffer(data, dtype=np.uint8)
    known = b'"\r\n' + delimiter
    quotes = 0
    for start in range(0, len(data), _STRETCH):
        places = np.flatnonzero(content[start : start + _STRETCH] == ord('"')) + start
        opening, closing = places[quotes % 2 :: 2], places[1 - quotes % 2 :: 2]
        before = content.take(opening[np.searchsorted(opening, 1) :] - 1)
        after = content.take(closing[: np.searchsorted(closing, len(data) - 1)] + 1)
        if not (_are_among(known, before) and _are_among(known, after)):
            return None
        quotes += len(places)
    return _last_end_outside_quotes(data, quotes)


def _are_among(known: bytes, content: npt.NDArray[np.uint8]) -> bool:
    found = content == known[0]
    for byte in known[1:]:
        found |= content == byte
    return bool(found.all())


def _last_end_outside_quotes(data: bytes, quotes: int) -> int:
    """``quotes`` stand in ``data``; the end of a line is outside them when an even number stands before it."""
    stop = len(data)
    while (newline := data.rfind(b"\n", 0, stop)) >= 0:
        quotes -= data.count(b'"', newline, stop)
        if quotes % 2 == 0:
            return newline + 1
        stop = newline
    return 0
