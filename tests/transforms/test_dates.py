"""Every form that agencies write is read as the same day; what is no day is never made into one."""

from __future__ import annotations

from datetime import date, datetime, time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import dates


def read(text: str | None) -> tuple[date | None, str | None]:
    days, findings = dates.parse_days(pa.array([text], pa.string()))
    return days[0].as_py(), findings[0].as_py()


@pytest.mark.parametrize(
    "text",
    [
        "2018/8/21", "2018-08-21", "2018.8.21", "20180821", "2018年8月21日", "2018 年 08 月 21 日", "43333", "43333.0",
        "2018-08-21 10:03:04", "2018/8/21 9:30", "2018-08-21T10:03:04.123", "2018-08-20T16:30:00Z",
        "2018-08-21T01:00:00+08:00", "20180821103000", "2018年8月21日10:30", "２０１８－０８－２１",
        " 2018-08-21\u3000",
    ],
)  # fmt: skip
def test_all_forms_give_the_same_day(text: str) -> None:
    assert read(text) == (date(2018, 8, 21), None)


@pytest.mark.parametrize(
    "text", ["2099/12/31", "2099-12-31", "9999-9-9", "9999-12-31", "99991231", "9999-12-31 23:59:59", "长期", "永久"]
)
def test_permanent_marks_give_the_one_open_end(text: str) -> None:
    assert read(text) == (dates.OPEN_END, None)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("1900-01-01", "SENTINEL"), ("1970/1/1", "SENTINEL"), ("0001-01-01", "SENTINEL"),
        ("1970-01-01 08:00:00", "SENTINEL"), ("2018/13/45", "NOT_A_DAY"), ("2018-02-29", "NOT_A_DAY"),
        ("0000-00-00", "NOT_A_DAY"), ("2018-02-30 10:00:00", "NOT_A_DAY"), ("1899-12-31", "OUT_OF_RANGE"),
        ("2100-01-01", "OUT_OF_RANGE"), ("2018/08-21", "UNREADABLE"), ("21/8/2018", "UNREADABLE"),
        ("18-8-21", "UNREADABLE"), ("2018-08", "UNREADABLE"), ("2018-08-21 25:00", "UNREADABLE"),
        ("19999", "UNREADABLE"), ("80001", "UNREADABLE"), ("昨天", "UNREADABLE"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_null_with_the_reason(text: str, finding: str) -> None:
    assert read(text) == (None, finding)


@pytest.mark.parametrize("text", [None, "", " \u3000"])
def test_missing_is_null_without_a_finding(text: str | None) -> None:
    assert read(text) == (None, None)


@given(st.dates(date(1900, 1, 2), date(2099, 12, 31)).filter(lambda day: day != date(1970, 1, 1)))
def test_a_written_day_reads_back_as_itself(day: date) -> None:
    written = dates.day_text(pa.array([day]))
    assert dates.parse_days(written)[0].to_pylist() == [day]
    assert written[0].as_py() == f"{day.year}/{day.month:02}/{day.day:02}"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2089, 12, 31)), st.sampled_from("-/."), st.sampled_from(" T"))  # noqa: DTZ001
def test_a_timestamp_reads_back_whatever_its_punctuation(moment: datetime, separator: str, gap: str) -> None:
    moment = moment.replace(microsecond=0)
    day = moment.date().isoformat().replace("-", separator)
    texts = pa.array([f"{day}{gap}{moment.time()}", f"{day}  {moment.time()}", f"{moment:%Y%m%d%H%M%S}"])
    moments, findings = dates.parse_timestamps(texts)
    assert moments.to_pylist() == [moment.isoformat()] * 3
    assert findings.null_count == 3


def test_a_timestamp_without_a_time_is_midnight() -> None:
    moments, findings = dates.parse_timestamps(pa.array(["2018/8/21", "2018-02-30 10:00:00", None]))
    assert moments.to_pylist() == [datetime.combine(date(2018, 8, 21), time.min).isoformat(), None, None]
    assert findings.to_pylist() == [None, "NOT_A_DAY", None]
