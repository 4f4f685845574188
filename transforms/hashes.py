"""Hashes of rows of texts: the first 32 hex digits of SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import TEXT
from transforms.distinct import byte_bounds


def joined_values(columns: Sequence[pa.Array]) -> pa.StringArray:
    """Join all values of each row. Empty columns that stand together are joined once, for all rows."""
    parts: list[pa.Array | pa.StringScalar] = []
    for empty, together in groupby(columns, lambda texts: texts.null_count == len(texts)):
        column_values = list(together)
        parts += [pa.scalar("\x1f".join("\x00" for _ in column_values), TEXT)] if empty else column_values
    return pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\x00")


def digest(texts: pa.StringArray) -> pa.StringArray:
    """The first 32 hex digits of SHA-256; null stays null."""
    data, bounds = byte_bounds(texts)
    view, sha256 = data.data, hashlib.sha256
    digests = b"".join([sha256(view[start:stop]).digest() for start, stop in pairwise(bounds.tolist())])
    shortened = np.frombuffer(digests, np.uint8).reshape(-1, sha256().digest_size)[:, :16]
    offsets = np.arange(0, 32 * len(bounds), 32, dtype=np.int32)
    hexadecimal = pa.py_buffer(shortened.tobytes().hex().encode())
    hashes = pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), hexadecimal)
    return pc.if_else(texts.is_valid(), hashes, pa.scalar(None, TEXT)) if texts.null_count else hashes
