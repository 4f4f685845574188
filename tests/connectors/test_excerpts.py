"""What is shown of a damaged row holds no number of a person, wherever it is cut. All numbers are synthetic."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tested_files import HEAD, read, workbook

from transforms.problems import DeliveryRefused

ID_NUMBER = "110101198001010053"
TELEPHONE = "13812345678"
HIDDEN = ["{}", "{} ", "\0{}", "{}\0", "张三{}李四"]


def json_rows(cells: list[str]) -> bytes:
    return json.dumps([dict(zip("甲乙丙", row, strict=True)) for row in (["1", "2", "3"], cells)]).encode()


def row_of(kind: str, cells: list[str]) -> bytes:
    """A file of one kind with one row that no reader splits or the store could not hold."""
    if kind == "json":
        return json_rows(cells)
    if kind == "csv":
        return (HEAD + ",".join(f'"{cell}"' for cell in cells) + ",五\n").encode()
    if kind == "xlsx":
        shown = [cell.replace("\0", "_x0000_") for cell in cells]
        return workbook(["CF_WSH", "名称", "CF_NR", ""], [*shown, "没有列名的值"])
    inside = "".join(f"<C{place}>{cell}</C{place}>" for place, cell in enumerate(cells))
    return f"<R><ROW><C0>1</C0><C1>2</C1><C2>3</C2></ROW><ROW>{inside}\x01散</ROW></R>".replace("\0", "").encode()


@pytest.mark.parametrize("kind", ["json", "csv", "xlsx", "xml"])
@given(before=st.integers(0, 620), form=st.sampled_from(HIDDEN), number=st.sampled_from([ID_NUMBER, TELEPHONE]))
@settings(max_examples=60)
def test_no_place_of_a_damaged_row_shows_a_number_of_a_person(kind: str, before: int, form: str, number: str) -> None:
    cell = "长" * before + form.format(number)
    content = row_of(kind, [cell, "\0", number])
    try:
        table, _ = read(content)
        problems = table.problems
    except DeliveryRefused as refusal:
        problems = [refusal.problem]
    shown = "".join(f"{problem.text}{problem.value}{problem.message}" for problem in problems)
    for end in range(11 if number == TELEPHONE else 7, len(number) + 1):
        assert number[:end] not in shown.replace("\\0", "").replace("\ufffd", "")


def test_a_number_that_a_cut_goes_through_is_masked_before_it_is_cut() -> None:
    """183 characters before it: 17 of its digits stood in front of the cut, and the last can be computed."""
    table, _ = read(json_rows(["长" * 183 + ID_NUMBER, "\0", "3"]))
    [problem] = table.problems
    assert problem.rule == "F15"
    assert problem.text == "长" * 183 + "110101********005…,\\0,3"


PARTED = ["1101011980\x0001010053", "1101\ud80001198001010053", "110101198001" + 2 * "\0" + "010053"]


@pytest.mark.parametrize("parted", PARTED)
def test_what_no_database_takes_hides_no_number(parted: str) -> None:
    table, _ = read(json_rows([parted, "2", "3"]))
    [problem] = table.problems
    assert problem.text == "110101********0053,2,3"
