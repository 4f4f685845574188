"""Make the record again from the raw archive and the order of steps, into a system of its own, and compare.

Every step of the past is done again by the very function that did it, at the place in the order that it had: register
versions, deliveries, attachments, releases. Nothing of the live system is changed: the replay reads its objects and
writes manifests and journal elsewhere. A replay stands on all days before, so it always begins with the first step.

What the archive no longer holds cannot be done again: it is named in ``Replayed.gone``, the steps after it go on
without it, and its rows are left out of the comparison.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from pipeline import findings
from pipeline.attach import attach
from pipeline.crosscheck import crosscheck
from pipeline.fingerprint import PARTS, Difference, Digest, View, differences
from pipeline.holds import enter_decision
from pipeline.ingest import ingest_delivery
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register import load_register
from pipeline.register_faults import NoRegister
from pipeline.retention import enter_again
from pipeline.rulings import VersionConflict, do_again
from store import collections, deliveries, holds, retention, runs
from store.discrepancies import FindingRefused
from store.rulings import RulingRefused
from store.runs import Run, Step
from store.typed_text import masked_told
from transforms.columns import content_named

Ledger = Literal["database", "archive"]
Tell = Callable[[Run], object]


class ReplayImpossible(RuntimeError):
    """There is nothing to replay, or nowhere to replay it to; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A step that cannot be done again, because objects it worked on are not in the archive any more."""

    run_no: int
    step: str
    as_of: dt.date
    what: str
    because: str


@dataclass(slots=True)
class Replayed:
    """What a replay did.

    Steps done by kind; what was gone; where an outcome was not that of the past; content hashes of the deliveries left
    out; the last step done; the hashes of each day.
    """

    steps: dict[str, int] = field(default_factory=dict)
    gone: list[Gone] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    upto: int = 0
    days: dict[dt.date, dict[str, Digest]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """A replay held against the live system; ``parts`` were compared."""

    parts: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """True when every hash of every day is the same."""
        return not self.differences


def past_runs(office: Office, ledger: Ledger) -> list[Run]:
    """Return every step of the past in order, told by the database or by the archive's journal."""
    if ledger == "archive":
        return [Run.of_entry(number, entry) for number, entry in office.archive.entries()]
    with office.engine.connect() as connection:
        return runs.runs(connection)


def up_to(past: Sequence[Run], day: dt.date | None) -> list[Run]:
    """Cut the past behind the last step of a business day: what came before it in order belongs to its state."""
    if day is None:
        return list(past)
    ends = [position for position, run in enumerate(past, start=1) if run.as_of <= day]
    return list(past[: max(ends, default=0)])


def replay(
    live: Office,
    target: Office,
    past: Sequence[Run],
    *,
    until: dt.date | None = None,
    tell: Tell = lambda _run: None,
) -> Replayed:
    """Do the steps of ``past`` again in ``target``, a system without deliveries, from the objects of ``live``.

    ``until`` cuts them as ``up_to`` does; ``tell`` hears of each step done.
    Raises ``ReplayImpossible`` when the target is not empty.
    """
    with target.engine.connect() as connection:
        if connection.scalar(sa.text("SELECT count(*) FROM delivery")) or connection.scalar(
            sa.text("SELECT count(*) FROM step_run")
        ):
            raise ReplayImpossible("the database to replay into is not empty: nothing was touched")
    player = _Player(live, target, past)
    chosen = up_to(past, until)
    for group in _together(chosen):
        player.play(group)
        for run in group:
            tell(run)
    with target.engine.begin() as connection:
        runs.continue_after(connection, past[-1].run_no if past else 0)
    player.done.upto = chosen[-1].run_no if chosen else 0
    player.done.days = View(target.bulk_url).fingerprint()
    return player.done


