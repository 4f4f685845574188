"""No resident ID number and no telephone number is overlooked, whatever it hides in. All numbers are synthetic."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import identifiers, personal

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/vectors.json").read_text("utf-8"))
ADULT = "110101199003070134"


def id_like(text: str, *, code_column: bool = False) -> bool:
    found: bool = personal.id_like(pa.array([text]), code_column)[0].as_py()
    return found


def masked(text: str) -> str:
    shown: str = personal.mask_ids(pa.array([text]))[0].as_py()
    return shown


def cut(text: str) -> str:
    shown: str = personal.cut_telephones(pa.array([text]))[0].as_py()
    return shown


def _with_check(body: str) -> str:
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


ID_NUMBERS = st.builds(
    lambda region, day, n: _with_check(f"{region}{day:%Y%m%d}{n:03}"),
    st.sampled_from(["110101", "511123", "321102", "440524"]),
    st.dates(date(1900, 1, 1), date(2018, 12, 31)),
    st.integers(0, 999),
)
GAPS = st.sampled_from(
    [
        "",
        " ",
        "-",
        "\u3000",
        "－",
        "\u200b",
        " -",
        "   ",
        "\n",
        "\r\n    ",
        "\x0b",
        "\x00",
        "\u2007",
        "\u2028",
        "\u2066",
    ]
)
MARKS = st.sampled_from([".", "·", "/", "\\", "_", ",", "，", "、", "~", "（", " / "])


@pytest.mark.parametrize("row", [row for row in VECTORS["ric"] if row["valid"]], ids=lambda row: row["code"])
def test_published_id_numbers(row: dict[str, object]) -> None:
    assert id_like(f"编号{row['code']}号")


@pytest.mark.parametrize("row", VECTORS["ric"], ids=lambda row: row["code"])
def test_a_number_behind_the_words_for_an_id_card_counts_right_or_not(row: dict[str, object]) -> None:
    for words in ("身份证", "公民身份号码：", "身份证件号码为", "身份证号（"):
        assert id_like(f"{words}{row['code']}号")
        assert str(row["code"])[6:14] not in masked(f"{words}{row['code']}号")


@pytest.mark.parametrize(
    "text",
    [
        f"{ADULT[:-1]}5", "110101198001010000", "11010119900307013", f"王小明{ADULT[:-1]}0。",
        f"9{ADULT}", f"{ADULT}5", f"京工商2018{ADULT}号", f"{ADULT}13800138000", f"{ADULT}{ADULT}", f"{ADULT}12",
    ],
)  # fmt: skip
def test_a_number_mistyped_cut_off_or_joined_to_others_counts(text: str) -> None:
    assert id_like(text)
    assert "19900307" not in masked(text)
    assert "19800101" not in masked(text)


@pytest.mark.parametrize(
    "code", [row["code"] for row in VECTORS["uscc_invalid"] if row["errors"] == ["LOOKS_LIKE_RESIDENT_ID"]]
)
def test_a_right_uscc_that_is_also_an_id_number_counts(code: str) -> None:
    assert identifiers.uscc_valid(pa.array([code]))[0].as_py() is True
    assert id_like(code, code_column=True)
    assert id_like(f"统一社会信用代码{code}")


@pytest.mark.parametrize(
    "text",
    [
        "１１０１０１１９９００３０７０１３４", "110101 19900307 0134", "110101-19900307-0134",
        "1101 0119 9003 0701 34",
        "11010519491231002x", "张某(110101199003070134)", "2018 110101199003070134", "ID110101199003070134男",
        "110101900307013", "110101 900307 013",
    ],
)  # fmt: skip
def test_the_ways_an_id_number_is_written(text: str) -> None:
    assert id_like(text)
    assert id_like(text, code_column=True)


@pytest.mark.parametrize(
    "text",
    [
        "110105201808210012", "9110105201808210012", "110108002734659", "91110000802100433B", "911101057177",
        "110101199013070134", "990101199003070134",
        "罚款2000元", "京工商海处字〔2018〕第110101号", "2018-08-21 2018-08-22 10", "6222021103110101199",
    ],
)  # fmt: skip
def test_what_is_no_id_number(text: str) -> None:
    assert not id_like(text)


def test_a_tax_number_made_of_an_id_number_counts_in_a_code_column() -> None:
    assert id_like(f"{ADULT}12", code_column=True)
    assert not id_like("110108802100433", code_column=True)
    assert masked(f"{ADULT}12") == "110101********013412"


@given(
    ID_NUMBERS, GAPS, GAPS, st.sampled_from(["", "张某", "（", "x-", "2018 "]), st.sampled_from(["", "号", ")", " 12"])
)
def test_an_id_number_in_any_grouping_is_found_and_masked(
    code: str, gap: str, other_gap: str, before: str, after: str
) -> None:
    text = f"{before}{code[:6]}{gap}{code[6:14]}{other_gap}{code[14:]}{after}"
    assert id_like(text)
    shown = masked(text)
    assert f"{code[:6]}********{code[14:]}" in shown
    assert code[6:14] not in shown


@given(ID_NUMBERS, st.integers(2, 17), MARKS)
def test_a_mark_between_the_digits_hides_nothing(code: str, place: int, mark: str) -> None:
    text = f"张某{code[:place]}{mark}{code[place:]}。"
    assert id_like(text)
    assert masked(text) == f"张某{code[:6]}********{code[14:]}。"


@pytest.mark.parametrize("zero", ["０", "٠", "०", "𝟎"])
@given(ID_NUMBERS)
def test_other_digits_than_0_to_9_hide_nothing(zero: str, code: str) -> None:
    written = "".join(chr(ord(zero) + int(digit)) if digit.isdecimal() else "х" for digit in code)
    assert id_like(written)
    assert id_like(written, code_column=True)


@given(st.lists(st.one_of(ID_NUMBERS, st.text("0123456789X -年", max_size=20), st.just("110101900307013")), max_size=4))
def test_masking_leaves_no_id_number(parts: list[str]) -> None:
    for glue in ("", " ", "，"):
        text = glue.join(parts)
        shown = masked(text)
        assert not id_like(shown)
        assert not id_like(shown, code_column=True)
        if not id_like(text) and not id_like(text, code_column=True):
            assert shown == text


def test_rows_are_judged_apart_and_null_stays() -> None:
    texts = pa.chunked_array([["无", ADULT], [None, f"a{ADULT}，{ADULT}"]])
    assert personal.id_like(texts, False).to_pylist() == [False, True, None, True]
    assert personal.mask_ids(texts).to_pylist() == [
        "无", "110101********0134", None, "a110101********0134，110101********0134",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("手机13800138000。", "手机〔电话略〕。"),
        ("+86 138-0013-8000", "〔电话略〕"),
        ("8613800138000", "〔电话略〕"),
        ("１３８００１３８０００", "〔电话略〕"),
        ("电话：010-82691234转3", "电话：〔电话略〕转3"),
        ("(010)82691234", "〔电话略〕"),
        ("0755 2601 3388", "〔电话略〕"),
        ("联系电话82691234，13900139000", "联系电话〔电话略〕，〔电话略〕"),
        ("138\n00138000", "〔电话略〕"),
        ("138  0013  8000", "〔电话略〕"),
        ("138 001 38000", "〔电话略〕"),
        ("13800 138000", "〔电话略〕"),
        ("1 3 8 0 0 1 3 8 0 0 0", "〔电话略〕"),
        ("（138）00138000", "〔电话略〕"),
        ("张三(13800138000)", "张三(〔电话略〕)"),
        ("张三（138 0013 8000）", "张三（〔电话略〕）"),
        ("总机(010-82691234)", "总机(〔电话略〕)"),
        ("总机((010)82691234)", "总机(〔电话略〕)"),
        ("138.0013.8000", "〔电话略〕"),
        ("013800138000", "〔电话略〕"),
        ("座机：65123456", "座机：〔电话略〕"),
        ("手机号为13800138000", "手机号为〔电话略〕"),
    ],
)
def test_a_telephone_number_is_cut(text: str, left: str) -> None:
    assert personal.has_telephone(pa.array([text]))[0].as_py() is True
    assert cut(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "热线400-810-1234或12315", "编号1138001380001", "京ICP备13800138号", "罚款010-2000元", "91110000802100433B",
        "2018-08-21", "110108002734659", "12800128000", "800-810-1234", "手机20部", "1380013.8000元",
        "15 20 30 40 50 6",
    ],
)  # fmt: skip
def test_what_is_no_personal_telephone_stays(text: str) -> None:
    assert personal.has_telephone(pa.array([text]))[0].as_py() is False
    assert cut(text) == text


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), GAPS.filter(lambda gap: len(gap) < 2))
def test_nothing_is_left_of_a_mobile_number(number: str, gap: str) -> None:
    text = f"电话{number[:3]}{gap}{number[3:7]}{gap}{number[7:]}号"
    assert cut(text) == "电话〔电话略〕号"
    assert personal.has_telephone(pa.array([cut(text), None])).to_pylist() == [False, None]


WRITTEN = st.text(st.sampled_from("0123456789１３８Xx -—()（）.·/、+86〔〕年A\n\u2007"), max_size=40)


@given(st.lists(st.one_of(ID_NUMBERS, st.sampled_from(["13800138000", "010-82691234", "008601082691234"]), WRITTEN)))
def test_no_text_is_passed_over_that_would_be_found_if_it_were_looked_at(parts: list[str]) -> None:
    """The quick look before the careful one is wider: what makes every text be looked at changes no answer."""
    text = "".join(parts)
    looked_at = f"{text}。电话。٠"
    assert id_like(text) == id_like(looked_at)
    assert cut(text) + "。电话。٠" == cut(looked_at)
