"""Reading a selection page by page, so that its pages fit together and any page can be the last one kept.

The pages of a selection must have the same total and highest number, be the ones asked for, add up to the total, and
hold no row of an earlier page again (:mod:`connectors.transports.page_drift`). Else PullInconsistentError: the pull
starts over.

Cursor between pulls: ``{"watermark": number or day}``. In the middle of one, beside it: ``since`` and ``until`` (what
is asked for), ``page`` (the next one), ``total`` and ``received`` (rows), ``highest``; ``token`` of the next page where
there are tokens; ``before``, a print of the last page's rows, where only those show that the source moved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from connectors.descriptor import ChangeDates, ChangeNumbers
from connectors.transports import selection
from connectors.transports.contract import Cursor, Piece, PullInconsistentError
from connectors.transports.page import Page
from connectors.transports.page_drift import PagesRead, require_same, rows_print

FIRST_PAGE: Final[Mapping[str, Any]] = {"page": 1, "total": None, "received": 0, "highest": None}


class PageByPage(ABC):
    """One pull under way. ``position`` is the cursor behind the page read last; a transport adds ``ask``.

    ``name`` is the beginning of the names of pieces, ``suffix`` their end, ``by`` how the source tells changes.
    """

    suffix: str

    def __init__(
        self, name: str, by: ChangeDates | ChangeNumbers, cursor: Cursor, as_of: date, *, row_id: str | None = None
    ) -> None:
        """Stand behind the cursor."""
        self.position: Cursor = dict(cursor) if "page" in cursor else _begun(by, cursor, as_of)
        self._name: Final = f"{name}_{as_of:%Y%m%d}"
        self._by: Final = by
        self._row_id: Final = row_id
        self._read = PagesRead(row_id)
        self._tokens: dict[int, str | None] = {}

    @abstractmethod
    def ask(self, position: Cursor) -> Page:
        """Return the page that a position stands before."""

    def pieces(self) -> Iterator[Piece]:
        """Yield the pages that are new, the last one with the cursor between pulls.

        A page of which it is not known yet whether another one follows is held back until it is: only then can it be
        marked as the last one. A pull that is cut off meanwhile asks for it again.
        """
        held: Piece | None = None
        for page, name, another_follows in self._pages():
            if page.content is None or not page.count:
                continue
            if held:
                yield held
            held = Piece(name, page.content, dict(self.position), last=False, rows=page.count)
            if another_follows:
                yield held
                held = None
        if held:
            yield replace(held, cursor=self.end(), last=True)

    def another_follows(self, page: Page) -> bool:
        """Say whether it is certain that a page with rows, and none that is known, comes behind this one."""
        return page.total is not None and self.position["received"] < page.total

    @property
    def place(self) -> str:
        """What tells the pieces of this selection from those of another one of the same pull."""
        return ""

    def beside(self, page: Page) -> Cursor:
        """Return what a position holds beside the ordinary once a page has been read."""
        return {"token": page.next} if page.next else {}

    def on_to_next_selection(self) -> bool:
        """Stand before the first page of the next selection of this pull, if there is one."""
        return False

    def end(self) -> Cursor:
        """Return the cursor between this pull and the next."""
        position = self.position
        mark = selection.moved(self._by, position["watermark"], until=position["until"], highest=position["highest"])
        return {"watermark": mark}

    def _pages(self) -> Iterator[tuple[Page, str, bool]]:
        """Yield each page, its name, and whether another piece is sure to follow; ``position`` is behind it then."""
        self._require_same_as_before_a_cut()
        more = True
        while more:
            number = self.position["page"]
            self._tokens[number] = self.position.get("token")
            page = self.ask(self.position)
            self._advance(page, number)
            self._look_for_shifts(page, number)
            name = f"{self._name}{self.place}_{number:05d}{self.suffix}"
            is_last = page.is_last or page.total == 0
            another_follows = not is_last and self.another_follows(page)
            if is_last:
                self._require_all_rows(page, number)
                more = self.on_to_next_selection()
                self._read, self._tokens = PagesRead(self._row_id), {}
            yield page, name, another_follows

    def _require_all_rows(self, page: Page, number: int) -> None:
        received = self.position["received"]
        if page.total not in (None, received):
            raise PullInconsistentError(
                f"{self._name}: {page.total} rows declared, {received} received in {number} pages"
            )

    def _advance(self, page: Page, number: int) -> None:
        """Move behind a page that fits to those before it."""
        position = self.position
        if page.number not in (None, number):
            raise PullInconsistentError(f"page {number} was asked for, page {page.number} came")
        if position["total"] not in (None, page.total):
            raise PullInconsistentError(
                f"the selection changed from {position['total']} to {page.total} rows while it was read"
            )
        if page.count == 0 and page.total and page.number is not None:
            raise PullInconsistentError(f"page {number} of {page.pages} is empty")
        if position["highest"] not in (None, page.highest):
            raise PullInconsistentError(
                f"the highest change number moved from {position['highest']} to {page.highest} while pages were read"
            )
        if page.next is not None and page.next == position.get("token"):
            raise PullInconsistentError(f"page {number} names itself as the next one")
        kept = {key: value for key, value in position.items() if key != "before"}
        self.position = {
            **kept,
            "page": number + 1,
            "total": page.total,
            "received": position["received"] + page.count,
            "highest": page.highest,
            **({"before": rows_print(page.rows)} if self._looks_back(page) else {}),
            **self.beside(page),
        }

    def _looks_back(self, page: Page) -> bool:
        """Say whether the page before a cut is asked for again: not where a change shows in the highest number."""
        return bool(page.rows) and page.number is not None and page.highest is None

    def _look_for_shifts(self, page: Page, number: int) -> None:
        suspect = self._read.take(number, page.rows)
        if suspect is not None:
            self._read.compare(suspect, self._again(suspect).rows)

    def _require_same_as_before_a_cut(self) -> None:
        number = self.position["page"] - 1
        if number > 0 and "before" in self.position:
            require_same(number, self.position["before"], self._again(number).rows)

    def _again(self, number: int) -> Page:
        asked = {**self.position, "page": number, "again": True}
        if number in self._tokens:
            asked["token"] = self._tokens[number]
        return self.ask(asked)


def _begun(by: ChangeDates | ChangeNumbers, cursor: Cursor, as_of: date) -> Cursor:
    """Return the place before the first page of a new selection; what else a cursor holds stays beside it."""
    since = selection.since(by, cursor.get("watermark"))
    return {"watermark": None, **cursor, "since": since, "until": as_of.isoformat(), **FIRST_PAGE}
