"""What all simulated HTTPS servers have in common: TLS on loopback, the token, the fault switch, bounded threads."""

from __future__ import annotations

import hmac
import ssl
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import BoundedSemaphore, Thread
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from simulator.faults import OF_CLOCKS, Fault, FaultKind, FaultSwitch
from simulator.servers.published import Published, Row
from simulator.servers.served import Served

LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>统一认证登录</title></head><body><form method='post' action='/login'>"
    "用户名<input name='user'/>密码<input type='password' name='password'/></form></body></html>"
).encode()
_STATUS: Final = {
    FaultKind.TOO_MANY_REQUESTS: 429,
    FaultKind.SERVER_ERROR: 503,
    FaultKind.UNAUTHORIZED: 401,
    FaultKind.FORBIDDEN: 403,
    FaultKind.NOT_FOUND: 404,
}
_OF_HTTPS: Final = frozenset(
    {
        *_STATUS,
        FaultKind.LOGIN_PAGE,
        FaultKind.HTML_AS_DATA,
        FaultKind.REDIRECT,
        FaultKind.RESET,
        FaultKind.TRUNCATED,
        FaultKind.SLOW,
        FaultKind.SLOW_DRIP,
    }
)
_DRIPS: Final = 20
_CONNECTIONS: Final = 32
_LARGEST_REQUEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked: method, path, the last value of each parameter, headers (names in lower case), body."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers; ``kind`` is the content type with its charset."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpsServer(Served):
    """A server of the shape that :mod:`simulator.servers` describes; a protocol adds ``answer``.

    ``faults_of_protocol`` are those that only this protocol can show, by ``spoilt``.
    """

    faults_of_protocol: ClassVar[frozenset[FaultKind]]

    def __init__(self, token: str, tls: ssl.SSLContext, port: int = 0) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        self.faults: Final = FaultSwitch()
        self._published: Final = Published()
        self._asked: Final[deque[str]] = deque(maxlen=10_000)
        self._token = token
        self._server = _BoundedServer(("127.0.0.1", port), self._handler())
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread: Thread | None = None

    @property
    def able(self) -> frozenset[FaultKind]:
        """The faults that the server can show."""
        return _OF_HTTPS | self.faults_of_protocol | OF_CLOCKS.keys()

    def publish(self, path: str, day: date, rows: Sequence[Row], first_number: int | None = None) -> None:
        """Set the rows of a day of a path, as :mod:`simulator.servers` says."""
        fault = self.faults.strike(0, OF_CLOCKS)
        self._published.put(path, day, rows, first_number, dated=day + OF_CLOCKS[fault.kind] if fault else day)

    @property
    def url(self) -> str:
        """Root of the server, fit for an endpoint."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[str]:
        """Targets asked so far, oldest first; the last 10,000."""
        return list(self._asked)

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Answer a request of an entitled client soundly."""

    @abstractmethod
    def page_of(self, request: Request) -> int:
        """Return the number of the page that a request asks for, 0 where pages do not apply."""

    @abstractmethod
    def spoilt(self, fault: Fault, request: Request, sound: Answer) -> Answer:
        """Return the answer that a fault of the protocol's own makes; ValueError for one that it does not know."""

    def entitled(self, request: Request) -> bool:
        """Say whether a request carries the token; where none is set everybody may read."""
        expected = f"Bearer {self._token}".encode()
        return not self._token or hmac.compare_digest(request.headers.get("authorization", "").encode(), expected)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent: the tests and the demo have their own progress."""

            def _answer(self, method: str) -> None:
                server._asked.append(self.path)
                request = self._request(method)
                sound = server.answer(request) if server.entitled(request) else Answer(401)
                fault = server.faults.strike(server.page_of(request), server.able - OF_CLOCKS.keys())
                if fault is None or sound.status not in (200, 304):
                    self._send(sound)
                else:
                    self._misbehave(fault, request, sound)

            def _request(self, method: str) -> Request:
                address = urlsplit(self.path)
                length = min(int(self.headers.get("Content-Length", 0)), _LARGEST_REQUEST)
                query = {key: values[-1] for key, values in parse_qs(address.query, keep_blank_values=True).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                return Request(method, address.path, query, headers, self.rfile.read(length))

            def _send(self, answer: Answer, sent: int | None = None) -> None:
                self.send_response(answer.status)
                if answer.status != 304:
                    self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[:sent])

            def _drip(self, answer: Answer, seconds: float) -> None:
                self._send(answer, 0)
                step = -(-len(answer.body) // _DRIPS)
                for place in range(0, len(answer.body), step or 1):
                    time.sleep(seconds / _DRIPS)
                    self.wfile.write(answer.body[place : place + step])
                    self.wfile.flush()

            def _misbehave(self, fault: Fault, request: Request, sound: Answer) -> None:
                match fault.kind:
                    case FaultKind.LOGIN_PAGE:
                        self._send(Answer(200, LOGIN_PAGE, "text/html; charset=utf-8"))
                    case FaultKind.HTML_AS_DATA:
                        self._send(Answer(200, LOGIN_PAGE, sound.kind))
                    case FaultKind.REDIRECT:
                        self._send(Answer(302, headers={"Location": "/login"}))
                    case FaultKind.TRUNCATED:
                        self._send(Answer(200, sound.body[: len(sound.body) // 2], sound.kind, sound.headers))
                    case FaultKind.SLOW:
                        time.sleep(fault.seconds)
                        self.close_connection = True
                    case FaultKind.SLOW_DRIP:
                        self._drip(sound, fault.seconds)
                    case FaultKind.RESET:
                        self._send(sound, len(sound.body) // 2)
                        self.close_connection = True
                    case kind if kind in _STATUS:
                        wait = {"Retry-After": f"{fault.seconds:.0f}"} if kind is FaultKind.TOO_MANY_REQUESTS else {}
                        self._send(Answer(_STATUS[kind], headers=wait))
                    case _:
                        self._send(server.spoilt(fault, request, sound))

        return Handler


class _BoundedServer(ThreadingHTTPServer):
    """Serves so many connections at a time; the next one waits in the queue of the socket."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._free = BoundedSemaphore(_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A client that went away, or did not trust the certificate, is no error of the server."""
