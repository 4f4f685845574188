"""Days and points in time as agencies write them.

Forms read: ``2018/8/21``, ``2018-08-21``, ``2018.8.21`` (one separator, twice), ``20180821``, ``2018年8月21日``, each
with or without a time of day, ``20180821103000``, and a spreadsheet's day number (43333). A zone, where one is
given, is turned into Beijing time. Rule R10: a real calendar day of the years 1900 to 2099.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import flat, read_distinct

OPEN_END: Final = date(2099, 12, 31)
"""The one day that goes out for 长期 (open-ended validity)."""

_OPEN_ENDED_WORDS: Final = frozenset({"长期", "永久", "长期有效", "永久有效"})
_OPEN_ENDED_DAYS: Final = frozenset({(2099, 12, 31), (9999, 9, 9), (9999, 12, 31)})
_SENTINEL_DAYS: Final = frozenset({(1900, 1, 1), (1970, 1, 1), (1, 1, 1)})
"""Defaults of systems that had no date; not checked against a document."""

BEIJING: Final = timezone(timedelta(hours=8))
"""The clock of every agency, site and steward."""
_DAY_NUMBER_ZERO: Final = date(1899, 12, 30)
_DAY_NUMBER: Final = re.compile(r"[2-8]\d{4}(?:\.0+)?")
_FORM: Final = re.compile(
    r"(?P<y>\d{4})"
    r"(?:(?P<sep>[-/.])(?P<mo>\d{1,2})(?P=sep)(?P<d>\d{1,2})|(?P<mo2>\d{2})(?P<d2>\d{2})"
    r"|\s*年\s*(?P<mo3>\d{1,2})\s*月\s*(?P<d3>\d{1,2})\s*日)"
    r"(?:(?:\s*T\s*|\s+|(?<=日))(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d{1,9})?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_DAY_AND_TIME: Final = (
    r"^20[0-8][0-9][-/.][0-9]{2}[-/.][0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?$"
)
_FOURTEEN_DIGITS: Final = re.compile(r"(\d{8})(\d{2})(\d{2})(\d{2})")


def _read(text: str) -> tuple[datetime | None, str | None]:
    plain = unicodedata.normalize("NFKC", text).strip("\ufeff\u200b \t\r\n")
    if not plain:
        return None, None
    if plain in _OPEN_ENDED_WORDS:
        return datetime.combine(OPEN_END, time.min), None
    if _DAY_NUMBER.fullmatch(plain) and 20_000 <= int(plain[:5]) <= 80_000:
        return datetime.combine(_DAY_NUMBER_ZERO + timedelta(days=int(plain[:5])), time.min), None
    if digits := _FOURTEEN_DIGITS.fullmatch(plain):
        plain = "{} {}:{}:{}".format(*digits.groups())
    found = _FORM.fullmatch(plain)
    return _moment(found) if found else (None, "UNREADABLE")


def _moment(found: re.Match[str]) -> tuple[datetime | None, str | None]:
    month, day_of_month = found["mo"] or found["mo2"] or found["mo3"], found["d"] or found["d2"] or found["d3"]
    day = (int(found["y"]), int(month), int(day_of_month))
    if day in _OPEN_ENDED_DAYS:
        return datetime.combine(OPEN_END, time.min), None
    if day in _SENTINEL_DAYS:
        return None, "SENTINEL"
    try:
        moment = datetime(max(1, day[0]), day[1], day[2])  # noqa: DTZ001 (agencies write Beijing time without a zone)
    except ValueError:
        return None, "NOT_A_DAY"
    if not 1900 <= day[0] <= 2099:
        return None, "OUT_OF_RANGE"
    if hour := found["h"]:
        try:
            moment = moment.replace(hour=int(hour), minute=int(found["m"]), second=int(found["s"] or 0))
        except ValueError:
            return None, "UNREADABLE"
    if zone := found["zone"]:
        moment = moment.replace(tzinfo=_zone(zone)).astimezone(BEIJING).replace(tzinfo=None)
    return moment, None


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead)


def _read_day(text: str) -> tuple[date | None, str | None]:
    moment, finding = _read(text)
    return (moment.date() if moment else None), finding


def _read_timestamp(text: str) -> tuple[str | None, str | None]:
    moment, finding = _read(text)
    return (moment.isoformat(timespec="seconds") if moment else None), finding


def _with_time(texts: pa.StringArray) -> tuple[pa.BooleanArray, pa.StringArray]:
    """Tell which texts are a day and a time of day in fixed places; cut those to the day, of which few differ."""
    timed = pc.fill_null(pc.match_substring_regex(texts, _DAY_AND_TIME), False)
    return timed, pc.if_else(timed, pc.utf8_slice_codeunits(texts, 0, 10), texts)


def parse_days(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Date32Array, pa.StringArray]:
    """Read days; return them and the findings.

    Open-ended marks (长期, 9999-9-9, ...) give 2099-12-31 without a finding. Otherwise a null day comes with one of
    ``UNREADABLE``, ``NOT_A_DAY`` (2018/13/45), ``OUT_OF_RANGE`` (year outside 1900-2099), ``SENTINEL`` (a system's
    default such as 1900-01-01). Null and blank texts give null and no finding.
    """
    _, cut = _with_time(flat(texts))
    days, findings = read_distinct(cut, _read_day, pa.date32(), pa.string())
    return days, findings


def parse_timestamps(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Read points in time (SJC 数据更新时间戳) as ISO text ``YYYY-MM-DDTHH:MM:SS``, Beijing time.

    The findings are those of :func:`parse_days`; a day without a time of day is its midnight.
    """
    array = flat(texts)
    timed, cut = _with_time(array)
    moments, findings = read_distinct(cut, _read_timestamp, pa.string(), pa.string())
    day_and_t = pc.utf8_slice_codeunits(moments, 0, 11)
    whole = pc.binary_join_element_wise(day_and_t, pc.utf8_slice_codeunits(array, 11, 19), "")
    return pc.if_else(timed, whole, moments), findings


def day_text(days: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Write days as ``YYYY/MM/DD``, the form of the sheets (发改办财金〔2018〕790号)."""
    column = days.combine_chunks() if isinstance(days, pa.ChunkedArray) else days
    return pc.replace_substring(column.cast(pa.string()), "-", "/")
