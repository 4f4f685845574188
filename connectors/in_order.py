"""Work on parts of a stream by threads, and take up the answers in the order of the parts.

Arrow's kernels and the hashes let go of the interpreter, so threads share the cores; answers do not depend on it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2
_NICENESS: Final = 5

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def in_order(work: Callable[[Part], Answer], parts: Iterable[Part]) -> Iterator[Answer]:
    """Yield what ``work`` makes of each part, one per thread at once; memory holds no more than these.

    The threads give way to whoever else wants a core: to the one process of the server that takes in what becomes of
    the answers, above all. It cannot share its work, and would be the last to end.
    """
    with ThreadPoolExecutor(THREADS, initializer=_let_others_go_first) as pool:
        waiting: deque[Future[Answer]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) == THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _let_others_go_first() -> None:
    """Ask Linux, where niceness is a thread's own, for less of a core that is wanted by others."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
