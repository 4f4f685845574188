"""A JSON API over HTTPS with a bearer token, read page by page: by number, by token, or by window of days.

A page is ``{"total": rows in the selection, "page": 1.., "pages": .., "rows": [...]}``; the names of the keys are said
in the descriptor. Where the source numbers its changes, a page also tells the highest number of the whole selection
(``watermark.highest``); where pages are asked for by token (``paging.by: cursor``) it holds the ``next`` token instead
of numbers; where windows are asked for (``paging.by: window``) since and until are the first and last day of the
window. The bytes of each page are handed over as they came. With ``etags`` a page that the last pull brought is asked
for with If-None-Match, and 304 means that its rows are there already.

The pages of a selection must fit together: the same total and highest number on each, the number asked for on each, the
rows received equal to the total, no row of an earlier page again (:mod:`connectors.transports.page_drift`). Else
PullInconsistentError: the pull starts over.

Cursor between pulls: ``{"watermark": number or day}``, and ``known`` ETags. In the middle of one, beside it: ``since``
and ``until`` (what is asked for), ``page`` (the next one), ``total`` and ``received`` (rows), ``highest``; ``token`` of
the next page; ``from``, the first day of the window that ``page``, ``total`` and ``received`` belong to; ``before``, a
print of the last page's rows; ``fresh``, the ETags of this pull.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connectors.descriptor import ChangeNumbers, NextToken, PagedApi, Stream, TimeWindows
from connectors.endpoint import Endpoint
from connectors.http.client import HttpClient, Question, Received
from connectors.transports import selection
from connectors.transports.api_page import ApiPage, read_page
from connectors.transports.contract import Cursor, Piece, PullInconsistentError
from connectors.transports.known_pages import KnownPages
from connectors.transports.page_drift import PagesRead, require_same, rows_print

_FIRST_PAGE: Final = {"page": 1, "total": None, "received": 0, "highest": None}


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the pages that changed since the cursor's watermark, up to and including ``as_of``.

    A page of which it is not known yet whether another one follows is held back until it is: only then can it be
    marked as the last one. A pull that is cut off meanwhile asks for it again.
    """
    options = stream.transport
    if not isinstance(options, PagedApi):
        raise TypeError(f"stream {stream.id} is not read through a paged API")
    held: Piece | None = None
    with HttpClient(stream, endpoint, options) as client:
        reading = _Reading(stream, options, client, cursor, as_of)
        for piece in reading.pieces():
            if held:
                yield held
                held = None
            if reading.another_follows:
                yield piece
            else:
                held = piece
    if held:
        yield replace(held, cursor=reading.end, last=True)


