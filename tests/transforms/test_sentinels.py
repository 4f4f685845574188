"""What stands for nothing becomes null; everything else is kept."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import sentinels


@pytest.mark.parametrize("word", sentinels.PLACEHOLDERS)
def test_a_placeholder_is_missing_with_or_without_blanks(word: str) -> None:
    texts = pa.array([word, f" {word}\u3000", f"\ufeff{word}\t"])
    assert sentinels.missing_to_null(texts).to_pylist() == [None] * 3
    assert sentinels.is_placeholder(texts).to_pylist() == [True] * 3


def test_blank_is_missing_and_no_placeholder() -> None:
    texts = pa.array(["", " \u3000\t", "\u200b", None])
    assert sentinels.missing_to_null(texts).to_pylist() == [None] * 4
    assert sentinels.is_placeholder(texts).to_pylist() == [False, False, False, None]


def test_words_that_begin_like_a_placeholder_stay() -> None:
    texts = pa.array(["无锡某某公司", "空调", "0", "---", "nullable", "未知数"])
    assert sentinels.missing_to_null(texts).equals(texts)


def test_only_the_ends_are_trimmed() -> None:
    texts = pa.chunked_array([["\u3000北京 某某\u3000公司\u200b"], [" a\tb \r\n"]])
    assert sentinels.missing_to_null(texts).to_pylist() == ["北京 某某\u3000公司", "a\tb"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.sampled_from(sentinels.PLACEHOLDERS)), max_size=8))
def test_trimming_twice_changes_nothing_more_and_loses_nothing_inside(texts: list[str | None]) -> None:
    once = sentinels.missing_to_null(pa.array(texts, pa.string()))
    assert sentinels.missing_to_null(once).equals(once)
    for before, after in zip(texts, once.to_pylist(), strict=True):
        assert after is None or (before is not None and after in before)
