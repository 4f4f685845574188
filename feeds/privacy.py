"""The last look before a release (invariant 8): no resident ID number and no telephone in any column of any row.

Nor is there a bank card or account, a document of a person, a vehicle plate or a home address in running text.

What counts is said by ``transforms.personal`` and ``personal_details``. Asking it about every cell would cost more than
writing the release, so a set-based pass over each column first picks the cells that could hold something: digits enough
for a telephone in a text, the shape of a birthday inside an ID number or a telephone in a code. The pick is wider than
the rule; a test holds it so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from feeds.row_text import ILLEGAL_IN_XML, identifier, literal
from feeds.sites import Column
from feeds.sorted_rows import parquet
from transforms.columns import FREE_TEXT
from transforms.personal import BIRTHDAY_IN_CODE, DIGITS_OF_A_TELEPHONE, has_telephone, id_like
from transforms.personal_details import has_details, pick_on

_BATCH_ROWS: Final = 16_384

MAYBE_IN_CODE: Final = (
    f"{BIRTHDAY_IN_CODE}"
    r"|(?:^|[^0-9])(?:0 ?0)?(?:86)?[ -]{0,2}0?\(?1[ -]{0,2}[3-9](?:[ ().-]{0,3}[0-9]){9}(?:[^0-9]|$)"  # mobile
    r"|0[1-9][0-9]{1,2}[) -]"  # landline
)
"""A character outside printable ASCII (which may be a digit in disguise), or a shape of the two kinds of number."""


@dataclass(slots=True)
class Review:
    """What was seen: personal data as (record key, column code), and whether a character must be dropped anywhere."""

    personal: list[tuple[str, str]] = field(default_factory=list)
    holds_illegal_characters: bool = False


def _look(
    database: duckdb.DuckDBPyConnection,
    rows: Sequence[Path],
    key: Column,
    column: Column,
    *,
    shape: str,
    as_of: dt.date,
) -> Review:
    """Look at the cells of one column that have the shape."""
    seen = Review()
    code = identifier(column.code)
    suspects = (
        f"SELECT {identifier(key.code)} AS record, {code} AS cell "  # noqa: S608
        f"FROM {parquet(rows)} WHERE regexp_matches({code}, {literal(shape)})"
    )
    for batch in database.sql(suspects).to_arrow_reader(_BATCH_ROWS):
        cells = batch.column("cell")
        illegal = pc.match_substring_regex(cells, ILLEGAL_IN_XML)
        seen.holds_illegal_characters |= pc.any(illegal).as_py() or False
        found = pc.or_(id_like(cells, column.type == "code"), has_telephone(cells))
        if set(column.source) & set(FREE_TEXT):
            found = pc.or_(found, has_details(cells, as_of))
        seen.personal += [(record, column.code) for record in batch.column("record").filter(found).to_pylist()]
    return seen


def review(
    database: duckdb.DuckDBPyConnection, rows: Sequence[Path], columns: Sequence[Column], as_of: dt.date
) -> Review:
    """Look at every text and code of ``rows``, Parquet files with ``columns``, the key first; a batch at a time.

    ``as_of``: the day whose table of details counts.
    """
    seen = Review()
    if not rows:
        return seen
    details = f"|{pick_on(as_of)}" if pick_on(as_of) else ""
    shapes = {"text": f"{ILLEGAL_IN_XML}|{DIGITS_OF_A_TELEPHONE}{details}", "code": MAYBE_IN_CODE}
    for column in columns:
        if column.type in shapes and column.source:
            of_column = _look(database, rows, columns[0], column, shape=shapes[column.type], as_of=as_of)
            seen.personal += of_column.personal
            seen.holds_illegal_characters |= of_column.holds_illegal_characters
    seen.personal.sort()
    return seen


def is_personal(texts: pa.Array) -> bool:
    """Tell whether any of a few texts holds an ID number or a telephone."""
    found = pc.or_(id_like(texts, code_column=False), has_telephone(texts))
    return bool(pc.any(pc.fill_null(found, False)).as_py())
