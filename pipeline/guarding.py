"""Whether a delivery may go on by itself, asked once, when all of its rows are judged and before anything is committed.

It is held for two people to decide when it changes more than the limits of its stream (``mass_change``), when its rows
are not as many as the source declared (``declared_total``), or when its agency is held by default (``default_hold``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import MassChange, RecordStream, load_agency
from pipeline.absence import Followed
from store import records
from store.deliveries import Delivery

_WORDS: Final = {"added": "新增", "changed": "更正", "withdrawn": "撤回"}


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery does to the records in force: rows received, records added, changed and withdrawn.

    ``absent`` of those withdrawn have no row: a full set holds them no longer.
    """

    rows: int
    added: int
    changed: int
    withdrawn: int
    absent: int = 0

    def and_also(self, followed: Followed) -> Change:
        """Return the change with what presence and absence did besides."""
        return Change(
            self.rows,
            self.added + followed.reinstated,
            self.changed,
            self.withdrawn + followed.withdrawn,
            followed.withdrawn,
        )


class DeliveryHeld(Exception):
    """A delivery that must wait; nothing of it is stored."""

    def __init__(self, reasons: tuple[str, ...], numbers: Mapping[str, Any], explanation: str) -> None:
        """Carry the reasons, the numbers behind them, and both in words for a steward."""
        super().__init__(explanation)
        self.reasons = reasons
        self.numbers = numbers
        self.explanation = explanation


def guard(connection: sa.Connection, delivery: Delivery, change: Change, rows_of_file: Mapping[int, int]) -> None:
    """Let a delivery pass, or raise ``DeliveryHeld``; called inside the transaction that stored its rows."""
    agency = load_agency(delivery.agency)
    numbers: dict[str, Any] = asdict(change)
    because: dict[str, str] = {}
    if agency.default_hold:
        because["default_hold"] = agency.default_hold
    differing = [
        {"file": file.name, "declared": file.declared_rows, "received": rows_of_file.get(file.ordinal, 0)}
        for file in delivery.files
        if file.declared_rows is not None and file.declared_rows != rows_of_file.get(file.ordinal, 0)
    ]
    if differing:
        numbers["declared"] = differing
        because["declared_total"] = "; ".join(
            f"{each['file']} 申报 {each['declared']} 行, 实收 {each['received']} 行" for each in differing
        )
    stream = stream_of(delivery)
    if stream is not None:
        over = _over(connection, delivery, change, stream.mass_change, numbers)
        if over:
            because["mass_change"] = f"{over} (现有 {numbers['held']} 条)"
    if because:
        explanation = "; ".join(because.values())
        raise DeliveryHeld(tuple(because), numbers, f"整批待批: {explanation}。")


def _over(
    connection: sa.Connection, delivery: Delivery, change: Change, limits: MassChange, numbers: dict[str, Any]
) -> str:
    """Say which limits are passed. What is held is counted only where the absolute limit does not suffice."""
    suspects = [name for name in _WORDS if getattr(change, name) > getattr(limits, name).rows]
    if not suspects:
        return ""
    untouched = records.count_in_force(connection, delivery.record_kind, delivery.agency, besides=delivery.delivery_id)
    held = untouched + change.changed + change.withdrawn - change.absent
    most = {name: getattr(limits, name).most(held) for name in _WORDS}
    numbers |= {"held": held, "limits": most}
    return ", ".join(
        f"{_WORDS[name]} {getattr(change, name)} 条, 上限 {most[name]} 条"
        for name in suspects
        if getattr(change, name) > most[name]
    )


def stream_of(delivery: Delivery) -> RecordStream | None:
    """Return the stream that a delivery came by; of one by hand the agency's first of its kind, if there is one."""
    for stream in load_agency(delivery.agency).streams:
        if stream.id == delivery.stream if delivery.stream is not None else stream.kind is delivery.record_kind:
            return stream
    return None
