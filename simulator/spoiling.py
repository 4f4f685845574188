"""Rows as a source writes them on a bad day: in another order, under other headings, in other units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from connectors.descriptor import ExchangeDb, RecordStream
from simulator.codes import resident_id
from simulator.dialect import columns_of
from simulator.faults import FaultKind
from simulator.templates import TEMPLATES, Row

NEW_COLUMN: Final = "内部流水号"
_PER_WAN: Final = 10_000
_OF_COLUMNS: Final = (FaultKind.COLUMNS_REORDERED, FaultKind.NEW_COLUMN)
"""What cannot befall a table of a database: it has the columns that it was made with."""


def can_spoil(stream: RecordStream, kind: FaultKind) -> bool:
    """Tell whether a stream has the columns that a fault of content needs."""
    needed = {
        FaultKind.SWAPPED_COLUMNS: ("name", "uscc"),
        FaultKind.ID_IN_CODE: ("tax_no",),
        FaultKind.YUAN_FOR_WAN: ("fine",),
    }.get(kind, ())
    fixed = isinstance(stream.transport, ExchangeDb) and kind in _OF_COLUMNS
    return not fixed and all(_column(stream, fact) for fact in needed)


def spoil(rows: Sequence[Row], stream: RecordStream, kind: FaultKind) -> list[Row]:
    """Return written rows as a fault of content leaves them; those of a stream that it cannot befall as they are."""
    if not can_spoil(stream, kind):
        return list(rows)
    if kind is FaultKind.ROWS_REORDERED:
        return list(reversed(rows))
    return [_spoilt(row, place, stream, kind) for place, row in enumerate(rows, start=1)]


def _spoilt(row: Row, place: int, stream: RecordStream, kind: FaultKind) -> Row:
    match kind:
        case FaultKind.COLUMNS_REORDERED:
            return dict(reversed(row.items()))
        case FaultKind.NEW_COLUMN:
            return {**row, NEW_COLUMN: f"NB{place:06d}"}
        case FaultKind.SWAPPED_COLUMNS:
            name, code = _column(stream, "name"), _column(stream, "uscc")
            return {**row, name: row[code], code: row[name]}
        case FaultKind.ID_IN_CODE:
            return {**row, _column(stream, "tax_no"): _somebody(place)}
        case FaultKind.YUAN_FOR_WAN:
            amounts = filter(None, (_column(stream, fact) for fact in ("fine", "confiscated")))
            return {**row, **{column: _in_yuan(row[column]) for column in amounts}}
        case _:
            raise ValueError(f"{kind.name} is no fault of content")


def _column(stream: RecordStream, fact: str) -> str:
    """Return the source's column of a fact, empty where it has none."""
    codes = {told: code for code, told in TEMPLATES[stream.kind, stream.sheet]}
    return next((name for name, code in columns_of(stream).items() if code == codes.get(fact)), "")


def _somebody(place: int) -> str:
    return resident_id("110105", date(1970, 1, 1) + timedelta(days=place), place % 1_000)


def _in_yuan(text: str) -> str:
    try:
        return f"{Decimal(text) * _PER_WAN:f}"
    except ArithmeticError:
        return text
