"""Work on parts of a stream by threads, and take up the answers in the order of the parts.

Arrow's kernels and the hashes let go of the interpreter, so threads share the cores; answers do not depend on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def in_order(work: Callable[[Part], Answer], parts: Iterable[Part]) -> Iterator[Answer]:
    """Yield what ``work`` makes of each part, a few parts at once; memory holds no more than these."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[Answer]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > THREADS + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
