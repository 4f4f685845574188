"""Working days are those of the State Council's notices, make-up Saturdays and Sundays included."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import workdays

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/vectors.json").read_text("utf-8"))
DAYS = st.dates(date(2017, 1, 1), date(2026, 6, 30))


@pytest.mark.parametrize("row", VECTORS["workdays"], ids=lambda row: row["decision_date"])
def test_published_limits(row: dict[str, str | bool]) -> None:
    day = date.fromisoformat(str(row["decision_date"]))
    assert workdays.is_workday(day) == row["is_workday"]
    for n in (7, 20):
        due = workdays.add_workdays(day, n)
        assert due.isoformat() == row[f"due_{n}_workdays"]
        assert workdays.workdays_between(day, due) == n


def test_the_special_days_of_2018_are_exactly_the_published_ones() -> None:
    year = [date(2018, 1, 1) + timedelta(days=n) for n in range(365)]
    worked = [day.isoformat() for day in year if day.weekday() >= 5 and workdays.is_workday(day)]
    off = [day.isoformat() for day in year if day.weekday() < 5 and not workdays.is_workday(day)]
    assert worked == VECTORS["makeup_workdays_2018"]
    assert off == VECTORS["weekday_holidays_2018"]


@given(DAYS, st.integers(0, 120))
def test_adding_and_counting_are_inverse(day: date, n: int) -> None:
    due = workdays.add_workdays(day, n)
    assert workdays.workdays_between(day, due) == n
    assert workdays.workdays_between(due, day) == -n
    assert n == 0 or workdays.is_workday(due)


@given(DAYS, st.integers(0, 500))
def test_counting_agrees_with_looking_at_each_day(start: date, span: int) -> None:
    days = [start + timedelta(days=offset) for offset in range(1, span % 150 + 1)]
    assert workdays.workdays_between(start, start + timedelta(days=len(days))) == sum(map(workdays.is_workday, days))


def test_a_year_without_a_table_is_named_with_the_file_to_fill() -> None:
    for call in (
        lambda: workdays.add_workdays(date(2026, 12, 20), 20),
        lambda: workdays.is_workday(date(2027, 3, 1)),
        lambda: workdays.workdays_between(date(2026, 12, 1), date(2027, 1, 5)),
    ):
        with pytest.raises(workdays.CalendarMissing, match=r"2027.*transforms/workdays\.yaml") as caught:
            call()
        assert caught.value.year == 2027


def test_a_table_in_the_file_is_used(tmp_path: Path) -> None:
    file = tmp_path / "workdays.yaml"
    file.write_text("years: {2027: {source: test, holidays: [2027-01-01], makeup_workdays: [2027-01-03]}}", "utf-8")
    calendar = workdays.Calendar(workdays.read_overrides(file.read_text("utf-8")))
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.is_workday(date(2027, 1, 3))
    assert calendar.add_workdays(date(2026, 12, 31), 2) == date(2027, 1, 4)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        workdays.add_workdays(date(2018, 1, 1), -1)
