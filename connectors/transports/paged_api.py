"""A JSON API over HTTPS with a bearer token, read page by page: by number, by token, or by window of days.

A page is ``{"total": rows in the selection, "page": 1.., "pages": .., "rows": [...]}``; the names of the keys are said
in the descriptor. Where the source numbers its changes, a page also tells the highest number of the whole selection
(``watermark.highest``); where pages are asked for by token (``paging.by: cursor``) it holds the ``next`` token instead
of numbers; where windows are asked for (``paging.by: window``) since and until are the first and last day of the
window. The bytes of each page are handed over as they came. With ``etags`` a page that the last pull brought is asked
for with If-None-Match, and 304 means that its rows are there already.

How pages must fit together, and the cursor: :mod:`connectors.transports.page_by_page`. Beside that a cursor holds
``from``, the first day of the window that is being read; ``known``, the ETags of the last complete pull, and ``fresh``,
those of this one (:mod:`connectors.transports.known_pages`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from connectors.descriptor import ChangeNumbers, NextToken, PagedApi, Stream, TimeWindows
from connectors.endpoint import Endpoint
from connectors.http.client import HttpClient, Question, Received
from connectors.http.web_page import is_web_page
from connectors.quoting import quoted
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece, Reason
from connectors.transports.known_pages import KnownPages
from connectors.transports.page import Page
from connectors.transports.page_by_page import FIRST_PAGE, PageByPage

_LONGEST_TOKEN: Final = 4096
_SHOWN_CHARS: Final = 40


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the pages that changed since the cursor's watermark, up to and including ``as_of``."""
    options = stream.transport
    if not isinstance(options, PagedApi):
        raise TypeError(f"stream {stream.id} is not read through a paged API")
    with HttpClient(stream, endpoint, options) as client:
        yield from _ApiPages(stream, options, client, cursor, as_of).pieces()


class _ApiPages(PageByPage):
    suffix = ".json"

    def __init__(self, stream: Stream, options: PagedApi, client: HttpClient, cursor: Cursor, as_of: date) -> None:
        super().__init__(stream.id, options.watermark, cursor, as_of, row_id=options.row_id)
        self._options: Final = options
        self._client: Final = client
        self._known: Final = KnownPages(cursor.get("known", {}), cursor.get("fresh", {}))
        if isinstance(options.paging, TimeWindows):
            self.position.setdefault("from", _first_day(options.paging, self.position["since"]))

    def ask(self, position: Cursor) -> Page:
        question = self._question(position)
        conditional = self._options.etags and "again" not in position
        etag = self._known.etag(question) if conditional else None

        def read(received: Received) -> Page:
            if received.unchanged and etag:
                return self._known.page(question)
            page = _read_page(received, self._options)
            if conditional:
                self._known.remember(question, received.etag, page)
            return page

        headers = {**question.headers, **({"If-None-Match": etag} if etag else {})}
        return self._client.ask(replace(question, headers=headers), read)

    def another_follows(self, page: Page) -> bool:
        return not self._options.etags and super().another_follows(page)

    @property
    def place(self) -> str:
        return f"_{self.position['from'].replace('-', '')}" if "from" in self.position else ""

    def beside(self, page: Page) -> Cursor:
        return {**super().beside(page), **({"fresh": dict(self._known.fresh)} if self._options.etags else {})}

    def end(self) -> Cursor:
        return {**super().end(), **({"known": dict(self._known.fresh)} if self._options.etags else {})}

    def on_to_next_selection(self) -> bool:
        """Stand before the next window, if there is one up to the last day asked for."""
        if not isinstance(self._options.paging, TimeWindows):
            return False
        following = date.fromisoformat(_last_day(self._options.paging, self.position["from"])) + timedelta(days=1)
        if following.isoformat() > self.position["until"]:
            return False
        self.position = {**self.position, **FIRST_PAGE, "from": following.isoformat()}
        return True

    def _question(self, position: Cursor) -> Question:
        options, paging = self._options, self._options.paging
        since, until, what = position["since"], position["until"], f"page {position['page']}"
        if isinstance(paging, TimeWindows):
            since, until = position["from"], min(until, _last_day(paging, position["from"]))
            what = f"page {position['page']} of the window from {since}"
        parameters: dict[str, str | int] = {options.page_size_parameter: options.page_size}
        parameters[options.until_parameter] = until
        if since is not None:
            parameters[options.since_parameter] = since
        if not isinstance(paging, NextToken):
            parameters[paging.parameter] = position["page"]
        elif position.get("token"):
            parameters[paging.parameter] = position["token"]
        return Question(options.path, what=what, parameters=parameters, headers={"Accept": "application/json"})


def _first_day(windows: TimeWindows, since: str | None) -> str:
    """Return the first day of the window that holds ``since``."""
    day = max(windows.start, date.fromisoformat(since)) if since else windows.start
    return (day - timedelta(days=(day - windows.start).days % windows.days)).isoformat()


def _last_day(windows: TimeWindows, first: str) -> str:
    return (date.fromisoformat(first) + timedelta(days=windows.days - 1)).isoformat()


def _read_page(received: Received, options: PagedApi) -> Page:
    """Read what a page tells. Raises AgencyRefused for what was not agreed, AgencyUnavailable for a cut-off page."""
    where = received.where
    if is_web_page(received.content, received.kind):
        message = f"{where}: a web page came instead of data (a login page?): check token and gateway"
        raise AgencyRefused(message, Reason.LOGIN_PAGE)
    try:
        document: Any = json.loads(received.content)
    except (ValueError, RecursionError) as error:
        raise AgencyUnavailable(f"{where}: is not JSON: {error}", reason=Reason.CUT_OFF) from error
    if not isinstance(document, dict) or not isinstance(document.get(options.rows), list):
        message = f"{where}: has no list `{options.rows}`: the agency changed its interface"
        raise AgencyRefused(message, Reason.INTERFACE)
    rows = document[options.rows]
    told = Page(None, len(rows), received.content, rows)
    try:
        if options.total:
            told = replace(told, total=_whole(document[options.total]))
        if isinstance(options.watermark, ChangeNumbers):
            told = replace(told, highest=_whole(document[options.watermark.highest]))
        if isinstance(options.paging, NextToken):
            return replace(told, next=_token(document.get(options.paging.next)))
        number, pages = _whole(document[options.paging.number]), _whole(document[options.paging.pages])
    except (KeyError, TypeError) as error:
        message = f"{where}: no whole number where one is agreed: {error}: the interface changed"
        raise AgencyRefused(message, Reason.INTERFACE) from error
    return replace(told, number=number, pages=pages)


def _token(value: object) -> str | None:
    text = "" if value is None else str(value)
    if len(text) > _LONGEST_TOKEN:
        raise TypeError(f"a token of {len(text)} characters")
    return text or None


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(quoted(repr(value), _SHOWN_CHARS))
    return value
