"""One part ahead of whoever takes them: order and errors are kept, and whoever stops leaves nothing running."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

import pytest

from store.ahead import ahead


def test_the_next_part_is_made_while_the_one_before_is_worked_on() -> None:
    second_made = threading.Event()

    def parts() -> Iterator[int]:
        yield 1
        second_made.set()
        yield 2

    with contextlib.closing(ahead(parts())) as read:
        assert next(read) == 1
        assert second_made.wait(5)
        assert list(read) == [2]


def test_what_making_a_part_raises_comes_after_the_parts_before_it() -> None:
    def parts() -> Iterator[None]:
        yield None
        raise ValueError("cut off")

    read = ahead(parts())
    assert next(read) is None
    with pytest.raises(ValueError, match="cut off"):
        next(read)


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    parts = itertools.count()
    with contextlib.closing(ahead(parts)) as read:
        assert next(read) == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
    assert next(parts) == 2