def compare(live: Office, target: Office, done: Replayed) -> Compared:
    """Compare the replay with the live system as it stood after the last step replayed.

    Rows of deliveries that are gone are left out on both sides; feeds and findings, which stand on all of them, are
    compared only when nothing is gone.
    """
    parts = tuple(part for part in PARTS if part not in ("feeds", "findings") or not done.gone)
    without = tuple(done.left_out)
    first, second = View(live.bulk_url, done.upto, without), View(target.bulk_url, done.upto, without)
    return Compared(parts, tuple(differences(first, second, parts=parts)))


def _together(past: Sequence[Run]) -> Iterator[list[Run]]:
    """Put releases of one reading of the records together: adjacent numbers, one day, sites in order."""
    group: list[Run] = []
    for run in past:
        if group and not _one_reading(group[-1], run):
            yield group
            group = []
        group.append(run)
    if group:
        yield group


def _one_reading(before: Run, run: Run) -> bool:
    return (
        before.step is run.step is Step.PUBLISH
        and before.as_of == run.as_of
        and run.run_no == before.run_no + 1
        and before.told["site"] < run.told["site"]
    )


def _without_numbers(run: Run) -> Run:
    """Mask what people typed: steps that are older than its refusal may hold numbers of persons."""
    typed = runs.TYPED | {"cells"}
    told = {name: masked_told(value) if name in typed else value for name, value in run.told.items()}
    return replace(run, told=told)


