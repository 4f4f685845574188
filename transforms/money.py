"""Amounts: plain 万元 decimals of the standard sheet, and amounts written in the text of a decision.

Exact all the way: ``decimal(18, 6)`` in 万元, so 0.01元 is 0.000001. No float, nothing rounded.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import MONEY
from transforms.distinct import flat, read_distinct, rest_after

_SCALE: Final = 6
_LIMIT: Final = Decimal(10) ** 12
_PLAIN: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|[+-]?\.\d+")
_AS_AGREED: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
"""What the sheet asks for and nearly every cell holds: read as a column, not cell by cell."""
_UNIT: Final = re.compile(r"[元圆万萬亿億角¥$]|RMB|CNY|人民币", re.IGNORECASE)


def _fits(amount: Decimal) -> str | None:
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _SCALE:
        return "TOO_MANY_DECIMALS"
    return "TOO_LARGE" if amount >= _LIMIT else None


def _read_amount(text: str) -> tuple[Decimal | None, str | None]:
    plain = unicodedata.normalize("NFKC", text).strip("\ufeff\u200b \t\r\n")
    if not plain:
        return None, None
    if _UNIT.search(plain):
        return None, "UNIT_IN_TEXT"
    if not _PLAIN.fullmatch(plain):
        return None, "UNREADABLE"
    amount = Decimal(plain.replace(",", ""))
    if amount < 0:
        return None, "NEGATIVE"
    finding = _fits(amount)
    return (None, finding) if finding else (abs(amount), None)


def parse_amount(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Decimal128Array, pa.StringArray]:
    """Read amounts in 万元; return ``decimal(18, 6)`` and the findings (rule R17).

    A null amount comes with ``UNIT_IN_TEXT`` (元, 万, ￥: the unit is not for a machine to guess), ``UNREADABLE``,
    ``NEGATIVE``, ``TOO_MANY_DECIMALS`` (below 0.01元) or ``TOO_LARGE`` (12 digits before the point at most). Thousands
    separators are accepted. Null and blank texts give null and no finding.
    """
    array = flat(texts)
    as_agreed = pc.fill_null(pc.match_substring_regex(array, _AS_AGREED), False)
    read_at_once = pc.if_else(as_agreed, array, pa.scalar(None, pa.string())).cast(MONEY)
    others = pc.if_else(as_agreed, pa.scalar(None, pa.string()), array)
    amounts, findings = read_distinct(others, _read_amount, MONEY, pa.string())
    return pc.coalesce(read_at_once, amounts), findings


# --- amounts in the text of a decision --------------------------------------------------------------------------
#
# A text is cut at each 元. The words before a number, the number and the words after it are then judged apart, each
# distinct one once: decisions use few wordings and few round sums, though no two texts are the same.

_CHINESE_DIGITS: Final = {
    character: value
    for value, characters in enumerate(
        ("零〇", "一壹", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_SMALL_UNITS: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE_UNITS: Final = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_NUMERALS: Final = "".join([*_CHINESE_DIGITS, *_SMALL_UNITS, *_LARGE_UNITS])
_PIECE: Final = re.compile(rf"\d+(?:\.\d+)?|[{_NUMERALS}]")
_PLAIN_NUMBER: Final = r"^[0-9]{1,12}(?:\.[0-9]{1,2})?$"
_GROUPED: Final = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")

_NUMBER_CHARACTERS: Final = f"0123456789０１２３４５６７８９,，.．{_NUMERALS}"
_BEFORE, _NUMBER, _AFTER = 24, 40, 8
"""How many characters around an amount are read."""

_SMALL_CHANGE: Final = re.compile(rf"(?:零?(?P<jiao>[\d{_NUMERALS}])角)?(?:零?(?P<fen>[\d{_NUMERALS}])分)?整?")

_FILLER: Final = r"(?:人民币|RMB|[¥$]|数额|金额|罚款|共计|合计|总计|计|大写|小写|为|即|的|[ :()])*"
_FINE_BEFORE: Final = re.compile(rf"罚款{_FILLER}$")
_CONFISCATED_BEFORE: Final = re.compile(
    rf"没收(?:当事人|其|的|违法所得|非法所得|非法财物|违法财物|涉案|财物|款项?|价值|折合|[(和及与、])*{_FILLER}$"
)
_SAME_BEFORE: Final = re.compile(r"[ (]*(?:,? ?(?:大写|小写|即))?(?:人民币|[¥: ()])*")
_MORE_BEFORE: Final = re.compile(r"[)、,和及与并+ ]+|[)、,和及与并 ]+[^。;]{0,12}(?:所得|财物|物品|价值)[^。;]{0,4}")
_SHARED_BEFORE: Final = re.compile(
    r"(?:分别|各自?|每[日天次人件个])(?:并|处以?|予以?|给予|加处|共)*(?:罚款|没收)"
    r"|加处罚款|(?:不予|免予|免于|可以?)(?:并?处)?(?:罚款|没收)"
)
_AFTER_DIGITS: Final = re.compile(r"^.*\d", re.DOTALL)
_FINE_AFTER: Final = re.compile(r"\)?(?:人民币)?的?(?:行政)?罚款(?![的\d])")
_NOT_ONE_SUM_AFTER: Final = re.compile(r"\)?(?:以上|以下|以内|[/每至-])")

_NONE, _FINE, _CONFISCATED, _SAME = range(4)
_UNCLEAR: Final = -1
"""In place of an amount: a sum is stated and cannot be told."""

_MOST_FEN: Final = 10**18
Ints = npt.NDArray[np.int64]


def _yuan(number: str) -> Decimal | None:
    """Value of 伍万, 三千五百, 1.5万, 3万5千; null where a place is skipped without 零 or where units rise."""
    if _GROUPED.fullmatch(number):
        return Decimal(number.replace(",", ""))
    if "," in number or not number or "".join(_PIECE.findall(number)) != number:
        return None
    total, section, pending = Decimal(0), Decimal(0), None
    large, small, zero = 10**16, 10_000, False
    for piece in _PIECE.findall(number):
        if unit := _SMALL_UNITS.get(piece):
            if unit >= small or (pending is None and unit != 10):
                return None
            section += (Decimal(1) if pending is None else pending) * unit
            pending, small, zero = None, unit, False
        elif unit := _LARGE_UNITS.get(piece):
            section += pending or 0
            if unit >= large or section == 0:
                return None
            total += section * unit
            section, pending, large, small, zero = Decimal(0), None, unit, 10_000, False
        elif pending is not None:
            return None
        elif _CHINESE_DIGITS.get(piece) == 0:
            zero = True
        else:
            pending = Decimal(_CHINESE_DIGITS.get(piece, piece))
    skipped = (total or section) and small != 10 and not zero
    return None if pending is not None and skipped else total + section + (pending or 0)


def _read_number(text: str) -> tuple[int, bool]:
    """Return the amount in 分, or ``_UNCLEAR``, and whether a comma set it off from the words before."""
    plain = unicodedata.normalize("NFKC", text)
    yuan = _yuan(plain.lstrip(",."))
    fen = Decimal(_UNCLEAR) if yuan is None else yuan * 100
    return (int(fen) if fen == fen.to_integral_value() and fen < _MOST_FEN else _UNCLEAR), plain[:1] in {",", "."}


def _judge_before(text: str) -> tuple[int, bool]:
    """Return which sum the words announce and whether it is not one clear sum."""
    plain = _AFTER_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    shared = _SHARED_BEFORE.search(plain) is not None
    if _FINE_BEFORE.search(plain):
        return _FINE, shared
    if _CONFISCATED_BEFORE.search(plain):
        return _CONFISCATED, shared
    if _SAME_BEFORE.fullmatch(plain):
        return _SAME, False
    return (_SAME, True) if _MORE_BEFORE.fullmatch(plain) else (_NONE, False)


def _judge_after(text: str) -> tuple[int, bool, bool]:
    """Return the 角 and 分 that follow (in 分), whether 罚款 follows, and whether the number was a bound or a rate."""
    plain = unicodedata.normalize("NFKC", text)
    change = _SMALL_CHANGE.match(plain)
    fen = 0
    for part, worth in (("jiao", 10), ("fen", 1)):
        if change and (digit := change[part]):
            fen += worth * (int(digit) if digit.isdecimal() else _CHINESE_DIGITS.get(digit, 0))
    rest = plain[change.end() :] if change else plain
    return fen, _FINE_AFTER.match(rest) is not None, _NOT_ONE_SUM_AFTER.match(rest) is not None


def _read_numbers(texts: pa.StringArray) -> tuple[Ints, Ints]:
    """Answer as ``_read_number`` for each text; plain Arabic numerals, which nearly all are, are read at once."""
    as_most = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    yuan = pc.if_else(as_most, texts, pa.scalar(None, pa.string())).cast(pa.decimal128(18, 2))
    others = pc.if_else(as_most, pa.scalar(None, pa.string()), texts)
    fen, set_off = read_distinct(others, _read_number, pa.int64(), pa.bool_())
    read_at_once = pc.multiply(yuan, pa.scalar(100)).cast(pa.int64())
    return _ints(pc.coalesce(read_at_once, fen)), _ints(pc.fill_null(set_off, False))


def _ints(column: pa.Array) -> Ints:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64)


def _the_one_sum(rows: Ints, fen: Ints, length: int) -> pa.Decimal128Array:
    """Return per row the amount on which all its candidates agree, in 万元; null without one or without agreement."""
    least, most = np.full(length, _MOST_FEN), np.full(length, _UNCLEAR)
    np.minimum.at(least, rows, fen)
    np.maximum.at(most, rows, fen)
    agreed = (least == most) & (least >= 0)
    unscaled = np.zeros((length, 2), np.int64)
    unscaled[:, 0] = np.where(agreed, least, 0)
    sums = pa.Array.from_buffers(MONEY, length, [None, pa.py_buffer(unscaled)])
    return pc.if_else(pa.array(agreed), sums, pa.scalar(None, MONEY))


def amounts_in_text(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Decimal128Array, pa.Decimal128Array]:
    """Find the fine (罚款) and the confiscated amount (没收) that the text of a decision states, in 万元.

    Read are Arabic and Chinese numerals before 元: 12,345.67元, 1.5万元, 伍万元, 三千元伍角. Null where the text states
    none, or different amounts of that class, or an amount that is not one sum (分别, 每日, 以上, 以下).
    """
    array = flat(texts)
    pieces = pc.split_pattern(pc.replace_substring(array, "圆", "元"), "元")
    starts = _ints(pieces.offsets)
    ends_of_pieces = pc.utf8_slice_codeunits(pieces.values, -_BEFORE - _NUMBER)
    starts_of_pieces = pc.utf8_slice_codeunits(pieces.values, 0, _AFTER)
    heads = np.delete(np.arange(starts[-1]), starts[1:][np.diff(starts) > 0] - 1)
    ends = ends_of_pieces.take(pa.array(heads))
    words = pc.utf8_rtrim(ends, characters=_NUMBER_CHARACTERS)
    numbered = pc.binary_length(words).to_numpy() < pc.binary_length(ends).to_numpy()
    heads, mask = heads[numbered], pa.array(numbered)
    words, ends = words.filter(mask), ends.filter(mask)

    said, unclear = map(
        _ints, read_distinct(pc.utf8_slice_codeunits(words, -_BEFORE), _judge_before, pa.int64(), pa.bool_())
    )
    fen, repeated = _read_numbers(rest_after(ends, words))
    change, fine_after, no_sum = map(
        _ints,
        read_distinct(starts_of_pieces.take(pa.array(heads + 1)), _judge_after, pa.int64(), pa.bool_(), pa.bool_()),
    )
    rows = np.searchsorted(starts, heads, side="right") - 1
    unclear |= (said == _SAME) & (repeated == 1)
    said = np.where((said != _FINE) & (said != _CONFISCATED) & (fine_after == 1), _FINE, said)
    said = _resolve_same(np.where(no_sum == 1, _NONE, said), rows)
    fen = np.where((unclear == 1) | (fen == _UNCLEAR), _UNCLEAR, fen + change)
    return (
        _the_one_sum(rows[said == _FINE], fen[said == _FINE], len(array)),
        _the_one_sum(rows[said == _CONFISCATED], fen[said == _CONFISCATED], len(array)),
    )


def _resolve_same(said: Ints, rows: Ints) -> Ints:
    """Give an amount that repeats the one before it, such as (大写: 贰仟元), that one's class within its row."""
    places = np.arange(len(said))
    source = np.maximum.accumulate(np.where(said != _SAME, places, -1))
    return np.where((source >= 0) & (rows[source] == rows) & (said[source] != _SAME), said[source], _NONE)
