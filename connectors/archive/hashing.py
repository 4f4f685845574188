"""The hash of a stream, reckoned beside whoever packs or unpacks it: neither holds the interpreter for long."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final


class HashBeside:
    """SHA-256 of the pieces it is given; one piece waits at the most. ``close`` ends its thread."""

    def __init__(self) -> None:
        """Nothing is hashed yet."""
        self._digest: Final = hashlib.sha256()
        self._beside: Final = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._under_way: Future[None] | None = None

    def update(self, piece: bytes) -> None:
        """Take the next piece, when the one before is hashed; it must not change."""
        self._settle()
        self._under_way = self._beside.submit(self._digest.update, piece)

    def hexdigest(self) -> str:
        """Return the hash of all pieces so far."""
        self._settle()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread; twice does no harm."""
        self._beside.shutdown()

    def _settle(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
