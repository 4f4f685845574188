"""What the agencies deliver on each business day, and the truth about each row.

The first day is the first delivery of every stream; each later day brings new records, changed ones of the day before,
and records that ended: withdrawn, no longer valid, taken off a list. A decision that a legacy sheet brought comes once
more on the standard sheet where the agency has both, and some decisions of vertically led agencies come a day later by
way of their ministry, in the delivery of another agency. Faults come at the rates of :mod:`simulator.defects`. The
truth file is for whoever judges the pipeline, and is never read by it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from simulator.business_days import DEMO_DAYS, busyness
from simulator.decisions import as_standard, decide
from simulator.defects import DEFECTS, SOUND, Defect, Scene
from simulator.later_versions import correct, end, take_back
from simulator.plan import StreamPlan, plans
from simulator.population import Enterprise, Population
from simulator.templates import Facts, Row, render
from transforms.columns import Kind, Sheet

TRUTH_COLUMNS: Final = (
    "day",
    "agency",
    "stream",
    "document_no",
    "subject_name",
    "defect",
    "expected_state",
    "true_uscc",
)

VIA_MINISTRY: Final = "via_ministry"
ON_STANDARD_SHEET: Final = "on_standard_sheet"
SENT_AGAIN: Final = "sent_again"

SHOWN: Final = "published"
NEVER_SHOWN: Final = (Kind.ENFORCEMENT_NOTICE, Kind.BASIC_INFO)
"""No site shows them: notices are 政务共享 at most, and nobody says that the monitoring base is public."""

_CHANGED: Final = 0.03
_ENDED: Final = 0.01
_TURNS: Final = 8
"""A small agency shows each defect one day in so many."""


@dataclass(slots=True)
class Truth:
    """What must become of one row; from ``replaced_on`` on it is ``then``: a later version holds, or it is gone."""

    day: date
    agency: str
    stream: str
    document_no: str
    subject_name: str
    defect: str
    expected_state: str
    true_uscc: str
    replaced_on: date | None = None
    then: str = "superseded"

    def state_after(self, day: date) -> str:
        """The state in which the row must be once everything up to a day was processed."""
        return self.then if self.replaced_on and self.replaced_on <= day else self.expected_state


@dataclass(slots=True)
class World:
    """Everything that the agencies will send: rows by (agency, stream, day), and the truth in the same order."""

    days: tuple[date, ...] = DEMO_DAYS
    rows: dict[tuple[str, str, date], list[Row]] = field(default_factory=dict)
    truth: list[Truth] = field(default_factory=list)

    def write_truth(self, path: Path, days: Sequence[date]) -> None:
        """Write the truth about the rows of some days, as it stands after the last of them."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(TRUTH_COLUMNS)
            for item in self.truth:
                if item.day in days:
                    state = item.state_after(max(days))
                    about = (item.day.isoformat(), item.agency, item.stream, item.document_no, item.subject_name)
                    writer.writerow((*about, item.defect, state, item.true_uscc))


def make_world(seed: int, population: Population, scale: float = 1.0, days: Sequence[date] = DEMO_DAYS) -> World:
    """Make all days of all streams; equal arguments give equal bytes. ``scale`` multiplies the numbers of records."""
    world = World(tuple(days))
    streams = {plan.key: _Stream(plan, seed, world) for plan in plans()}
    for day in days:
        register = _Register(population.on(day))
        for stream in streams.values():
            stream.add_day(day, register, _records(stream.plan, day, days, scale), streams)
    return world


def _records(plan: StreamPlan, day: date, days: Sequence[date], scale: float) -> int:
    first, usual = plan.records
    wanted = first if day == days[0] else usual * busyness(day)
    return max(1, round(wanted * scale))


class _Register:
    """The register of one day: those who share their name, those who do not, and who a defect may befall."""

    def __init__(self, enterprises: Sequence[Enterprise]) -> None:
        count = Counter(enterprise.name for enterprise in enterprises)
        self.all = enterprises
        self.twins = [enterprise for enterprise in enterprises if count[enterprise.name] > 1]
        self.unique = [enterprise for enterprise in enterprises if count[enterprise.name] == 1]
        self._subjects: dict[Defect, list[Enterprise]] = {}

    def subjects(self, defect: Defect) -> list[Enterprise]:
        if defect not in self._subjects:
            self._subjects[defect] = [enterprise for enterprise in self.unique if defect.subject(enterprise)]
        return self._subjects[defect]


