"""Personal data hidden in columns and free text: resident ID numbers and telephone numbers.

Rule R09 and invariant 8: neither may leave the system, whatever column it hid in. When in doubt a text counts as
personal; it is then held for a person to look at, which costs minutes, where a leak cannot be undone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.disguises import APART, DIGIT, ODD_DIGIT, PLAIN, PLAIN_ID
from transforms.distinct import flat, put_where
from transforms.identifiers import normalise_code, regno_finding, resident_id_finding, uscc_valid

_GAP: Final = "[ /-]{0,8}"
_NARROW: Final = "[ -]{0,8}"
_ID_18: Final = re.compile(rf"(?=([0-9](?:{_GAP}[0-9]){{16}}{_GAP}[0-9X]))")
_ID_17: Final = re.compile(rf"(?<![0-9])(?=([0-9](?:{_NARROW}[0-9]){{16}})(?![0-9X]))")
_ID_15: Final = re.compile(rf"(?<![0-9])(?=([0-9]{{6}}{_NARROW}[0-9]{{6}}{_NARROW}[0-9]{{3}})(?![0-9X]))")
_ANNOUNCED: Final = re.compile(
    rf"身份(?:[件号码编证明为是系均]|[^\w]){{1,12}}(?=([0-9](?:{_GAP}[0-9]){{14,}}(?:{_GAP}X)?))"
)
"""Whatever long number follows 身份证, right or not: people mistype their numbers."""
DIGITS_OF_AN_ID: Final = rf"{DIGIT}(?:{APART}*{DIGIT}){{14}}|{ODD_DIGIT}"
"""RE2: digits enough for an ID number, however they are parted; rare in text."""
DIGITS_OF_A_TELEPHONE: Final = rf"{DIGIT}(?:{APART}*{DIGIT}){{6}}|{ODD_DIGIT}"
"""RE2: digits enough for a telephone number, and so for any other."""
_SHORTEST_ID: Final = 15
"""Bytes; no character is written in fewer bytes than it folds into digits."""
_LONGEST_CODE_CELL: Final = 60

_BETWEEN: Final = "[ -/:-@[-`{}~]*"
_D: Final = f"{_BETWEEN}[0-9]"
_MONTH_DAY: Final = (
    f"{_BETWEEN}(?:0{_BETWEEN}[1-9]|1{_BETWEEN}[0-2]){_BETWEEN}(?:0{_BETWEEN}[1-9]|[12]{_D}|3{_BETWEEN}[01])"
)
_CENTURY: Final = f"{_BETWEEN}(?:1{_BETWEEN}[89]|2{_BETWEEN}0)"
BIRTHDAY_IN_CODE: Final = (
    rf"[^ -~]|(?:^|[^0-9])[0-9](?:{_D}){{7}}{_MONTH_DAY}(?:{_D}){{3}}"
    rf"|[0-9](?:{_D}){{5}}{_CENTURY}(?:{_D}){{2}}{_MONTH_DAY}(?:{_D}){{3}}"
)
"""RE2: a code whose middle could be a birthday of an ID number, or which is not written in ASCII."""

_G: Final = "[ -]{0,3}"
_EACH: Final = "[ -]{1,2}"
_GROUPS_OF_A_MOBILE: Final = "|".join(
    (
        rf"(?:\(1[3-9][0-9]\)|1[3-9][0-9]\)?){_G}[0-9]{{4}}{_G}[0-9]{{4}}",
        rf"1[3-9][0-9]{_G}[0-9]{{3}}{_G}[0-9]{{5}}",
        rf"1[3-9][0-9]{{2}}{_G}[0-9]{{3}}{_G}[0-9]{{4}}",
        rf"1[3-9][0-9]{{3}}{_G}[0-9]{{6}}",
        rf"1{_EACH}[3-9](?:{_EACH}[0-9]){{9}}",
        r"1[3-9][0-9](?P<dot>[.·])[0-9]{4}(?P=dot)[0-9]{4}",
    )
)
_MOBILE: Final = rf"(?<![0-9])(?:(?:(?:\+|00)?86[ -]{{0,2}})|0)?(?:{_GROUPS_OF_A_MOBILE})(?![0-9])"
_LANDLINE: Final = (
    r"(?<![0-9])(?:(?:\+|00)86[ -]{0,2})?(?:\(0[1-9][0-9]{1,2}\) ?|0[1-9][0-9]{1,2}(?:\) ?|[ -]{1,2}))"
    r"[2-9][0-9]{2,3}[ -]?[0-9]{4}(?![0-9])"
)
_NAMED: Final = (
    r"(?<=电话|座机|固话|手机)(?:号码?)?[为是]?[: ]{0,3}(?P<named>0?[0-9]{2,3}[2-9][0-9]{6,7}|[2-9][0-9]{6,7})(?![0-9])"
)
_TELEPHONE: Final = re.compile(f"{_MOBILE}|{_LANDLINE}|{_NAMED}")
_MAY_HOLD_TELEPHONE: Final = (
    rf"[1１]{APART}*[3-9３-９](?:{APART}*{DIGIT}){{9}}|电话|座机|固话|手机|{ODD_DIGIT}"
    rf"|(?:^|[^0-9０-９]|[8８][6６])[0０][1-9１-９]{DIGIT}{{1,2}}{APART}"
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


def _in_form(codes: pa.StringArray) -> npt.NDArray[np.bool_]:
    """18 digits whose check is wrong, or 17 without one, but province and birthday right: a number mistyped or cut off.

    Birthdays after 2009 do not count, for then a serial number with a region and a day looks the same; nor does a USCC.
    """
    length = pc.utf8_length(codes)
    whole = pc.if_else(pc.equal(length, 17), pc.binary_join_element_wise(codes, "0", ""), codes)
    born = pc.is_in(pc.utf8_slice_codeunits(whole, 6, 9), value_set=_DECADES)
    suspects = pc.indices_nonzero(pc.and_(pc.is_in(length, value_set=_ALMOST_WHOLE), born))
    found = np.zeros(len(codes), np.bool_)
    if len(suspects):
        placed = pc.equal(pc.coalesce(resident_id_finding(whole.take(suspects)), _ONLY_CHECK), _ONLY_CHECK)
        found[suspects] = np.asarray(pc.and_not(placed, uscc_valid(codes.take(suspects))))
    return found


_ALMOST_WHOLE: Final = pa.array([17, 18], pa.int32())
_ONLY_CHECK: Final = pa.scalar("CHECK", pa.string())
_DECADES: Final = pa.array([f"19{decade}" for decade in range(10)] + ["200"])
"""Of the birthdays of people who may have been party to a decision."""


def _code_cells(texts: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Cells that are one code which is, or begins with, an ID number: tax numbers append two characters to it."""
    one_code = pc.and_(
        pc.greater_equal(pc.binary_length(texts), _SHORTEST_ID),
        pc.less_equal(pc.utf8_length(texts), _LONGEST_CODE_CELL),
    )
    rows = np.flatnonzero(pc.fill_null(one_code, False))
    codes = normalise_code(texts.take(pa.array(rows)))
    length = pc.utf8_length(codes)
    suffixed = pc.is_in(length, value_set=pa.array([17, 20], pa.int32()))
    core = pc.if_else(suffixed, pc.utf8_replace_slice(codes, -2, 100, ""), codes)
    cut_off = pc.if_else(pc.equal(length, 17), codes, core)
    found = np.zeros(len(texts), np.bool_)
    found[rows] = _is_id_number(core) | _in_form(cut_off)
    return found


