"""Judging an answer before anyone reads it: status, Retry-After, size, time."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from connectors.transports.contract import AgencyError, AgencyRefused, AgencyUnavailable, Reason

_BUSY: Final = frozenset({408, 425, 429})
_ADVICE: Final = {
    401: ("the token is missing, wrong or expired: renew the secret of this connection", Reason.CREDENTIAL),
    403: ("the token is valid but may not read this stream: ask the agency for the right", Reason.RIGHT),
    404: ("there is no such address: compare the URL of the connection and `path` of the descriptor", Reason.ADDRESS),
}
_CHUNK: Final = 1 << 16


def status_error(answer: requests.Response, where: str) -> AgencyError | None:
    """Return what a status means: null for 200 and 304, AgencyUnavailable for 408, 425, 429 and 5xx, else refused."""
    status = answer.status_code
    if status in (200, 304):
        return None
    if status in _BUSY or status >= 500:
        reason = Reason.BUSY if status in _BUSY else Reason.BROKEN
        return AgencyUnavailable(f"{where}: answered {status}", retry_after(answer), reason)
    if 300 <= status < 400:
        message = f"{where}: redirects ({status}), to a login page perhaps; redirects are not followed"
        return AgencyRefused(message, Reason.ADDRESS)
    advice, reason = _ADVICE.get(status, ("the agency has to say why", Reason.OTHER))
    return AgencyRefused(f"{where}: answered {status}: {advice}", reason)


def retry_after(answer: requests.Response) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date that is held against the answer's own Date."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def read_body(answer: requests.Response, *, largest: int, longest: float, where: str) -> bytes:
    """Read the body of at most ``largest`` bytes in at most ``longest`` seconds, however slowly it drips."""
    body = bytearray()
    deadline = time.monotonic() + longest
    while chunk := answer.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > largest:
            message = f"{where}: larger than {largest} bytes: lower the page size in the descriptor"
            raise AgencyRefused(message, Reason.TOO_LARGE)
        if time.monotonic() > deadline:
            message = f"{where}: no end after {longest:g} seconds, {len(body)} bytes so far"
            raise AgencyUnavailable(message, reason=Reason.TIMEOUT)
    return bytes(body)
