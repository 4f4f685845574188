"""Categories are decoded by the words of the sheets and by the table of the agency, never by a digit alone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import categories
from transforms.columns import Kind, Sheet

LONG = "没收违法所得、没收非法财物"
REVOKE = "暂扣或者吊销许可证、暂扣或者吊销执照"
PENALTIES = ["警告", "罚款", LONG, "责令停产停业", REVOKE, "行政拘留"]


def penalty(
    text: str | None, sheet: Sheet = Sheet.STANDARD, agency: str | None = None
) -> tuple[str | None, str | None]:
    decoded, findings = categories.decode(Kind.PENALTY, sheet, pa.array([text], pa.string()), agency)
    return decoded[0].as_py(), findings[0].as_py()


@pytest.mark.parametrize("separator", [";", "；", ",", "，", "、", "|", "｜", "/", " ; "])
def test_long_words_keep_their_own_comma_whatever_separates_them(separator: str) -> None:
    assert penalty(f"{LONG}{separator}罚款{separator}{REVOKE}") == (f"{LONG};罚款;{REVOKE}", None)


@pytest.mark.parametrize(
    ("text", "decoded", "finding"),
    [
        ("罚款;罚款", "罚款", None),
        ("没收", LONG, None),
        ("停产停业", "责令停产停业", None),
        ("没收违法所得,罚款", "没收违法所得;罚款", None),
        ("其他-责令改正;罚款", "其他-责令改正;罚款", None),
        ("其它（责令改正）", "其他-责令改正", None),
        ("罚款，其他-限期、整改", "罚款;其他-限期、整改", None),
        ("其他", "其他", "OTHER_WITHOUT_TEXT"),
        ("其他-", "其他", "OTHER_WITHOUT_TEXT"),
        ("拘役", "拘役", "UNKNOWN"),
        ("罚款金额;警告", "罚款金额;警告", "UNKNOWN"),
        ("其他;拘役", "其他;拘役", "UNKNOWN;OTHER_WITHOUT_TEXT"),
        (" ", None, None),
        (None, None, None),
    ],
)
def test_words_and_what_is_none(text: str | None, decoded: str | None, finding: str | None) -> None:
    assert penalty(text) == (decoded, finding)


def test_a_digit_means_what_the_table_of_the_agency_and_sheet_says() -> None:
    assert penalty("1") == ("1", "UNKNOWN")
    assert penalty("1;2", Sheet.LEGACY, "wuhan") == ("警告;罚款", None)
    assert penalty("1;2", Sheet.STANDARD, "sic") == (f"罚款;{LONG}", None)
    assert penalty("1", Sheet.STANDARD, "wuhan") == ("1", "UNKNOWN")
    assert penalty("9;6", Sheet.LEGACY, "wuhan") == ("其他;行政拘留", "OTHER_WITHOUT_TEXT")


def test_licence_categories() -> None:
    texts = pa.chunked_array([["普通", "登记；核准"], ["其他-备案", "1", None]])
    decoded, findings = categories.decode(Kind.LICENCE, Sheet.LEGACY, texts, "wuhan")
    assert decoded.to_pylist() == ["普通", "登记;核准", "其他-备案", "普通", None]
    assert findings.null_count == 5


@given(st.lists(st.sampled_from(PENALTIES), min_size=1, max_size=4, unique=True), st.sampled_from(";；，、|/"))
def test_decoding_is_stable_and_keeps_order(parts: list[str], separator: str) -> None:
    decoded, finding = penalty(separator.join(parts))
    assert (decoded, finding) == (";".join(parts), None)
    assert penalty(decoded) == (decoded, None)


def test_subject_categories() -> None:
    texts = pa.array(["01", "02", "03", "04", "法人", "自然人", "1", "个体工商户、自然人", None])
    decoded, findings = categories.subject_category(texts)
    firm = "法人及非法人组织"
    assert decoded.to_pylist()[:6] == ["自然人", firm, firm, "个体工商户", firm, "自然人"]
    assert findings.to_pylist() == [None] * 6 + ["UNKNOWN", "UNKNOWN", None]


def test_id_types() -> None:
    decoded, findings = categories.id_type(pa.array(["1", "05", "居民身份证", "其他-军官证", "其他", "x", None]))
    assert decoded.to_pylist() == ["身份证", "外国人永久居留身份证", "身份证", "其他-军官证", "其他", "x", None]
    assert findings.to_pylist() == [None] * 4 + ["OTHER_WITHOUT_TEXT", "UNKNOWN", None]
