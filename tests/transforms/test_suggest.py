"""Readings of a wrong date, and codes one character away."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from delivering import Company
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identifiers import uscc_valid
from transforms.suggest import USCC_ALPHABET, date_readings, one_character_away


@pytest.mark.parametrize(("text", "days"), [
    ("2018/8/1", [dt.date(2018, 8, 1)]),
    ("01/08/2018", [dt.date(2018, 8, 1), dt.date(2018, 1, 8)]),
    ("13.8.2018", [dt.date(2018, 8, 13)]),
    ("18-08-01", [dt.date(2018, 8, 1), dt.date(2001, 8, 18)]),
    ("20180801", [dt.date(2018, 8, 1)]),
    ("01082018", [dt.date(2018, 8, 1), dt.date(2018, 1, 8)]),
    ("2018/13/45", []), ("不详", []), ("", []), ("1/2", []),
])  # fmt: skip
def test_a_text_is_read_in_three_orders(text: str, days: list[dt.date]) -> None:
    assert [reading.day for reading in date_readings(text)] == days


@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), st.sampled_from("/-."))
def test_the_right_day_is_always_among_the_readings(day: dt.date, mark: str) -> None:
    for text in (f"{day:%Y{mark}%m{mark}%d}", f"{day:%d{mark}%m{mark}%Y}", f"{day:%m{mark}%d{mark}%Y}"):
        assert day in [reading.day for reading in date_readings(text)]


@settings(max_examples=30)
@given(st.integers(1, 999_999), st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_a_code_with_one_wrong_character_leads_back(serial: int, place: int, character: str) -> None:
    right = Company(serial).uscc
    wrong = right[:place] + character + right[place + 1 :]
    near = one_character_away(wrong)
    assert near == () if uscc_valid(pa.array([wrong]))[0].as_py() else right in near
    assert all(uscc_valid(pa.array([code]))[0].as_py() for code in near)
