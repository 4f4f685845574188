"""Take a delivery in: archive -> standard records -> verdicts -> the system of record.

The bytes are safe before anything is read. All rows, verdicts and counts of a delivery are stored in one transaction
with its ledger row, so a killed run leaves the delivery ``archived`` and the next run starts it again.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from connectors.descriptor import load_agency
from expectations import runner
from expectations.suite import Suite, load_suite
from pipeline.masking import masked
from pipeline.office import Office
from pipeline.staging import Staged, StagedBatch, Tell, find_repeats, stage
from pipeline.verdicts import VERDICT_SCHEMA, states_of, verdicts_of
from store import deliveries, records
from store.deliveries import CheckCount, Delivery
from transforms.authority import Authority
from transforms.columns import DERIVED, STANDARD_COLUMNS, TEXT, Kind
from transforms.problems import DeliveryRefused, Problem
from transforms.versions import Decision, Incoming, Repeat, RowState, against_held

_LOCK: Final = sa.text("SELECT pg_advisory_xact_lock(hashtext('records'))")


class ConservationBroken(RuntimeError):
    """Rows or verdicts stored are not the rows received or the failures counted; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a delivery: its state, rows per state, failures per expectation, problems of the file."""

    delivery_id: int
    state: str
    already_received: bool
    rows: int
    row_states: Mapping[str, int]
    failures: Mapping[str, int]
    problems: tuple[Problem, ...]


def ingest_file(
    office: Office, path: Path, *, agency: str, kind: Kind, as_of: dt.date, tell: Tell = lambda _step, _rows: None
) -> Ingested:
    """Take in one file as a delivery of its own.

    The same bytes for the same agency and kind are one delivery: the second time only says so. ``tell`` hears of
    progress.
    """
    load_agency(agency)
    stored = office.archive.put(path, path.name)
    with office.engine.begin() as connection:
        delivery_id, new = deliveries.register_delivery(
            connection, agency=agency, kind=kind, as_of=as_of, files=[(path.name, stored.sha256, stored.size)]
        )
    return ingest_delivery(office, delivery_id, already_received=not new, tell=tell)


def ingest_delivery(
    office: Office,
    delivery_id: int,
    *,
    already_received: bool = False,
    tell: Tell = lambda _step, _rows: None,
) -> Ingested:
    """Read, judge and store a delivery whose bytes are archived; one that is checked already stays as it is.

    A delivery that cannot be read as a whole ends ``refused`` with its reason; that is an answer, not an exception.
    """
    with ThreadPoolExecutor(1) as beside, office.engine.begin() as connection:
        delivery = deliveries.read_delivery(connection, delivery_id)
        if delivery.state == "checked":
            return _stored_answer(connection, delivery, already_received)
        warm = beside.submit(runner.warm_up)
        with tempfile.TemporaryDirectory(dir=office.scratch(), prefix="ingest-") as scratch:
            try:
                staged = stage(
                    delivery.files,
                    kind=delivery.kind,
                    archive=office.archive,
                    delivering=_authority(delivery.agency),
                    as_of=delivery.as_of,
                    scratch=Path(scratch),
                    tell=tell,
                )
            except DeliveryRefused as refusal:
                _write_manifest(office, delivery, "refused", {})
                refused_because = masked([refusal.problem])
                deliveries.replace_problems(connection, delivery_id, refused_because)
                deliveries.close_delivery(connection, delivery_id, state="refused", rows=0, sheet=None, suite=None)
                return Ingested(delivery_id, "refused", already_received, 0, {}, {}, refused_because)
            _write_manifest(office, delivery, "checked", staged.rows_of_file)
            warm.result()
            return _store(connection, delivery, staged, already_received, tell)


def _authority(agency_id: str) -> Authority:
    agency = load_agency(agency_id)
    return Authority(
        agency.id,
        tuple(name.name for name in agency.names),
        (agency.code,),
        codes_verified=not agency.code_is_synthetic,
    )


def _write_manifest(office: Office, delivery: Delivery, state: str, rows: Mapping[int, int]) -> None:
    """Say beside the bytes whose they are and how many rows each file held, null where it could not be read."""
    identity = [delivery.agency, delivery.kind.value, state, *(file.sha256 for file in delivery.files)]
    manifest = {
        "agency": delivery.agency,
        "kind": delivery.kind.value,
        "as_of": delivery.as_of.isoformat(),
        "state": state,
        "files": [
            {"name": f.name, "sha256": f.sha256, "bytes": f.bytes, "rows": rows.get(f.ordinal)} for f in delivery.files
        ],
    }
    office.archive.write_manifest(deliveries.content_hash(identity), manifest)


def _stored_answer(connection: sa.Connection, delivery: Delivery, already_received: bool) -> Ingested:
    states = records.counts_of_delivery(connection, delivery.kind, delivery.delivery_id)
    failures = records.verdicts_of_delivery(connection, delivery.kind, delivery.delivery_id)
    rows = sum(states.values())
    return Ingested(delivery.delivery_id, "checked", already_received, rows, states, failures, ())


def _store(
    connection: sa.Connection, delivery: Delivery, staged: Staged, already_received: bool, tell: Tell
) -> Ingested:
    connection.execute(_LOCK)
    find_repeats(
        staged,
        lambda keys: records.contents_heard(connection, delivery.kind, keys, besides=delivery.delivery_id),
    )
    writer = _Writer(connection, delivery, staged)
    with ThreadPoolExecutor(1) as beside:
        for batch in staged.batches():
            writer.take(batch, beside)
            tell("judged", batch.records.num_rows)
        writer.finish_writing()
    writer.name_later_keepers()
    damaged = masked(problem for _, problem in staged.damaged)
    writer.store_damaged(damaged)
    problems = masked(staged.problems)
    suites = sorted({load_suite(d.kind, d.sheet).label for d in staged.definitions})
    sheets = sorted({d.sheet.value for d in staged.definitions})
    for ordinal, rows in staged.rows_of_file.items():
        deliveries.record_file_rows(connection, delivery.delivery_id, ordinal, rows)
    deliveries.replace_problems(connection, delivery.delivery_id, problems)
    deliveries.close_delivery(
        connection, delivery.delivery_id, state="checked", rows=staged.rows,
        sheet=",".join(sheets) or None, suite=",".join(suites) or None,
    )  # fmt: skip
    states, failures = writer.reconcile()
    return Ingested(
        delivery.delivery_id, "checked", already_received, staged.rows, states, failures, (*problems, *damaged)
    )


class _Writer:
    """Stores the batches of one delivery; COPY of one batch runs beside the judging of the next."""

    def __init__(self, connection: sa.Connection, delivery: Delivery, staged: Staged) -> None:
        self._connection = connection
        self._delivery = delivery
        self._staged = staged
        self._counts: dict[str, CheckCount] = {}
        self._id_at: dict[int, int] = {}
        self._kept_later: list[tuple[int, int]] = []
        self._repeated = sorted(staged.repeats)
        self._kept = {repeat.of for repeat in staged.repeats.values() if repeat.of is not None}
        self._held_before = records.any_rows(connection, delivery.kind)
        self._writing: Future[None] | None = None

    def take(self, batch: StagedBatch, beside: ThreadPoolExecutor) -> None:
        suite = load_suite(batch.definition.kind, batch.definition.sheet)
        outcomes = runner.judge(batch.findings, suite)
        self._count(suite, outcomes)
        judged = states_of(outcomes, suite, batch.records.num_rows)
        self.finish_writing()
        ids = records.reserve_ids(self._connection, batch.records.num_rows)
        verdicts = verdicts_of(batch, ids, outcomes, suite)
        self._id_at |= {batch.first + i: ids[i] for i in range(len(ids)) if batch.first + i in self._kept}
        states, superseded_by = self._decide(batch, ids, judged.tolist())
        rows = self._record_rows(batch, ids, states, superseded_by)
        self._writing = beside.submit(records.store_rows, self._connection, self._delivery.kind, rows, verdicts)

    def finish_writing(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _count(self, suite: Suite, outcomes: Mapping[str, runner.Outcome]) -> None:
        for expectation in suite.expectations:
            outcome, so_far = outcomes[expectation.id], self._counts.get(expectation.id)
            self._counts[expectation.id] = CheckCount(
                expectation.id,
                expectation.rule,
                expectation.severity,
                outcome.evaluated + (so_far.evaluated if so_far else 0),
                outcome.unexpected + (so_far.unexpected if so_far else 0),
            )

    def _decide(
        self, batch: StagedBatch, ids: list[int], states: list[RowState]
    ) -> tuple[list[RowState], list[int | None]]:
        """Fold in what repeats within the delivery and what is held from earlier ones."""
        superseded_by: list[int | None] = [None] * len(ids)
        for position, repeat in self._repeats_in(batch):
            if states[position] != "returned" and repeat.of is not None:
                states[position] = "duplicate" if repeat.outcome == "duplicate" else "superseded"
                superseded_by[position] = self._id_at.get(repeat.of)
                if superseded_by[position] is None:
                    self._kept_later.append((ids[position], repeat.of))
        if not self._held_before:
            return states, superseded_by
        kind, sheet = self._delivery.kind, batch.definition.sheet.value
        rows = batch.records.select(["record_key", "content_hash", "updated_at", "status"]).to_pydict()
        keys = [key for key in rows["record_key"] if key is not None]
        held = records.held_rows(self._connection, kind, keys, besides=self._delivery.delivery_id)
        at = {record_id: position for position, record_id in enumerate(ids)}
        incoming = [
            Incoming(ids[i], key, rows["content_hash"][i], rows["updated_at"][i], rows["status"][i], states[i])
            for i, key in enumerate(rows["record_key"])
            if key in held
        ]
        says_status = any(column.target == "status" for column in batch.definition.columns)
        decisions = against_held(incoming, held, sheet=sheet, as_of=self._delivery.as_of, says_status=says_status)
        for record_id, decision in decisions.items():
            states[at[record_id]], superseded_by[at[record_id]] = decision.state, decision.superseded_by
        records.supersede(self._connection, kind, _pairs(decisions))
        return states, superseded_by

    def name_later_keepers(self) -> None:
        """Name the row that holds in the rows that gave way to one of a later batch."""
        pairs = [(record_id, self._id_at[position]) for record_id, position in self._kept_later]
        records.name_successors(self._connection, self._delivery.kind, pairs)

    def _repeats_in(self, batch: StagedBatch) -> list[tuple[int, Repeat]]:
        first, last = (bisect_left(self._repeated, batch.first + rows) for rows in (0, batch.records.num_rows))
        return [(p - batch.first, self._staged.repeats[p]) for p in self._repeated[first:last]]

    def _record_rows(
        self, batch: StagedBatch, ids: list[int], states: list[RowState], superseded_by: list[int | None]
    ) -> pa.Table:
        count = len(ids)
        constants = {
            "delivery_id": pa.scalar(self._delivery.delivery_id, pa.int64()),
            "file_ordinal": pa.scalar(batch.file_ordinal, pa.int32()),
            "agency": pa.scalar(self._delivery.agency, TEXT),
            "sheet": pa.scalar(batch.definition.sheet.value, TEXT),
            "as_of": pa.scalar(self._delivery.as_of, pa.date32()),
        }
        columns: dict[str, pa.Array] = {
            "record_id": pa.array(ids, pa.int64()),
            "state": pa.array(states, TEXT),
            "superseded_by": pa.array(superseded_by, pa.int64()),
        }
        columns |= {name: pa.repeat(value, count) for name, value in constants.items()}
        columns |= dict(zip(batch.records.column_names, batch.records.columns, strict=True))
        return pa.table(columns)

    def store_damaged(self, problems: Sequence[Problem]) -> None:
        """A row that could not be split into fields is a row received: returned, with its text and its problem."""
        if not problems:
            return
        ids = records.reserve_ids(self._connection, len(problems))
        kind, delivery = self._delivery.kind, self._delivery
        sheet = self._staged.definitions[0].sheet.value if self._staged.definitions else "standard"
        empty = pa.nulls(len(ids), TEXT)
        columns: dict[str, pa.Array] = {
            "record_id": pa.array(ids, pa.int64()),
            "delivery_id": pa.repeat(pa.scalar(delivery.delivery_id, pa.int64()), len(ids)),
            "file_ordinal": pa.array([ordinal for ordinal, _ in self._staged.damaged], pa.int32()),
            "row_no": pa.array([problem.row for problem in problems], pa.int64()),
            "agency": pa.repeat(pa.scalar(delivery.agency, TEXT), len(ids)),
            "sheet": pa.repeat(pa.scalar(sheet, TEXT), len(ids)),
            "as_of": pa.repeat(pa.scalar(delivery.as_of, pa.date32()), len(ids)),
            "state": pa.repeat(pa.scalar("returned", TEXT), len(ids)),
            "source_text": pa.array([json.dumps({"": p.text}, ensure_ascii=False) for p in problems], TEXT),
        }
        columns = {name: columns.get(name, empty) for name in [*columns, *(STANDARD_COLUMNS[kind] | DERIVED)]}
        verdicts = {
            "record_id": ids,
            "expectation": [problem.rule for problem in problems],
            "rule": [problem.rule for problem in problems],
            "severity": ["reject"] * len(ids),
            "field": [problem.field for problem in problems],
            "value": [problem.value for problem in problems],
            "finding": [problem.message for problem in problems],
            "remedy": [problem.remedy for problem in problems],
            "suite": ["connectors.formats"] * len(ids),
        }
        for rule, count in sorted(Counter(problem.rule for problem in problems).items()):
            self._counts[rule] = CheckCount(rule, rule, "reject", self._staged.rows, count)
        records.store_rows(self._connection, kind, pa.table(columns), pa.table(verdicts, schema=VERDICT_SCHEMA))

    def reconcile(self) -> tuple[dict[str, int], dict[str, int]]:
        """Compare what is stored with what came and with what Great Expectations counted; raise on a difference."""
        delivery_id, kind = self._delivery.delivery_id, self._delivery.kind
        states = records.counts_of_delivery(self._connection, kind, delivery_id)
        stored = sum(states.values())
        if stored != self._staged.rows:
            raise ConservationBroken(f"delivery {delivery_id}: {self._staged.rows} rows received, {stored} stored")
        quarantined = records.verdicts_of_delivery(self._connection, kind, delivery_id)
        differing = {
            name: (count.unexpected, quarantined.get(name, 0))
            for name, count in self._counts.items()
            if count.unexpected != quarantined.get(name, 0)
        }
        if differing or quarantined.keys() - self._counts.keys():
            raise ConservationBroken(
                f"delivery {delivery_id}: failures counted and verdicts stored differ: {differing}"
            )
        deliveries.store_check_counts(
            self._connection, delivery_id, (self._counts[name] for name in sorted(self._counts)), quarantined
        )
        return states, quarantined


def _pairs(decisions: Mapping[int, Decision]) -> list[tuple[int, int]]:
    return [(old, new) for new, decision in sorted(decisions.items()) for old in decision.supersedes]
