"""Codes are judged as the standards say: every published vector, and the laws of the check characters."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from transforms import identifiers

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures/vectors.json").read_text("utf-8"))
VALID = [row["code"] for row in VECTORS["uscc_valid"] + VECTORS["uscc_synthetic"]]
FILLERS = {"000000000000000000", "111111111111111111"}


def one(function: Any, code: str | None) -> Any:
    return function(pa.array([code], pa.string()))[0].as_py()


def check_character(body: str) -> str:
    total = sum(identifiers.USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return identifiers.USCC_ALPHABET[(31 - total % 31) % 31]


def usccs() -> st.SearchStrategy[str]:
    org = st.text(identifiers.USCC_ALPHABET, min_size=9, max_size=9)
    region = st.sampled_from(["110000", "110108", "110302", "440300"])
    return st.builds(lambda r, o: "91" + r + o + check_character("91" + r + o), region, org)


@pytest.mark.parametrize("code", VALID)
def test_a_published_or_synthetic_uscc_is_valid(code: str) -> None:
    assert one(identifiers.uscc_finding, code) is None
    assert one(identifiers.uscc_valid, code) is True
    assert one(identifiers.org_code_of_uscc, code) == code[8:17]


@pytest.mark.parametrize("row", VECTORS["uscc_invalid"], ids=lambda row: row["code"])
def test_an_invalid_uscc_has_exactly_the_published_findings(row: dict[str, Any]) -> None:
    found = one(identifiers.uscc_finding, row["code"])
    if row["code"] in FILLERS:
        assert found == "PLACEHOLDER"
    elif row["errors"] == ["LOOKS_LIKE_RESIDENT_ID"]:
        assert found is None, "right as a USCC; transforms.personal tells that it is a person's number"
    else:
        assert found == ";".join(row["errors"])


@pytest.mark.parametrize("row", VECTORS["uscc_invalid"], ids=lambda row: row["code"])
def test_every_all_digit_or_market_code_that_stdnum_refuses_is_refused(row: dict[str, Any]) -> None:
    assert uscc.is_valid(row["code"]) == row["stdnum_says_valid"]
    if not uscc.is_valid(row["code"]) and row["code"][:1] not in "ANY":
        assert one(identifiers.uscc_valid, row["code"]) is False


@given(usccs())
def test_the_outer_check_agrees_with_stdnum(code: str) -> None:
    assert uscc.is_valid(code)
    assert "CHECK" not in (one(identifiers.uscc_finding, code) or "").split(";")
    assert one(identifiers.uscc_valid, code) is True


@given(st.sampled_from(VALID), st.integers(0, 17), st.sampled_from(identifiers.USCC_ALPHABET))
def test_any_single_substitution_is_caught(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert one(identifiers.uscc_valid, changed) is (changed == code)


@given(usccs(), st.integers(0, 16))
def test_any_swap_of_neighbours_is_caught(code: str, place: int) -> None:
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert one(identifiers.uscc_valid, changed) is (changed == code)


@pytest.mark.parametrize("row", VECTORS["uscc_normalise"], ids=lambda row: row["note"])
def test_a_badly_typed_code_is_brought_to_its_written_form(row: dict[str, Any]) -> None:
    assert one(identifiers.normalise_code, row["raw"]) == row["canonical"]


def test_scientific_notation_is_reported_and_a_code_with_an_e_is_not() -> None:
    texts = pa.array(["9.11E+17", " 9.1110000802100433e+17 ", "９.1E17", "91110108MA01E1700X", "1E5", None])
    assert identifiers.excel_damaged(texts).to_pylist() == [True, True, True, False, False, None]


@given(st.text(max_size=25))
def test_normalising_a_code_twice_changes_nothing_more(text: str) -> None:
    once = one(identifiers.normalise_code, text)
    assert one(identifiers.normalise_code, once) == once


@pytest.mark.parametrize("row", VECTORS["org"], ids=lambda row: row["code"])
def test_organisation_codes(row: dict[str, Any]) -> None:
    assert one(identifiers.org_code_finding, row["code"]) == (None if row["valid"] else "CHECK")
    if "display" in row:
        assert one(identifiers.normalise_code, row["display"]) == row["code"]


@pytest.mark.parametrize("row", VECTORS["regno"], ids=lambda row: row["code"])
def test_registration_numbers(row: dict[str, Any]) -> None:
    expected = None if row["valid"] or row.get("legacy") else "CHECK"
    assert one(identifiers.regno_finding, row["code"]) == expected


@given(st.from_regex(r"[1-9][0-9]{14}", fullmatch=True))
def test_registration_number_check_agrees_with_stdnum(code: str) -> None:
    found = one(identifiers.regno_finding, code)
    assert found == "PLACEHOLDER" or (found is None) == mod_11_10.is_valid(code)


@pytest.mark.parametrize(
    ("code", "finding"),
    [("91110000802100433B", "LENGTH"), ("11010800273465A", "CHARSET"), ("123456789012345", "PLACEHOLDER")],
)
def test_what_is_not_a_registration_number(code: str, finding: str) -> None:
    assert one(identifiers.regno_finding, code) == finding


@pytest.mark.parametrize("row", VECTORS["ric"], ids=lambda row: row["code"])
def test_resident_id_numbers(row: dict[str, Any]) -> None:
    assert (one(identifiers.resident_id_finding, row["code"]) is None) == row["valid"]


@given(
    st.from_regex(r"1101(0[1-9]|1[0-9])(19[0-9]{2}|200[0-9])(0[1-9]|1[0-3])[0-3][0-9][0-9]{3}[0-9X]", fullmatch=True)
)
def test_what_stdnum_takes_for_a_resident_id_is_taken_for_one(code: str) -> None:
    if ric.is_valid(code):
        assert one(identifiers.resident_id_finding, code) is None


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("110108802100433", None),
        ("110108802100434", "ORG_CHECK"),
        ("91110000802100433B", None),
        ("110101199003070134", None),
        ("91110000802100433A", "CHECK"),
        ("11010880210043312", None),
        ("11010119900307013412", None),
        ("1101088021", "LENGTH"),
        ("11010880210043*", "CHARSET"),
        ("111111111111111", "PLACEHOLDER"),
    ],
)
def test_tax_numbers(code: str, finding: str | None) -> None:
    assert one(identifiers.tax_no_finding, code) == finding


def test_the_organisation_code_inside_a_tax_number() -> None:
    example = next(row for row in VECTORS["tax_number"] if "example" in row)
    codes = pa.array([example["example"], "91110000802100433B", "110101199003070134", "110108802100434", None])
    assert identifiers.org_code_of_tax_no(codes).to_pylist() == [example["derived_org"], "802100433", None, None, None]


def test_fillers_of_any_length_and_nulls() -> None:
    codes = pa.chunked_array([["0", "000000000"], ["123456789", "无", "--"], [None]])
    assert identifiers.uscc_finding(codes).to_pylist() == ["PLACEHOLDER"] * 3 + ["LENGTH"] * 2 + [None]
    assert identifiers.uscc_valid(codes).to_pylist() == [False] * 6


def test_a_slice_is_judged_like_the_whole() -> None:
    codes = pa.array([None, *VALID, "x", "9111000080210043二B"])
    whole = identifiers.uscc_finding(codes)
    assert identifiers.uscc_finding(codes.slice(5)).equals(whole.slice(5))
    assert whole[-1].as_py() == "CHARSET"
    assert one(identifiers.uscc_finding, "9111000080210043二") == "LENGTH"


def test_no_rows_give_no_rows() -> None:
    nothing = pa.array([], pa.string())
    for function in (identifiers.normalise_code, identifiers.uscc_finding, identifiers.uscc_valid):
        assert len(function(nothing)) == 0


def test_two_hundred_thousand_codes_take_no_loop() -> None:
    codes = pa.array([f"91110108{n:09d}X" for n in range(200_000)])
    started = time.perf_counter()
    identifiers.uscc_finding(identifiers.normalise_code(codes))
    assert time.perf_counter() - started < 1.5, "ten times the usual time"
