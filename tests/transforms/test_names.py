"""Two ways of writing one name have one key; two companies never do."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms import names


def one(function: object, text: str | None) -> str | None:
    result: str | None = function(pa.array([text], pa.string()))[0].as_py()  # type: ignore[operator]
    return result


NAME_CHARACTERS = st.sampled_from(list("北京某网络Aa1 （）()[]【】·•&;<>lt#x\u200b\u3000\t\x01Ｂ＆ßŉǰ㈱①ͅ\ufeff"))


@pytest.mark.parametrize(
    "other",
    [
        "北京(海淀)网络科技有限公司", "北京【海淀】网络科技有限公司", "北京[海淀]网络科技有限公司",
        " 北京 （海淀） 网络科技有限公司\u3000", "\ufeff北京（海淀）网络\u200b科技有限公司\t",
        "北京﹙海淀﹚网络科技有限公司",
    ],
)  # fmt: skip
def test_ways_of_writing_one_name_share_a_key(other: str) -> None:
    assert one(names.name_key, other) == one(names.name_key, "北京（海淀）网络科技有限公司")


@pytest.mark.parametrize(
    ("one_way", "another"),
    [
        ("A&amp;amp;B公司", "a&b公司"),
        ("阿·卜", "阿•卜"),
        ("阿・卜", "阿‧卜"),
        ("ＡＢＣ公司", "abc 公司"),
        ("é", "e\u0301"),
    ],
)
def test_entities_dots_width_and_case_do_not_matter(one_way: str, another: str) -> None:
    assert one(names.name_key, one_way) == one(names.name_key, another)


@pytest.mark.parametrize(
    ("one_company", "another"),
    [
        ("北京某某网络有限公司", "北京某某网络有限公司海淀分公司"),
        ("北京某某网络有限公司", "北京某某网络有限责任公司"),
        ("北京某某网络有限公司", "北京某某网络股份有限公司"),
        ("北京某某（海淀）有限公司", "北京某某海淀有限公司"),
        ("北京A-B有限公司", "北京AB有限公司"),
        ("北京第1商店", "北京第一商店"),
    ],
)
def test_what_tells_two_companies_apart_stays(one_company: str, another: str) -> None:
    assert one(names.name_key, one_company) != one(names.name_key, another)


@given(st.text(max_size=20) | st.text(NAME_CHARACTERS, max_size=20))
@example("&amp;lt;b&gt;")
@example("＆amp；lt;")
def test_keys_are_idempotent(text: str) -> None:
    for function in (names.name_key, names.document_key, names.display_name):
        once = one(function, text)
        assert one(function, once) == once


@given(st.text(NAME_CHARACTERS, max_size=15))
def test_a_name_has_the_same_key_alone_and_among_others(text: str) -> None:
    among = names.name_key(pa.chunked_array([["北京某某公司", text], ["x（y）"]]))
    assert among.to_pylist() == ["北京某某公司", one(names.name_key, text), "X(Y)"]


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        (" 北京(海淀)网络科技有限公司\u3000", "北京（海淀）网络科技有限公司"),
        ("北京（海淀)网络\u200b科技\x01有限公司", "北京（海淀）网络科技有限公司"),
        ("Abc (China) Co., Ltd.", "Abc (China) Co., Ltd."),
        ("A&amp;B公司", "A&amp;B公司"),
        (None, None),
    ],
)
def test_a_name_is_shown_with_full_width_brackets_and_otherwise_as_it_came(
    received: str | None, shown: str | None
) -> None:
    assert one(names.display_name, received) == shown


@pytest.mark.parametrize(
    ("received", "finding"),
    [
        ("北京某某（海淀）网络·科技有限公司", None), ("Abc & Co., Ltd.", None), ("北京\x01公司", "CONTROL"),
        ("北京\u200b公司", "ZERO_WIDTH"), ("\ufeff北京公司", "ZERO_WIDTH"), ("A&amp;B公司", "HTML"),
        ("<b>北京</b>公司", "HTML"),
        ("北京<公司", "SPECIAL"), ("北京*公司", "SPECIAL"), ("北京＊公司", "SPECIAL"), ("北京\ufffd公司", "SPECIAL"),
        ("\t<b>北京</b>\u200b$", "CONTROL;ZERO_WIDTH;HTML;SPECIAL"), (None, None),
    ],
)  # fmt: skip
def test_what_does_not_belong_in_a_name_is_found(received: str | None, finding: str | None) -> None:
    assert one(names.name_finding, received) == finding


@pytest.mark.parametrize(
    "other",
    [
        "京工商海处字[2018]第123号",
        "京工商海处字（2018） 第１２３号",
        "京工商海处字【2018】第123号\u3000",
        "京工商海处字(2018)第123号",
    ],
)
def test_document_numbers_are_compared_without_their_brackets_and_blanks(other: str) -> None:
    assert one(names.document_key, other) == "京工商海处字〔2018〕第123号"


def test_document_numbers_that_differ_stay_different() -> None:
    keys = names.document_key(
        pa.array(["京工商处字〔2018〕第12号", "京工商处字〔2018〕第1-2号", "京工商处字2018第12号"])
    )
    assert len(keys.unique()) == 3
