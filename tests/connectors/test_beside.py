"""Pieces handed over to a thread: in their order, one at a time, and what goes wrong comes back."""

from __future__ import annotations

import contextlib
import threading

import pytest

from connectors.beside import Beside


def test_pieces_are_taken_in_their_order_and_all_before_it_settles() -> None:
    taken: list[int] = []
    with contextlib.closing(Beside(taken.append)) as beside:
        for piece in range(50):
            beside.give(piece)
        beside.settle()
        assert taken == list(range(50))


def test_the_next_piece_waits_until_the_one_before_is_done_with() -> None:
    go_on = threading.Event()
    with contextlib.closing(Beside(lambda _piece: go_on.wait(10))) as beside:
        beside.give(1)
        second = threading.Thread(target=beside.give, args=(2,))
        second.start()
        second.join(0.2)
        assert second.is_alive()
        go_on.set()
        second.join(10)
        assert not second.is_alive()


def test_what_taking_a_piece_raises_reaches_whoever_gives_the_next_or_settles() -> None:
    def refuse(piece: int) -> None:
        raise ValueError(f"piece {piece}")

    with contextlib.closing(Beside(refuse)) as beside:
        beside.give(1)
        with pytest.raises(ValueError, match="piece 1"):
            beside.give(2)
        beside.give(3)
        with pytest.raises(ValueError, match="piece 3"):
            beside.settle()
        beside.settle()


def test_closed_it_leaves_no_thread_behind() -> None:
    beside = Beside(int)
    beside.give(b"1")
    beside.close()
    beside.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]
