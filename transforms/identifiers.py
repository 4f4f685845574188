"""Codes that name a subject: shape and check characters of USCC, organisation code, registration, tax and ID number.

Every function takes a string column and returns a column of the same length; null stays null. A ``*_finding`` is null
where the code is right, else the findings joined by ``;`` in this order: ``PLACEHOLDER``, ``LENGTH`` or ``CHARSET``
(each alone), then ``DEPT_CATEGORY``, ``REGION``, ``DATE``, ``CHECK``, ``ORG_CHECK``. Codes are expected as
:func:`normalise_code` leaves them; a lower-case letter is a ``CHARSET`` finding.

Sources: GB 32100-2015 (USCC), GB 11714-1997 (organisation code), GS 15-2006 (registration number), GB 11643-1999
(resident ID number).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import byte_bounds, flat, holds_byte, put_where

Flags = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.int64]

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: no I, O, S, V, Z; a character's value is its place."""

ORG_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""GB 11714: all letters, so M is 22 here and 21 in the USCC alphabet."""

DEPARTMENT_CATEGORIES: Final = {
    "1": "1239",  # 机构编制
    "2": "19",  # 外交
    "3": "123459",  # 司法行政
    "4": "19",  # 文化
    "5": "1239",  # 民政
    "6": "129",  # 旅游
    "7": "129",  # 宗教
    "8": "129",  # 工会
    "9": "123",  # 市场监管
    "A": "19",  # 中央军委
    "N": "1239",  # 农业
    "Y": "1",  # 其他
}
"""Registration department (登记管理部门) and the categories (机构类别) it may give. Other letters, such as G, J, M, Q,
occur in public lists but not in the standard: findings."""

_PLACES_OF_AREA: Final = {"1": "12345", "2": "123", "3": "1234567", "4": "123456", "5": "01234", "6": "12345"}
PROVINCES: Final = (*(area + place for area, places in _PLACES_OF_AREA.items() for place in places), "71", "81", "82")
"""Province prefixes of GB/T 2260."""

_USCC_WEIGHTS: Final = [pow(3, place, 31) for place in range(17)]
_ORG_WEIGHTS: Final = [3, 7, 9, 10, 5, 8, 4, 2]
_ID_WEIGHTS: Final = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
_ID_CHECKS: Final = np.frombuffer(b"10X98765432", np.uint8)
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])

_PLACEHOLDER: Final = 1
_LENGTH: Final = 2
_CHARSET: Final = 4
_DEPT_CATEGORY: Final = 8
_REGION: Final = 16
_DATE: Final = 32
_CHECK: Final = 64
_ORG_CHECK: Final = 128
_NAMES: Final = ("PLACEHOLDER", "LENGTH", "CHARSET", "DEPT_CATEGORY", "REGION", "DATE", "CHECK", "ORG_CHECK")


@functools.cache
def _finding_texts() -> pa.StringArray:
    """The text of each set of bits. Made when first needed: pyarrow imports pandas for it, too heavy for a DAG file."""
    texts = [";".join(name for bit, name in enumerate(_NAMES) if mask >> bit & 1) or None for mask in range(256)]
    return pa.array(texts, pa.string())


def _values_of(alphabet: str) -> npt.NDArray[np.int64]:
    values = np.full(256, -1, np.int64)
    values[np.frombuffer(alphabet.encode(), np.uint8)] = np.arange(len(alphabet))
    return values


def _pairs(pairs: Sequence[str]) -> Flags:
    known = np.zeros(65_536, np.bool_)
    for pair in pairs:
        known[ord(pair[0]) * 256 + ord(pair[1])] = True
    return known


_USCC_VALUES: Final = _values_of(USCC_ALPHABET)
_ORG_VALUES: Final = _values_of(ORG_ALPHABET)
_DIGIT_VALUES: Final = _values_of("0123456789")
_KNOWN_DEPARTMENTS: Final = _pairs([a + b for a, categories in DEPARTMENT_CATEGORIES.items() for b in categories])
_REGISTRATION_PROVINCES: Final = _pairs(["10", *PROVINCES])  # 10: registered by the national authority
_ID_PROVINCES: Final = _pairs([*PROVINCES, "83"])  # 83: residence permit of Taiwan residents


# --- normal form ------------------------------------------------------------------------------------------------

_DROPPED: Final = (
    r"[\s\-'`´\x{2018}\x{2019}\x{2032}\x{2010}-\x{2015}\x{2212}\x{00AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}\pC]+"
)
_SCIENTIFIC: Final = r"^\s*'?[0-9]+(\.[0-9]+)?[Ee]\+[0-9]{1,3}\s*$|^\s*'?[0-9]+\.[0-9]+[Ee]-?[0-9]{1,3}\s*$"
_NOT_NORMAL: Final = np.array([chr(byte) not in ORG_ALPHABET for byte in range(256)])


def normalise_code(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Bring codes to one written form: NFKC, upper case, without blanks, hyphens, apostrophes, BOM and zero-width.

    Nothing left, or Excel's scientific notation (its digits are lost, never repaired), becomes null.
    """
    codes = flat(texts)
    rows = holds_byte(codes, _NOT_NORMAL)
    if rows.any():
        odd = pc.utf8_normalize(codes.filter(pa.array(rows)), form="NFKC")
        damaged = pc.match_substring_regex(odd, _SCIENTIFIC)
        odd = pc.utf8_upper(pc.replace_substring_regex(odd, _DROPPED, ""))
        odd = pc.utf8_normalize(odd, form="NFKC")  # a mark may now follow a letter that a blank kept apart
        odd = pc.if_else(damaged, pa.scalar(None, pa.string()), odd)
        codes = put_where(codes, rows, odd)
    return _empty_to_null(codes)


