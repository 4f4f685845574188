"""The algebra of a feed on canonical CSV files: full(n) = (full(n-1) minus tombstones minus delta keys) plus delta.

Rows are handled as the bytes they are in the file (see ``feeds.row_text``): a row ends at the line break at which its
double quotes are even in number, its key is the first cell. Files are in byte order of the key, so that every function
here is one pass over its inputs in constant memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from feeds.hashed_file import BLOCK

_QUOTE: Final = ord('"')
_LINE_BREAK: Final = ord("\n")


class CanonicalFormError(Exception):
    """A CSV file that is not canonical: a key is missing or not above the one before it, or a row breaks off."""


Row = tuple[bytes, bytes]
"""Key and whole row, line break included."""


def _whole_rows(path: Path) -> Iterator[tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield blocks of whole rows, with where their quotes are and where each row ends (after its line break).

    Looked at by the block: reading line by line took a tenth of a release. Raises ``CanonicalFormError`` where the file
    ends inside a row.
    """
    with path.open("rb", buffering=0) as stream:
        rest = b""
        while part := stream.read(BLOCK):
            block = rest + part
            characters = np.frombuffer(block, np.uint8)
            quotes = np.flatnonzero(characters == _QUOTE)
            breaks = np.flatnonzero(characters == _LINE_BREAK)
            ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0] + 1
            last = int(ends[-1]) if len(ends) else 0
            if last:
                yield block[:last], quotes, ends
            rest = block[last:]
    if rest:
        raise CanonicalFormError(f"{path.name} breaks off inside a row")


def raw_rows(path: Path) -> Iterator[bytes]:
    """Yield header and rows of a canonical CSV file as bytes.

    Raises:
        CanonicalFormError: the file ends inside a row.
    """
    for block, _, ends in _whole_rows(path):
        start = 0
        for end in ends.tolist():
            yield block[start:end]
            start = end


def keyed_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a canonical CSV file, without its header, with their keys.

    Raises:
        CanonicalFormError: a key is missing or does not rise, or the file breaks off inside a row.
    """
    last = b""
    header = True
    for block, quotes, every_end in _whole_rows(path):
        first = 1 if header else 0
        header = False
        ends = every_end[first:]
        starts = np.concatenate([[0], every_end[:-1]])[first:]
        closing = quotes[np.minimum(np.searchsorted(quotes, starts) + 1, len(quotes) - 1)] if len(quotes) else starts
        quoted = (np.frombuffer(block, np.uint8)[starts] == _QUOTE) & (closing < ends)
        for start, stop, end, begins in zip(
            starts.tolist(), closing.tolist(), ends.tolist(), quoted.tolist(), strict=True
        ):
            key = block[start + 1 : stop]
            if not begins or key <= last:
                raise CanonicalFormError(f"{path.name}: a key is missing or not above {last.decode()}")
            last = key
            yield key, block[start:end]


def header_of(path: Path) -> bytes:
    """Return the header line of a canonical CSV file as bytes, byte order mark included; empty for an empty file."""
    return next(raw_rows(path), b"")


def merged(base: Iterable[Row], delta: Iterable[Row], gone: Iterable[Row]) -> Iterator[bytes]:
    """Yield the rows of (base minus gone minus delta keys) plus delta, in order of the key. Inputs rise by key."""
    changes, removals = iter(delta), iter(gone)
    change, removal = next(changes, None), next(removals, None)
    for key, row in base:
        while change is not None and change[0] < key:
            yield change[1]
            change = next(changes, None)
        while removal is not None and removal[0] < key:
            removal = next(removals, None)
        if change is not None and change[0] == key:
            continue  # its new row is due when the base has moved on
        if removal is None or removal[0] != key:
            yield row
    while change is not None:
        yield change[1]
        change = next(changes, None)


def compared(base: Iterable[Row], full: Iterable[Row]) -> Iterator[tuple[int | None, bytes | None]]:
    """Compare two states and yield what differs, in order of the key.

    Yields:
        ``(ordinal, None)`` for the row number (from 0) of a row of ``full`` that is new or changed, ``(None, key)``
        for a key that only ``base`` has.
    """
    olds = iter(base)
    old = next(olds, None)
    for ordinal, (key, row) in enumerate(full):
        while old is not None and old[0] < key:
            yield None, old[0]
            old = next(olds, None)
        if old is None or old[0] != key:
            yield ordinal, None
            continue
        if old[1] != row:
            yield ordinal, None
        old = next(olds, None)
    while old is not None:
        yield None, old[0]
        old = next(olds, None)


def sha256_of(header: bytes, rows: Iterable[bytes]) -> str:
    """Return the SHA-256, in hex, of the CSV file that ``header`` and ``rows`` would make."""
    digest, pending = hashlib.sha256(header), bytearray()
    for row in rows:
        pending += row
        if len(pending) >= BLOCK:
            digest.update(pending)
            pending.clear()
    digest.update(pending)
    return digest.hexdigest()
