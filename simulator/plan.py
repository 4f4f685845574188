"""Which streams are played, derived from the descriptors: what each carries, how much, and what it repeats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from connectors.descriptor import Absence, ExchangeDb, RecordStream, Tombstones, load_agency
from simulator.defects import Defect
from simulator.dialect import facts_told
from simulator.later_versions import can_end
from simulator.offices import Office, load_office, staffed
from transforms.columns import Kind, Sheet

CARRIER: Final = "eitc"
"""The agency in whose delivery decisions of vertically led agencies come once more, by way of their ministries."""

SERVED: Final = staffed()
"""The agencies that the simulator has a server for; the others have no address in a demo, their runs say so."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream. ``records``: on the first day, on a usual day. ``repeats``: streams whose records it brings again."""

    agency: str
    stream: str
    kind: Kind
    sheet: Sheet
    records: tuple[int, int]
    office: Office
    facts: frozenset[str]
    holds_numbers: bool
    first_number: int
    full_sets: bool
    tombstone: tuple[str, str] | None
    repeats: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, str]:
        """Agency and stream."""
        return self.agency, self.stream

    @property
    def can_end(self) -> bool:
        """Whether the source can say that a record ended, in whatever way."""
        return self.full_sets or self.tombstone is not None or can_end(self.kind, self.sheet)

    def mark(self, *, gone: bool) -> dict[str, str]:
        """Return the column by which the source says that a record is gone, where it has one."""
        return {self.tombstone[0]: self.tombstone[1] if gone else ""} if self.tombstone else {}

    def can_have(self, defect: Defect) -> bool:
        """Tell whether a defect can befall a row of this stream."""
        fits = self.kind in defect.kinds and self.sheet in defect.sheets
        fits &= defect.needs_fact in self.facts
        return fits and not (defect.text_in_number and self.holds_numbers)


@cache
def plans() -> tuple[StreamPlan, ...]:
    """Every stream of every agency that the simulator plays; a stream stands behind those that it repeats."""
    found: list[StreamPlan] = []
    for agency in sorted(SERVED, key=lambda name: (name == CARRIER, name)):
        office = load_office(agency)
        for stream in load_agency(agency).streams:
            kind, sheet = stream.kind, stream.sheet
            same_agency = [p for p in found if p.agency == agency and p.kind is kind]
            repeats = [p.key for p in same_agency if p.sheet is Sheet.LEGACY and sheet is Sheet.STANDARD]
            if agency == CARRIER:
                repeats += [p.key for p in found if _reports_upwards(p.agency) and (p.kind, p.sheet) == (kind, sheet)]
            found.append(
                StreamPlan(
                    agency=agency,
                    stream=stream.id,
                    kind=kind,
                    sheet=sheet,
                    records=office.volume(stream),
                    office=office,
                    facts=facts_told(stream),
                    holds_numbers=isinstance(stream.transport, ExchangeDb),
                    first_number=1 + 20_000 * len(same_agency),
                    full_sets=isinstance(stream.deletions, Absence),
                    tombstone=_tombstone(stream),
                    repeats=tuple(repeats),
                )
            )
    return tuple(found)


def _tombstone(stream: RecordStream) -> tuple[str, str] | None:
    deletions = stream.deletions
    return (deletions.column, deletions.value) if isinstance(deletions, Tombstones) else None


def _reports_upwards(agency: str) -> bool:
    return load_agency(agency).vertical is not None
