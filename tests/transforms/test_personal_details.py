"""Bank cards, plates and home addresses are cut from running text; what only looks like one is not. All are made up."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.personal_details import cut_details, has_details, pick_on
from transforms.policy import PolicyInvalid
from transforms.policy.cuts import cuts_on, read_cuts

DAY = dt.date(2018, 8, 21)


def with_check(body: str) -> str:
    """Append the digit that makes a number of a card."""
    doubled = [int(d) * (1 if place % 2 else 2) for place, d in enumerate(reversed(body))]
    return body + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def cut(text: str) -> str:
    shown: str = cut_details(pa.array([text]), DAY)[0].as_py()
    return shown


CARD = with_check("622202110311010119")
NO_CARD = CARD[:-1] + str((int(CARD[-1]) + 1) % 10)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"汇入银行卡{CARD}。", "汇入银行卡〔卡号略〕。"),
        (f"卡号:{CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:16]} {CARD[16:]},", "卡号:〔卡号略〕,"),
        ("卡号" + CARD.translate(str.maketrans("0123456789", "０１２３４５６７８９")), "卡号〔卡号略〕"),
        (f"卡号{CARD[:4]}\u00a0{CARD[4:8]}‑{CARD[8:12]}\u2003{CARD[12:16]}–{CARD[16:]}。", "卡号〔卡号略〕。"),
        ("驾驶京A12345号小型客车", "驾驶〔车牌略〕号小型客车"),
        ("车牌京N·8K8K8，", "车牌〔车牌略〕，"),
        ("新能源车京AD12345停放", "新能源车〔车牌略〕停放"),
        ("冀Ｂ１２３４５货车", "〔车牌略〕货车"),
        ("张某，家住北京市朝阳区仿真路1号院2号楼，", "张某，家住〔住址略〕，"),
        ("家庭住址：北京市海淀区仿真里3号。", "家庭住址：〔住址略〕。"),
        ("户籍所在地为河北省仿真县；", "户籍所在地为〔住址略〕；"),
    ],
)
def test_a_detail_is_cut_and_the_rest_stays(text: str, shown: str) -> None:
    assert cut(text) == shown
    assert has_details(pa.array([text, None]), DAY).to_pylist() == [True, None]
    assert has_details(pa.array([shown]), DAY).to_pylist() == [False]


@pytest.mark.parametrize(
    "text",
    [
        f"受理编号{NO_CARD}", f"许可证编号JY{CARD}", f"统一社会信用代码{CARD}A", f"编号9{CARD}",
        "京工商朝处字〔2018〕第62220211号", "京ICP备12345678号-1", "京B2-20170012号", "粤A2-20044005号",
        "京C12345号文件", "京公网安备11010502030123号", "统一社会信用代码91110108551385082Q",
        "企业住所位于北京市朝阳区仿真路1号", "对当事人的户籍，不予核查",
    ],
)  # fmt: skip
def test_numbers_of_documents_and_addresses_of_enterprises_stay(text: str) -> None:
    assert cut(text) == text
    assert has_details(pa.array([text]), DAY).to_pylist() == [False]


_PARTS = st.sampled_from(
    [CARD, NO_CARD, "京A12345", "家住", "家庭住址:", "北京市朝阳区", "，", " ", "号", "当事人", "6222", "京", "A"]
)


@given(st.lists(_PARTS, max_size=8).map("".join))
def test_what_was_cut_holds_none_and_whatever_is_cut_is_picked(text: str) -> None:
    shown = cut_details(pa.array([text]), DAY)
    assert has_details(shown, DAY).to_pylist() == [False]
    if shown[0].as_py() != text:
        assert pc.match_substring_regex(pa.array([text]), pick_on(DAY))[0].as_py()


def test_what_is_cut_is_dated_and_says_where_it_comes_from() -> None:
    assert {each.id for each in cuts_on(DAY)} == {"bank_card", "vehicle_plate", "home_address"}
    assert all("unverified" in each.source for each in cuts_on(DAY))
    before = dt.date(2018, 4, 30)
    assert cuts_on(before) == ()
    assert cut_details(pa.array(["家住北京市"]), before).to_pylist() == ["家住北京市"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{id: x, from: 2018-01-01}", "x: missing or unknown key"),
        (
            "{id: x, from: 2018-01-01, to: null, pick: a, pattern: a, luhn: false, written: w, source: s}",
            "no group cut",
        ),
        ("{id: x, from: 2018-01-01, to: null, pick: a, pattern: '(', luhn: false, written: w, source: s}", "x: "),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_name(row: str, said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        read_cuts(f"cuts: [{row}]")
