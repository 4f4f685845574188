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

from transforms.distinct import read_distinct

OPEN_END: Final = date(2099, 12, 31)
"""The one day that goes out for 长期 (open-ended validity)."""

_OPEN_ENDED_WORDS: Final = frozenset({"长期", "永久", "长期有效", "永久有效"})
_OPEN_ENDED_DAYS: Final = frozenset({(2099, 12, 31), (9999, 9, 9), (9999, 12, 31)})
_SENTINEL_DAYS: Final = frozenset({(1900, 1, 1), (1970, 1, 1), (1, 1, 1)})
"""Defaults of systems that had no date; not checked against a document."""

_BEIJING: Final = timezone(timedelta(hours=8))
_DAY_NUMBER_ZERO: Final = date(1899, 12, 30)
_DAY_NUMBER: Final = re.compile(r"[2-8]\d{4}(?:\.0+)?")
_TIME: Final = (
    r"(?:(?:\s*T\s*|\s+|(?<=日))(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:\.\d{1,9})?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<mo>\d{1,2})(?P=sep)(?P<d>\d{1,2})" + _TIME,
        r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})" + _TIME,
        r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})(?P<zone>)",
        r"(?P<y>\d{4})\s*年\s*(?P<mo>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*日" + _TIME,
    )
)


def _read(text: str) -> tuple[datetime | None, str | None]:
    plain = unicodedata.normalize("NFKC", text).strip("\ufeff\u200b \t\r\n")
    if not plain:
        return None, None
    if plain in _OPEN_ENDED_WORDS:
        return datetime.combine(OPEN_END, time.min), None
    if _DAY_NUMBER.fullmatch(plain) and 20_000 <= int(plain[:5]) <= 80_000:
        return datetime.combine(_DAY_NUMBER_ZERO + timedelta(days=int(plain[:5])), time.min), None
    for form in _FORMS:
        if found := form.fullmatch(plain):
            return _moment(found)
    return None, "UNREADABLE"


def _moment(found: re.Match[str]) -> tuple[datetime | None, str | None]:
    day = (int(found["y"]), int(found["mo"]), int(found["d"]))
    if day in _OPEN_ENDED_DAYS:
        return datetime.combine(OPEN_END, time.min), None
    if day in _SENTINEL_DAYS:
        return None, "SENTINEL"
    try:
        date(*day)
    except ValueError:
        return None, "OUT_OF_RANGE" if day[0] == 0 else "NOT_A_DAY"
    if not 1900 <= day[0] <= 2099:
        return None, "OUT_OF_RANGE"
    try:
        at = time(int(found["h"] or 0), int(found["m"] or 0), int(found["s"] or 0))
    except ValueError:
        return None, "UNREADABLE"
    moment = datetime.combine(date(*day), at)
    if zone := found["zone"]:
        moment = moment.replace(tzinfo=_zone(zone)).astimezone(_BEIJING).replace(tzinfo=None)
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


def parse_days(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Date32Array, pa.StringArray]:
    """Read days; return them and the findings.

    Open-ended marks (长期, 9999-9-9, ...) give 2099-12-31 without a finding. Otherwise a null day comes with one of
    ``UNREADABLE``, ``NOT_A_DAY`` (2018/13/45), ``OUT_OF_RANGE`` (year outside 1900-2099), ``SENTINEL`` (a system's
    default such as 1900-01-01). Null and blank texts give null and no finding.
    """
    days, findings = read_distinct(texts, _read_day, pa.date32(), pa.string())
    return days, findings


def parse_timestamps(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Read points in time (SJC 数据更新时间戳) as ISO text ``YYYY-MM-DDTHH:MM:SS``, Beijing time.

    The findings are those of :func:`parse_days`; a day without a time of day is its midnight.
    """
    moments, findings = read_distinct(texts, _read_timestamp, pa.string(), pa.string())
    return moments, findings


def day_text(days: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Write days as ``YYYY/MM/DD``, the form of the sheets (发改办财金〔2018〕790号)."""
    column = days.combine_chunks() if isinstance(days, pa.ChunkedArray) else days
    return pc.replace_substring(column.cast(pa.string()), "-", "/")
