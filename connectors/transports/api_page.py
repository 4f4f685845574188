"""One page of a JSON API: what it tells about itself and its selection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.descriptor import ChangeNumbers, NextToken, PagedApi
from connectors.http.client import Received
from connectors.http.web_page import is_web_page
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Reason

_LONGEST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class ApiPage:
    """``total`` rows are selected, ``count`` of them stand here; ``rows`` is empty for a page answered with 304.

    ``number`` and ``pages`` are told where pages are asked for by number, ``next`` (null at the end) where each page
    holds the token of the next; ``highest`` is the highest change number selected, where the source numbers changes.
    """

    total: int | None
    count: int
    rows: Sequence[Any] = ()
    number: int | None = None
    pages: int | None = None
    next: str | None = None
    highest: int | None = None

    @property
    def is_last(self) -> bool:
        """Say whether the selection ends here."""
        return self.next is None if self.pages is None else (self.number or 0) >= self.pages


def read_page(received: Received, options: PagedApi) -> ApiPage:
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
        raise _changed(f"{where}: has no list `{options.rows}`: the agency changed its interface")
    rows = document[options.rows]
    try:
        by_number = options.watermark if isinstance(options.watermark, ChangeNumbers) else None
        highest = _whole(document[by_number.highest]) if by_number else None
        total = _whole(document[options.total]) if options.total else None
        if isinstance(options.paging, NextToken):
            return ApiPage(total, len(rows), rows, next=_token(document.get(options.paging.next)), highest=highest)
        number, pages = _whole(document[options.paging.number]), _whole(document[options.paging.pages])
    except (KeyError, TypeError) as error:
        message = f"{where}: no whole number where one is agreed: {error}: the interface changed"
        raise _changed(message) from error
    return ApiPage(total, len(rows), rows, number=number, pages=pages, highest=highest)


def _token(value: object) -> str | None:
    text = "" if value is None else str(value)
    if len(text) > _LONGEST_TOKEN:
        raise TypeError(f"a token of {len(text)} characters")
    return text or None


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.40}")
    return value


def _changed(message: str) -> AgencyRefused:
    return AgencyRefused(message, Reason.INTERFACE)
