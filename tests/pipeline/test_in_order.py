"""Threads beside a stream: the answers keep its order, errors reach whoever reads it, memory holds a few parts only."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.in_order import THREADS, ahead, in_order


def test_answers_come_in_the_order_of_the_parts_whatever_each_takes() -> None:
    def slow_where_even(part: int) -> int:
        time.sleep(0.02 if part % 2 == 0 else 0)
        return part * part

    assert list(in_order(slow_where_even, range(12))) == [part * part for part in range(12)]


def test_no_more_parts_are_taken_than_can_be_worked_on_soon() -> None:
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(100):
            taken.append(part)
            yield part

    assert next(in_order(lambda part: part, parts())) == 0
    assert len(taken) == THREADS + 2


def test_what_a_part_raises_reaches_whoever_takes_its_answer() -> None:
    def refuse_the_third(part: int) -> int:
        if part == 2:
            raise ValueError("third")
        return part

    answers = in_order(refuse_the_third, range(5))
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(ValueError, match="third"):
        next(answers)


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
    made: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(1000):
            made.append(part)
            yield part

    with contextlib.closing(ahead(parts())) as read:
        next(read)
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
    assert len(made) < 5