def _id_spans(texts: pa.StringArray) -> Spans:
    """Find every ID number inside the texts, whatever parts or joins its digits."""
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, DIGITS_OF_AN_ID), False))
    found: list[_Number] = []
    for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
        plain = text.translate(PLAIN_ID)
        for form in (_ID_18, _ID_17, _ID_15, _ANNOUNCED):
            for number in form.finditer(plain):
                start, stop = number.span(1)
                alone = not (plain[max(start - 1, 0) : start].isdecimal() or plain[stop : stop + 1].isdecimal())
                code = _PARTED.sub("", number[1])
                found.append(_Number((row, start, stop), code, form is _ANNOUNCED, alone, "/" not in number[1]))
    if not found:
        return []
    codes = pa.array([number.code for number in found], pa.string())
    right, in_form = _is_id_number(codes), _in_form(codes)
    announced, alone, narrow = np.array([number[2:] for number in found]).T
    counts = announced | (right & alone) | (in_form & (right | (alone & narrow)))
    return [found[place].span for place in np.flatnonzero(counts)]


class _Number(NamedTuple):
    """Digits that may be an ID number: where, and whether 身份证 stands before, no digit beside, no mark inside."""

    span: tuple[int, int, int]
    code: str
    announced: bool
    alone: bool
    narrow: bool


_PARTED: Final = re.compile("[ /-]")


def id_like(texts: pa.Array | pa.ChunkedArray, code_column: bool) -> pa.BooleanArray:
    """Tell where a text contains a resident ID number (rule R09); null stays null.

    Counted: 18 characters of GB 11643-1999 with a right province, birthday and check, and the older 15 digits with a
    right province and birthday that are not a valid registration number; both however they are written or parted
    (``disguises``), 18 also inside a longer run of digits. Counted as well: 17 or 18 digits that stand alone and have
    a right province and birthday, whose check is wrong or missing (``_in_form``), and 15 digits and more behind 身份证.
    In a ``code_column`` the cell is one code: there an ID number with a suffix of two counts too, and one that is a
    valid USCC as well still counts.
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
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < after:
            shown.append("*" * max(0, stop - after))
        else:
            code = _PARTED.sub("", text[start:stop].translate(PLAIN_ID))
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
