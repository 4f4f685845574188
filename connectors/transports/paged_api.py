"""A JSON API over HTTPS with a bearer token, read page by page.

A page is ``{"total": rows in the selection, "page": 1.., "pages": .., "rows": [...]}``; where the source numbers its
changes, a page also tells the highest number selected (``watermark.highest`` in the descriptor). The bytes of each
page are handed over as they came.

Cursor between pulls: ``{"watermark": number or day}``. In the middle of one, beside it: ``since`` and ``until`` (the
selection), ``page`` (the next one), ``total`` and ``received`` (rows), ``highest``.

Connections are TLS-verified and direct: neither the proxies nor the ``.netrc`` of the machine are used, redirects are
not followed, so the token goes to the configured host only.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import requests
from requests.auth import AuthBase

from connectors.descriptor import ChangeNumbers, PagedApi, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece, PullInconsistentError

_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_BROKEN: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_ADVICE: Final = {
    401: "the token is missing, wrong or expired: renew the secret of this connection",
    403: "the token is valid but may not read this stream: ask the agency for the right",
    404: "there is no such address: compare the URL of the connection and `path` of the descriptor",
}
_CHUNK: Final = 1 << 16


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the pages that changed since the cursor's watermark, up to and including ``as_of``."""
    options = stream.transport
    if not isinstance(options, PagedApi):
        raise TypeError(f"stream {stream.id} is not read through a paged API")
    position = _position(options, cursor, as_of)
    with _session(endpoint) as session:
        while True:
            number = position["page"]
            content, page = _fetch(session, stream, options, endpoint, position)
            position = _advance(position, page, number)
            if page.total == 0:
                return
            last = number >= page.pages
            if last and position["received"] != page.total:
                raise PullInconsistentError(
                    f"{options.path}: {page.total} rows declared, {position['received']} received in {number} pages"
                )
            yield Piece(
                name=f"{stream.id}_{as_of:%Y%m%d}_{number:05d}.json",
                content=content,
                cursor={"watermark": _watermark(options, position)} if last else position,
                last=last,
                rows=page.rows,
            )
            if last:
                return


@dataclass(frozen=True, slots=True)
class _Page:
    total: int
    number: int
    pages: int
    rows: int
    highest: int | None


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(endpoint: Endpoint) -> requests.Session:
    if not endpoint.url.startswith("https://"):
        raise AgencyRefused(f"{endpoint.shown}: only https:// is allowed for an API that is sent a token")
    if not endpoint.secret:
        raise AgencyRefused(f"{endpoint.shown}: no token is configured: set the secret of this connection")
    session = requests.Session()
    session.trust_env = False
    session.auth = _Bearer(endpoint.secret)
    session.headers["Accept"] = "application/json"
    return session


def _position(options: PagedApi, cursor: Cursor, as_of: date) -> Cursor:
    """Return where to go on: the cursor itself in the middle of a pull, else the first page of a new selection."""
    if "page" in cursor:
        return cursor
    watermark = cursor.get("watermark")
    since: int | str | None = None
    if watermark is not None:
        if isinstance(options.watermark, ChangeNumbers):
            since = max(0, watermark - options.watermark.overlap)
        else:
            since = (date.fromisoformat(watermark) - timedelta(days=options.watermark.overlap_days)).isoformat()
    fresh = {"watermark": watermark, "since": since, "until": as_of.isoformat(), "page": 1}
    return {**fresh, "total": None, "received": 0, "highest": None}


def _advance(position: Cursor, page: _Page, number: int) -> Cursor:
    if page.number != number:
        raise PullInconsistentError(f"page {number} was asked for, page {page.number} came")
    if position["total"] not in (None, page.total):
        raise PullInconsistentError(
            f"the selection changed from {position['total']} to {page.total} rows while it was read"
        )
    if page.rows == 0 and page.total:
        raise PullInconsistentError(f"page {number} of {page.pages} is empty")
    highest = max((n for n in (position["highest"], page.highest) if n is not None), default=None)
    received = position["received"] + page.rows
    return {**position, "page": number + 1, "total": page.total, "received": received, "highest": highest}


