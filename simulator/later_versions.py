"""How a record goes on: corrected, or ended (withdrawn 撤销, no longer valid 无效, taken off a list 移出)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from simulator.templates import Facts
from transforms.columns import Kind, Sheet

Later = tuple[Facts, str, str]
"""The new facts, what happened, and the state in which the new row must end."""

CAN_END: Final[Mapping[tuple[Kind, Sheet], bool]] = {
    (Kind.LICENCE, Sheet.STANDARD): True,
    (Kind.LICENCE, Sheet.LEGACY): True,
    (Kind.PENALTY, Sheet.STANDARD): False,  # the sheet has no column for it
    (Kind.PENALTY, Sheet.LEGACY): True,
}

_SAYS_MOST: Final = {Kind.LICENCE: "content", Kind.PENALTY: "facts"}


def correct(facts: Facts, kind: Kind, _sheet: Sheet, day: date) -> Later:
    """Say something more in the column that says most."""
    key = _SAYS_MOST[kind]
    corrected = {key: f"{facts[key].removesuffix('。')}, 经核实更正。", "remarks": "更正"}
    return {**facts, "updated": _at_ten(day), **corrected}, "changed", "published"


def end(facts: Facts, _kind: Kind, sheet: Sheet, day: date) -> Later:
    """Withdraw a decision."""
    ended = {"status": "1" if sheet is Sheet.LEGACY else "2", "remarks": "原决定依法撤销"}
    return {**facts, "updated": _at_ten(day), **ended}, "withdrawn", "withheld"


def _at_ten(day: date) -> str:
    return f"{day:%Y/%m/%d} 10:00:00"
