"""Plain Python over the distinct values of a column.

Dates, categories and amounts repeat: a column of 200,000 rows holds a few thousand different texts. Reading each
different text once and spreading the answers keeps the rule readable and the column fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_SAMPLE: Final = 256
_FEW: Final = 32
"""A column with fewer than ``_FEW`` different texts in its first ``_SAMPLE`` rows repeats itself."""


def flat(texts: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """Return ``texts`` as one ``string`` array, whatever chunks or string layout it came in."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array if array.type == pa.string() else array.cast(pa.string())


def read_distinct(
    texts: pa.Array | pa.ChunkedArray, read: Callable[[str], tuple[Any, ...]], *types: pa.DataType
) -> tuple[pa.Array, ...]:
    """Apply ``read`` to each distinct text and return one array per item of its answer; null stays null."""
    encoded = flat(texts).dictionary_encode()
    answers = [read(text) for text in encoded.dictionary.to_pylist()]
    return tuple(
        pa.array([answer[place] for answer in answers], kind).take(encoded.indices) for place, kind in enumerate(types)
    )


def ask_each_text(texts: pa.StringArray, ask: Callable[[pa.StringArray], pa.Array]) -> pa.Array:
    """Apply ``ask``, which judges each text by itself, but where a column repeats itself to its different texts only.

    ``ask`` must answer null for null.
    """
    if len(texts.slice(0, _SAMPLE).unique()) >= min(_FEW, len(texts)):
        return ask(texts)
    encoded = texts.dictionary_encode()
    return ask(encoded.dictionary).take(encoded.indices)


def rewrite_where(
    texts: pa.StringArray, rows: npt.NDArray[np.bool_], rewrite: Callable[[str], str | None], others: pa.StringArray
) -> pa.StringArray:
    """Return ``others`` with the places of ``rows`` (a mask) holding what ``rewrite`` makes of ``texts`` there."""
    if not rows.any():
        return others
    (rewritten,) = read_distinct(texts.filter(pa.array(rows)), lambda text: (rewrite(text),), pa.string())
    return put_where(others, rows, rewritten)


def put_where(texts: pa.StringArray, rows: npt.NDArray[np.bool_], values: pa.StringArray) -> pa.StringArray:
    """Return ``texts`` with ``values`` in the places where ``rows`` is true, in order."""
    places = np.arange(len(texts), dtype=np.int64)
    places[rows] = len(texts) + np.arange(len(values), dtype=np.int64)
    return pa.concat_arrays([texts, values]).take(pa.array(places))


def rest_after(texts: pa.StringArray, beginnings: pa.StringArray) -> pa.StringArray:
    """Return what follows each of ``beginnings`` in its text; both without nulls."""
    data, bounds = byte_bounds(texts)
    starts = bounds[:-1] + np.diff(byte_bounds(beginnings)[1])
    lengths = bounds[1:] - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    taken = data[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)]
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(taken))


def byte_bounds(texts: pa.StringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the bytes of a string column and the ``len + 1`` offsets of its texts in them."""
    _, offsets, data = texts.buffers()
    if offsets is None or not len(texts):
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    bounds = np.frombuffer(offsets, np.int32, count=len(texts) + 1, offset=texts.offset * 4).astype(np.int64)
    return (np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)), bounds


def holds_byte(texts: pa.StringArray, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell for each text whether one of its bytes is marked in ``wanted`` (256 flags)."""
    data, bounds = byte_bounds(texts)
    first, last = bounds[0], bounds[-1]
    hits = np.flatnonzero(wanted[data[first:last]]) + first
    rows = np.zeros(len(texts), np.bool_)
    rows[np.searchsorted(bounds, hits, side="right") - 1] = True
    return rows
