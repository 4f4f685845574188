"""Personal data hidden in columns and free text: resident ID numbers and telephone numbers.

Rule R09 and invariant 8: neither may leave the system, whatever column it hid in. When in doubt a text counts as
personal; it is then held for a person to look at, which costs minutes, where a leak cannot be undone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import flat, put_where
from transforms.identifiers import normalise_code, regno_finding, resident_id_finding

GAPS: Final = "\t\u00a0\u00ad\u2002\u2003\u2009\u200b\u200c\u200d\u200e\u200f\u202f\u2060\u3000\ufeff"
"""Blanks other than a space, and unseen characters, that part the groups of a number."""
DASHES: Final = "‐‑‒–—―−－﹣"
"""Hyphens other than ``-``."""
PLAIN: Final = str.maketrans(
    dict(zip("０１２３４５６７８９", "0123456789", strict=True))
    | dict.fromkeys("xｘＸ×", "X")
    | dict.fromkeys(GAPS, " ")
    | dict.fromkeys(DASHES, "-")
    | {"（": "(", "）": ")", "＋": "+", "：": ":"}
)
"""One character for one: a place in the plain text is the same place in the text."""

_GAP: Final = r"[ -]{0,2}"
_ID_18: Final = re.compile(rf"(?<![0-9])(?=([0-9](?:{_GAP}[0-9]){{16}}{_GAP}[0-9X])(?![0-9]))")
_ID_15: Final = re.compile(rf"(?<![0-9])(?=([0-9]{{6}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{3}})(?![0-9X]))")
_WRITTEN_GAP: Final = rf"[ \-{GAPS}{DASHES}]{{0,2}}"
_DIGITS_OF_AN_ID: Final = rf"[0-9０-９](?:{_WRITTEN_GAP}[0-9０-９]){{14}}"
_SHORTEST_ID: Final = 15
"""Bytes; no character is written in fewer bytes than it folds into digits."""
_LONGEST_CODE_CELL: Final = 60

_MOBILE: Final = r"(?<![0-9])(?:(?:\+|00)?86[ -]{0,2})?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])"
_LANDLINE: Final = (
    r"(?<![0-9])(?:(?:\+|00)86[ -]{0,2})?\(?0[1-9][0-9]{1,2}(?:\) ?|[ -]{1,2})[2-9][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])"
)
_NAMED: Final = r"(?<=电话)(?:号码)?[: ]{0,3}(?P<named>0?[0-9]{2,3}[2-9][0-9]{6,7}|[2-9][0-9]{6,7})(?![0-9])"
_TELEPHONE: Final = re.compile(f"{_MOBILE}|{_LANDLINE}|{_NAMED}")
_MAY_HOLD_TELEPHONE: Final = (
    rf"[1１][3-9３-９](?:{_WRITTEN_GAP}[0-9０-９]){{9}}|[0０][1-9１-９][0-9０-９]{{1,2}}[ \-)）{GAPS}{DASHES}]|电话"
)
_TELEPHONE_CUT: Final = "〔电话略〕"

Spans = list[tuple[int, int, int]]
"""Row, start, stop."""


# --- resident ID numbers ----------------------------------------------------------------------------------------


def _is_id_number(codes: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Valid 18 digits, or 15 of the older form that are not a registration number as well."""
    right = pc.and_(codes.is_valid(), pc.is_null(resident_id_finding(codes)))
    if not pc.any(right).as_py():
        return np.zeros(len(codes), np.bool_)
    company = pc.and_(pc.equal(pc.binary_length(codes), 15), pc.is_null(regno_finding(codes)))
    return np.asarray(pc.fill_null(pc.and_not(right, company), False).to_numpy(zero_copy_only=False))


