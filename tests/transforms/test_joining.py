"""Lists in a text column lose nothing and invent nothing."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.joining import join_present

CELLS = st.none() | st.text("甲乙ab", min_size=1, max_size=3)


@given(
    st.integers(0, 5).flatmap(
        lambda rows: st.lists(st.lists(CELLS, min_size=rows, max_size=rows), max_size=4).map(
            lambda parts: (rows, parts)
        )
    ),
    st.sampled_from([";", ",", "--"]),
)
def test_each_row_joins_what_it_has_in_order(table: tuple[int, list[list[str | None]]], separator: str) -> None:
    rows, parts = table
    joined = join_present([pa.array(part, pa.string()) for part in parts], rows, separator).to_pylist()
    expected = [[part[row] for part in parts if part[row] is not None] for row in range(rows)]
    assert joined == [separator.join(texts) if texts else None for texts in map(list, expected)]