class _Player:
    """Does one step after the other again."""

    def __init__(self, live: Office, target: Office, past: Sequence[Run]) -> None:
        self.done: Final = Replayed()
        self._archive: Final = live.archive
        self._target: Final = target
        self._removed: Final = {
            removal["sha256"]: f"removed on {removal['as_of']}, due since {removal['due']} by {removal['policy']}"
            for run in past
            if run.step is Step.EXPIRE
            for removal in run.told["removals"]
        }

    def play(self, group: list[Run]) -> None:
        first = _without_numbers(group[0])
        with self._target.engine.begin() as connection:
            runs.continue_after(connection, first.run_no - 1)
        if first.step is Step.REGISTER:
            self._register(first)
        elif first.step is Step.INGEST:
            self._ingest(first)
        elif first.step is Step.ATTACH:
            self._attach(first)
        elif first.step is Step.PUBLISH:
            self._publish(group)
        elif first.step is Step.APPROVAL:
            self._approve(first)
        elif first.step in (Step.RULING, Step.FINDING):
            self._rule(first)
        elif first.step is Step.CROSSCHECK:
            self._crosscheck(first)
        else:
            self._keep_books(first)

    def _count(self, step: Step, count: int = 1) -> None:
        self.done.steps[step.value] = self.done.steps.get(step.value, 0) + count

    def _present(self, run: Run, files: Sequence[dict[str, Any]], what: str) -> bool:
        missing = [each for each in files if each["sha256"] not in self._archive]
        if missing:
            names = ", ".join(f"{each.get('name') or each.get('file')} ({each['sha256'][:12]})" for each in missing)
            because = sorted({self._removed.get(each["sha256"], "no removal is known") for each in missing})
            detail = f"not in the archive: {names}; {'; '.join(because)}"
            self.done.gone.append(Gone(run.run_no, run.step.value, run.as_of, what, detail))
        return not missing

    def _register(self, run: Run) -> None:
        if not self._present(run, [run.told], f"register file {run.told['file']}"):
            return
        with tempfile.TemporaryDirectory(dir=self._target.scratch(), prefix="register-") as folder:
            path = Path(folder) / Path(run.told["file"]).name
            with closing(self._archive.open(run.told["sha256"])) as packed, path.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            load_register(self._target, path, as_of=run.as_of, mode=run.told["mode"], late="load")
        self._count(run.step)

    def _ingest(self, run: Run) -> None:
        told = run.told
        files = told["files"] or []
        what = f"delivery of {told['agency']} {told['kind']} {told['day']}"
        if not self._present(run, files, what):
            self.done.left_out.append(told["content_sha256"])
            return
        with self._target.engine.begin() as connection:
            delivery_id = self._deliver(connection, told, files)
        taken = ingest_delivery(self._target, delivery_id, guarded=run.outcome == "held")
        if taken.state != run.outcome:
            self.done.otherwise.append(f"step {run.run_no}: {what} was {run.outcome}, is {taken.state} now")
        self._count(run.step)

    @staticmethod
    def _deliver(connection: sa.Connection, told: dict[str, Any], files: Sequence[dict[str, Any]]) -> int:
        """Enter a delivery as it came, and the pull that brought it."""
        day = dt.date.fromisoformat(told["day"])
        delivery_id, new = deliveries.register_delivery(
            connection, agency=told["agency"], kind=content_named(told["kind"]), as_of=day,
            files=[(each["name"], each["sha256"], each["bytes"]) for each in files],
            stream=told["stream"], full_set=told["full_set"], content_sha256=told["content_sha256"],
        )  # fmt: skip
        if new:
            deliveries.declare_rows(connection, delivery_id, [each["declared_rows"] for each in files])
        if new and (pulled := told["pulled"]) is not None:
            collections.enter_again(
                connection, told["agency"], pulled["stream"], day, cursor=pulled["cursor"], delivery_id=delivery_id
            )
        return delivery_id

    def _approve(self, run: Run) -> None:
        told = run.told
        with self._target.engine.connect() as connection:
            delivery_id = deliveries.find_delivery(
                connection, told["agency"], content_named(told["kind"]), told["content_sha256"]
            )
            hold = None if delivery_id is None else holds.hold_of_delivery(connection, delivery_id)
        if hold is None or hold.state != "open":
            self.done.otherwise.append(f"step {run.run_no}: {told['person']} decided about a hold that is not open now")
            return
        enter_decision(
            self._target, hold.hold_id, person=told["person"], decision=told["decision"], reason=told["reason"],
            via=told["via"],
        )  # fmt: skip
        self._count(run.step)

    def _rule(self, run: Run) -> None:
        again = do_again if run.step is Step.RULING else findings.do_again
        try:
            again(self._target, run.told, run.as_of)
        except (LookupError, RulingRefused, VersionConflict, FindingRefused, findings.FindingChanged) as error:
            told = run.told
            what = (
                f"ruling {told['ruling']} ({told['act']})" if run.step is Step.RULING else f"finding {told['finding']}"
            )
            self.done.gone.append(Gone(run.run_no, run.step.value, run.as_of, what, str(error)))
            return
        self._count(run.step)

    def _crosscheck(self, run: Run) -> None:
        year = run.told["year"]
        try:
            crosscheck(self._target, year=year, as_of=run.as_of)
        except NoRegister as error:
            self.done.gone.append(Gone(run.run_no, run.step.value, run.as_of, f"findings of {year}", str(error)))
            return
        self._count(run.step)

    def _attach(self, run: Run) -> None:
        try:
            attach(self._target, as_of=run.as_of)
        except NoRegister:
            self.done.gone.append(
                Gone(run.run_no, run.step.value, run.as_of, "attachments", "no register version could be loaded")
            )
            return
        self._count(run.step)

    def _keep_books(self, run: Run) -> None:
        with self._target.engine.begin() as connection:
            if run.step is Step.EXPIRE:
                enter_again(connection, run.told, run.as_of)
            else:
                retention.enter_again(connection, run.told, run.as_of)
        self._count(run.step)

    def _publish(self, group: list[Run]) -> None:
        told = {run.told["site"]: run for run in group}
        for published in publish(self._target, list(told), as_of=group[0].as_of):
            run = told[published.site]
            if published.manifest_sha256 != run.told["manifest_sha256"]:
                self.done.otherwise.append(
                    f"step {run.run_no}: {published.site} release {run.told['sequence']} had manifest "
                    f"{run.told['manifest_sha256']}, has {published.manifest_sha256} now"
                )
        self._count(Step.PUBLISH, len(group))
