"""Columns drawn and written many rows at a time: texts, numbers, amounts and days as decisions write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.uint8]
Column = Any  # pa.StringArray; pyarrow carries no types


def falling_shares(n: int) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = 1 / np.arange(3, n + 3, dtype=np.float64)
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


def wan_yuan(fen: Ints) -> Column:
    """Write amounts of 分 in 万元, exactly, with no more decimals than needed."""
    text = joined(numbers(fen // 1_000_000), ".", numbers(fen % 1_000_000, width=6))
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")


def yuan(fen: Ints) -> Column:
    cents = fen % 100
    return joined(numbers(fen // 100), where(cents == 0, "", joined(".", numbers(cents, width=2))))


def day(days: npt.NDArray[np.datetime64], separator: str) -> Column:
    return pc.replace_substring(pa.array(days.astype(str)), "-", separator)


def day_forms(days: npt.NDArray[np.datetime64], rng: np.random.Generator) -> Column:
    form = rng.random(days.size)
    text = where(form < 0.05, day(days, "-"), day(days, "/"))
    return where(form > 0.98, day(days, ""), text)


def day_text(days: npt.NDArray[np.datetime64]) -> Column:
    iso = pa.array(days.astype(str))
    return joined(
        pc.utf8_slice_codeunits(iso, 0, 4),
        "年",
        pc.utf8_ltrim(pc.utf8_slice_codeunits(iso, 5, 7), "0"),
        "月",
        pc.utf8_ltrim(pc.utf8_slice_codeunits(iso, 8, 10), "0"),
        "日",
    )


def strings(characters: Digits) -> Column:
    """Turn an array (rows, width) of ASCII codes into strings of that width."""
    rows, width = characters.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def numbers(values: Ints, width: int = 1) -> Column:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def picked(choices: Sequence[str], index: Ints) -> Column:
    return pa.array(list(choices)).take(pa.array(index))


def joined(*parts: Column | str) -> Column:
    return pc.binary_join_element_wise(*parts, "")


def where(condition: Flags | Column, then: Column | str, otherwise: Column | str) -> Column:
    return pc.if_else(pa.array(condition), then, otherwise)


def repeated(text: str, size: int) -> Column:
    return pa.repeat(pa.scalar(text), size)
