"""The set-based pick before a release is wider than the rule: whatever the rule calls personal is looked at."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from feeds.privacy import MAYBE_IN_CODE
from feeds.row_text import literal
from transforms.personal import DIGITS_OF_A_TELEPHONE, has_telephone, id_like

DATABASE = duckdb.connect(config={"threads": 1})
NUMBERS = [
    "11010519491231002X",
    "11010519491231002x01",
    "110105194912310021",
    "11010519491231002",
    "201811010519491231002X13800138000",
    "身份证1101051949123100",
    "110105491231003",
    "13800138000",
    "8613800138000",
    "008613800138000",
    "01062345678",
    "0311-8765432",
    "电话62345678",
    "电话:0106234567",
]
GAPS = st.sampled_from(
    [
        "",
        "",
        "",
        " ",
        "-",
        "--",
        "  ",
        "\u3000",
        "\u200b",
        "－",
        ") ",
        "'",
        "\n",
        "\r\n   ",
        "\x00",
        "\u2007",
        ".",
        "、",
        "/",
    ]
)
AROUND = st.text(st.sampled_from("张某,。0123(9)电话+： -"), max_size=4)


@st.composite
def disguised(draw: st.DrawFn) -> str:
    number = draw(st.sampled_from(NUMBERS))
    if draw(st.booleans()):
        number = number.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ"))
    places = draw(st.sets(st.integers(1, len(number) - 1), max_size=4))
    gap = draw(GAPS)
    broken = "".join((gap if i in places else "") + character for i, character in enumerate(number))
    return draw(AROUND) + broken + draw(AROUND)


def _picked(text: str, shape: str) -> bool:
    row = DATABASE.execute(f"SELECT regexp_matches(?, {literal(shape)})", [text]).fetchone()
    assert row is not None
    return bool(row[0])


@given(disguised())
def test_whatever_is_personal_in_a_text_is_picked(text: str) -> None:
    cell = pa.array([text])
    if id_like(cell, code_column=False)[0].as_py() or has_telephone(cell)[0].as_py():
        assert _picked(text, DIGITS_OF_A_TELEPHONE)


@given(disguised())
def test_whatever_is_personal_in_a_code_is_picked(text: str) -> None:
    cell = pa.array([text])
    if id_like(cell, code_column=True)[0].as_py() or has_telephone(cell)[0].as_py():
        assert _picked(text, MAYBE_IN_CODE)
        assert _picked(f"91110105MA0000009T|{text}|MA0000009", MAYBE_IN_CODE)


def test_ordinary_codes_are_not_picked() -> None:
    for code in ("91110105MA0000009T", "110105999012345", "MA0000009", "11110000TE0000001X", "110000450000123"):
        assert not _picked(code, MAYBE_IN_CODE)
