"""What a wrong text may have been meant to say, each reading with the way it was got; nothing is chosen here."""

from __future__ import annotations

import datetime as dt
import re
import string
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.identifiers import uscc_valid

_GROUPS: Final = re.compile(r"\d+")
_ORDERS: Final = (("年月日", (0, 1, 2)), ("日月年", (2, 1, 0)), ("月日年", (2, 0, 1)))
USCC_ALPHABET: Final = "".join(c for c in string.digits + string.ascii_uppercase if c not in "IOSVZ")
"""GB 32100-2015: 31 characters."""
_USCC_LENGTH: Final = 18


@dataclass(frozen=True, slots=True)
class DateReading:
    """One real day that a text can mean, and the order in which its parts were read."""

    day: dt.date
    order: str


def date_readings(text: str) -> tuple[DateReading, ...]:
    """Read the three numbers of a text as year-month-day, day-month-year and month-day-year.

    Eight digits without a separator are cut at the place of the year. A year of two digits is one of this century.
    Readings that are no day between 1900 and 2099, or the same day again, are left out.
    """
    groups = _GROUPS.findall(text)
    found: dict[dt.date, str] = {}
    for order, (year, month, day) in _ORDERS:
        parts = _cut(groups[0], order) if len(groups) == 1 and len(groups[0]) == 8 else groups[:3]
        if len(parts) == 3 and (read := _day(parts[year], parts[month], parts[day])) is not None:
            found.setdefault(read, order)
    return tuple(DateReading(day, order) for day, order in found.items())


def _cut(digits: str, order: str) -> list[str]:
    return [digits[:4], digits[4:6], digits[6:]] if order == "年月日" else [digits[:2], digits[2:4], digits[4:]]


def _day(year: str, month: str, day: str) -> dt.date | None:
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    try:
        read = dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
    return read if 1900 <= read.year <= 2099 else None


def one_character_away(code: str) -> tuple[str, ...]:
    """Return the valid codes that differ from an 18-character code in exactly one place, in order.

    A code that is valid itself has none: nothing in it is mistyped as far as its check digit can tell.
    """
    if len(code) != _USCC_LENGTH or uscc_valid(pa.array([code]))[0].as_py():
        return ()
    tried = pa.array(
        [
            code[:place] + character + code[place + 1 :]
            for place in range(_USCC_LENGTH)
            for character in USCC_ALPHABET
            if character != code[place]
        ]
    )
    return tuple(sorted(tried.filter(pc.fill_null(uscc_valid(tried), False)).to_pylist()))
