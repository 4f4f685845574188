"""Amounts are exact, and a sum is read out of a text only where the text states one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import money

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/vectors.json").read_text("utf-8"))


def read(text: str | None) -> tuple[Decimal | None, str | None]:
    amounts, findings = money.parse_amount(pa.array([text], pa.string()))
    return amounts[0].as_py(), findings[0].as_py()


def stated(text: str | None) -> tuple[str | None, ...]:
    return tuple(
        None if found[0].as_py() is None else str(found[0].as_py())
        for found in money.amounts_in_text(pa.array([text], pa.string()))
    )


@given(st.decimals(0, Decimal("999999999999.999999"), places=6))
def test_a_plain_decimal_is_taken_exactly(amount: Decimal) -> None:
    assert read(f"{amount:f}") == (amount, None)
    assert read(f"{amount:,f}") == (amount, None)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("2000元", "UNIT_IN_TEXT"), ("0.2万", "UNIT_IN_TEXT"), ("￥2000", "UNIT_IN_TEXT"), ("贰仟圆", "UNIT_IN_TEXT"),
        ("-1", "NEGATIVE"), ("1.1234567", "TOO_MANY_DECIMALS"), ("1000000000000", "TOO_LARGE"),
        ("1E-4", "UNREADABLE"), ("1,23", "UNREADABLE"), ("1.2.3", "UNREADABLE"), ("NaN", "UNREADABLE"),
        ("Infinity", "UNREADABLE"), ("若干", "UNREADABLE"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_null_with_the_reason(text: str, finding: str) -> None:
    assert read(text) == (None, finding)


def test_zeros_beyond_the_scale_full_width_digits_and_missing() -> None:
    assert read("1.10000000") == (Decimal("1.1"), None)
    assert read(" １，２３４．５ ") == (Decimal("1234.5"), None)
    assert read("-0.00") == (Decimal(0), None)
    assert read(None) == read(" ") == (None, None)


@pytest.mark.parametrize("row", VECTORS["penalty_amounts"], ids=lambda row: row["raw"])
def test_published_penalty_texts(row: dict[str, Any]) -> None:
    assert stated(row["raw"]) == (row["CF_NR_FK"], row.get("CF_NR_WFFF"))


@pytest.mark.parametrize(
    ("text", "fine", "confiscated"),
    [
        ("处以人民币伍万元的罚款", "5.000000", None),
        ("给予2000元罚款", "0.200000", None),
        ("罚款人民币2000元整(大写:贰仟元整)", "0.200000", None),
        ("罚款（大写）贰仟元整（￥2000.00元）", "0.200000", None),
        ("罚款三千五百元", "0.350000", None),
        ("罚款叁万零伍佰元", "3.050000", None),
        ("罚款3万5千元", "3.500000", None),
        ("罚款1.5万元", "1.500000", None),
        ("罚款１２，３４５．６７元", "1.234567", None),
        ("罚款一亿二千万元", "12000.000000", None),
        ("罚款壹万贰仟叁佰肆拾伍元陆角柒分", "1.234567", None),
        ("没收违法所得和非法财物共计1234.5元", None, "0.123450"),
        ("没收非法财物（价值500元）", None, "0.050000"),
        ("没收违法所得0元;罚款10,000元", "1.000000", "0.000000"),
        ("1、没收违法所得5000元；2、罚款8000元", "0.800000", "0.500000"),
        ("处以违法所得3倍罚款3000元", "0.300000", None),
        ("货值5000元,罚款1000元", "0.100000", None),
        ("罚款1000元,责令改正,罚款1000元", "0.100000", None),
    ],
)
def test_a_stated_sum_is_read(text: str, fine: str | None, confiscated: str | None) -> None:
    assert stated(text) == (fine, confiscated)


@pytest.mark.parametrize(
    "text",
    [
        "罚款1000元;罚款2000元", "分别罚款1000元", "每日加处罚款60元", "处1万元以上5万元以下罚款", "罚没款合计3000元",
        "违法所得1000元", "罚款2000", "罚款三万五元", "罚款二〇〇〇元", "罚款1,23元", "罚款0.001元", "不予罚款1000元",
        "没收违法所得100元、非法财物价值200元", "罚款金额约3000余元", "罚款99999999999999999999元", "元", "", None,
        "罚款1000元,1000元",
    ],
)  # fmt: skip
def test_nothing_is_invented_where_no_single_sum_is_stated(text: str | None) -> None:
    assert stated(text) == (None, None)


@given(st.integers(1, 10**13))
def test_a_fine_in_yuan_and_fen_is_exact(fen: int) -> None:
    yuan = Decimal(fen) / 100
    assert stated(f"警告，罚款人民币{yuan:,.2f}元。") == (f"{yuan / 10_000:.6f}", None)


@given(st.decimals(0, 10**13, places=2), st.sampled_from(["{:.2f}", "{:f}", "{:,.2f}", "{:.1f}", "{:.0f}", "0{:.2f}"]))
def test_plain_grouped_and_full_width_numerals_say_the_same_sum(yuan: Decimal, form: str) -> None:
    plain = form.format(yuan)
    wide = plain.translate({ord(digit): ord(digit) - ord("0") + ord("０") for digit in "0123456789"})
    exact = Decimal(plain.replace(",", "")) / 10_000
    assert stated(f"罚款{plain}元")[0] == stated(f"罚款{wide}元")[0] == f"{exact:.6f}"


def test_each_row_is_read_on_its_own() -> None:
    texts = pa.chunked_array([["罚款1000元", None, "(2000元)"], ["没收5元", "无", "罚款3元"]]).slice(1)
    fines, confiscated = money.amounts_in_text(texts)
    assert fines.to_pylist() == [None, None, None, None, Decimal("0.0003")]
    assert confiscated.to_pylist() == [None, None, Decimal("0.0005"), None, None]
