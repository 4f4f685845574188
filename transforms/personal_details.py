"""Details of persons in running text: bank cards, vehicle plates, home addresses (``transforms.policy.cuts``).

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

from transforms.distinct import flat, put_where
from transforms.personal import PLAIN
from transforms.policy.cuts import Cut, cuts_on

_PLAIN: Final = PLAIN | {wide: wide - 0xFEE0 for wide in range(ord("Ａ"), ord("Ｚ") + 1)}
"""As in ID numbers and telephones, and the letters of a plate."""
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
    pick = pick_on(day)
    if not pick:
        return {}
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, pick), False))
    cuts = cuts_on(day)
    told = {
        row: (text, _without(text, cuts))
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True)
    }
    return {row: cut for row, (text, cut) in told.items() if cut != text}


def _without(text: str, cuts: tuple[Cut, ...]) -> str:
    for cut in cuts:
        for start, stop in reversed(list(_spans(text, cut))):
            text = text[:start] + cut.written + text[stop:]
    return text


def _spans(text: str, cut: Cut) -> Iterator[tuple[int, int]]:
    for found in cut.pattern.finditer(text.translate(_PLAIN)):
        if not cut.luhn or _checks("".join(_DIGITS.findall(found["cut"]))):
            yield found.span("cut")


def _checks(number: str) -> bool:
    """Tell whether the last digit of a card number checks the others (Luhn, ISO/IEC 7812-1 annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
