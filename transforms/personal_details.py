"""Details of persons in running text: bank cards, documents, plates, home addresses (``transforms.policy.cuts``).

Beside ``transforms.personal``, which finds ID numbers and telephones in any column: these details are only looked for
in running text, where a number is told by what it is called or how it is built.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.disguises import PLAIN
from transforms.distinct import flat, put_where
from transforms.policy.cuts import Cut, cuts_on

_WIDE: Final = (*range(ord("Ａ"), ord("Ｚ") + 1), *range(ord("ａ"), ord("ｚ") + 1))
_PLAIN: Final = {code: plain for code, plain in PLAIN.items() if chr(code) not in "\r\n"} | {
    code: chr(code - 0xFEE0) for code in _WIDE
}
"""As in ID numbers and telephones, and the letters of plates and passports; but a line ends an address."""
_DIGITS: Final = re.compile(r"[0-9]")


def pick_on(day: dt.date) -> str:
    """Return the regular expression (RE2) of texts that may hold a detail that is cut on a day; empty for none."""
    return "|".join(f"(?:{cut.pick})" for cut in cuts_on(day))


def has_details(texts: pa.Array | pa.ChunkedArray, day: dt.date) -> pa.BooleanArray:
    """Tell where a text holds a detail that is cut on a day; null stays null."""
    array = flat(texts)
    found = np.zeros(len(array), np.bool_)
    found[list(_changed(array, day))] = True
    return pc.if_else(array.is_valid(), pa.array(found), pa.scalar(None, pa.bool_()))


def cut_details(texts: pa.Array | pa.ChunkedArray, day: dt.date) -> pa.StringArray:
    """Put what is written for it in the place of each detail; the other texts are unchanged.

    What is left holds none (``has_details``).
    """
    array = flat(texts)
    changed = _changed(array, day)
    if not changed:
        return array
    rows = np.zeros(len(array), np.bool_)
    rows[list(changed)] = True
    return put_where(array, rows, pa.array([changed[row] for row in sorted(changed)], pa.string()))


def _changed(texts: pa.StringArray, day: dt.date) -> dict[int, str]:
    """Look for all details at once, and for each only where it may be: reading a text in Python costs most."""
    pick = pick_on(day)
    if not pick:
        return {}
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, pick), False))
    suspects = texts.take(pa.array(rows))
    told: dict[int, str] = {}
    for cut in cuts_on(day):
        mine = pc.match_substring_regex(suspects, cut.pick)
        for row, text in zip(rows[np.asarray(mine)].tolist(), suspects.filter(mine).to_pylist(), strict=True):
            if (shown := _without(told.get(row, text), cut)) != text:
                told[row] = shown
    return told


def _without(text: str, cut: Cut) -> str:
    for start, stop in reversed(list(_spans(text.translate(_PLAIN), cut))):
        text = text[:start] + cut.written + text[stop:]
    return text


def _spans(plain: str, cut: Cut) -> Iterator[tuple[int, int]]:
    for found in cut.pattern.finditer(plain):
        if not cut.luhn or _checks("".join(_DIGITS.findall(found["cut"]))):
            yield found.span("cut")


def _checks(number: str) -> bool:
    """Tell whether the last digit of a card number checks the others (Luhn, ISO/IEC 7812-1 annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
