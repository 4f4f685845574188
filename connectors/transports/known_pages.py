"""Pages that were kept by the last complete pull, with their ETags: asked again, they may be answered with 304.

An ETag belongs to exactly one question (RFC 9110, 8.8.3), here to its address and parameters. What a page told is held
beside it, because 304 brings no page. In a cursor: ``{"known": {question: [etag, total, count, number, pages,
highest]}}``, at most 128 questions, under 32 KB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from connectors.http.client import Question
from connectors.transports.page import Page

_MOST: Final = 128
_LONGEST_ETAG: Final = 128


class KnownPages:
    """ETags of the last complete pull (``before``) and of this one (``fresh``)."""

    def __init__(self, before: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
        """Take both from a cursor."""
        self._before = dict(before)
        self.fresh: Final[dict[str, Any]] = dict(fresh)

    def etag(self, question: Question) -> str | None:
        """Return the ETag to ask with, null for a question that was not asked before."""
        known = self._before.get(_key(question))
        return str(known[0]) if known else None

    def page(self, question: Question) -> Page:
        """Return what the page told that was answered with 304; it counts for this pull, too."""
        known = self.fresh[_key(question)] = self._before[_key(question)]
        _, total, count, number, pages, highest = known
        return Page(total, count, None, number=number, pages=pages, highest=highest)

    def remember(self, question: Question, etag: str | None, page: Page) -> None:
        """Note the ETag of a page that came."""
        if etag and len(etag) <= _LONGEST_ETAG and len(self.fresh) < _MOST:
            told = [etag, page.total, page.count, page.number, page.pages, page.highest]
            self.fresh[_key(question)] = told


def _key(question: Question) -> str:
    asked = f"{question.target}?{sorted(question.parameters.items())}"
    return hashlib.sha256(asked.encode()).hexdigest()[:24]
