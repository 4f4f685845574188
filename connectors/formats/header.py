"""The names of a table's columns: found, cleaned, and refused where they cannot name a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from connectors.formats.limits import Limits
from connectors.formats.rules import DUPLICATE_COLUMN, TOO_MANY_COLUMNS

ROW_NO: Final = "row_no"
"""Name of the leading column that each batch carries; no column of a file may have it."""

NAMED_CELLS: Final = 3
"""A row above the table (title, unit, date of printing) has fewer filled cells than this; a header has more."""

LOOK_AHEAD: Final = 20
"""How many rows from the top may precede the header."""

_BLANKS: Final = "\ufeff\u200b\u3000\xa0 \t\r\n"


def clean_name(cell: str) -> str:
    """Take byte order mark and blanks (ASCII, full-width, no-break, zero-width) off both ends of a column name."""
    return cell.strip(_BLANKS)


def header_index(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the index of the first row with at least ``NAMED_CELLS`` filled cells, or None."""
    for index, row in enumerate(rows[:LOOK_AHEAD]):
        if sum(1 for cell in row if clean_name(cell)) >= NAMED_CELLS:
            return index
    return None


def column_names(cells: Sequence[str], file: str, limits: Limits, row: int | None = None) -> tuple[str, ...]:
    """Return the cleaned names, position by position; a column without a name has the name ``""``.

    Nameless columns at the right end are dropped. Raises DeliveryRefused for a name used twice (F06; ``row_no`` is
    taken by the reader) and for too many columns (F07).
    """
    names = [clean_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > limits.columns:
        raise TOO_MANY_COLUMNS.refusal(file, row, count=len(names), limit=limits.columns)
    counts = Counter([ROW_NO, *names])
    twice = [name for name, count in counts.items() if name and count > 1]
    if twice:
        raise DUPLICATE_COLUMN.refusal(file, row, names="、".join(twice))
    return tuple(names)
