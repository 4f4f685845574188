"""A standard value has one written form, and that form reads back as the value."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms import dates, money
from transforms.canonical import canonical_text
from transforms.columns import DAY, MONEY, TEXT

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("999999999999.999999"), places=6)


@given(st.lists(st.none() | AMOUNTS, max_size=8))
def test_an_amount_is_a_plain_decimal_that_reads_back(amounts: list[Decimal | None]) -> None:
    values = pa.array(amounts, MONEY)
    texts = canonical_text(values)
    assert money.parse_amount(texts)[0].to_pylist() == values.to_pylist()
    for text in texts.to_pylist():
        assert text is None or ("E" not in text and not (("." in text) and text[-1] in "0."))


@given(st.lists(st.none() | st.dates(dt.date(1971, 1, 1), dt.date(2099, 12, 31)), max_size=8))
def test_a_day_is_written_as_the_sheets_write_it_and_reads_back(days: list[dt.date | None]) -> None:
    texts = canonical_text(pa.array(days, DAY))
    assert texts.to_pylist() == [None if day is None else f"{day:%Y/%m/%d}" for day in days]
    assert dates.parse_days(texts)[0].to_pylist() == days


def test_text_stays_as_it_is() -> None:
    texts = pa.array([" 甲 ", None, ""], TEXT)
    assert canonical_text(texts).equals(texts)