class _Reading:
    """One pull under way; ``position`` is the cursor behind the page read last."""

    def __init__(self, stream: Stream, options: PagedApi, client: HttpClient, cursor: Cursor, as_of: date) -> None:
        self._stream: Final = stream
        self._options: Final = options
        self._client: Final = client
        self._as_of: Final = as_of
        self._position: Cursor = dict(cursor) if "page" in cursor else _begun(options, cursor, as_of)
        self._known: Final = KnownPages(cursor.get("known", {}), cursor.get("fresh", {}))
        self._read = PagesRead(options.row_id)
        self.another_follows = False

    @property
    def end(self) -> Cursor:
        """The cursor between this pull and the next."""
        position = self._position
        by = self._options.watermark
        mark = selection.moved(by, position["watermark"], until=position["until"], highest=position["highest"])
        return {"watermark": mark, **({"known": self._known.fresh} if self._options.etags else {})}

    def pieces(self) -> Iterator[Piece]:
        """Yield the pages of all selections: one, or one per window."""
        self._require_same_as_before_the_cut()
        yield from self._selection()
        while self._on_to_next_window():
            yield from self._selection()

    def _selection(self) -> Iterator[Piece]:
        last = False
        while not last:
            question = self._question(self._position)
            content, page = self._ask(question)
            number = self._position["page"]
            self._advance(page, number)
            if page.total == 0:
                return
            last = page.is_last
            self._judge(page, number, last)
            if content is not None and page.count:
                yield Piece(self._name(number), content, dict(self._position), last=False, rows=page.count)

    def _ask(self, question: Question) -> tuple[bytes | None, ApiPage]:
        """Return a page and its bytes, null for bytes that the last pull brought."""

        def read(received: Received) -> tuple[bytes | None, ApiPage]:
            if received.unchanged:
                return None, self._known.page(question)
            page = read_page(received, self._options)
            if self._options.etags:
                self._known.remember(question, received, page)
            return received.content, page

        etag = self._known.etag(question) if self._options.etags else None
        headers = {**question.headers, **({"If-None-Match": etag} if etag else {})}
        return self._client.ask(replace(question, headers=headers), read)

    def _question(self, position: Cursor) -> Question:
        options = self._options
        since, until = position["since"], position["until"]
        if isinstance(options.paging, TimeWindows):
            since = position["from"]
            until = min(until, _last_day(options.paging, since))
        parameters: dict[str, str | int] = {options.page_size_parameter: options.page_size}
        parameters[options.until_parameter] = until
        if since is not None:
            parameters[options.since_parameter] = since
        if not isinstance(options.paging, NextToken):
            parameters[options.paging.parameter] = position["page"]
        elif position.get("token"):
            parameters[options.paging.parameter] = position["token"]
        window = f" from {since}" if isinstance(options.paging, TimeWindows) else ""
        return Question(
            options.path,
            what=f"page {position['page']}{window}",
            parameters=parameters,
            headers={"Accept": "application/json"},
        )

    def _advance(self, page: ApiPage, number: int) -> None:
        """Move behind a page that fits to those before it."""
        position = self._position
        if page.number not in (None, number):
            raise PullInconsistentError(f"page {number} was asked for, page {page.number} came")
        if position["total"] not in (None, page.total):
            raise PullInconsistentError(
                f"the selection changed from {position['total']} to {page.total} rows while it was read"
            )
        if page.count == 0 and page.total and isinstance(page.number, int):
            raise PullInconsistentError(f"page {number} of {page.pages} is empty")
        if position["highest"] not in (None, page.highest):
            raise PullInconsistentError(
                f"the highest change number moved from {position['highest']} to {page.highest} while pages were read"
            )
        if page.next is not None and page.next == position.get("token"):
            raise PullInconsistentError(f"page {number} names itself as the next one")
        self._position = {
            **position,
            "page": number + 1,
            "total": page.total,
            "received": position["received"] + page.count,
            "highest": page.highest,
            **({"token": page.next} if page.next else {}),
            **({"before": rows_print(page.rows)} if self._looks_back and page.rows else {}),
            **({"fresh": dict(self._known.fresh)} if self._options.etags else {}),
        }

    def _judge(self, page: ApiPage, number: int, last: bool) -> None:
        """Hold rows against total and against the rows of earlier pages."""
        position = self._position
        if last and page.total not in (None, position["received"]):
            raise PullInconsistentError(
                f"{self._options.path}: {page.total} rows declared, {position['received']} received in {number} pages"
            )
        suspect = self._read.take(number, page.rows)
        if suspect is not None and not isinstance(self._options.paging, NextToken):
            self._read.compare(suspect, self._again(suspect).rows)
        more_rows = page.total is not None and position["received"] < page.total
        self.another_follows = more_rows and not last and not self._options.etags

    @property
    def _looks_back(self) -> bool:
        """Say whether the page before a cut is asked for again: not where a change shows in the highest number."""
        return not isinstance(self._options.paging, NextToken) and not isinstance(
            self._options.watermark, ChangeNumbers
        )

    def _require_same_as_before_the_cut(self) -> None:
        position = self._position
        if self._looks_back and position["page"] > 1 and "before" in position:
            require_same(position["page"] - 1, position["before"], self._again(position["page"] - 1).rows)

    def _again(self, number: int) -> ApiPage:
        question = self._question({**self._position, "page": number})
        return self._client.ask(question, lambda received: read_page(received, self._options))

    def _on_to_next_window(self) -> bool:
        """Stand before the next window, if there is one up to the last day asked for."""
        if not isinstance(self._options.paging, TimeWindows):
            return False
        following = date.fromisoformat(_last_day(self._options.paging, self._position["from"])) + timedelta(days=1)
        if following.isoformat() > self._position["until"]:
            return False
        kept = {key: value for key, value in self._position.items() if key != "before"}
        self._position = {**kept, **_FIRST_PAGE, "from": following.isoformat()}
        self._read = PagesRead(self._options.row_id)
        return True

    def _name(self, number: int) -> str:
        window = f"_{self._position['from'].replace('-', '')}" if "from" in self._position else ""
        return f"{self._stream.id}_{self._as_of:%Y%m%d}{window}_{number:05d}.json"


def _begun(options: PagedApi, cursor: Cursor, as_of: date) -> Cursor:
    """Return the first page of a new selection."""
    watermark = cursor.get("watermark")
    begun: Cursor = {
        "watermark": watermark,
        "since": selection.since(options.watermark, watermark),
        "until": as_of.isoformat(),
        **_FIRST_PAGE,
        **({"known": cursor["known"]} if "known" in cursor else {}),
    }
    if isinstance(options.paging, TimeWindows):
        begun["from"] = _first_day(options.paging, begun["since"])
    return begun


def _first_day(windows: TimeWindows, since: str | None) -> str:
    """Return the first day of the window that holds ``since``."""
    day = max(windows.start, date.fromisoformat(since)) if since else windows.start
    return (day - timedelta(days=(day - windows.start).days % windows.days)).isoformat()


def _last_day(windows: TimeWindows, first: str) -> str:
    return (date.fromisoformat(first) + timedelta(days=windows.days - 1)).isoformat()
