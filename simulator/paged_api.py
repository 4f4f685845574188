"""The simulated API of an agency: HTTPS on loopback, bearer token, JSON pages, numbered changes, a fault switch."""

from __future__ import annotations

import hmac
import json
import ssl
import time
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from simulator.faults import Fault, FaultKind, FaultSwitch
from simulator.templates import Row

_LOGIN: Final = "<!DOCTYPE html><html><head><title>统一认证登录</title></head><body>请登录</body></html>".encode()
_STATUS: Final = {
    FaultKind.TOO_MANY_REQUESTS: 429,
    FaultKind.SERVER_ERROR: 503,
    FaultKind.UNAUTHORIZED: 401,
    FaultKind.FORBIDDEN: 403,
    FaultKind.NOT_FOUND: 404,
}


@dataclass(frozen=True, slots=True)
class Change:
    """A row as the source keeps it: numbered in the order of change, with the day it became visible."""

    number: int
    day: date
    row: Row


class ApiServer:
    """Serves ``GET /api<path>?page&page_size&changed_since&changed_until`` for each path it was given changes for."""

    def __init__(self, token: str, tls: ssl.SSLContext, port: int = 0) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        self.faults = FaultSwitch()
        self.requests: list[str] = []
        self._changes: dict[str, list[Change]] = {}
        self._token = token
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Root of the API, fit for an endpoint."""
        return f"https://127.0.0.1:{self._server.server_address[1]}/api"

    def publish(self, path: str, changes: list[Change]) -> None:
        """Make changes visible under a path, instead of those of the same numbers."""
        kept = {change.number: change for change in (*self._changes.get(path, ()), *changes)}
        self._changes[path] = [kept[number] for number in sorted(kept)]

    def start(self) -> None:
        """Answer from now on, in a thread of its own."""
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def answer(self, target: str, authorization: str) -> tuple[int, dict[str, Any] | None]:
        """Return status and document for a request target; null documents have no body."""
        address = urlsplit(target)
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return 401, None
        changes = self._changes.get(address.path.removeprefix("/api"))
        if changes is None or not address.path.startswith("/api/"):
            return 404, None
        query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        try:
            page, size = int(query["page"]), int(query["page_size"])
            since = int(query.get("changed_since", 0))
            until = date.fromisoformat(query["changed_until"])
        except (KeyError, ValueError):
            return 400, None
        selected = [change for change in changes if change.number > since and change.day <= until]
        rows = [change.row for change in selected[(page - 1) * size : page * size]]
        pages = -(-len(selected) // size)
        highest = max((change.number for change in selected), default=since)
        return 200, {"total": len(selected), "page": page, "pages": pages, "change_no": highest, "rows": rows}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                server.requests.append(self.path)
                page = int(parse_qs(urlsplit(self.path).query).get("page", ["0"])[0])
                status, document = server.answer(self.path, self.headers.get("Authorization", ""))
                fault = server.faults.strike(page)
                if fault is None or status != 200 or document is None:
                    self._send(status, _body(document))
                else:
                    self._misbehave(fault, document)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent: the tests and the demo have their own progress."""

            def _send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def _misbehave(self, fault: Fault, document: dict[str, Any]) -> None:
                body = _body(document)
                match fault.kind:
                    case FaultKind.LOGIN_PAGE:
                        self._send(200, _LOGIN, "text/html")
                    case FaultKind.REDIRECT:
                        self._send(302, b"", Location="/login")
                    case FaultKind.TRUNCATED:
                        self._send(200, body[: len(body) // 2])
                    case FaultKind.WRONG_TOTAL:
                        self._send(200, _body({**document, "total": document["total"] + 1}))
                    case FaultKind.SLOW:
                        time.sleep(fault.seconds)
                        self.close_connection = True
                    case FaultKind.RESET:
                        self.send_response(200)
                        self.send_header("Content-Type", "application/json; charset=utf-8")
                        self.send_header("Content-Length", str(len(body)))
                        self.end_headers()
                        self.wfile.write(body[: len(body) // 2])
                        self.close_connection = True
                    case kind:
                        wait = {"Retry_After": f"{fault.seconds:.0f}"} if kind is FaultKind.TOO_MANY_REQUESTS else {}
                        self._send(_STATUS[kind], b"{}", **wait)

        return Handler


def _body(document: dict[str, Any] | None) -> bytes:
    return json.dumps(document or {}, ensure_ascii=False).encode()
