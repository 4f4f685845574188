"""A text is too long by its characters, not its bytes; codes and classes are other rules' matter (R29)."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.columns import TEXT, Kind, Sheet
from transforms.lengths import limits_of, too_long
from transforms.sheets import SHEETS

TEXTS = st.one_of(st.none(), st.text(alphabet="a中😀", max_size=12))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8), st.integers(1, 8), st.integers(1, 8))
def test_the_columns_that_are_too_long_are_listed(rows: list[tuple[str | None, str | None]], a: int, b: int) -> None:
    columns = {"a": pa.array([row[0] for row in rows], TEXT), "b": pa.array([row[1] for row in rows], TEXT)}
    expected = [
        ";".join(name for name, text, limit in (("a", row[0], a), ("b", row[1], b)) if len(text or "") > limit) or None
        for row in rows
    ]
    assert too_long(columns, {"a": a, "b": b}).to_pylist() == expected
    sliced = {name: column.slice(1) for name, column in columns.items()}
    if len(rows) > 1:
        assert too_long(sliced, {"a": a, "b": b}).to_pylist() == expected[1:]


def test_limits_are_those_of_the_template() -> None:
    limits = limits_of(SHEETS[Kind.PENALTY, Sheet.STANDARD])
    assert limits["facts"] == 5000
    assert limits["document_no"] == 64
    assert not {"uscc", "tax_no", "id_no", "penalty_category", "fine_amount", "decision_date"} & limits.keys()
