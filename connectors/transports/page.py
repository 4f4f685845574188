"""What one page tells about itself and its selection, by whatever protocol it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """``total`` rows are selected, ``count`` of them stand here; ``rows`` is empty for a page answered with 304.

    ``number`` and ``pages`` are told where pages are asked for by number, ``next`` (null at the end) where each page
    holds the token of the next; ``highest`` is the highest change number selected, where the source numbers changes.
    ``content`` is the bytes as they came, null where the last pull brought them.
    """

    total: int | None
    count: int
    content: bytes | None
    rows: Sequence[Any] = ()
    number: int | None = None
    pages: int | None = None
    next: str | None = None
    highest: int | None = None

    @property
    def is_last(self) -> bool:
        """Say whether the selection ends here."""
        return self.next is None if self.pages is None else (self.number or 0) >= self.pages
