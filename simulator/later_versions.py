"""How a record goes on: corrected, or ended (withdrawn 撤销, no longer valid 无效, taken off a list 移出)."""

from __future__ import annotations

from datetime import date
from typing import Final

from simulator.supervision import ABNORMAL_CAUSES, SERIOUS_CAUSES
from simulator.templates import Facts
from transforms.columns import Kind, Sheet

Later = tuple[Facts, str, str]
"""The new facts, what happened, and the state in which the new row must end."""

_SAYS_MOST: Final = {
    Kind.LICENCE: "content",
    Kind.PENALTY: "facts",
    Kind.INSPECTION: "content",
    Kind.ENFORCEMENT_NOTICE: "content",
    Kind.BASIC_INFO: "site_name",
}
_LISTS: Final = {Kind.ABNORMAL_OPERATION: ABNORMAL_CAUSES, Kind.SERIOUS_VIOLATION: SERIOUS_CAUSES}


def can_end(kind: Kind, sheet: Sheet) -> bool:
    """Tell whether a sheet has a column that says that the record ended."""
    return kind in _LISTS or kind is Kind.LICENCE or sheet is Sheet.LEGACY


def correct(facts: Facts, kind: Kind, _sheet: Sheet, day: date) -> Later:
    """Say something more in the column that says most."""
    key = _SAYS_MOST.get(kind)
    more = {key: f"{facts[key].removesuffix('。')}, 经核实更正。"} if key else {}
    return {**facts, "updated": _at_ten(day), **more, "remarks": "更正"}, "changed", "published"


def end(facts: Facts, kind: Kind, sheet: Sheet, day: date) -> Later:
    """Withdraw a decision, or take an enterprise off a list, which the sites go on showing with the removal."""
    if kind in _LISTS:
        removed = {"removal_reason": _LISTS[kind][facts["cause"]], "removed": f"{day:%Y/%m/%d}"}
        removed |= {"removal_authority": facts["authority"], "removal_document_no": f"移{facts['document_no']}"}
        return {**facts, **removed}, "removed", "published"
    ended = {"status": "1" if sheet is Sheet.LEGACY else "2", "remarks": "原决定依法撤销"}
    return {**facts, "updated": _at_ten(day), **ended}, "withdrawn", "withheld"


def take_back(facts: Facts, _kind: Kind, _sheet: Sheet, day: date) -> Later:
    """Mark a record as gone at its source, whatever its sheet can say."""
    return {**facts, "updated": _at_ten(day), "gone": "1"}, "tombstone", "withheld"


def _at_ten(day: date) -> str:
    return f"{day:%Y/%m/%d} 10:00:00"
