"""Take in annual reports and online subjects: read, judged and kept by the parts that records use.

They have no decision to attach, disclose or withdraw, so nothing after the checks is asked of them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from connectors.archive import Archive
from connectors.formats.limits import Limits
from connectors.formats.reader import open_table
from expectations.judging import judge_of_this_process
from expectations.runner import Outcome
from expectations.suite import Suite, load_reference_suite
from pipeline.masking import masked
from pipeline.reading import BATCH_ROWS, Tell
from pipeline.storing import ConservationBroken
from pipeline.verdicts import VERDICT_SCHEMA, add_counts, damaged_verdicts, states_of, verdict_about, verdicts_of
from store import deliveries, records, references
from store.deliveries import CheckCount, Delivery
from transforms.columns import TEXT, Reference
from transforms.problems import Problem
from transforms.reference_findings import reference_findings
from transforms.references import Form, form_of, recognise_form, standardise_form

SAME_VERSION: Final = "R22.same_version"
"""The finding that no batch can see alone."""


@dataclass(frozen=True, slots=True)
class ReferenceBatch:
    """Standard rows of one batch and the findings about them."""

    file_ordinal: int
    definition: Form
    records: pa.Table
    findings: dict[str, pa.Array]


class ReferenceDelivery:
    """One delivery being taken in, inside the caller's transaction, which holds the records lock."""

    def __init__(
        self,
        connection: sa.Connection,
        delivery: Delivery,
        reference: Reference,
        archive: Archive,
        tell: Tell = lambda _step, _rows: None,
    ) -> None:
        """Nothing is opened yet. ``problems`` and ``rows_of_file`` fill while the files are read."""
        self.rows_of_file: dict[int, int] = {}
        self.problems: list[Problem] = []
        self.damaged: list[tuple[int, Problem]] = []
        self._connection = connection
        self._delivery = delivery
        self._reference = reference
        self._archive = archive
        self._tell = tell
        self._suite = load_reference_suite(reference)
        self._counts: dict[str, CheckCount] = {}

    @property
    def rows(self) -> int:
        """Rows received so far, damaged ones included."""
        return sum(self.rows_of_file.values())

    @property
    def suite(self) -> str:
        """Name and version of the suite that judges it."""
        return self._suite.label

    def take(self) -> tuple[dict[str, int], dict[str, int]]:
        """Read, judge and store every row; return rows per state and failures per expectation.

        Raises ``DeliveryRefused`` when a file cannot be read as a whole, ``ConservationBroken`` when rows or verdicts
        stored are not those received or counted.
        """
        suite = self._suite.of_scope("row")
        for batch in self._batches():
            outcomes = judge_of_this_process().judge(batch.findings, suite)
            add_counts(self._counts, outcomes, suite)
            self._store(batch, outcomes, suite)
            self._tell("checked", batch.records.num_rows)
        self._settle()
        self._store_damaged()
        return self._reconcile()

    def open_reviews(self, due: Mapping[str, dt.date | None]) -> None:
        """Open what its rows failed, and close what the rows before them had open; ``due`` by severity."""
        delivery = self._delivery
        references.open_reviews(
            self._connection, self._reference, delivery.delivery_id, agency=delivery.agency, day=delivery.as_of, due=due
        )

    def _batches(self) -> Iterator[ReferenceBatch]:
        form = form_of(self._reference)
        for file in self._delivery.files:
            with open_table(
                self._archive.open(file.sha256),
                file=file.name,
                limits=Limits(batch_rows=BATCH_ROWS),
                fits=form.known_cells,
            ) as table:
                header = recognise_form(table.header, self._reference, file=file.name) if table.header else None
                for raw in table.batches():
                    if header is None:
                        raise AssertionError("a table without columns has no rows")
                    standard = standardise_form(raw, header)
                    found = reference_findings(standard, form, as_of=self._delivery.as_of)
                    yield ReferenceBatch(file.ordinal, form, standard.rows, found)
                self.problems += [_unknown(cell, file.name) for cell in (header.unknown if header else ())]
                self.damaged += [(file.ordinal, p) for p in table.problems if p.severity == "reject"]
                self.problems += [p for p in table.problems if p.severity != "reject"]
                self.rows_of_file[file.ordinal] = table.rows

    def _store(self, batch: ReferenceBatch, outcomes: Mapping[str, Outcome], suite: Suite) -> None:
        ids = records.reserve_ids(self._connection, batch.records.num_rows)
        states = states_of(outcomes, suite, len(ids)).tolist()
        rows = dict(zip(batch.records.column_names, batch.records.columns, strict=True))
        rows |= self._row_head(ids, [batch.file_ordinal] * len(ids), states)
        references.store_rows(self._connection, self._reference, pa.table(rows))
        records.store_verdicts(self._connection, verdicts_of(batch, ids, outcomes, suite))

    def _row_head(
        self, ids: npt.NDArray[np.int64], ordinals: Sequence[int], states: Sequence[str]
    ) -> dict[str, pa.Array]:
        return {
            "record_id": pa.array(ids, pa.int64()),
            "delivery_id": pa.repeat(pa.scalar(self._delivery.delivery_id, pa.int64()), len(ids)),
            "file_ordinal": pa.array(ordinals, pa.int32()),
            "agency": pa.repeat(pa.scalar(self._delivery.agency, TEXT), len(ids)),
            "as_of": pa.repeat(pa.scalar(self._delivery.as_of, pa.date32()), len(ids)),
            "state": pa.array(states, TEXT),
        }

    def _settle(self) -> None:
        """Have R22 judged over all rows, then tell what repeats and what takes another's place."""
        delivery_id = self._delivery.delivery_id
        ids = references.ids_of_delivery(self._connection, self._reference, delivery_id)
        found = dict(references.contradicting_rows(self._connection, self._reference, delivery_id))
        suite = self._suite.of_scope("delivery")
        finding = pa.array(["DIFFERENT_CONTENT" if row in found else None for row in ids], TEXT)
        outcomes = judge_of_this_process().judge({SAME_VERSION: finding}, suite)
        add_counts(self._counts, outcomes, suite)
        failed = np.asarray(ids, dtype=np.int64)[outcomes[SAME_VERSION].positions].tolist()
        records.store_verdicts(self._connection, self._contradictions([(row, found[row]) for row in failed], suite))
        references.hold_rows(self._connection, self._reference, failed)
        references.settle(self._connection, self._reference, delivery_id)

    def _contradictions(self, rows: Sequence[tuple[int, str]], suite: Suite) -> pa.Table:
        [expectation] = suite.expectations
        field = form_of(self._reference).code_of(expectation.field)
        listed = [
            verdict_about(record_id, expectation, suite, field=field, value=key, finding="DIFFERENT_CONTENT")
            for record_id, key in rows
        ]
        return pa.Table.from_pylist(listed, schema=VERDICT_SCHEMA)

    def _store_damaged(self) -> None:
        """A row that could not be split into fields is a row received: returned, with its text and its problem."""
        if not self.damaged:
            return
        problems = masked(problem for _, problem in self.damaged)
        ids = records.reserve_ids(self._connection, len(problems))
        rows = self._row_head(ids, [ordinal for ordinal, _ in self.damaged], ["returned"] * len(ids))
        rows |= {
            "row_no": pa.array([problem.row for problem in problems], pa.int64()),
            "source_text": pa.array([json.dumps({"": p.text}, ensure_ascii=False) for p in problems], TEXT),
        }
        references.store_rows(self._connection, self._reference, pa.table(rows))
        records.store_verdicts(self._connection, damaged_verdicts(ids.tolist(), problems))
        for rule in sorted({problem.rule for problem in problems}):
            count = sum(problem.rule == rule for problem in problems)
            self._counts[rule] = CheckCount(rule, rule, "reject", self.rows, count)

    def _reconcile(self) -> tuple[dict[str, int], dict[str, int]]:
        delivery_id = self._delivery.delivery_id
        states = references.counts_of_delivery(self._connection, self._reference, delivery_id)
        verdicts = references.verdicts_of_delivery(self._connection, self._reference, delivery_id)
        if (stored := sum(states.values())) != self.rows:
            raise ConservationBroken(f"delivery {delivery_id}: {self.rows} rows received, {stored} stored")
        if {name: c.unexpected for name, c in self._counts.items() if c.unexpected} != verdicts:
            raise ConservationBroken(f"delivery {delivery_id}: failures counted and verdicts stored differ: {verdicts}")
        counts = (self._counts[name] for name in sorted(self._counts))
        deliveries.store_check_counts(self._connection, delivery_id, counts, verdicts)
        return states, verdicts


def stored_answer(
    connection: sa.Connection, reference: Reference, delivery_id: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Return rows per state and failures per expectation of a delivery that was taken in before."""
    return (
        references.counts_of_delivery(connection, reference, delivery_id),
        references.verdicts_of_delivery(connection, reference, delivery_id),
    )


def _unknown(cell: str, file: str) -> Problem:
    return Problem(
        rule="S06", severity="warn", message=f"列“{cell}”不在表样中, 内容已原样留存, 未入库使用",
        remedy="如属误填请删除该列; 如属新增列请联系平台登记。", file=file, row=1, field=cell,
    )  # fmt: skip
