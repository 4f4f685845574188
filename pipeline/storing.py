"""Store the batches of one delivery as they are judged, then settle what only the whole delivery can tell.

While one batch is judged in the judging process, the one before is entered by COPY and the next is read. Whether rows
repeat or contradict each other within the delivery (R22) is known when the last row is in: sixteen bytes per row are
kept for it, the few rows concerned are looked up again, and Great Expectations judges R22 over all rows at once.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from connectors.beside import Beside
from expectations.judging import judge_of_this_process
from expectations.runner import Outcome
from expectations.suite import Suite, load_suite
from pipeline.file_days import days_of_files, with_days_of_files
from pipeline.reading import ReadBatch
from pipeline.verdicts import add_counts, damaged_verdicts, repeat_verdicts, states_of, verdicts_of
from store import deliveries, records, rulings
from store.ahead import ahead
from store.deliveries import CheckCount, Delivery
from store.records import Displaced
from transforms import identifiers
from transforms.columns import DERIVED, PASSED_ON_BY, STANDARD_COLUMNS, TEXT
from transforms.problems import Problem
from transforms.sheets import SheetDefinition
from transforms.versions import Decision, Incoming, Repeat, RowState, Version, against_held, within_delivery

REPEATS: Final = "R22.same_document"
"""The finding that no batch can see alone."""


_Tables = tuple[pa.Table, pa.Table]
"""Records, and the verdicts about them."""


class ConservationBroken(RuntimeError):
    """Rows or verdicts stored are not the rows received or the failures counted; nothing was stored."""


def judged_by_row(batch: ReadBatch) -> tuple[ReadBatch, Suite, Mapping[str, Outcome]]:
    """Have a batch judged by its sheet's suite for rows."""
    suite = load_suite(batch.definition.kind, batch.definition.sheet).of_scope("row")
    return batch, suite, judge_of_this_process().judge(batch.findings, suite)


