"""Working days on the State Council calendar, make-up Saturdays and Sundays included.

The tables come from ``chinese_calendar``; a year that it lacks comes from ``transforms/workdays.yaml``. Clocks count
as the disclosure rules do: the day itself is day 0, the n-th working day after it is the last on-time day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Final

import chinese_calendar
import yaml
from pydantic import BaseModel, ConfigDict

OVERRIDES: Final = "transforms/workdays.yaml"


class CalendarMissing(Exception):  # noqa: N818 (a state of the configuration, worded as the steward meets it)
    """No working-day table for a year: the notice of the State Council has to be entered first."""

    def __init__(self, year: int) -> None:
        """Name the year and the file to fill."""
        super().__init__(
            f"没有 {year} 年的工作日表: 请按国务院办公厅当年的节假日通知, 在 {OVERRIDES} 的 years 下补充 {year}"
            " (holidays, makeup_workdays, source), 或升级 chinesecalendar"
        )
        self.year = year


class YearTable(BaseModel):
    """The published days of one year: weekdays off work, and Saturdays and Sundays worked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    holidays: frozenset[date]
    makeup_workdays: frozenset[date]


class _Overrides(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    years: dict[int, YearTable]


@cache
def overrides() -> dict[int, YearTable]:
    """Return the year tables of ``transforms/workdays.yaml``."""
    text = resources.files("transforms").joinpath("workdays.yaml").read_text(encoding="utf-8")
    return _Overrides.model_validate(yaml.safe_load(text)).years


@cache
def _workdays_of(year: int) -> tuple[date, ...]:
    table = overrides().get(year)
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    if table is not None:
        return tuple(
            day for day in days if day in table.makeup_workdays or (day.weekday() < 5 and day not in table.holidays)
        )
    try:
        return tuple(day for day in days if chinese_calendar.is_workday(day))
    except NotImplementedError:
        raise CalendarMissing(year) from None


def is_workday(day: date) -> bool:
    """Tell whether ``day`` is worked; raises :class:`CalendarMissing` for a year without a table."""
    workdays = _workdays_of(day.year)
    place = bisect_left(workdays, day)
    return place < len(workdays) and workdays[place] == day


def add_workdays(day: date, n: int) -> date:
    """Return the ``n``-th working day after ``day`` (``day`` itself for 0), the last on-time day of an n-day limit."""
    if n < 0:
        raise ValueError(f"n must not be negative: {n}")
    if n == 0:
        return day
    year = day.year
    place = bisect_right(_workdays_of(year), day) + n - 1
    while place >= len(_workdays_of(year)):
        place -= len(_workdays_of(year))
        year += 1
    return _workdays_of(year)[place]


def workdays_between(start: date, end: date) -> int:
    """Count the working days after ``start`` up to and with ``end``; negative when ``end`` is before ``start``."""
    if end < start:
        return -workdays_between(end, start)
    whole_years = sum(len(_workdays_of(year)) for year in range(start.year, end.year))
    return whole_years + bisect_right(_workdays_of(end.year), end) - bisect_right(_workdays_of(start.year), start)
