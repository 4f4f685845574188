"""The fault switch of a simulated server: what goes wrong, on which page, how often."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from threading import Lock
from typing import Final


class FaultKind(StrEnum):
    """What a real interface does on a bad day."""

    TOO_MANY_REQUESTS = "429 with Retry-After"
    SERVER_ERROR = "503"
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    LOGIN_PAGE = "an HTML login page with status 200"
    HTML_AS_DATA = "an HTML page under the content type of data"
    REDIRECT = "302 to a login page"
    RESET = "the connection breaks in the middle of a page"
    TRUNCATED = "a page that is whole for HTTP but ends early"
    WRONG_TOTAL = "a total that the rows do not add up to"
    SLOW = "no byte for longer than anyone waits"
    SLOW_DRIP = "a few bytes at a time, for longer than anyone waits"
    ROW_INSERTED = "a row comes in before the page, all later ones shift down"
    ROW_REMOVED = "a row before the page is gone, all later ones shift up"
    DUPLICATE_PAGE = "the rows of the page before once more"
    DROPPED_PAGE = "a page is left out, the ones behind it move up"
    STALE_ETAG = "304 although something is new"
    WRONG_HOST_KEY = "a server of another key answers"
    EARLY_MARK = "the done-mark stands before the data is whole"
    NO_MARK = "the done-mark is missing"
    STRAY_FILE = "a file whose name fits no rule"
    LATE_COMMIT = "rows take their numbers early and are seen late"
    NUMBER_GAP = "numbers that no row bears"
    STALE_LISTING = "the list of files is the one shown before"
    CLOCK_BEHIND = "what is new is dated a day back"
    CLOCK_AHEAD = "what is new is dated a day ahead"
    SENT_TWICE = "the same file once more under another name"
    OTHER_CHARSET = "bytes in another charset than the one agreed upon"
    ROWS_REORDERED = "the rows in another order"
    COLUMNS_REORDERED = "the columns in another order"
    NEW_COLUMN = "a column that no sheet knows"
    SWAPPED_COLUMNS = "name and code under each other's heading"
    ID_IN_CODE = "ID numbers in a column for codes"
    YUAN_FOR_WAN = "amounts in 元 where 万元 are agreed upon"


OF_CLOCKS: Final = {FaultKind.CLOCK_BEHIND: timedelta(days=-1), FaultKind.CLOCK_AHEAD: timedelta(days=1)}
"""How far from the day the source's clock stands; it tells while rows are published, whatever they are asked for by."""

OF_PAGES: Final = frozenset(
    {
        FaultKind.WRONG_TOTAL,
        FaultKind.DUPLICATE_PAGE,
        FaultKind.DROPPED_PAGE,
        FaultKind.ROW_INSERTED,
        FaultKind.ROW_REMOVED,
    }
)
"""What can go wrong wherever rows come in pages that are counted."""

HARMLESS: Final = frozenset({FaultKind.ROWS_REORDERED, FaultKind.COLUMNS_REORDERED, FaultKind.NEW_COLUMN})
"""The rows still say what they should."""

MISLEADING: Final = frozenset({FaultKind.SWAPPED_COLUMNS, FaultKind.ID_IN_CODE, FaultKind.YUAN_FOR_WAN})
"""The rows are read without complaint and say something else than they should."""

OF_CONTENT: Final = HARMLESS | MISLEADING
"""Faults of what is written, whatever it travels by; they befall a day's rows as they are put in place."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``page`` null is every page; ``times`` null is until switched off; ``seconds`` is a wait (429, slow)."""

    kind: FaultKind
    page: int | None = None
    times: int | None = None
    seconds: float = 0.0


class FaultSwitch:
    """Holds at most one fault; safe to turn while requests are answered."""

    def __init__(self) -> None:
        """Start without a fault."""
        self._lock = Lock()
        self._fault: Fault | None = None
        self._left: int | None = None

    def turn_on(self, fault: Fault) -> None:
        """Let a fault happen from the next request on."""
        with self._lock:
            self._fault, self._left = fault, fault.times

    def turn_off(self) -> None:
        """Answer soundly again."""
        with self._lock:
            self._fault = None

    def strike(self, page: int, among: Collection[FaultKind] = tuple(FaultKind)) -> Fault | None:
        """Return the fault that befalls a request for a page, counting it; null for a sound answer.

        ``among``: the faults that can happen at this point of a conversation; any other waits for its own.
        """
        with self._lock:
            fault = self._fault
            if fault is None or fault.kind not in among or fault.page not in (None, page) or self._left == 0:
                return None
            if self._left is not None:
                self._left -= 1
            return fault
