"""What a simulated source has published: numbered rows per path, each with the day it became visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row as the source keeps it: numbered in the order of change, with the day it became visible."""

    number: int
    day: date
    row: Row


class Published:
    """The changes of every path of a server; safe to publish to while requests are answered."""

    def __init__(self) -> None:
        """Start with no path."""
        self._lock = Lock()
        self._days: dict[str, dict[date, tuple[Change, ...]]] = {}

    def put(
        self, path: str, day: date, rows: Sequence[Row], first_number: int | None = None, *, dated: date | None = None
    ) -> None:
        """Set the rows of a day; a day that was there keeps the number of its first row unless one is given.

        ``dated`` is the day that the source's clock showed, where it was another one.
        """
        with self._lock:
            days = self._days.setdefault(path, {})
            if first_number is None:
                before = days.get(day)
                following = 1 + max((change.number for changes in days.values() for change in changes), default=0)
                first_number = before[0].number if before and len(rows) <= len(before) else following
            days[day] = tuple(Change(number, dated or day, row) for number, row in enumerate(rows, start=first_number))

    def changes(self, path: str) -> list[Change] | None:
        """Return the changes of a path in the order of their numbers; null for a path that is not there."""
        with self._lock:
            days = self._days.get(path)
            if days is None:
                return None
            return sorted((change for changes in days.values() for change in changes), key=lambda each: each.number)

    def paths(self) -> list[str]:
        """Return the paths that something was published under, sorted."""
        with self._lock:
            return sorted(self._days)
