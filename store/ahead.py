"""The next part of a stream is made in a thread while whoever takes the parts is busy with the one before."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")


def ahead(parts: Iterable[Part]) -> Generator[Part]:
    """Make the next part in a thread while the caller is busy with the one before, and no more than that one.

    What the thread raises is raised to the caller. Close it where it may not be read to its end.
    """
    source: Iterator[Part] = iter(parts)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:

        def make() -> list[Part]:
            for part in source:
                return [part]
            return []

        coming = maker.submit(make)
        while made := coming.result():
            coming = maker.submit(make)
            yield made.pop()
