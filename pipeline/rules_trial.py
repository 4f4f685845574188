"""Try a changed suite on the archive before it is switched on: which past records it would judge otherwise.

Every stored delivery of the suite's kind is read again from the archive as it came, and its rows are judged by the
changed suite on the business day they had. What it says is held against the verdicts that stand in the ledger,
whatever version gave them. Rules that need more than the row (R22, R28) keep their verdicts. Nothing is written.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import load_agency
from expectations.judging import judge_of_this_process
from expectations.suite import Suite, SuiteInvalid, load_suite, read_suite
from pipeline.office import Office
from pipeline.reading import DeliveryReader, ReadBatch
from pipeline.verdicts import state_of
from store import deliveries
from store.ahead import ahead
from store.deliveries import Delivery
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS

_CHECKED: Final = sa.text(
    "SELECT delivery_id FROM delivery WHERE kind = :kind AND state = 'checked' ORDER BY delivery_id"
)
_STANDING: Final = """
SELECT r.file_ordinal, r.row_no, v.expectation, v.severity FROM {kind} r JOIN verdict v USING (record_id)
WHERE r.delivery_id = :delivery_id AND r.corrects IS NULL
"""

Place = tuple[int, int]
"""File and row number within a delivery."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One record that would be judged otherwise, as people find it."""

    delivery_id: int
    file: str
    row_no: int
    document_no: str | None
    subject_name: str | None
    state_before: str
    state_after: str


@dataclass(slots=True)
class Change:
    """Records whose verdict by one expectation goes from one severity to another; null is a pass."""

    expectation: str
    before: str | None
    after: str | None
    rows: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What a changed suite would change; ``states`` counts rows by what verdicts make of them, before and after."""

    suite: str
    in_force: str
    deliveries: int = 0
    rows: int = 0
    rows_changed: int = 0
    changes: list[Change] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def read_changed_suite(path: Path) -> tuple[Suite, Kind, Sheet]:
    """Read a suite file and tell what it judges, by its name. Raises ``SuiteInvalid``."""
    suite = read_suite(path)
    named = {f"{kind}.{sheet}": (kind, sheet) for kind, sheet in SHEETS}
    if suite.name not in named:
        raise SuiteInvalid(f"{path.name}: {suite.name!r} is none of {', '.join(sorted(named))}")
    return suite, *named[suite.name]


def try_suite(
    office: Office,
    path: Path,
    *,
    samples: int = 5,
    tell: Callable[[Delivery], object] = lambda _delivery: None,
) -> Trial:
    """Judge the whole archive by a changed suite; ``samples`` of every change are named, ``tell`` hears of deliveries.

    Raises ``SuiteInvalid`` for a file that cannot be used, and ``runner.SuiteFailed`` or ``KeyError`` when it asks of
    a column that nobody makes.
    """
    suite, kind, sheet = read_changed_suite(path)
    comparison = _Comparison(suite.of_scope("row"), load_suite(kind, sheet), samples)
    trial = comparison.trial
    with office.engine.connect() as connection:
        numbers = connection.execute(_CHECKED, {"kind": kind.value}).scalars().all()
    for number in numbers:
        with office.engine.begin() as connection:
            delivery = deliveries.read_delivery(connection, number)
            comparison.begin(delivery, _standing(connection, kind, number))
        if missing := [file.name for file in delivery.files if file.sha256 not in office.archive]:
            trial.gone.append(f"delivery {number}: {', '.join(missing)}")
            continue
        tell(delivery)
        trial.deliveries += 1
        with contextlib.closing(ahead(_batches(office, delivery, kind))) as batches:
            for batch in batches:
                if batch.definition.sheet is sheet:
                    comparison.take(batch)
    trial.changes.sort(key=lambda change: (change.expectation, change.before or "", change.after or ""))
    return trial


def _standing(connection: sa.Connection, kind: Kind, delivery_id: int) -> dict[Place, dict[str, str]]:
    rows = connection.execute(sa.text(_STANDING.format(kind=kind.value)), {"delivery_id": delivery_id})
    standing: dict[Place, dict[str, str]] = defaultdict(dict)
    for ordinal, row_no, expectation, severity in rows:
        standing[ordinal, row_no][expectation] = severity
    return standing


def _batches(office: Office, delivery: Delivery, kind: Kind) -> Iterable[ReadBatch]:
    agency = load_agency(delivery.agency)
    return DeliveryReader(
        delivery.files,
        kind=kind,
        archive=office.archive,
        delivering=agency.authority,
        as_of=delivery.as_of,
        sources=agency.source_fields(kind),
    ).batches()


class _Comparison:
    """Holds what a suite says of batches against what stands, and keeps the differences."""

    def __init__(self, suite: Suite, in_force: Suite, samples: int) -> None:
        self.trial: Final = Trial(suite.label, in_force.label)
        self._suite: Final = suite
        self._beyond_the_row: Final = {each.id for each in in_force.expectations if each.scope != "row"}
        self._samples: Final = samples
        self._changes: Final[dict[tuple[str, str | None, str | None], Change]] = {}
        self._standing: Mapping[Place, Mapping[str, str]] = {}
        self._delivery: Delivery

    def begin(self, delivery: Delivery, standing: Mapping[Place, Mapping[str, str]]) -> None:
        self._delivery, self._standing = delivery, standing

    def take(self, batch: ReadBatch) -> None:
        judged: dict[int, dict[str, str]] = defaultdict(dict)
        outcomes = judge_of_this_process().judge(batch.findings, self._suite)
        for expectation in self._suite.expectations:
            for position in outcomes[expectation.id].positions.tolist():
                judged[position][expectation.id] = expectation.severity
        self.trial.rows += batch.records.num_rows
        for position, row_no in enumerate(batch.records["row_no"].to_pylist()):
            before = self._standing.get((batch.file_ordinal, row_no), {})
            kept = {name: severity for name, severity in before.items() if name in self._beyond_the_row}
            after = {**judged.get(position, {}), **kept}
            if before != after:
                self._note(batch, position, before, after)

    def _note(self, batch: ReadBatch, position: int, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.trial.rows_changed += 1
        was, becomes = state_of(before.values()), state_of(after.values())
        turn = f"{was} -> {becomes}"
        self.trial.states[turn] = self.trial.states.get(turn, 0) + 1
        for name in sorted(before.keys() | after.keys()):
            if (one := before.get(name)) == (other := after.get(name)):
                continue
            if (key := (name, one, other)) not in self._changes:
                self._changes[key] = Change(*key)
                self.trial.changes.append(self._changes[key])
            change = self._changes[key]
            change.rows += 1
            if len(change.samples) < self._samples:
                change.samples.append(self._sample(batch, position, was, becomes))

    def _sample(self, batch: ReadBatch, position: int, was: str, becomes: str) -> Sample:
        row: dict[str, Any] = batch.records.slice(position, 1).to_pylist()[0]
        file = next(file.name for file in self._delivery.files if file.ordinal == batch.file_ordinal)
        found = (row["row_no"], row["document_no"], row["subject_name"])
        return Sample(self._delivery.delivery_id, file, *found, was, becomes)
