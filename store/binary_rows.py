"""Arrow rows as PostgreSQL's binary COPY takes them (PostgreSQL documentation, COPY, "Binary Format").

Of CSV the server looks at every character for a comma or a quote, and makes every number and day from text: a quarter
of its time. Here a length stands before each value. Rows are put together by Arrow's own join of binary columns: for
each column its lengths, then its values, nothing in between.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct import byte_bounds

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
"""Signature, no flags, no extension."""
TRAILER: Final = struct.pack(">h", -1)

_BYTES: Final = pa.binary()
_NULL: Final = pa.scalar(struct.pack(">i", -1), _BYTES)
_EPOCH: Final = 10_957
"""Days from 1970-01-01, where Arrow begins to count, to 2000-01-01, where the server does."""
_DIGITS: Final = 18
"""Most digits of a decimal: as many as 64 bits hold."""
_SCALE: Final = 6
"""Most decimals of a number that comes as text."""
_GROUP: Final = 4
"""Decimal digits in one digit of the server's, whose base is 10,000."""
_NEGATIVE: Final = 0x4000

_Values = npt.NDArray[np.uint8]
"""One row of bytes per value."""
_Form = Callable[[pa.Array], Iterator[pa.Array]]
"""Writes a column as its lengths and its values."""


def encoded(rows: pa.RecordBatch, server_types: Mapping[str, str]) -> memoryview:
    """Write rows as tuples, which stand between ``HEADER`` and ``TRAILER``.

    ``server_types`` gives for each column its type on the server (``pg_type.typname``), to which values are cast.
    Raises ``TypeError`` for a column whose type there has no form here, ``pa.ArrowInvalid`` for a value that does not
    fit its type.
    """
    if not rows.num_rows:
        return memoryview(b"")
    parts: list[pa.Array | pa.Scalar] = [pa.repeat(pa.scalar(struct.pack(">h", rows.num_columns), _BYTES), len(rows))]
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        write = _FORMS.get(server_types[name])
        if write is None:
            raise TypeError(f"column {name} cannot be copied: it has the type {server_types[name]} on the server")
        parts += [_NULL] if column.null_count == len(column) else write(column)
    joined = pc.binary_join_element_wise(*parts, pa.scalar(b"", _BYTES), null_handling="replace", null_replacement=b"")
    return memoryview(joined.buffers()[2])


def _texts(column: pa.Array) -> Iterator[pa.Array]:
    texts = column.cast(pa.string())
    yield _lengths(_present(texts), np.diff(byte_bounds(texts)[1]))
    yield pa.Array.from_buffers(_BYTES, len(texts), texts.buffers(), texts.null_count, texts.offset)


def _fixed(arrow_type: pa.DataType, values_of: Callable[[pa.Array], _Values]) -> _Form:
    """The form of a type whose values are all as long; ``values_of`` writes values without nulls."""

    def write(column: pa.Array) -> Iterator[pa.Array]:
        typed = column.cast(arrow_type)
        yield from _of_one_width(typed, values_of(typed.drop_null()))

    return write


def _numeric(column: pa.Array) -> Iterator[pa.Array]:
    """Whole and broken part, each in groups of four decimal digits; the server drops groups that are zero."""
    scale = column.type.scale if pa.types.is_decimal(column.type) else _SCALE
    typed = column.cast(pa.decimal128(_DIGITS, scale))
    given = typed.drop_null()
    unscaled = np.frombuffer(given.buffers()[1], "<i8", count=2 * len(given), offset=16 * given.offset)[::2]
    broken_groups = -(-scale // _GROUP)
    whole_groups = -(-(_DIGITS - scale) // _GROUP)
    whole, broken = np.divmod(np.abs(unscaled), 10**scale)
    broken *= 10 ** (broken_groups * _GROUP - scale)
    digits = [
        part // 10 ** (_GROUP * place) % 10**_GROUP
        for part, groups in ((whole, whole_groups), (broken, broken_groups))
        for place in reversed(range(groups))
    ]
    sign = np.where(unscaled < 0, _NEGATIVE, 0)
    head = [len(digits), whole_groups - 1, sign, scale]
    words = np.stack(np.broadcast_arrays(*head, *digits), axis=1).astype(">i2")
    yield from _of_one_width(typed, words.view(np.uint8))


def _of_one_width(column: pa.Array, values: _Values) -> Iterator[pa.Array]:
    """``values`` are those of the rows that have one, in order."""
    present, width = _present(column), values.shape[1]
    offsets = np.concatenate([[0], np.cumsum(present * width)]).astype(np.int32)
    yield _lengths(present, np.int64(width))
    yield pa.Array.from_buffers(_BYTES, len(column), [None, pa.py_buffer(offsets), pa.py_buffer(values.tobytes())])


def _lengths(present: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64] | np.int64) -> pa.Array:
    """Four bytes per row: how long its value is, -1 where it has none."""
    written = np.where(present, lengths, -1).astype(">i4")
    offsets = np.arange(0, 4 * len(present) + 1, 4, dtype=np.int32)
    return pa.Array.from_buffers(_BYTES, len(present), [None, pa.py_buffer(offsets), pa.py_buffer(written)])


def _present(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.is_valid(), dtype=np.bool_)


def _numbers(kind: str, less: int = 0) -> Callable[[pa.Array], _Values]:
    def values_of(column: pa.Array) -> _Values:
        numbers: npt.NDArray[np.generic] = np.asarray(column) - less
        return numbers.astype(kind).view(np.uint8).reshape(len(column), -1)

    return values_of


def _days(column: pa.Array) -> _Values:
    return _numbers(">i4", less=_EPOCH)(column.cast(pa.int32()))


_FORMS: Final[Mapping[str, _Form]] = {
    "text": _texts,
    "json": _texts,
    "int8": _fixed(pa.int64(), _numbers(">i8")),
    "int4": _fixed(pa.int32(), _numbers(">i4")),
    "bool": _fixed(pa.bool_(), _numbers("u1")),
    "date": _fixed(pa.date32(), _days),
    "numeric": _numeric,
}
