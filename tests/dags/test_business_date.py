"""The business date of a run comes from the run, never from the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from dags.business_date import business_date

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def run(**facts: Any) -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(**{"partition_key": None, "conf": {}, "logical_date": None, "run_id": "r"} | facts)
    }


@given(DAYS, DAYS, st.datetimes(timezones=st.just(UTC)))
def test_the_partition_key_wins(key: date, other: date, moment: datetime) -> None:
    context = run(partition_key=key.isoformat(), conf={"as_of": other.isoformat()}, logical_date=moment)
    assert business_date(context) == key


@given(DAYS, st.datetimes(timezones=st.just(UTC)))
def test_without_a_key_the_conf_says_it(day: date, moment: datetime) -> None:
    assert business_date(run(conf={"as_of": day.isoformat()}, logical_date=moment)) == day


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=8))))  # noqa: DTZ001
)
def test_else_it_is_the_day_of_the_logical_date_in_beijing(moment: datetime) -> None:
    assert business_date(run(logical_date=moment.astimezone(UTC), conf=None)) == moment.date()


def test_a_run_without_any_date_is_told_what_to_do() -> None:
    with pytest.raises(AirflowFailException, match="trigger it with a partition key YYYY-MM-DD"):
        business_date(run())


@pytest.mark.parametrize("key", ["2018-02-30", "21.08.2018", "aic|2018-02-30", "2018-08-21|aic", "2018-08-21T06:00:00"])
def test_a_key_that_is_no_date_fails_for_good(key: str) -> None:
    with pytest.raises(AirflowFailException, match="is not a business date"):
        business_date(run(partition_key=key))


@given(DAYS)
def test_a_key_may_name_the_agency_that_is_collected_from(day: date) -> None:
    assert business_date(run(partition_key=f"aic|{day}"), "aic") == day
    assert business_date(run(partition_key=day.isoformat()), "aic") == day
    assert business_date(run(partition_key=f"aic|{day}")) == day


def test_a_key_of_another_agency_fails_for_good() -> None:
    with pytest.raises(AirflowFailException, match="is a key of fda; this run collects from aic"):
        business_date(run(partition_key="fda|2018-08-21"), "aic")
