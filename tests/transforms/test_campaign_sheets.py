"""The statistics sheets of the special action: what is in the table, and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from connectors.descriptor import agency_ids
from transforms import campaign
from transforms.campaign.sheets import (
    ActionUnknown,
    CampaignInvalid,
    last_day_of,
    read_sheets,
    sheets,
    workdays_before,
)

TEXT = (Path(campaign.__file__).parent / "sheets.yaml").read_text(encoding="utf-8")


def changed(**places: object) -> str:
    """Return the table with changes, each named by its place: items__0__unit=..."""
    content = yaml.safe_load(TEXT)
    for place, value in places.items():
        at = content
        *path, last = [int(step) if step.isdecimal() else step for step in place.split("__")]
        for step in path:
            at = at[step]
        at[last] = value
    return yaml.safe_dump(content, allow_unicode=True)


def test_the_action_runs_from_july_to_november_and_is_due_on_13_december() -> None:
    action = sheets().action("wj2018")
    assert action.months == ("2018-07", "2018-08", "2018-09", "2018-10", "2018-11")
    assert (action.first_day, action.last_day) == (dt.date(2018, 7, 1), dt.date(2018, 11, 30))
    assert [(each.id, each.day) for each in action.due_dates] == [("summary", dt.date(2018, 12, 13))]
    assert action.least_cases == 3
    days = ("2018-06-30", "2018-07-01", "2018-12-13", "2018-12-14")
    assert [action.is_reported_on(dt.date.fromisoformat(day)) for day in days] == [False, True, True, False]


def test_every_agency_owes_a_return_and_each_item_is_told_by_known_agencies() -> None:
    known = set(agency_ids())
    assert set(sheets().agencies) == known
    for item in sheets().items:
        assert set(item.agencies) <= known
        assert item.source
        assert (item.unit == "万元") == (item.decimals == 2)
    assert all(rule.source and rule.sentence and rule.remedy for rule in sheets().rules)


def test_what_can_be_derived_is_not_required_of_anybody() -> None:
    derived = [item.code for item in sheets().items if item.origin == "derived"]
    assert derived == ["cases", "fines", "listed_abnormal", "listed_serious"]
    for agency in sheets().agencies:
        assert not {item.code for item in sheets().required_of(agency)} & set(derived)
    assert [item.code for item in sheets().asked_of("eitc")] == ["cases", "case_value", "fines", "to_police"]


def test_measures_of_notices_are_words_of_the_measure_list() -> None:
    words = yaml.safe_load((Path(campaign.__file__).parents[1] / "categories.yaml").read_text(encoding="utf-8"))
    measures = {word for row in words["words"] if row["list"] == "measure" for word in row["literals"]}
    named = {measure for item in sheets().items for measure in item.notices}
    assert named == measures


def test_a_retired_code_counts_for_its_successor_and_the_whole_city_is_no_district() -> None:
    found = {code: sheets().district_of(code) for code in ("110103", "110228", "110302", "110000", "999999", None)}
    names = {code: district.name if district else None for code, district in found.items()}
    assert names == {
        "110103": "东城区", "110228": "密云区", "110302": "北京经济技术开发区", "110000": None,
        "999999": None, None: None,
    }  # fmt: skip


def test_the_return_of_a_month_is_due_by_working_days() -> None:
    action = sheets().action("wj2018")
    assert action.return_due("2018-09") == dt.date(2018, 10, 12)  # National Day is no working day
    assert action.return_due("2018-11") == dt.date(2018, 12, 7)
    assert action.return_due("2018-07") == dt.date(2018, 8, 28)  # July was over when the plan was issued, 21 August
    assert action.ended_months(dt.date(2018, 8, 31)) == ("2018-07",)
    assert action.ended_months(dt.date(2018, 9, 1)) == ("2018-07", "2018-08")


@pytest.mark.parametrize(
    ("day", "number", "expected"),
    [
        (dt.date(2018, 12, 13), 0, dt.date(2018, 12, 13)),
        (dt.date(2018, 12, 13), 1, dt.date(2018, 12, 12)),
        (dt.date(2018, 12, 13), 5, dt.date(2018, 12, 6)),
        (dt.date(2018, 12, 15), 0, dt.date(2018, 12, 14)),  # a Saturday
        (dt.date(2018, 10, 8), 1, dt.date(2018, 9, 30)),  # a make-up Sunday
    ],
)
def test_working_days_are_counted_backwards_over_holidays_and_make_up_days(
    day: dt.date, number: int, expected: dt.date
) -> None:
    assert workdays_before(day, number) == expected


def test_the_last_day_of_february() -> None:
    assert last_day_of("2020-02") == dt.date(2020, 2, 29)


def test_an_unknown_action_is_told_with_those_there_are() -> None:
    with pytest.raises(ActionUnknown, match="'wj2019': there are wj2018"):
        sheets().action("wj2019")


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({"items__0__unknown": 1}, r"items\.checks_online\.unknown"),
        ({"items__0__origin": "counted"}, r"items\.checks_online\.origin"),
        ({"items__0__asked": "optional"}, "checks_online: a returned item is required"),
        ({"items__7__notices": ["约谈"]}, "cases: notices are a lower bound"),
        ({"items__1__code": "checks_online"}, "item given twice: checks_online"),
        ({"rules__0__right": ["case"]}, "police_within_cases: unknown item case"),
        ({"rules__0__right": []}, "police_within_cases: a rule of the form at_most lacks"),
        ({"rules__4__left": ["deletions"]}, "cases_agree: deletions is not both derived and asked"),
        ({"actions__0__last_month": "2018-06"}, "first_month 2018-07 is after last_month 2018-06"),
        ({"actions__0__first_month": "2018-13"}, r"actions\.wj2018\.first_month.*'2018-13' is not a month"),
        ({"actions__0__due_dates__0__day": "13 December"}, r"actions\.wj2018\.due_dates\.summary\.day"),
        ({"districts__1__also": ["110103"]}, "district given twice: 110103"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_row_and_the_key(places: dict[str, object], told: str) -> None:
    with pytest.raises(CampaignInvalid, match=told):
        read_sheets(changed(**places))