def _code_cells(texts: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Cells that are one code which is, or begins with, an ID number: tax numbers append two characters to it."""
    one_code = pc.and_(
        pc.greater_equal(pc.binary_length(texts), _SHORTEST_ID),
        pc.less_equal(pc.utf8_length(texts), _LONGEST_CODE_CELL),
    )
    rows = np.flatnonzero(pc.fill_null(one_code, False))
    codes = normalise_code(texts.take(pa.array(rows)))
    length = pc.utf8_length(codes)
    core = pc.if_else(
        pc.is_in(length, value_set=pa.array([17, 20], pa.int32())),
        pc.utf8_replace_slice(codes, -2, 100, ""),
        codes,
    )
    found = np.zeros(len(texts), np.bool_)
    found[rows] = _is_id_number(core)
    return found


def _id_spans(texts: pa.StringArray) -> Spans:
    """Find every ID number inside the texts, between digit boundaries, blanks and hyphens inside allowed."""
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, _DIGITS_OF_AN_ID), False))
    spans: Spans = []
    codes: list[str] = []
    for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
        plain = text.translate(PLAIN)
        for form in (_ID_18, _ID_15):
            for found in form.finditer(plain):
                spans.append((row, *found.span(1)))
                codes.append(found[1].replace(" ", "").replace("-", ""))
    right = _is_id_number(pa.array(codes, pa.string()))
    return [span for span, is_id in zip(spans, right, strict=True) if is_id]


def id_like(texts: pa.Array | pa.ChunkedArray, code_column: bool) -> pa.BooleanArray:
    """Tell where a text contains a resident ID number (rule R09); null stays null.

    Counted: 18 characters of GB 11643-1999 with a right province, birthday and check, and the older 15 digits with a
    right province and birthday that are not a valid registration number; full-width digits, a small x, blanks and
    hyphens between groups do not hide them; a longer run of digits does not contain one. In a ``code_column`` the cell
    is one code: there an ID number with a suffix of two counts too, and one that is a valid USCC as well still counts.
    """
    array = flat(texts)
    found = np.zeros(len(array), np.bool_)
    found[[row for row, _, _ in _id_spans(array)]] = True
    if code_column:
        found |= _code_cells(array)
    return pc.if_else(array.is_valid(), pa.array(found), pa.scalar(None, pa.bool_()))


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    shown: list[str] = []
    after = 0
    for start, stop in sorted(spans):
        if start < after:
            shown.append("*" * max(0, stop - after))
        else:
            code = text[start:stop].translate(PLAIN).replace(" ", "").replace("-", "")
            shown += [text[after:start], code[:6], "********", code[-4:] if len(code) == 18 else ""]
        after = max(after, stop)
    return "".join(shown) + text[after:]


def mask_ids(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Write resident ID numbers as their first 6 characters, ``********`` and the last 4 (none of 15 digits).

    What is left is not :func:`id_like`, as text or as code. The other texts are unchanged.
    """
    array = flat(texts)
    cells = _code_cells(array)
    while spans := _id_spans(array):
        by_row: dict[int, list[tuple[int, int]]] = {}
        for row, start, stop in spans:
            by_row.setdefault(row, []).append((start, stop))
        rows = np.zeros(len(array), np.bool_)
        rows[list(by_row)] = True
        hit = array.filter(pa.array(rows)).to_pylist()
        masked = [_masked(text, by_row[row]) for row, text in zip(sorted(by_row), hit, strict=True)]
        array = put_where(array, rows, pa.array(masked, pa.string()))
        cells &= ~rows
    if cells.any():
        codes = normalise_code(array.filter(pa.array(cells)))
        array = put_where(array, cells, pc.utf8_replace_slice(codes, 6, 100, "**************"))
    return array


_LONG_NUMBER: Final = 15
"""Characters of a number of which the last four may be shown."""


def cover(codes: pa.Array) -> pa.Array:
    """Cover the middle of every document number, ID-like or not: passports are personal too. Short ones show less."""
    short = pc.less(pc.utf8_length(codes), _LONG_NUMBER)
    hidden = pc.replace_substring_regex(codes, r"(?s)^(.).*$", r"\1********")
    return pc.if_else(short, hidden, pc.replace_substring_regex(codes, r"(?s)^(.).*(.{4})$", r"\1********\2"))


# --- ages -------------------------------------------------------------------------------------------------------

_OF_AGE: Final = 18
_ID_NUMBER: Final = r"^(?:[0-9]{17}[0-9X]|[0-9]{15})$"


def under_age(numbers: pa.StringArray, decided: pa.Date32Array) -> pa.StringArray:
    """Say ``UNDER_AGE`` where a resident ID number, not masked yet, tells a birthday less than 18 years before.

    ``decided`` is the day of the decision. Numbers of another form, and birthdays that are no day, give null.
    """
    given = pc.fill_null(pc.match_substring_regex(numbers, _ID_NUMBER), False)
    if not pc.any(given).as_py():
        return pa.nulls(len(numbers), pa.string())
    pairs = zip(numbers.filter(given).to_pylist(), decided.filter(given).to_pylist(), strict=True)
    told = pa.array(["UNDER_AGE" if _young(number, day) else None for number, day in pairs], pa.string())
    return pc.replace_with_mask(pa.nulls(len(numbers), pa.string()), given, told)


def _young(number: str, decided: dt.date | None) -> bool:
    digits = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    try:
        born = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    if decided is None or born > decided:
        return False
    return decided.year - born.year - ((decided.month, decided.day) < (born.month, born.day)) < _OF_AGE


# --- telephone numbers ------------------------------------------------------------------------------------------


def _telephone_spans(text: str) -> list[tuple[int, int]]:
    return [
        found.span("named") if found["named"] else found.span() for found in _TELEPHONE.finditer(text.translate(PLAIN))
    ]


def _telephones(texts: pa.StringArray) -> dict[int, list[tuple[int, int]]]:
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, _MAY_HOLD_TELEPHONE), False))
    found = {
        row: _telephone_spans(text)
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True)
    }
    return {row: spans for row, spans in found.items() if spans}


def has_telephone(texts: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
    """Tell where a text contains a telephone number; null stays null.

    Counted: mobile numbers with or without +86, in groups or not; landlines with their area code set off; any number
    of 7 digits and more straight after 电话. Service numbers (12315, 400 and 800 hotlines) are not personal.
    """
    array = flat(texts)
    found = np.zeros(len(array), np.bool_)
    found[list(_telephones(array))] = True
    return pc.if_else(array.is_valid(), pa.array(found), pa.scalar(None, pa.bool_()))


def cut_telephones(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Put 〔电话略〕 in the place of every telephone number; the other texts are unchanged."""
    array = flat(texts)
    found = _telephones(array)
    if not found:
        return array
    rows = np.zeros(len(array), np.bool_)
    rows[list(found)] = True
    cut = []
    for row, text in zip(sorted(found), array.filter(pa.array(rows)).to_pylist(), strict=True):
        for start, stop in reversed(found[row]):
            text = text[:start] + _TELEPHONE_CUT + text[stop:]  # noqa: PLW2901
        cut.append(text)
    return put_where(array, rows, pa.array(cut, pa.string()))


# --- texts that leave -------------------------------------------------------------------------------------------


def without_numbers(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return texts as they may leave the system: ID numbers masked, telephone numbers cut (invariant 8)."""
    return cut_telephones(mask_ids(texts))


def holds_id(text: str) -> bool:
    """Tell whether a text that a person typed holds a resident ID number, in whatever form."""
    typed = pa.array([text], pa.string())
    return not mask_ids(typed).equals(typed)
