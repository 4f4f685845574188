"""Threads that work on a stream whose answers come in the order of its parts, whatever the threads do.

Arrow's kernels, the hashes and whoever waits for another process let go of the interpreter, so threads share the cores.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2
_NICENESS: Final = 5

Part = TypeVar("Part")
Answer = TypeVar("Answer")


def in_order(work: Callable[[Part], Answer], parts: Iterable[Part]) -> Iterator[Answer]:
    """Yield what ``work`` makes of each part, a few parts at once; memory holds no more than these.

    The threads give way to whoever else wants a core: to the one process of the server that takes in what becomes of
    the answers, above all. It cannot share its work, and would be the last to end.
    """
    with ThreadPoolExecutor(THREADS, initializer=_let_others_go_first) as pool:
        waiting: deque[Future[Answer]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > THREADS + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def ahead(parts: Iterable[Part]) -> Generator[Part]:
    """Take the next parts in a thread while the caller is busy with the one before; one waits at the most.

    What the thread raises is raised to the caller. Close it where it may not be read to its end.
    """
    waiting: queue.Queue[tuple[Part] | BaseException | None] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def put(item: tuple[Part] | BaseException | None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put(item, timeout=0.2)
                return

    def read() -> None:
        try:
            for part in parts:
                put((part,))
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    reader = threading.Thread(target=read, name="ahead", daemon=True)
    reader.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stopped.set()
        reader.join()


def _let_others_go_first() -> None:
    """Ask Linux, where niceness is a thread's own, for less of a core that is wanted by others."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
