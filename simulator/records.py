"""Two business days of licences and penalties of three agencies, and the truth about each row.

Day 1 is the first delivery of every stream; day 2 brings new records, changed ones of day 1, and withdrawals: a legacy
record with status 1 撤销, a standard licence with status 2 无效. Faults come at the rates of :mod:`simulator.defects`,
each at least once per agency and day that can hold it. The truth file is for whoever judges the pipeline, and is never
read by it.
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

from simulator.decisions import decide
from simulator.defects import DEFECTS, SOUND, Defect, Scene
from simulator.population import Enterprise, Population
from simulator.templates import Facts, Row, render
from transforms.columns import Kind, Sheet

DAYS: Final = (date(2018, 8, 21), date(2018, 8, 22))

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


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream of one agency: what it holds and how many records each day brings."""

    agency: str
    stream: str
    kind: Kind
    sheet: Sheet
    records: tuple[int, int]


PLANS: Final = (
    StreamPlan("aic", "licence", Kind.LICENCE, Sheet.STANDARD, (800, 400)),
    StreamPlan("aic", "penalty", Kind.PENALTY, Sheet.STANDARD, (320, 160)),
    StreamPlan("fda", "licence", Kind.LICENCE, Sheet.STANDARD, (420, 220)),
    StreamPlan("fda", "penalty", Kind.PENALTY, Sheet.LEGACY, (240, 120)),
    StreamPlan("qtsb", "licence", Kind.LICENCE, Sheet.LEGACY, (260, 130)),
    StreamPlan("qtsb", "penalty", Kind.PENALTY, Sheet.LEGACY, (180, 90)),
    StreamPlan("qtsb", "licence_standard", Kind.LICENCE, Sheet.STANDARD, (80, 40)),
    StreamPlan("qtsb", "penalty_standard", Kind.PENALTY, Sheet.STANDARD, (60, 40)),
)

_CHANGED: Final = 0.03
_WITHDRAWN: Final = 0.01


@dataclass(slots=True)
class Truth:
    """What must become of one row; ``replaced_on`` is the day whose delivery brings a later version."""

    day: date
    agency: str
    stream: str
    document_no: str
    subject_name: str
    defect: str
    expected_state: str
    true_uscc: str
    replaced_on: date | None = None

    def state_after(self, day: date) -> str:
        """The state in which the row must be once everything up to a day was processed."""
        return "superseded" if self.replaced_on and self.replaced_on <= day else self.expected_state


@dataclass(slots=True)
class World:
    """Everything that the agencies will send: rows by (agency, stream, day), and the truth in the same order."""

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


def make_world(seed: int, population: Population, scale: float = 1.0) -> World:
    """Make both days of all streams; equal arguments give equal bytes. ``scale`` multiplies the numbers of records."""
    world = World()
    registers = dict(zip(DAYS, (population.first, population.second()), strict=True))
    for plan in PLANS:
        stream = _Stream(plan, seed, world)
        for day, register in registers.items():
            stream.add_day(day, register, max(1, round(plan.records[DAYS.index(day)] * scale)))
    return world


