"""A decision is late when more working days than its clock allows lie between it and the day it came (R25)."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.columns import Kind
from transforms.policy import PolicyInvalid
from transforms.policy.clocks import clocks_of, read_clocks
from transforms.timeliness import late_findings
from transforms.workdays import add_workdays, workdays_between

FROM = dt.date(2018, 7, 25)


def late(decided: dt.date | None, as_of: dt.date, kind: Kind = Kind.PENALTY) -> dict[str, str]:
    found = late_findings(pa.array([decided], pa.date32()), kind, as_of)
    return {name: text for name, column in found.items() if (text := column[0].as_py())}


@given(decided=st.dates(FROM, dt.date(2026, 6, 30)), days=st.integers(-10, 60))
def test_late_is_what_the_calendar_counts(decided: dt.date, days: int) -> None:
    as_of = min(decided + dt.timedelta(days=days), dt.date(2026, 12, 31))
    past = {f"R25.{clock.id}": workdays_between(decided, as_of) - clock.workdays for clock in clocks_of(Kind.PENALTY)}
    assert late(decided, as_of) == {name: str(count) for name, count in past.items() if count > 0}


@pytest.mark.parametrize(("limit", "name"), [(7, "R25.credit"), (20, "R25.gsxt")])
def test_the_last_day_of_the_limit_is_in_time(limit: int, name: str) -> None:
    decided = dt.date(2018, 9, 21)  # Mid-autumn, both make-up days, National Day
    assert name not in late(decided, add_workdays(decided, limit))
    assert late(decided, add_workdays(decided, limit + 1))[name] == "1"


def test_backlog_unknown_days_and_days_to_come_are_not_late() -> None:
    assert late(FROM - dt.timedelta(days=1), dt.date(2018, 12, 3)) == {}
    assert late(None, dt.date(2018, 12, 3)) == {}
    assert late(dt.date(2019, 1, 1), dt.date(2018, 12, 3)) == {}


def test_a_year_without_a_calendar_is_said_not_guessed() -> None:
    assert late(dt.date(2026, 12, 30), dt.date(2027, 3, 1)) == {
        "R25.credit": "CALENDAR_MISSING",
        "R25.gsxt": "CALENDAR_MISSING",
    }


def test_a_kind_has_the_clocks_of_the_table() -> None:
    assert [clock.id for clock in clocks_of(Kind.INSPECTION)] == ["gsxt"]
    assert clocks_of(Kind.BASIC_INFO) == ()


@pytest.mark.parametrize(
    "row", ["{id: a}", "{id: a, kinds: [penalty], workdays: 0, counts_from: 2018-01-01, to: null, source: s}"]
)
def test_a_row_that_cannot_be_used_is_named(row: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"^a:"):
        read_clocks(f"clocks: [{row}]")
