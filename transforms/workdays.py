"""Working days on the State Council calendar, make-up Saturdays and Sundays included.

The tables come from ``chinese_calendar``; a year that it lacks comes from ``transforms/workdays.yaml``. Clocks count
as the disclosure rules do: the day itself is day 0, the n-th working day after it is the last on-time day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import chinese_calendar
from pydantic import BaseModel, ConfigDict

from transforms.yaml_text import read_yaml

OVERRIDES: Final = "transforms/workdays.yaml"


class CalendarMissing(Exception):
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

    def works(self, day: date) -> bool:
        """Tell whether a day of this year is worked."""
        return day in self.makeup_workdays or (day.weekday() < 5 and day not in self.holidays)


class _Overrides(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    years: dict[int, YearTable]


def read_overrides(text: str) -> dict[int, YearTable]:
    """Read year tables from YAML of the form of ``transforms/workdays.yaml``."""
    return _Overrides.model_validate(read_yaml(text)).years


class Calendar:
    """Working days of the library's years and of the years given to it, which go before."""

    def __init__(self, overrides: dict[int, YearTable]) -> None:
        """Take the year tables that the library lacks."""
        self._overrides = overrides
        self._years: dict[int, tuple[date, ...]] = {}

    def _workdays_of(self, year: int) -> tuple[date, ...]:
        if year not in self._years:
            table = self._overrides.get(year)
            works = table.works if table else chinese_calendar.is_workday
            first = date(year, 1, 1)
            days = (first + timedelta(days=offset) for offset in range((date(year, 12, 31) - first).days + 1))
            try:
                self._years[year] = tuple(day for day in days if works(day))
            except NotImplementedError:
                raise CalendarMissing(year) from None
        return self._years[year]

    def is_workday(self, day: date) -> bool:
        """Tell whether ``day`` is worked; raises :class:`CalendarMissing` for a year without a table."""
        workdays = self._workdays_of(day.year)
        place = bisect_left(workdays, day)
        return place < len(workdays) and workdays[place] == day

    def add_workdays(self, day: date, n: int) -> date:
        """Return the ``n``-th working day after ``day``, the last on-time day of a limit; ``day`` itself for 0."""
        if n < 0:
            raise ValueError(f"n must not be negative: {n}")
        if n == 0:
            return day
        year = day.year
        place = bisect_right(self._workdays_of(year), day) + n - 1
        while place >= len(self._workdays_of(year)):
            place -= len(self._workdays_of(year))
            year += 1
        return self._workdays_of(year)[place]

    def workdays_between(self, start: date, end: date) -> int:
        """Count the working days after ``start`` up to and with ``end``; negative when ``end`` is before ``start``."""
        if end < start:
            return -self.workdays_between(end, start)
        whole_years = sum(len(self._workdays_of(year)) for year in range(start.year, end.year))
        before, until = self._workdays_of(start.year), self._workdays_of(end.year)
        return whole_years + bisect_right(until, end) - bisect_right(before, start)


_CALENDAR: Final = Calendar(read_overrides(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")))
is_workday = _CALENDAR.is_workday
add_workdays = _CALENDAR.add_workdays
workdays_between = _CALENDAR.workdays_between