class _Stream:
    """One stream while it is made: numbers its documents and remembers what day 1 said."""

    def __init__(self, plan: StreamPlan, seed: int, world: World) -> None:
        self._plan = plan
        self._rng = Random(f"{plan.agency}.{plan.stream}:{seed}")  # noqa: S311
        self._world = world
        self._number = 1 + 20_000 * (plan.stream.endswith("_standard"))
        self._sound: list[tuple[Facts, Truth]] = []

    def add_day(self, day: date, register: Sequence[Enterprise], records: int) -> None:
        entries: list[tuple[Facts, Truth]] = []
        if self._sound:
            entries += self._later_versions(day)
        twins = _sharing_a_name(register)
        unique = [enterprise for enterprise in register if enterprise.name not in {twin.name for twin in twins}]
        subjects = {defect: [e for e in unique if defect.subject(e)] for defect in self._possible(bool(twins))}
        for defect in self._draw_defects([defect for defect in subjects if subjects[defect]], records):
            subject = self._rng.choice(subjects[defect] if defect else unique)
            scene = Scene(self._rng, subject, register, twins, self._plan.kind, self._plan.sheet, day)
            entries += self._record(defect, scene)
        self._rng.shuffle(entries)
        self._world.rows[self._plan.agency, self._plan.stream, day] = [
            render(facts, self._plan.kind, self._plan.sheet) for facts, _ in entries
        ]
        self._world.truth += [truth for _, truth in entries]

    def _possible(self, names_are_shared: bool) -> list[Defect]:
        plan = self._plan
        able = [d for d in DEFECTS if plan.kind in d.kinds and plan.sheet in d.sheets and plan.agency in d.agencies]
        return [defect for defect in able if names_are_shared or not defect.needs_shared_name]

    def _draw_defects(self, possible: list[Defect], records: int) -> list[Defect | None]:
        """Draw one defect, or none, per record; each of this stream's turn comes up at least once."""
        drawn: list[Defect | None] = []
        drawn += [defect for defect in possible if self._turn(defect)][:records]
        rates = [defect.rate for defect in possible]
        choices: list[Defect | None] = [*possible, None]
        drawn += self._rng.choices(choices, [*rates, 1 - sum(rates)], k=records - len(drawn))
        return drawn

    def _turn(self, defect: Defect) -> bool:
        """Tell whether this is the stream of its agency that certainly shows a defect: the one that sends most."""
        able = [
            plan
            for plan in PLANS
            if plan.agency == self._plan.agency and plan.kind in defect.kinds and plan.sheet in defect.sheets
        ]
        return max(able, key=lambda plan: plan.records) == self._plan

    def _record(self, defect: Defect | None, scene: Scene) -> Iterable[tuple[Facts, Truth]]:
        plan = self._plan
        number, self._number = self._number, self._number + 1
        facts = decide(
            self._rng, scene.subject, number, scene.day, agency=plan.agency, kind=plan.kind, sheet=plan.sheet
        )
        outcome = defect.make(facts, scene) if defect else [(facts, "published")]
        known = scene.subject.uscc if defect is None or defect.names_its_subject else ""
        for made, state in outcome:
            truth = self._truth(scene.day, made, defect.name if defect else SOUND, state, known)
            if defect is None:
                self._sound.append((made, truth))
            yield made, truth

    def _truth(self, day: date, facts: Facts, defect: str, state: str, uscc: str) -> Truth:
        plan = self._plan
        return Truth(day, plan.agency, plan.stream, facts["document_no"], facts["name"], defect, state, uscc)

    def _later_versions(self, day: date) -> list[tuple[Facts, Truth]]:
        """Change some sound records of the day before, and withdraw some where the sheet has a status."""
        plan, before = self._plan, self._sound
        can_withdraw = plan.sheet is Sheet.LEGACY or plan.kind is Kind.LICENCE
        changed = max(1, round(_CHANGED * len(before)))
        chosen = self._rng.sample(before, changed + can_withdraw * max(1, round(_WITHDRAWN * len(before))))
        self._sound = []
        entries = []
        for ordinal, (facts, truth) in enumerate(chosen):
            later = {**facts, "updated": f"{day:%Y/%m/%d} 10:00:00"}
            if ordinal < changed:
                key = "facts" if plan.kind is Kind.PENALTY else "content"
                later |= {key: f"{facts[key].removesuffix('。')}, 经核实更正。", "remarks": "更正"}
                what, state = "changed", "published"
            else:
                later |= {"status": "1" if plan.sheet is Sheet.LEGACY else "2", "remarks": "原决定依法撤销"}
                what, state = "withdrawn", "withheld"
            truth.replaced_on = day
            entries.append((later, self._truth(day, later, what, state, truth.true_uscc)))
        return entries


def _sharing_a_name(register: Sequence[Enterprise]) -> list[Enterprise]:
    count = Counter(enterprise.name for enterprise in register)
    return [enterprise for enterprise in register if count[enterprise.name] > 1]