class _Stream:
    """One stream while it is made: numbers its documents and remembers what the day before said."""

    def __init__(self, plan: StreamPlan, seed: int, world: World) -> None:
        self.plan = plan
        self._rng = Random(f"{plan.agency}.{plan.stream}:{seed}")  # noqa: S311
        self._world = world
        self._number = plan.first_number
        self._before: list[tuple[Facts, Truth]] = []
        self._sound: list[tuple[Facts, Truth]] = []
        self._set: list[tuple[Facts, Truth]] = []

    def add_day(self, day: date, register: _Register, records: int, streams: dict[tuple[str, str], _Stream]) -> None:
        self._before, self._sound = self._sound, []
        entries: list[tuple[Facts, Truth]] = []
        if self._before:
            entries += self._later_versions(day)
            entries += [again for other in self.plan.repeats for again in self._again(streams[other], day)]
        possible = [defect for defect in self._possible(bool(register.twins)) if register.subjects(defect)]
        for defect in self._draw_defects(possible, records, day):
            subject = self._rng.choice(register.subjects(defect) if defect else register.unique)
            scene = Scene(self._rng, subject, register.all, register.twins, self.plan.kind, self.plan.sheet, day)
            entries += self._record(defect, scene)
        self._rng.shuffle(entries)
        if self.plan.full_sets:
            held = [entry for entry in self._set if entry[1].replaced_on is None]
            self._set = [*held, *entries]
            entries = [*(self._sent_again(facts, truth, day) for facts, truth in held), *entries]
        plan = self.plan
        self._world.rows[plan.agency, plan.stream, day] = [
            render(facts, plan.kind, plan.sheet) | plan.mark(gone="gone" in facts) for facts, _ in entries
        ]
        self._world.truth += [truth for _, truth in entries]

    def _possible(self, names_are_shared: bool) -> list[Defect]:
        plan = self.plan
        able = [d for d in DEFECTS if plan.can_have(d)]
        return [defect for defect in able if names_are_shared or not defect.needs_shared_name]

    def _draw_defects(self, possible: list[Defect], records: int, day: date) -> list[Defect | None]:
        """Draw one defect, or none, per record; those whose turn it is come up at least once."""
        drawn: list[Defect | None] = []
        drawn += [defect for defect in possible if self._turn(defect, day)][:records]
        rates = [defect.rate for defect in possible]
        choices: list[Defect | None] = [*possible, None]
        drawn += self._rng.choices(choices, [*rates, 1 - sum(rates)], k=records - len(drawn))
        return drawn

    def _turn(self, defect: Defect, day: date) -> bool:
        """Tell whether this stream shows a defect today for certain: as its agency's largest one, or in turn."""
        of_agency = [plan for plan in plans() if plan.agency == self.plan.agency]
        if self.plan.office.shows_all:
            return max((p for p in of_agency if p.can_have(defect)), key=lambda plan: plan.records) == self.plan
        turn = DEFECTS.index(defect) + plans().index(self.plan) + self._world.days.index(day)
        return turn % _TURNS == 0

    def _record(self, defect: Defect | None, scene: Scene) -> Iterable[tuple[Facts, Truth]]:
        plan = self.plan
        number, self._number = self._number, self._number + 1
        facts = self._decided(scene, number)
        while facts.get("revoked") and plan.sheet is Sheet.STANDARD and "revoked" not in plan.facts:
            facts = self._decided(scene, number)  # an agency that revokes nothing has no column for it
        outcome = defect.make(facts, scene) if defect else [(facts, SHOWN)]
        known = scene.subject.uscc if defect is None or defect.names_its_subject else ""
        for made, state in outcome:
            truth = self._truth(scene.day, made, defect.name if defect else SOUND, state, known)
            if defect is None:
                self._sound.append((made, truth))
            yield made, truth

    def _decided(self, scene: Scene, number: int) -> Facts:
        plan = self.plan
        return decide(self._rng, scene.subject, number, scene.day, office=plan.office, kind=plan.kind, sheet=plan.sheet)

    def _truth(self, day: date, facts: Facts, defect: str, state: str, uscc: str) -> Truth:
        plan = self.plan
        if state == SHOWN and plan.kind in NEVER_SHOWN:
            state = "withheld"
        return Truth(day, plan.agency, plan.stream, facts["document_no"], facts["name"], defect, state, uscc)

    def _later_versions(self, day: date) -> list[tuple[Facts, Truth]]:
        """Change some sound records of the day before, and end some where the sheet can say so."""
        plan, before = self.plan, self._before
        changed = max(1, round(_CHANGED * len(before)))
        ended = max(1, round(_ENDED * len(before))) if plan.can_end else 0
        chosen = self._rng.sample(before, min(changed + ended, len(before)))
        entries = []
        for ordinal, (facts, truth) in enumerate(chosen):
            truth.replaced_on = day
            if ordinal >= changed and plan.full_sets:
                truth.then = "withheld"
                continue
            make = correct if ordinal < changed else take_back if plan.tombstone else end
            later, what, state = make(facts, plan.kind, plan.sheet, day)
            entries.append((later, self._truth(day, later, what, state, truth.true_uscc)))
        self._before = [entry for entry in before if entry[1].replaced_on is None]
        return entries

    def _sent_again(self, facts: Facts, truth: Truth, day: date) -> tuple[Facts, Truth]:
        """Bring a row once more because the set is full: what went back goes back again, the rest is known."""
        state = "returned" if truth.expected_state == "returned" else "duplicate"
        return facts, self._truth(day, facts, SENT_AGAIN, state, truth.true_uscc)

    def _again(self, other: _Stream, day: date) -> list[tuple[Facts, Truth]]:
        """Bring once more what another stream brought the day before, and did not take back since."""
        earlier = [entry for entry in other._before if entry[1].replaced_on is None]
        entries = []
        for facts, truth in self._rng.sample(earlier, min(len(earlier), max(1, round(_CHANGED * len(earlier))))):
            if other.plan.sheet is self.plan.sheet:
                again, what, state = facts, VIA_MINISTRY, "duplicate"
            else:
                again, what, state = as_standard(facts), ON_STANDARD_SHEET, "published"
                truth.replaced_on = day
            entries.append((again, self._truth(day, again, what, state, truth.true_uscc)))
        return entries
