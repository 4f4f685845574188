"""Decisions that an agency publishes as web pages: a list with days, and a page behind each entry.

Each detail page is one piece, exactly as it came; :mod:`connectors.formats.html_detail` reads the one record on it. The
list is turned first (:mod:`connectors.transports.decision_list`), then the pages published up to ``as_of`` are asked
for, oldest first. The last ``overlap_days`` before the last complete pull are looked at again, because entries are put
on the list late or changed; a page that has not changed since is not handed over again. A page that is gone, or has no
label of the descriptor's, is left out and reported; the others go on, and it is asked for again by every later pull.

Cursor between pulls: ``{"watermark": day, "known": {address: print}, "left": [[day, address], ...]}``, addresses and
prints being 12 hex digits of SHA-256, at most 800 pages, and the pages left out, at most 200. In the middle of a pull,
beside it: ``since``, ``until``, ``page`` (the next one), ``before`` (a print of the list up to there: a list that no
longer begins like this starts the pull over), ``fresh`` prints and ``leaving``, the pages left out by this pull.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connectors.descriptor import HtmlList, Stream
from connectors.endpoint import Endpoint
from connectors.http.client import HttpClient, Question, Received
from connectors.transports.contract import (
    AgencyRefused,
    Cursor,
    FilesRefusedError,
    Piece,
    PullInconsistentError,
    Reason,
)
from connectors.transports.decision_list import Entry, listed, whole_page
from transforms.problems import DeliveryRefused, Problem

_MOST_KNOWN: Final = 800
_MOST_LEFT: Final = 200


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the pages published since the cursor's watermark, up to and including ``as_of``.

    A page is held back until another one follows or none is left: only then can it be marked as the last one. Raises
    FilesRefusedError after the last piece, for the pages left out.
    """
    options = stream.transport
    if not isinstance(options, HtmlList):
        raise TypeError(f"stream {stream.id} is not read from a list of web pages")
    with HttpClient(stream, endpoint, options, public=options.public) as client:
        reading = _Reading(stream, options, client, cursor, as_of)
        held: Piece | None = None
        for piece in reading.pieces():
            if held:
                yield held
            held = piece
        if held:
            yield replace(held, cursor=reading.end(), last=True)
    if reading.problems:
        raise FilesRefusedError(tuple(reading.problems))


class _Reading:
    """One pull under way; ``problems`` has one entry per page left out."""

    def __init__(self, stream: Stream, options: HtmlList, client: HttpClient, cursor: Cursor, as_of: date) -> None:
        self.problems: Final[list[Problem]] = []
        self._options: Final = options
        self._client: Final = client
        self._name: Final = f"{stream.id}_{as_of:%Y%m%d}"
        self._known: Final[dict[str, str]] = cursor.get("known", {})
        self._fresh: Final[dict[str, str]] = dict(cursor.get("fresh", {}))
        self._position: Cursor = dict(cursor) if "page" in cursor else _begun(options, cursor, as_of)
        self._left_before: Final = [Entry(date.fromisoformat(day), url) for day, url in cursor.get("left", ())]
        self._leaving: Final[list[list[str]]] = list(cursor.get("leaving", []))

    def pieces(self) -> Iterator[Piece]:
        """Yield each page that is new or has changed."""
        position = self._position
        entries = self._entries()
        done = position["page"] - 1
        if done and _print_of(entries[:done]) != position["before"]:
            raise PullInconsistentError(f"{self._options.path}: the list changed above the page that was read last")
        for number, entry in enumerate(entries[done:], start=done + 1):
            content = self._decision(entry)
            self._position = {
                **self._position,
                "page": number + 1,
                "before": _print_of(entries[:number]),
                "fresh": dict(self._fresh),
                "leaving": list(self._leaving),
            }
            if content is not None:
                name = f"{self._name}_{number:05d}.html"
                yield Piece(name, content, dict(self._position), last=False, rows=1)

    def end(self) -> Cursor:
        """Return the cursor between this pull and the next."""
        position = self._position
        watermark = max(position["until"], position["watermark"] or "")
        left = {"left": self._leaving[:_MOST_LEFT]} if self._leaving else {}
        return {"watermark": watermark, "known": self._fresh, **left}

    def _entries(self) -> list[Entry]:
        """Return what has to be looked at, oldest first: what was left out before, and what the list holds."""
        position = self._position
        since = date.fromisoformat(position["since"]) if position["since"] else None
        until = date.fromisoformat(position["until"])
        on_list = [entry for entry in listed(self._client, self._options, since) if entry.day <= until]
        return sorted({*on_list, *self._left_before})

    def _decision(self, entry: Entry) -> bytes | None:
        """Return the bytes of a page, null for one that the last pull brought or that is left out."""
        try:
            content = self._client.ask(Question(entry.url), self._read)
        except AgencyRefused as refused:
            if refused.reason is not Reason.ADDRESS:
                raise
            self._leave(entry, "PAGE_GONE", "列表中的详情页不存在", "请核对列表链接; 已撤下的决定请从列表中移除")
            return None
        except DeliveryRefused:
            self._leave(
                entry, "PAGE_LABELS", "详情页没有约定的数据项名称", "请核对详情页版式, 或更新来源描述中的 label"
            )
            return None
        address, page_print = _short(entry.url.encode()), _short(content)
        if entry.day >= self._looked_at_again and len(self._fresh) < _MOST_KNOWN:
            self._fresh[address] = page_print
        return None if self._known.get(address) == page_print else content

    @property
    def _looked_at_again(self) -> date:
        """The first day that the next pull looks at again."""
        return date.fromisoformat(self._position["until"]) - timedelta(days=self._options.overlap_days)

    def _read(self, received: Received) -> bytes:
        page = whole_page(received)
        if not page.xpath(self._options.label):
            raise DeliveryRefused(Problem("PAGE_LABELS", "refuse", "", "", file=received.url))
        return received.content

    def _leave(self, entry: Entry, rule: str, message: str, remedy: str) -> None:
        self._leaving.append([entry.day.isoformat(), entry.url])
        self.problems.append(Problem(rule, "refuse", message, remedy, file=Endpoint(entry.url).shown))


def _begun(options: HtmlList, cursor: Cursor, as_of: date) -> Cursor:
    watermark = cursor.get("watermark")
    since = date.fromisoformat(watermark) - timedelta(days=options.overlap_days) if watermark else None
    return {
        "watermark": None,
        **cursor,
        "since": since.isoformat() if since else None,
        "until": as_of.isoformat(),
        "page": 1,
        "before": None,
    }


def _print_of(entries: Sequence[Entry]) -> str:
    return _short("\n".join(f"{entry.day} {entry.url}" for entry in entries).encode())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
