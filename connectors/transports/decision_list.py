"""The list pages of a web site: turned until everything published in a span of days has been seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urljoin

import lxml.html
from lxml import etree

from connectors.descriptor import HtmlList
from connectors.http.client import HttpClient, Question, Received
from connectors.http.web_page import is_login_page
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, PullInconsistentError, Reason

_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_END: Final = b"</html>"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry of the list: its day of publication and the address behind it."""

    day: date
    url: str


@dataclass(frozen=True, slots=True)
class _ListPage:
    entries: tuple[Entry, ...]
    pages: int


def listed(client: HttpClient, options: HtmlList, since: date | None) -> list[Entry]:
    """Return the entries published since a day, in the order of day and address.

    The list is newest first, but for entries that are kept on top: pages are turned until one holds nothing as new as
    ``since``. Raises PullInconsistentError where the list moved meanwhile (another number of pages, an entry on two
    pages, another first page afterwards), AgencyRefused where a page is not as the descriptor says.
    """
    first = _list_page(client, options, 1)
    found = list(first.entries)
    page, number = first, 1
    while number < first.pages and (since is None or any(entry.day >= since for entry in page.entries)):
        number += 1
        if number > options.most_pages:
            message = f"{options.path}: more than {options.most_pages} list pages: raise `most_pages` of the descriptor"
            raise AgencyRefused(message, Reason.TOO_LARGE)
        page = _list_page(client, options, number)
        if page.pages != first.pages:
            raise PullInconsistentError(
                f"{options.path}: the list went from {first.pages} to {page.pages} pages while it was read"
            )
        if not page.entries:
            raise PullInconsistentError(f"{options.path}: list page {number} of {page.pages} is empty")
        found += page.entries
    if len({entry.url for entry in found}) < len(found):
        raise PullInconsistentError(f"{options.path}: an entry stands on the list twice: it moved while it was read")
    if number > 1 and _list_page(client, options, 1) != first:
        raise PullInconsistentError(f"{options.path}: the first list page changed while the others were read")
    return sorted(entry for entry in found if since is None or entry.day >= since)


def whole_page(received: Received) -> Any:
    """Return a web page as a tree.

    Raises AgencyRefused for a login page, AgencyUnavailable for a page that ends early.
    """
    if is_login_page(received.content):
        message = f"{received.where}: a login page came instead of the page: check token and gateway"
        raise AgencyRefused(message, Reason.LOGIN_PAGE)
    if _END not in received.content[-1024:].lower():
        raise AgencyUnavailable(f"{received.where}: ends without {_END.decode()}", reason=Reason.CUT_OFF)
    try:
        text = received.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = received.content.decode("gb18030", "replace")
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True)
    return lxml.html.document_fromstring(text.encode(), parser=parser)


def _list_page(client: HttpClient, options: HtmlList, number: int) -> _ListPage:
    question = Question(options.path, what=f"list page {number}", parameters={options.page_parameter: number})
    return client.ask(question, lambda received: _read_list(client, options, received))


def _read_list(client: HttpClient, options: HtmlList, received: Received) -> _ListPage:
    page = whole_page(received)
    try:
        pages = int(str(page.xpath(options.pages)).strip())
        entries = tuple(
            Entry(_day(str(entry.xpath(options.day))), _address(client, received, str(entry.xpath(options.link))))
            for entry in page.xpath(options.entry)
        )
    except (etree.XPathError, ValueError, TypeError) as error:
        message = f"{received.where}: is not a list as the descriptor says: {error}"
        raise AgencyRefused(message, Reason.INTERFACE) from error
    return _ListPage(entries, pages)


def _address(client: HttpClient, received: Received, link: str) -> str:
    if not link.strip():
        raise ValueError("an entry has no link")
    return client.url_of(urljoin(received.url, link.strip()))


def _day(text: str) -> date:
    match = _DAY.search(text)
    if not match:
        raise ValueError("an entry has no day of publication")
    return date(*map(int, match.groups()))
