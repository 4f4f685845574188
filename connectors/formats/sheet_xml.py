"""The XML of one XLSX worksheet as rows of text, parsed by expat as a stream (ECMA-376 part 1, 18.3.1).

openpyxl builds an element per cell and a Python value per number before anyone asks; here a cell costs a few calls.
A formula's cached value is never taken; a number is the decimal digits that it is written with, a serial date its ISO
form; no entity is ever declared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, Final
from xml.parsers import expat

from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601

from connectors.formats.rules import EXCEL_VALUE, FORMULA, FormatRule

EXACT_BELOW: Final = 10**15
"""Excel keeps 15 significant digits; a larger whole number has lost its last ones."""

_PIECE_BYTES: Final = 1 << 18
_DIGITS: Final = "0123456789"

Wrong = tuple[int, FormatRule, dict[str, Any]]
"""Position, rule and values of a damaged cell."""


class DoctypeError(Exception):
    """A document type definition begins."""


@dataclass(frozen=True, slots=True)
class DateStyles:
    """Which styles show a number as a date (``dates``) or as a span of time (``spans``), counted from ``epoch``."""

    epoch: dt.datetime
    dates: Collection[int]
    spans: Collection[int]


@dataclass(slots=True)
class SheetRow:
    """A row as it is written: texts by position, its first damaged cell, how many cells hold text.

    ``twice``: a column is written twice.
    """

    number: int
    texts: list[str | None] = field(default_factory=list)
    wrong: Wrong | None = None
    text_cells: int = 0
    twice: bool = False


def sheet_rows(content: IO[bytes], shared_texts: Sequence[str], styles: DateStyles) -> Iterator[SheetRow]:
    """Yield the rows in the order of the sheet. Raises DoctypeError, and what damaged XML or numbers raise."""
    rows = _Rows(shared_texts, styles)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = rows.start
    parser.EndElementHandler = rows.end
    parser.CharacterDataHandler = rows.data

    def refuse(*_: object) -> None:
        raise DoctypeError

    parser.StartDoctypeDeclHandler = refuse
    while piece := content.read(_PIECE_BYTES):
        parser.Parse(piece, False)
        yield from rows.done
        rows.done.clear()
    parser.Parse(b"", True)
    yield from rows.done


class _Rows:
    """Builds rows out of what the parser meets; ``done`` holds those that it has passed."""

    def __init__(self, shared_texts: Sequence[str], styles: DateStyles) -> None:
        self.done: list[SheetRow] = []
        self._shared = shared_texts
        self._styles = styles
        self._row: SheetRow | None = None
        self._number = 0
        self._column = 0
        self._kind = "n"
        self._style = 0
        self._formula = False
        self._phonetic = False
        self._collect = False
        self._text: list[str] = []
        self._columns: dict[str, int] = {}
        self._written: set[int] = set()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            place = attributes.get("r")
            self._column = self._position(place) if place else self._column + 1
            self._kind = attributes.get("t", "n")
            self._style = int(attributes.get("s", 0))
            self._formula = False
            self._text = []
        elif name in ("v", "t"):
            self._collect = not self._phonetic and (name == "v") is (self._kind != "inlineStr")
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._number = int(float(attributes["r"])) if "r" in attributes else self._number + 1
            self._row = SheetRow(self._number)
            self._column = 0
            self._written = set()
        elif name == "rPh":
            self._phonetic = True

    def data(self, text: str) -> None:
        if self._collect:
            self._text.append(text)

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._end_cell()
        elif name in ("v", "t"):
            self._collect = False
        elif name == "row":
            if self._row:
                self.done.append(self._row)
            self._row = None
        elif name == "rPh":
            self._phonetic = False

    def _end_cell(self) -> None:
        row = self._row
        if row is None:
            return
        column = self._column
        if column in self._written:
            row.twice = True
        self._written.add(column)
        raw = "".join(self._text)
        if self._formula:
            row.wrong = row.wrong or (column - 1, FORMULA, {})
        if not raw:
            return
        text, problem = self._read(raw)
        if problem and row.wrong is None:
            row.wrong = (column - 1, EXCEL_VALUE, {"what": problem})
        texts = row.texts
        if len(texts) < column:
            texts.extend([None] * (column - len(texts)))
        texts[column - 1] = text

    def _read(self, raw: str) -> tuple[str | None, str]:
        """Return the text of a cell, and what is wrong with it (``""`` when nothing is), in Chinese."""
        kind = self._kind
        if kind == "s":
            raw = self._shared[int(raw)]
        if kind in ("s", "str", "inlineStr"):
            if self._row and raw.strip():
                self._row.text_cells += 1
            return raw or None, ""
        if kind == "n":
            return self._number_text(raw)
        if kind == "e":
            return raw, raw
        if kind == "b":
            return ("true" if int(raw) else "false"), ""
        if kind == "d":
            return _day_text(from_ISO8601(raw)), ""  # type: ignore[no-untyped-call]
        return raw, ""

    def _number_text(self, raw: str) -> tuple[str, str]:
        if self._style and self._style in self._styles.dates:
            span = self._style in self._styles.spans
            try:
                return _day_text(from_excel(float(raw), self._styles.epoch, timedelta=span)), ""
            except (OverflowError, ValueError):
                return "#VALUE!", "#VALUE!"
        if raw.isascii() and raw.isdigit() and len(raw) <= 15:
            return (raw if raw[0] != "0" else str(int(raw))), ""
        value = float(raw) if any(mark in raw for mark in ".eE") else int(raw)
        wrong = "超过 15 位的数字" if abs(value) >= EXACT_BELOW else ""
        return (format(Decimal(repr(value)), "f").removesuffix(".0") if isinstance(value, float) else str(value)), wrong

    def _position(self, place: str) -> int:
        letters = place.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_index_from_string(letters)
        return column


def _day_text(value: dt.datetime | dt.date | dt.time | dt.timedelta | None) -> str:
    match value:
        case dt.datetime():
            whole = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
            return f"{whole:%Y-%m-%d}" if whole.time() == dt.time() else f"{whole:%Y-%m-%d %H:%M:%S}"
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)
