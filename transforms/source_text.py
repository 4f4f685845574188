"""What a row said where its record says something else: the texts of cells that standardising changed or did not know.

Kept as one JSON object per row, so that the row as received can be told from the record; ID numbers are masked in it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from transforms import personal
from transforms.columns import ID_COLUMNS, TEXT
from transforms.joining import join_present
from transforms.sheets import Recognition


def source_text(batch: pa.RecordBatch, recognition: Recognition, written: Mapping[str, pa.Array]) -> pa.Array:
    """Return per row the JSON object of the cells whose text is not what stands in ``written``, by column code."""
    members: list[pa.Array] = []
    for cell, column in recognition.columns.items():
        raw = batch.column(cell)
        says = _says_something(raw)
        if (kept := written.get(column.target)) is not None:
            says = pc.and_(says, pc.fill_null(pc.not_equal(raw, kept), True))
        members += _json_members(column.code, raw, says, covered=column.target in ID_COLUMNS)
    for cell in recognition.unknown:
        raw = batch.column(cell)
        members += _json_members(cell, raw, _says_something(raw))
    inside = join_present(members, batch.num_rows, ",")
    return pc.binary_join_element_wise(pa.scalar("{"), inside, pa.scalar("}"), "")


def _says_something(raw: pa.Array) -> pa.Array:
    return pc.fill_null(pc.not_equal(raw, ""), False)


def _json_members(name: str, raw: pa.Array, where: pa.Array, *, covered: bool = False) -> list[pa.Array]:
    if not pc.any(where).as_py():
        return []
    distinct = raw.filter(where).dictionary_encode()
    texts = distinct.dictionary
    texts = personal.mask_ids(personal.cover(texts) if covered else texts)
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        texts = pc.replace_substring(texts, plain, escaped)
    texts = pc.replace_substring_regex(texts, r"[\x00-\x1f]", "\ufffd")
    key = name.replace("\\", "\\\\").replace('"', '\\"')
    members = pc.binary_join_element_wise(pa.scalar(f'"{key}":"'), texts, pa.scalar('"'), "").take(distinct.indices)
    return [pc.replace_with_mask(pa.nulls(len(raw), TEXT), where, members)]