class DeliveryWriter:
    """Everything that is stored about one delivery, inside the caller's transaction."""

    def __init__(self, connection: sa.Connection, delivery: Delivery) -> None:
        """Store for ``delivery``; the caller holds the records lock. ``displaced`` is known once it is settled."""
        self.displaced = Displaced()
        self._connection = connection
        self._delivery = delivery
        self._counts: dict[str, CheckCount] = {}
        self._ids: list[npt.NDArray[np.int64]] = []
        self._short_keys: list[npt.NDArray[np.uint64]] = []
        self._supersedes: dict[int, tuple[int, ...]] = {}
        self._contradicting: set[int] = set()
        self._days_of_files = days_of_files(delivery)
        self._ruled = rulings.keys_in_force(connection, delivery.record_kind)
        self._held_before = records.any_rows(connection, delivery.record_kind)
        if not self._held_before:
            records.drop_key_indexes(connection, delivery.record_kind)

    def take_all(self, batches: Iterable[ReadBatch]) -> None:
        """Have every batch judged, and store its rows and verdicts, in order."""
        with (
            contextlib.closing(ahead(map(judged_by_row, batches))) as judged,
            contextlib.closing(Beside(self._copy)) as copying,
        ):
            for batch, suite, outcomes in judged:
                self._store(batch, suite, outcomes, copying)
            copying.settle()

    def _copy(self, tables: _Tables) -> None:
        records.store_rows(self._connection, self._delivery.record_kind, *tables)

    def _store(self, batch: ReadBatch, suite: Suite, outcomes: Mapping[str, Outcome], copying: Beside[_Tables]) -> None:
        """Hand a judged batch over for COPY, once the connection is free of the batch before."""
        add_counts(self._counts, outcomes, suite)
        judged: list[RowState] = states_of(outcomes, suite, batch.records.num_rows).tolist()
        copying.settle()
        ids = records.reserve_ids(self._connection, batch.records.num_rows)
        self._ids.append(ids)
        self._short_keys.append(_short_keys(batch.records["record_key"]))
        verdicts = verdicts_of(batch, ids, outcomes, suite)
        states, superseded_by = self._against_held(batch, ids.tolist(), judged)
        rows = self._record_rows(batch, ids, states, superseded_by)
        copying.give((rows, verdicts))

    def _against_held(
        self, batch: ReadBatch, ids: list[int], states: list[RowState]
    ) -> tuple[list[RowState], list[int | None]]:
        """Fold in what earlier deliveries brought. What a row displaces is only noted: ``settle`` may think again."""
        superseded_by: list[int | None] = [None] * len(ids)
        if not self._held_before:
            return states, superseded_by
        rows = batch.records.select(["record_key", "content_hash", "updated_at", "status"]).to_pydict()
        keys = [key for key in rows["record_key"] if key is not None and key not in self._ruled]
        held = records.held_rows(self._connection, self._delivery.record_kind, keys, besides=self._delivery.delivery_id)
        file_day = self._days_of_files.get(batch.file_ordinal)
        if file_day is not None:
            held = with_days_of_files(self._connection, self._delivery, held)
        incoming = [
            Incoming(ids[i], key, rows["content_hash"][i], rows["updated_at"][i], rows["status"][i], states[i])
            for i, key in enumerate(rows["record_key"])
            if key in held
        ]
        decisions = against_held(
            incoming,
            held,
            sheet=batch.definition.sheet.value,
            as_of=self._delivery.as_of,
            says_status=any(column.target == "status" for column in batch.definition.columns),
            agency=self._delivery.agency,
            file_day=file_day,
        )
        at = {record_id: position for position, record_id in enumerate(ids)}
        decisions |= self._passed_on(batch, decisions, at)
        for record_id, decision in decisions.items():
            self._note(at[record_id], decision, states, superseded_by)
            if decision.supersedes:
                self._supersedes[record_id] = decision.supersedes
        return states, superseded_by

    def _passed_on(
        self, batch: ReadBatch, decisions: Mapping[int, Decision], at: Mapping[int, int]
    ) -> dict[int, Decision]:
        """Look closer at rows that differ from what another agency told: who passed a row on is no difference."""
        told = {record_id: d.contradicts for record_id, d in decisions.items() if d.contradicts is not None}
        if not told:
            return {}
        theirs = records.standard_values(self._connection, self._delivery.record_kind, sorted(set(told.values())))
        compared = [name for name in STANDARD_COLUMNS[self._delivery.record_kind] if name not in PASSED_ON_BY]
        ours = batch.records.select(compared).take(pa.array([at[record_id] for record_id in told])).to_pylist()
        same = {
            record_id: Decision("duplicate", other, ())
            for (record_id, other), row in zip(told.items(), ours, strict=True)
            if all(row[name] == theirs[other][name] for name in compared)
        }
        self._contradicting |= told.keys() - same.keys()
        return same

    @staticmethod
    def _note(position: int, decision: Decision, states: list[RowState], superseded_by: list[int | None]) -> None:
        states[position], superseded_by[position] = decision.state, decision.superseded_by

    def _record_rows(
        self,
        batch: ReadBatch,
        ids: npt.NDArray[np.int64],
        states: list[RowState],
        superseded_by: list[int | None],
    ) -> pa.Table:
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
        columns |= {name: pa.repeat(value, len(ids)) for name, value in constants.items()}
        columns |= dict(zip(batch.records.column_names, batch.records.columns, strict=True))
        return pa.table(columns)

    def settle(self, definitions: Sequence[SheetDefinition]) -> None:
        """Tell repeats within the delivery apart, have R22 judged, and displace what is displaced."""
        if not self._held_before:
            records.create_key_indexes(self._connection, self._delivery.record_kind)
        if not self._ids:
            return
        ids, keys = np.concatenate(self._ids), np.concatenate(self._short_keys)
        repeats = self._repeats(ids, keys)
        suite = load_suite(definitions[0].kind, definitions[0].sheet).of_scope("delivery")
        conflict = np.full(len(ids), None, dtype=object)
        conflict[[p for p, repeat in repeats.items() if repeat.outcome == "conflict"]] = "DIFFERENT_CONTENT"
        conflict[np.isin(ids, sorted(self._contradicting))] = "DIFFERENT_CONTENT"
        outcomes = judge_of_this_process().judge({REPEATS: pa.array(conflict, TEXT)}, suite)
        add_counts(self._counts, outcomes, suite)
        failed = ids[outcomes[REPEATS].positions]
        records.store_verdicts(self._connection, repeat_verdicts(self._rows(failed), self._delivery.record_kind, suite))
        changes = [(int(ids[p]), *_outcome(repeat, ids)) for p, repeat in sorted(repeats.items())]
        settled = records.settle_repeats(self._connection, self._delivery.record_kind, changes)
        for record_id in settled:
            self._supersedes.pop(record_id, None)
        pairs = [(old, new) for new, olds in sorted(self._supersedes.items()) for old in olds]
        self.displaced = records.count_displaced(self._connection, self._delivery.record_kind, pairs)
        records.supersede(self._connection, self._delivery.record_kind, pairs)

    def _repeats(self, ids: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64]) -> dict[int, Repeat]:
        ordered = np.sort(keys)
        repeated = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)])
        if not len(repeated):
            return {}
        suspects = np.flatnonzero(np.isin(keys, repeated))
        found = self._rows(ids[suspects])
        moments = {ordinal: f"{day}T00:00:00" for ordinal, day in self._days_of_files.items()}
        named = identifiers.uscc_valid(pa.array([row["uscc"] for row in found], TEXT)).to_pylist()
        versions = [
            Version(
                int(position),
                row["record_key"],
                row["content_hash"],
                row["updated_at"] or moments.get(row["file_ordinal"]),
                row["uscc"] if is_named else None,
            )
            for position, row, is_named in zip(suspects, found, named, strict=True)
        ]
        known = records.contents_heard(
            self._connection,
            self._delivery.record_kind,
            sorted({version.record_key for version in versions}),
            besides=self._delivery.delivery_id,
        )
        return within_delivery(versions, known=known)

    def _rows(self, ids: npt.NDArray[np.int64]) -> list[Mapping[str, Any]]:
        return records.rows_by_id(self._connection, self._delivery.record_kind, ids.tolist())

    def store_damaged(self, damaged: Sequence[tuple[int, Problem]], sheet: str, rows: int) -> None:
        """A row that could not be split into fields is a row received: returned, with its text and its problem.

        ``damaged`` holds file ordinals and masked problems; ``rows`` is the number of rows received.
        """
        if not damaged:
            return
        ids = records.reserve_ids(self._connection, len(damaged))
        kind, delivery = self._delivery.record_kind, self._delivery
        problems = [problem for _, problem in damaged]
        columns: dict[str, pa.Array] = {
            "record_id": pa.array(ids, pa.int64()),
            "delivery_id": pa.repeat(pa.scalar(delivery.delivery_id, pa.int64()), len(ids)),
            "file_ordinal": pa.array([ordinal for ordinal, _ in damaged], pa.int32()),
            "row_no": pa.array([problem.row for problem in problems], pa.int64()),
            "agency": pa.repeat(pa.scalar(delivery.agency, TEXT), len(ids)),
            "sheet": pa.repeat(pa.scalar(sheet, TEXT), len(ids)),
            "as_of": pa.repeat(pa.scalar(delivery.as_of, pa.date32()), len(ids)),
            "state": pa.repeat(pa.scalar("returned", TEXT), len(ids)),
            "source_text": pa.array([json.dumps({"": p.text}, ensure_ascii=False) for p in problems], TEXT),
        }
        empty = pa.nulls(len(ids), TEXT)
        columns = {name: columns.get(name, empty) for name in [*columns, *(STANDARD_COLUMNS[kind] | DERIVED)]}
        for rule, count in sorted(Counter(problem.rule for problem in problems).items()):
            self._counts[rule] = CheckCount(rule, rule, "reject", rows, count)
        records.store_rows(self._connection, kind, pa.table(columns), damaged_verdicts(ids.tolist(), problems))

    def add_count(self, count: CheckCount) -> None:
        """Take up a rule that is judged when the whole delivery is stored, so that its verdicts are accounted for."""
        self._counts[count.expectation] = count

    def reconcile(self, rows: int) -> tuple[dict[str, int], dict[str, int]]:
        """Compare what is stored with what came and with what Great Expectations counted; raise on a difference."""
        delivery_id, kind = self._delivery.delivery_id, self._delivery.record_kind
        states, quarantined = records.counts_of_delivery(self._connection, kind, delivery_id)
        if (stored := sum(states.values())) != rows:
            raise ConservationBroken(f"delivery {delivery_id}: {rows} rows received, {stored} stored")
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


def _short_keys(record_keys: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """The first 64 bits of each key; 0 where a row has none. Only a filter: equal keys are compared in full later."""
    shortened = pc.fill_null(pc.utf8_slice_codeunits(record_keys, 0, 16), "0" * 16)
    digits = "".join(shortened.to_pylist())
    return np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64)


def _outcome(repeat: Repeat, ids: npt.NDArray[np.int64]) -> tuple[RowState, int | None]:
    if repeat.outcome == "conflict" or repeat.of is None:
        return "review", None
    return repeat.outcome, int(ids[repeat.of])
