"""Threads on the parts of a stream: answers keep its order, errors reach whoever takes them, few parts are held."""

from __future__ import annotations

import itertools
import time

import pytest

from connectors.in_order import THREADS, in_order


def test_answers_come_in_the_order_of_the_parts_whatever_each_takes() -> None:
    def slow_where_even(part: int) -> int:
        time.sleep(0.02 if part % 2 == 0 else 0)
        return part * part

    assert list(in_order(slow_where_even, range(12))) == [part * part for part in range(12)]


def test_no_more_parts_are_taken_than_can_be_worked_on_soon() -> None:
    parts = itertools.count()
    assert next(in_order(lambda part: part, parts)) == 0
    assert next(parts) == THREADS


def test_what_a_part_raises_reaches_whoever_takes_its_answer() -> None:
    def refuse_the_third(part: int) -> int:
        if part == 2:
            raise ValueError("third")
        return part

    answers = in_order(refuse_the_third, range(5))
    assert [next(answers), next(answers)] == [0, 1]
    with pytest.raises(ValueError, match="third"):
        next(answers)
