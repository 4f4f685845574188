"""The next part of a stream is made in a thread while whoever takes the parts is busy with the one before."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Part = TypeVar("Part")


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
