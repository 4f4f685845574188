"""The simulated API of an agency: JSON pages by number, by next token or by window of days, with ETags.

``GET /api<path>?page_size&changed_since&changed_until`` and ``page`` (pages by number) or ``cursor`` (the token that
the answer before gave as ``next``; absent for the first page). ``changed_since`` is a change number that is excluded,
or a day that is included; ``changed_until`` is a day that is included. An answer is ``{"total", "page", "pages",
"next", "change_no": highest number selected, "rows"}`` and has a strong ETag that ``If-None-Match`` is held against.

A row that comes in or goes (ROW_INSERTED, ROW_REMOVED) is played by turning the order of the selection by one row: what
the source holds stays the same, so a pull that starts over finds every row.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections import Counter
from dataclasses import replace
from datetime import date
from threading import Lock
from typing import Any, Final

from simulator.faults import OF_PAGES, Fault, FaultKind
from simulator.servers.https import Answer, HttpsServer, Request
from simulator.servers.published import Change

_ROOT: Final = "/api"
_JSON: Final = "application/json; charset=utf-8"


class PagedApiServer(HttpsServer):
    """Serves each path that something was published under."""

    faults_of_protocol = OF_PAGES | {FaultKind.STALE_ETAG, FaultKind.OTHER_CHARSET}

    def __init__(self, token: str, tls: ssl.SSLContext, port: int = 0) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        super().__init__(token, tls, port)
        self._turned: Final[Counter[str]] = Counter()
        self._lock: Final = Lock()

    @property
    def url(self) -> str:
        """Root of the API, fit for an endpoint."""
        return f"{super().url}{_ROOT}"

    def answer(self, request: Request) -> Answer:
        """Answer a page, 304 for one that the client has, 404 for an unknown path, 400 for what cannot be read."""
        try:
            document = self._document(request, self.page_of(request))
        except (KeyError, ValueError):
            return Answer(400)
        return Answer(404) if document is None else _as_answer(document, request)

    def page_of(self, request: Request) -> int:
        """Return the number of the page asked for; a token holds it."""
        try:
            if "page" in request.query:
                return int(request.query["page"])
            token = request.query.get("cursor")
            return int(base64.urlsafe_b64decode(token).removeprefix(b"page ")) if token else 1
        except ValueError:
            return 0

    def spoilt(self, fault: Fault, request: Request, sound: Answer) -> Answer:
        """Make the fault out of the sound answer; the order of rows stays turned afterwards."""
        page = self.page_of(request)
        document = self._document(request, page) or {}
        match fault.kind:
            case FaultKind.WRONG_TOTAL:
                document["total"] += 1
            case FaultKind.DUPLICATE_PAGE:
                document["rows"] = (self._document(request, max(page - 1, 1)) or {})["rows"]
            case FaultKind.DROPPED_PAGE:
                document = {**(self._document(request, page + 1) or {}), "page": page}
            case FaultKind.OTHER_CHARSET:
                return replace(sound, body=sound.body.decode().encode("gb18030"))
            case FaultKind.ROW_INSERTED | FaultKind.ROW_REMOVED:
                with self._lock:
                    self._turned[request.path] += 1 if fault.kind is FaultKind.ROW_REMOVED else -1
                document = self._document(request, page) or {}
            case FaultKind.STALE_ETAG:
                return Answer(304) if "if-none-match" in request.headers else sound
            case _:
                raise ValueError(f"a paged API knows no fault {fault.kind.name}")
        return _as_answer(document, request)

    def _document(self, request: Request, page: int) -> dict[str, Any] | None:
        """Return the page, null for an unknown path; KeyError and ValueError for what cannot be read."""
        query = request.query
        size, until = int(query["page_size"]), date.fromisoformat(query["changed_until"])
        since = query.get("changed_since", "0")
        if page < 1 or size < 1:
            raise ValueError
        changes = self._published.changes(request.path.removeprefix(_ROOT))
        if changes is None or not request.path.startswith(f"{_ROOT}/"):
            return None
        selected = [change for change in changes if change.day <= until and _is_since(change, since)]
        turn = self._turned[request.path] % len(selected) if selected else 0
        rows = [change.row for change in (*selected[turn:], *selected[:turn])]
        pages = -(-len(rows) // size)
        return {
            "total": len(rows),
            "page": page,
            "pages": pages,
            "next": base64.urlsafe_b64encode(f"page {page + 1}".encode()).decode() if page < pages else None,
            "change_no": max((change.number for change in selected), default=int(since) if since.isdigit() else 0),
            "rows": rows[(page - 1) * size : page * size],
        }


def _is_since(change: Change, since: str) -> bool:
    return change.number > int(since) if since.isdigit() else change.day >= date.fromisoformat(since)


def _as_answer(document: dict[str, Any], request: Request) -> Answer:
    body = json.dumps(document, ensure_ascii=False).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Answer(304, headers={"ETag": etag})
    return Answer(200, body, _JSON, {"ETag": etag})
