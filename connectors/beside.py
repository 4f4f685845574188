"""Something done with the pieces of a stream beside whoever makes them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, TypeVar

Piece = TypeVar("Piece")


class Beside(Generic[Piece]):
    """A thread that takes pieces in their order; one waits at the most. ``close`` ends it."""

    def __init__(self, take: Callable[[Piece], object]) -> None:
        """Call ``take`` with each piece; it should let go of the interpreter most of the time."""
        self._take: Final = take
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._under_way: Future[object] | None = None

    def give(self, piece: Piece) -> None:
        """Hand over the next piece, when the one before is done with; it must not change. Raises what that raised."""
        self.settle()
        self._under_way = self._thread.submit(self._take, piece)

    def settle(self) -> None:
        """Wait until every piece is done with. Raises what the last one raised."""
        if self._under_way is not None:
            under_way, self._under_way = self._under_way, None
            under_way.result()

    def close(self) -> None:
        """End the thread; twice does no harm."""
        self._thread.shutdown()
