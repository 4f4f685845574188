"""专项行动填报: laws of reading and judging a return."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipeline.campaign.filling import Records, asked_for, judged
from pipeline.campaign.return_file import empty_form, read_return
from transforms.campaign.plausible import Told
from transforms.campaign.sheets import sheets

JULY = asked_for("wj2018", "aic", "2018-07")
NOTHING = Records({}, {})
ITEMS = [item.code for item in sheets().asked_of("aic")]
COUNTS = [item.code for item in sheets().required_of("aic") if item.decimals == 0]
CITY = sheets().whole_city
PLACES = [CITY, *(each.code for each in sheets().districts)]

places = st.tuples(st.sampled_from(PLACES), st.sampled_from(ITEMS))


@given(st.dictionaries(places, st.text(max_size=12), max_size=8))
def test_a_text_is_a_figure_an_error_or_blank_and_never_more_than_one_of_them(
    cells: dict[tuple[str, str], str],
) -> None:
    checked = judged(JULY, cells, NOTHING)
    wrong = {(each.district, code) for each in checked.errors if each.rule == "number" for code in each.items}
    blank = {place for place, text in cells.items() if not text.strip()}
    assert set(checked.figures) | wrong | blank == set(cells)
    assert not set(checked.figures) & wrong and not blank & (wrong | set(checked.figures))


@given(st.dictionaries(places, st.decimals(0, 10**9, places=2), max_size=8), st.booleans())
def test_a_number_is_read_as_it_was_written(values: dict[tuple[str, str], Decimal], separated: bool) -> None:
    cells = {place: f"{value:,.2f}" if separated else f" {value} " for place, value in values.items()}
    assert judged(JULY, cells, NOTHING).figures == values


@given(st.dictionaries(places, st.integers(0, 500).map(str), max_size=12), st.randoms())
def test_the_order_of_the_cells_changes_no_fault(cells: dict[tuple[str, str], str], random: object) -> None:
    shuffled = list(cells.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = judged(JULY, cells, NOTHING), judged(JULY, dict(shuffled), NOTHING)
    assert one.figures == other.figures and set(one.faults) == set(other.faults)


@settings(max_examples=25)
@given(st.dictionaries(st.tuples(st.sampled_from(PLACES), st.sampled_from(COUNTS)), st.integers(0, 10**6), min_size=1))
def test_what_is_written_into_the_form_is_what_the_form_tells(values: dict[tuple[str, str], int]) -> None:
    book = load_workbook(io.BytesIO(empty_form(JULY, before={}, as_of=dt.date(2018, 8, 22))))
    sheet = book["统计表"]
    columns = {name: place for place, name in enumerate((cell.value for cell in sheet[1]), start=1)}
    names = {each.code: each.name for each in sheets().districts} | {CITY: "全市"}
    rows = {row[2].value: row[0].row for row in sheet.iter_rows(min_row=2)}
    for (place, code), value in values.items():
        sheet.cell(rows[code], columns[names[place]], value)
    content = io.BytesIO()
    book.save(content)
    found = read_return(io.BytesIO(content.getvalue()), "f.xlsx", agency="aic", month="2018-07")
    assert found.problems == []
    assert {place: int(text) for place, text in found.cells.items()} == values


def test_records_that_have_not_come_yet_make_a_warning_and_a_return_that_contradicts_itself_an_error() -> None:
    told = {(CITY, "to_police"): "3"}
    late = judged(JULY, told, NOTHING)
    assert [each.rule for each in late.errors] == [] and "police_within_cases" in {each.rule for each in late.warnings}
    held = judged(JULY, told, Records({("cases", "2018-07", "aic"): Decimal(5)}, {}))
    assert "police_within_cases" not in {each.rule for each in held.faults}
    elsewhere = judged(JULY, told, Records({("cases", "2018-07", "psb"): Decimal(5)}, {}))
    assert "police_within_cases" in {each.rule for each in elsewhere.warnings}, "cases of others are not its own"
    itself = judged(JULY, told | {(CITY, "cases"): "2"}, Records({("cases", "2018-07", "aic"): Decimal(5)}, {}))
    assert [each.rule for each in itself.errors] == ["police_within_cases"]


def test_the_whole_action_is_looked_at_with_the_other_months() -> None:
    others = [Told("aic", "2018-08", CITY, "checks_online", Decimal(399_990))]
    cells = {(CITY, "checks_online"): "11"}
    found = judged(JULY, cells, NOTHING, others)
    assert "checks_online_magnitude" in {each.rule for each in found.warnings}
    assert "checks_online_magnitude" not in {each.rule for each in judged(JULY, cells, NOTHING).faults}


def test_a_retired_district_counts_for_its_successor_and_no_district_twice() -> None:
    old, new = "110103", "110101"
    assert judged(JULY, {(old, "deletions"): "3"}, NOTHING).figures == {(new, "deletions"): Decimal(3)}
    twice = judged(JULY, {(old, "deletions"): "3", (new, "deletions"): "4"}, NOTHING)
    assert [each.rule for each in twice.errors] == ["district"]
    assert [each.rule for each in judged(JULY, {("310101", "deletions"): "3"}, NOTHING).errors] == ["district"]
