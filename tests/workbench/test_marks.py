"""Which characters are marked, and that a value never becomes markup."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.marks import mark


@pytest.mark.parametrize(
    ("value", "field", "finding", "shown"),
    [
        ("91110105MA00OO1X2Y", "uscc", "CHARSET", "91110105MA00<mark>O</mark><mark>O</mark>1X2Y"),
        ("911101051234567890", "CF_XDR_SHXYM", "CHECK", "91110105123456789<mark>0</mark>"),
        ("91110105123456789", "uscc", "LENGTH", "91110105123456789<mark>□</mark>"),
        ("9111010512345678901", "uscc", "LENGTH", "911101051234567890<mark>1</mark>"),
        ("2018/13/01", "CF_JDRQ", "DATE", "2018/<mark>1</mark><mark>3</mark>/01"),
        ("2018/0１/01", "decision_date", None, "2018/0<mark>１</mark>/01"),
        ("某\u200b公司", "subject_name", None, "某<mark>␣</mark>公司"),
        ("2018/08/01", "decision_date", None, "2018/08/01"),
        (None, "uscc", None, ""),
    ],
)
def test_the_wrong_characters_are_marked(value: str | None, field: str, finding: str | None, shown: str) -> None:
    assert mark(value, field, finding) == shown


@given(st.text(max_size=40), st.sampled_from(["uscc", "decision_date", "subject_name"]))
def test_whatever_was_sent_is_text_and_stays_readable(value: str, field: str) -> None:
    shown = str(mark(value, field, "CHECK"))
    assert set(re.findall(r"<[^>]*>", shown)) <= {"<mark>", "</mark>"}
    plain = html.unescape(re.sub(r"</?mark>", "", shown)).rstrip("□")
    assert len(plain) == len(value.rstrip("□"))