def _empty_to_null(codes: pa.StringArray) -> pa.StringArray:
    empty = pc.equal(pc.binary_length(codes), 0)
    return pc.if_else(empty, pa.scalar(None, pa.string()), codes) if pc.any(empty).as_py() else codes


def excel_damaged(texts: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
    """Tell where a code is a spreadsheet's scientific notation, such as ``9.11E+17``."""
    return pc.match_substring_regex(pc.utf8_normalize(flat(texts), form="NFKC"), _SCIENTIFIC)


# --- codes of one width as a matrix of bytes --------------------------------------------------------------------


def _of_width(codes: pa.StringArray, width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the rows whose code is ``width`` bytes long and those bytes, rows x width."""
    data, bounds = byte_bounds(codes)
    rows = np.flatnonzero(np.diff(bounds) == width)
    return rows, data[bounds[rows][:, None] + np.arange(width)]


def _other_lengths(codes: pa.StringArray, widths: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Start the findings: LENGTH by characters, CHARSET where only the count of bytes is wrong."""
    characters = pc.fill_null(pc.utf8_length(codes), 0).to_numpy(zero_copy_only=False)
    size = np.diff(byte_bounds(codes)[1])
    right = np.isin(characters, widths)
    return np.where(right, np.where(size == characters, 0, _CHARSET), _LENGTH).astype(np.uint8)


def _is_filler(codes: npt.NDArray[np.uint8]) -> Flags:
    """One digit repeated, or the digits counted up from 1 (123456789...): typed to get past a form."""
    counted = np.frombuffer((b"1234567890" * 3)[: codes.shape[1]], np.uint8)
    repeated = (_DIGIT_VALUES[codes[:, 0]] >= 0) & (codes == codes[:, :1]).all(axis=1)
    return np.asarray(repeated | ((codes == counted).all(axis=1) & (codes.shape[1] >= 8)))


def _finish(codes: pa.StringArray, found: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Turn bit masks into texts; fillers of any length are PLACEHOLDER and nothing else."""
    for width in np.unique(np.diff(byte_bounds(codes)[1])):
        if 0 < width <= 30:
            rows, wide = _of_width(codes, int(width))
            found[rows[_is_filler(wide)]] = _PLACEHOLDER
    texts = _finding_texts().take(pa.array(found))
    return pc.if_else(codes.is_null(), pa.scalar(None, pa.string()), texts) if codes.null_count else texts


def _mark(found: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], tests: Sequence[tuple[int, Flags]]) -> None:
    for bit, wrong in tests:
        found[rows[wrong]] |= bit


def _known_pair(pairs: Flags, codes: npt.NDArray[np.uint8], place: int) -> Flags:
    return np.asarray(pairs[codes[:, place].astype(np.int64) * 256 + codes[:, place + 1]])


def _org_check_right(codes: npt.NDArray[np.uint8]) -> Flags:
    """GB 11714 over nine bytes each: 11 - sum mod 11, 10 written X, 11 written 0."""
    values = _ORG_VALUES[codes]
    check = (11 - values[:, :8] @ np.array(_ORG_WEIGHTS) % 11) % 11
    return np.asarray(np.where(check == 10, codes[:, 8] == ord("X"), values[:, 8] == check))


# --- the codes --------------------------------------------------------------------------------------------------


def _uscc_bits(codes: pa.StringArray) -> npt.NDArray[np.uint8]:
    found = _other_lengths(codes, [18])
    rows, wide = _of_width(codes, 18)
    values = _USCC_VALUES[wide]
    inside = (values >= 0).all(axis=1)
    found[rows[~inside]] = _CHARSET
    rows, wide, values = rows[inside], wide[inside], values[inside]
    region = (values[:, 2:8] <= 9).all(axis=1) & _known_pair(_REGISTRATION_PROVINCES, wide, 2)
    check = (31 - values[:, :17] @ np.array(_USCC_WEIGHTS) % 31) % 31
    _mark(
        found,
        rows,
        [
            (_DEPT_CATEGORY, ~_known_pair(_KNOWN_DEPARTMENTS, wide, 0)),
            (_REGION, ~region),
            (_CHECK, values[:, 17] != check),
            (_ORG_CHECK, ~_org_check_right(wide[:, 8:17])),
        ],
    )
    return found


def uscc_check_character(body: str) -> str:
    """Return the 18th character that belongs to the 17 before it (GB 32100-2015), for one code of a settings file.

    Raises ValueError for a character outside ``USCC_ALPHABET``.
    """
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def uscc_finding(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge unified social credit codes (统一社会信用代码) by GB 32100-2015.

    Of the region only the province prefix is tested: zone codes such as 110302 (北京经济技术开发区) are real
    and not in GB/T 2260. ``ORG_CHECK`` alone is a warning (rule R04), see :func:`uscc_valid`.
    """
    array = flat(codes)
    return _finish(array, _uscc_bits(array))


def uscc_valid(codes: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
    """Tell where a code is a USCC: no finding, or only the inner organisation code's check; null is false."""
    array = flat(codes)
    found = uscc_finding(array)
    right = pc.or_(pc.is_null(found), pc.fill_null(pc.equal(found, "ORG_CHECK"), False))
    return pc.and_(array.is_valid(), right)


def org_code_finding(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge organisation codes (组织机构代码) of nine characters by GB 11714-1997."""
    array = flat(codes)
    found = _other_lengths(array, [9])
    rows, wide = _of_width(array, 9)
    inside = (_ORG_VALUES[wide] >= 0).all(axis=1)
    found[rows[~inside]] = _CHARSET
    rows, wide = rows[inside], wide[inside]
    _mark(found, rows, [(_CHECK, ~_org_check_right(wide))])
    return _finish(array, found)


def _regno_check_right(digits: Digits) -> Flags:
    """ISO 7064 MOD 11,10 over fifteen digits each."""
    product = np.full(len(digits), 10)
    for place in range(14):
        total = (digits[:, place] + product) % 10
        product = 2 * np.where(total == 0, 10, total) % 11
    return np.asarray((11 - product) % 10 == digits[:, 14])


def regno_finding(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge registration numbers (工商注册号): 15 digits by GS 15-2006; 13 digits, from before 2007, have no check."""
    array = flat(codes)
    found = _other_lengths(array, [13, 15])
    for width in (13, 15):
        rows, wide = _of_width(array, width)
        digits = _DIGIT_VALUES[wide]
        inside = (digits >= 0).all(axis=1)
        found[rows[~inside]] = _CHARSET
        if width == 15:
            _mark(found, rows[inside], [(_CHECK, ~_regno_check_right(digits[inside]))])
    return _finish(array, found)


def _real_dates(year: Digits, month: Digits, day: Digits) -> Flags:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_right = (month >= 1) & (month <= 12)
    longest = _MONTH_DAYS[np.where(month_right, month, 0)] + ((month == 2) & leap)
    return np.asarray(month_right & (day >= 1) & (day <= longest))


def _number(digits: Digits, start: int, stop: int) -> Digits:
    return np.asarray(digits[:, start:stop] @ 10 ** np.arange(stop - start - 1, -1, -1), dtype=np.int64)


def _resident_id_bits(codes: pa.StringArray) -> npt.NDArray[np.uint8]:
    found = _other_lengths(codes, [15, 18])

    rows, wide = _of_width(codes, 18)
    digits = _DIGIT_VALUES[wide]
    inside = (digits[:, :17] >= 0).all(axis=1) & ((digits[:, 17] >= 0) | (wide[:, 17] == ord("X")))
    found[rows[~inside]] = _CHARSET
    rows, wide, digits = rows[inside], wide[inside], digits[inside]
    year = _number(digits, 6, 10)
    born = _real_dates(year, _number(digits, 10, 12), _number(digits, 12, 14)) & (year >= 1800) & (year <= 2099)
    check = _ID_CHECKS[digits[:, :17] @ np.array(_ID_WEIGHTS) % 11]
    _mark(
        found,
        rows,
        [(_REGION, ~_known_pair(_ID_PROVINCES, wide, 0)), (_DATE, ~born), (_CHECK, wide[:, 17] != check)],
    )

    rows, wide = _of_width(codes, 15)
    digits = _DIGIT_VALUES[wide]
    inside = (digits >= 0).all(axis=1)
    found[rows[~inside]] = _CHARSET
    rows, wide, digits = rows[inside], wide[inside], digits[inside]
    born = _real_dates(1900 + _number(digits, 6, 8), _number(digits, 8, 10), _number(digits, 10, 12))
    _mark(found, rows, [(_REGION, ~_known_pair(_ID_PROVINCES, wide, 0)), (_DATE, ~born)])
    return found


def resident_id_finding(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge resident ID numbers (公民身份号码) by GB 11643-1999, and the older 15 digits without a check."""
    array = flat(codes)
    return _finish(array, _resident_id_bits(array))


def tax_no_finding(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Judge tax numbers (税务登记号) of 15, 17, 18 or 20 letters and digits.

    15 characters end in an organisation code (else ``ORG_CHECK``); 18 are a USCC or, of the self-employed, a resident
    ID number (else ``CHECK``); 17 and 20 are older forms with a suffix and no check.
    """
    array = flat(codes)
    found = _other_lengths(array, [15, 17, 18, 20])
    outside = holds_byte(array, _NOT_NORMAL)
    found[outside & (found == 0)] = _CHARSET
    rows, wide = _of_width(array, 15)
    _mark(found, rows, [(_ORG_CHECK, ~_org_check_right(wide[:, 6:15]) & (found[rows] == 0))])
    rows, _ = _of_width(array, 18)
    of_18 = array.take(pa.array(rows))
    uscc = _uscc_bits(of_18)
    known = (uscc == 0) | (uscc == _ORG_CHECK) | (_resident_id_bits(of_18) == 0)
    _mark(found, rows, [(_CHECK, ~known & (found[rows] == 0))])
    return _finish(array, found)


# --- one code inside another ------------------------------------------------------------------------------------


def org_code_of_uscc(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return characters 9 to 17 of valid USCCs, the organisation code; null where the USCC is not valid."""
    array = flat(codes)
    return pc.if_else(uscc_valid(array), pc.utf8_slice_codeunits(array, 8, 17), pa.scalar(None, pa.string()))


def org_code_of_tax_no(codes: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return the organisation code inside a tax number: the last nine of 15, of 18 as in a USCC, else null."""
    array = flat(codes)
    of_15 = pc.and_(pc.equal(pc.utf8_length(array), 15), pc.is_null(tax_no_finding(array)))
    last_nine = pc.if_else(of_15, pc.utf8_slice_codeunits(array, 6, 15), pa.scalar(None, pa.string()))
    return pc.coalesce(last_nine, org_code_of_uscc(array))
