"""The simulated web site of an agency: a list of decisions, newest first, and a page behind each.

``GET <path>?page=n`` is a list page: ``<ul class="list"><li><a href="...">title</a><span>2018-08-21</span></li>`` and
``<span class="pages">number of list pages</span>``. ``GET <path>detail/<number>.html`` is a decision: a table whose
``th`` are the labels and whose ``td`` are the values of one row. ``charset`` is that of every page, utf-8 or gb18030.

A decision that comes in or goes while the list is turned is played by turning the order of the list by one entry.
"""

from __future__ import annotations

import re
import ssl
from collections import Counter
from collections.abc import Mapping
from html import escape
from threading import Lock
from types import MappingProxyType
from typing import Final

from simulator.faults import OF_PAGES, Fault, FaultKind
from simulator.servers.https import Answer, HttpsServer, Request
from simulator.servers.published import Change

_DETAIL: Final = re.compile(r"(?P<list>.*/)detail/(?P<number>\d+)\.html")
_NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


class HtmlSite(HttpsServer):
    """Serves a list under each path that something was published under; a path ends in ``/``.

    ``labels`` says what stands for a code on a page (行政处罚决定书文号 for CF_WSH); a code without a label stands for
    itself. The first value of a row is the title of its entry.
    """

    faults_of_protocol = OF_PAGES

    def __init__(
        self,
        token: str,
        tls: ssl.SSLContext,
        port: int = 0,
        *,
        charset: str = "utf-8",
        page_size: int = 20,
        labels: Mapping[str, str] = _NO_LABELS,
    ) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        super().__init__(token, tls, port)
        self._turned: Final[Counter[str]] = Counter()
        self._lock: Final = Lock()
        self._charset: Final = charset
        self._page_size: Final = page_size
        self._labels: Final = labels

    def answer(self, request: Request) -> Answer:
        """Answer a list page or a decision, 404 for what is not there."""
        if detail := _DETAIL.fullmatch(request.path):
            return self._decision(detail["list"], int(detail["number"]))
        return self._list(request.path, self.page_of(request))

    def page_of(self, request: Request) -> int:
        """Return the number of the list page asked for, 0 for a decision."""
        if _DETAIL.fullmatch(request.path):
            return 0
        page = request.query.get("page", "1")
        return int(page) if page.isdigit() else 1

    def spoilt(self, fault: Fault, request: Request, sound: Answer) -> Answer:
        """Make the fault out of the sound answer; the order of the list stays turned afterwards."""
        page = self.page_of(request)
        if not page:
            return sound
        match fault.kind:
            case FaultKind.WRONG_TOTAL:
                return self._list(request.path, page, more_pages=1)
            case FaultKind.DUPLICATE_PAGE:
                return self._list(request.path, max(page - 1, 1))
            case FaultKind.DROPPED_PAGE:
                return self._list(request.path, page + 1)
            case FaultKind.ROW_INSERTED | FaultKind.ROW_REMOVED:
                with self._lock:
                    self._turned[request.path] += 1 if fault.kind is FaultKind.ROW_REMOVED else -1
                return self._list(request.path, page)
            case _:
                raise ValueError(f"a web site knows no fault {fault.kind.name}")

    def _list(self, path: str, page: int, *, more_pages: int = 0) -> Answer:
        changes = self._published.changes(path)
        if changes is None:
            return Answer(404)
        listed = sorted(changes, key=lambda change: (change.day, change.number), reverse=True)
        turn = self._turned[path] % len(listed) if listed else 0
        listed = [*listed[turn:], *listed[:turn]]
        first = (page - 1) * self._page_size
        entries = "\n".join(_entry(path, change) for change in listed[first : first + self._page_size])
        pages = -(-len(listed) // self._page_size) + more_pages
        body = f'<ul class="list">\n{entries}\n</ul>\n<p>共 <span class="pages">{pages}</span> 页</p>'
        return self._page("行政处罚公示", body)

    def _decision(self, path: str, number: int) -> Answer:
        row = next((change.row for change in self._published.changes(path) or () if change.number == number), None)
        if row is None:
            return Answer(404)
        cells = "\n".join(
            f"<tr><th>{escape(self._labels.get(code, code))}:</th><td>{escape(text)}</td></tr>"
            for code, text in row.items()
        )
        return self._page("行政处罚决定", f'<table class="decision">\n{cells}\n</table>')

    def _page(self, title: str, body: str) -> Answer:
        text = (
            f'<!DOCTYPE html>\n<html lang="zh"><head><meta charset="{self._charset}"><title>{title}</title>'
            "<style>th { text-align: left }</style><script>var shown = '<table>';</script></head>\n"
            f"<body>\n{body}\n</body></html>\n"
        )
        return Answer(200, text.encode(self._charset), f"text/html; charset={self._charset}")


def _entry(path: str, change: Change) -> str:
    title = escape(next(iter(change.row.values()), ""))
    address = f"{path}detail/{change.number}.html"
    return f'<li><a href="{address}">{title}</a><span>{change.day.isoformat()}</span></li>'
