"""Texts that stand for nothing: blanks and the words agencies type where they have no value."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import byte_bounds, flat, put_where

PLACEHOLDERS: Final = ("空", "无", "暂无", "不详", "未知", "NULL", "null", "N/A", "-", "--", "/", "\\")
"""Placeholder values reviewed for rules R01 and R24. ``--`` was found in exports of the national publicity system; the
others are common practice of the field and not checked against a document."""

_BLANKS: Final = (
    " \t\r\n\v\f\x00\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"
)
"""Trimmed at both ends: blanks, the ideographic space, tabs, line ends, BOM and zero-width characters."""

_FIRST_BYTES: Final = np.isin(np.arange(256), [blank.encode()[0] for blank in _BLANKS])
_LAST_BYTES: Final = np.isin(np.arange(256), [blank.encode()[-1] for blank in _BLANKS])
_LONGEST_PLACEHOLDER: Final = max(len(text.encode()) for text in PLACEHOLDERS)


def _may_be_missing_or_padded(texts: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Rows worth a closer look: short enough for a placeholder, or with a blank's byte at an end."""
    data, bounds = byte_bounds(texts)
    size = np.diff(bounds)
    rows = size <= _LONGEST_PLACEHOLDER
    filled = size > 0
    rows[filled] |= _FIRST_BYTES[data[bounds[:-1][filled]]] | _LAST_BYTES[data[bounds[1:][filled] - 1]]
    return np.asarray(rows)


def missing_to_null(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Trim blanks at the ends; what is then empty or a placeholder becomes null. The text inside is untouched."""
    array = flat(texts)
    rows = _may_be_missing_or_padded(array)
    if not rows.any():
        return array
    trimmed = pc.utf8_trim(array.filter(pa.array(rows)), characters=_BLANKS)
    missing = pc.is_in(trimmed, value_set=pa.array(["", *PLACEHOLDERS]))
    return put_where(array, rows, pc.if_else(missing, pa.scalar(None, pa.string()), trimmed))


def is_placeholder(texts: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
    """Tell where the text, blanks at the ends aside, is a placeholder word (rule R24); blank is false, null is null."""
    array = flat(texts)
    found = pc.is_in(pc.utf8_trim(array, characters=_BLANKS), value_set=pa.array(PLACEHOLDERS))
    return pc.if_else(array.is_valid(), found, pa.scalar(None, pa.bool_()))
