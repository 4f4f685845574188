"""Amounts: plain 万元 decimals of the standard sheet, and amounts written in the text of a decision.

Exact all the way: ``decimal(18, 6)`` in 万元, so 0.01元 is 0.000001. No float, nothing rounded.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

import pyarrow as pa

from transforms.columns import MONEY
from transforms.distinct import read_distinct

_SCALE: Final = 6
_LIMIT: Final = Decimal(10) ** 12
_PLAIN: Final = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|[+-]?\.\d+")
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
    amounts, findings = read_distinct(texts, _read_amount, MONEY, pa.string())
    return amounts, findings
