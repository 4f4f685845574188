"""Whether a decision was reported in time (rule R25, scorecards): working days from it to the business day it came."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import TEXT, Kind
from transforms.policy import in_force
from transforms.policy.clocks import Clock, clocks_of
from transforms.workdays import CalendarMissing, add_workdays, workdays_between

_NULL: Final = pa.scalar(None, TEXT)
_UNKNOWN_CALENDAR: Final = "CALENDAR_MISSING"


def late_findings(decided: pa.Date32Array, kind: Kind, as_of: dt.date) -> dict[str, pa.StringArray]:
    """Return one finding ``R25.<clock>`` per limit of the kind: null in time, else the working days past the limit.

    A decision on a day after ``as_of`` is another rule's matter. Where the working days of a year are not published
    yet the finding is ``CALENDAR_MISSING``: nobody knows, and nobody is told that all is well.
    """
    return {f"R25.{clock.id}": _late(decided, clock, as_of) for clock in clocks_of(kind)}


def last_days_on_time(kind: Kind, decided: Iterable[dt.date], *, clock: str) -> dict[dt.date, dt.date]:
    """Return the last day on which a decision is in time by a clock, by the day of the decision.

    A day is left out where the clock does not run, or where the working days of a year are not published yet.
    """
    found: dict[dt.date, dt.date] = {}
    for limit in (each for each in clocks_of(kind) if each.id == clock):
        for day in sorted(set(decided)):
            if in_force(day, limit.counts_from, limit.to):
                with contextlib.suppress(CalendarMissing):
                    found[day] = add_workdays(day, limit.workdays)
    return found


def _late(decided: pa.Date32Array, clock: Clock, as_of: dt.date) -> pa.StringArray:
    """Only days that can be late at all are counted: a limit of working days is no shorter in calendar days."""
    first, last = clock.counts_from, as_of - dt.timedelta(days=clock.workdays + 1)
    last = last if clock.to is None else min(last, clock.to)
    within = pc.and_(
        pc.greater_equal(decided, pa.scalar(first, decided.type)), pc.less_equal(decided, pa.scalar(last, decided.type))
    )
    where = pc.fill_null(within, False)
    if not pc.any(where).as_py():
        return pa.nulls(len(decided), TEXT)
    days = decided.filter(where).dictionary_encode()
    told = pa.array([_past_limit(day, as_of, clock.workdays) for day in days.dictionary.to_pylist()], TEXT)
    return pc.replace_with_mask(pa.nulls(len(decided), TEXT), where, told.take(days.indices))


@cache
def _past_limit(decided: dt.date, as_of: dt.date, workdays: int) -> str | None:
    try:
        past = workdays_between(decided, as_of) - workdays
    except CalendarMissing:
        return _UNKNOWN_CALENDAR
    return str(past) if past > 0 else None
