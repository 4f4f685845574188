"""Blocks of the comparison hold whole enterprises, wherever the batches end."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.crosscheck.blocks import OutOfOrder, whole_enterprises


def batches_of(enterprises: list[str], ends: list[int]) -> list[pa.RecordBatch]:
    rows = pa.record_batch({"uscc": pa.array(enterprises, pa.string()), "row": pa.array(range(len(enterprises)))})
    places = sorted({0, *(end % (len(enterprises) + 1) for end in ends), len(enterprises)})
    return [rows.slice(0, 0), *(rows.slice(start, stop - start) for start, stop in pairwise(places))]


@given(st.lists(st.sampled_from("ABCDE"), max_size=30).map(sorted), st.lists(st.integers(0, 30), max_size=8))
def test_no_enterprise_stands_in_two_blocks_and_no_row_is_lost(enterprises: list[str], ends: list[int]) -> None:
    blocks = [block for block in whole_enterprises(batches_of(enterprises, ends)) if block.num_rows]
    assert [row for block in blocks for row in block["row"].to_pylist()] == list(range(len(enterprises)))
    held = [set(block["uscc"].to_pylist()) for block in blocks]
    assert sum(map(len, held)) == len(set(enterprises))


@pytest.mark.parametrize("ends", [[], [1], [2], [1, 2, 3]])
def test_rows_out_of_order_are_refused(ends: list[int]) -> None:
    with pytest.raises(OutOfOrder):
        list(whole_enterprises(batches_of(["A", "B", "A", "C"], ends)))
