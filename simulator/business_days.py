"""The ten business days that the simulator plays, by the working-day calendar, and how busy each is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from transforms.workdays import add_workdays, is_workday

DAYS: Final = tuple(add_workdays(date(2018, 8, 21), n) for n in range(10))
"""2018-08-21 to 2018-09-03; the first is the first delivery of every stream."""

DEMO_DAYS: Final = DAYS[:2]

FULL_REGISTER_DAYS: Final = DAYS[::5]
"""The register comes as a full set on these days, once a week, and as changes on the others."""

_AFTER_A_BREAK: Final = 1.25
_MONTH_END: Final = 1.5


def busyness(day: date) -> float:
    """How many records a day brings beside a usual one: more after days off, most at the end of a month."""
    if add_workdays(day, 1).month != day.month:
        return _MONTH_END
    return 1.0 if is_workday(day - timedelta(days=1)) else _AFTER_A_BREAK
