"""Noticing that rows shifted between pages while they were read: one comes twice, so another may not come at all.

A row of an earlier page that comes again is either the agency's own repetition, which is its business, or the sign of a
shift. Where the source numbers its rows (``row_id``) the number decides. Elsewhere a page that consists of an earlier
page's rows is never taken; for less than that the earlier page is asked for again: if it is as it was, nothing moved.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.transports.contract import PullInconsistentError

_REMEMBERED: Final = 200_000
"""Rows remembered per pull, about 20 MB; a shift is seen soon after it happened."""


class PagesRead:
    """The pages of one selection read by this process so far."""

    def __init__(self, row_id: str | None) -> None:
        """Start with none."""
        self._row_id = row_id
        self._page_of_row: OrderedDict[bytes, int] = OrderedDict()
        self._prints: dict[int, str] = {}

    def take(self, number: int, rows: Sequence[Any]) -> int | None:
        """Remember a page; return the number of an earlier page that has to be asked for again, or null.

        Raises PullInconsistentError where the rows alone show that the source moved.
        """
        marks = [self._mark(row) for row in rows]
        pages = [self._page_of_row.get(mark) for mark in marks]
        earlier = {page for page in pages if page not in (None, number)}
        if earlier and self._row_id:
            raise PullInconsistentError(f"page {number} holds a row of page {min(earlier)} again: rows shifted")
        page_print = rows_print(rows)
        if len(rows) > 1 and page_print in self._prints.values():
            raise PullInconsistentError(f"page {number} holds the rows of an earlier page again")
        self._prints[number] = page_print
        for mark in marks:
            self._page_of_row.setdefault(mark, number)
        while len(self._page_of_row) > _REMEMBERED:
            self._page_of_row.popitem(last=False)
        return max(earlier, default=None)

    def compare(self, number: int, rows: Sequence[Any]) -> None:
        """Hold a page that was asked for again against what it was; raises PullInconsistentError."""
        require_same(number, self._prints[number], rows)

    def _mark(self, row: Any) -> bytes:
        told = row[self._row_id] if self._row_id and isinstance(row, Mapping) and self._row_id in row else row
        return hashlib.blake2b(_canonical(told), digest_size=8).digest()


def rows_print(rows: Sequence[Any]) -> str:
    """Return 32 hex digits that two pages have in common when their rows are the same in the same order."""
    return hashlib.blake2b(_canonical(rows), digest_size=16).hexdigest()


def require_same(number: int, before: str, rows: Sequence[Any]) -> None:
    """Raise PullInconsistentError when a page no longer has the rows of an earlier ``rows_print``."""
    if rows_print(rows) != before:
        raise PullInconsistentError(f"page {number} changed while the pages behind it were read: rows shifted")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