def _watermark(options: PagedApi, position: Cursor) -> int | str:
    """Return the mark behind a complete selection; it never moves backwards."""
    if isinstance(options.watermark, ChangeNumbers):
        return max(int(position["highest"]), int(position["watermark"] or 0))
    return max(str(position["until"]), str(position["watermark"] or ""))


def _fetch(
    session: requests.Session, stream: Stream, options: PagedApi, endpoint: Endpoint, position: Cursor
) -> tuple[bytes, _Page]:
    """Get one page, asking a busy or broken source again with growing, jittered waits."""
    retries = stream.retries
    failure = AgencyUnavailable("never asked")
    for attempt in range(1, retries.attempts + 1):
        try:
            return _fetch_once(session, options, endpoint, position)
        except AgencyUnavailable as error:
            failure = error
        if failure.retry_after is not None and failure.retry_after > retries.longest_wait:
            break
        if attempt < retries.attempts:
            backoff = min(retries.longest_wait, retries.first_wait * 2 ** (attempt - 1))
            # Jitter keeps thirteen agencies' retries apart; it changes when something is asked, never what.
            jittered = backoff * random.uniform(0.5, 1.0)  # noqa: S311
            time.sleep(max(failure.retry_after or 0.0, jittered))
    raise AgencyUnavailable(f"{failure} (attempt {attempt} of {retries.attempts})", failure.retry_after) from failure


def _fetch_once(
    session: requests.Session, options: PagedApi, endpoint: Endpoint, position: Cursor
) -> tuple[bytes, _Page]:
    where = f"{endpoint.shown}{options.path} page {position['page']}"
    parameters = {"page": position["page"], "page_size": options.page_size, options.until_parameter: position["until"]}
    if position["since"] is not None:
        parameters[options.since_parameter] = position["since"]
    try:
        with session.get(
            endpoint.url.rstrip("/") + options.path,
            params=parameters,
            timeout=(options.connect_timeout, options.read_timeout),
            verify=endpoint.ca_file or True,
            allow_redirects=False,
            stream=True,
        ) as answer:
            _judge_status(answer, where)
            content = _read_body(answer, options.largest_page, where)
    except _BROKEN as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise AgencyRefused(f"{where}: the certificate is not trusted: check the CA file") from error
        raise AgencyUnavailable(f"{where}: {type(error).__name__}") from error
    except OSError as error:
        raise AgencyRefused(f"{where}: {error}") from error
    return content, _read_page(content, options, where)


def _judge_status(answer: requests.Response, where: str) -> None:
    status = answer.status_code
    if status in _BUSY:
        raise AgencyUnavailable(f"{where}: answered {status}", _retry_after(answer))
    if 300 <= status < 400:
        raise AgencyRefused(f"{where}: redirects ({status}), to a login page perhaps; redirects are not followed")
    if status != 200:
        raise AgencyRefused(f"{where}: answered {status}: {_ADVICE.get(status, 'the agency has to say why')}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise AgencyRefused(f"{where}: a web page came instead of data (a login page?): check token and gateway")


def _retry_after(answer: requests.Response) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date that is held against the answer's own Date."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def _read_body(answer: requests.Response, largest: int, where: str) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > largest:
            raise AgencyRefused(f"{where}: larger than {largest} bytes: lower `page_size` of the descriptor")
    return bytes(body)


def _read_page(content: bytes, options: PagedApi, where: str) -> _Page:
    if content.lstrip()[:1] == b"<":
        raise AgencyRefused(f"{where}: a web page came instead of data (a login page?): check token and gateway")
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AgencyUnavailable(f"{where}: is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get(options.rows), list):
        raise AgencyRefused(f"{where}: has no list `{options.rows}`: the agency changed its interface")
    try:
        return _Page(
            total=_whole(document["total"]),
            number=_whole(document["page"]),
            pages=_whole(document["pages"]),
            rows=len(document[options.rows]),
            highest=_whole(document[options.watermark.highest])
            if isinstance(options.watermark, ChangeNumbers)
            else None,
        )
    except (KeyError, TypeError) as error:
        raise AgencyRefused(f"{where}: no whole number where one is agreed: {error}: the interface changed") from error


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.40}")
    return value
