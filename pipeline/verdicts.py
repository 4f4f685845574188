"""From outcomes of expectations to verdicts about rows, in words that a steward can act on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.runner import Outcome
from expectations.suite import Expectation, Suite
from store.deliveries import CheckCount
from transforms.canonical import canonical_text
from transforms.columns import TEXT, Kind, Sheet
from transforms.problems import Problem
from transforms.sheets import SHEETS
from transforms.versions import RowState

VERDICT_SCHEMA: Final = pa.schema(
    [
        ("record_id", pa.int64()), ("expectation", TEXT), ("rule", TEXT), ("severity", TEXT), ("field", TEXT),
        ("value", TEXT), ("finding", TEXT), ("remedy", TEXT), ("suite", TEXT),
    ]
)  # fmt: skip

_EXCERPT: Final = 120
"""Characters of a value that a verdict shows."""


class _Definition(Protocol):
    def code_of(self, target: str) -> str: ...


class JudgedRows(Protocol):
    """Standard rows, the findings about them, and the sheet or form that names their columns for people."""

    @property
    def definition(self) -> _Definition:
        """What they were delivered as."""

    @property
    def records(self) -> pa.Table:
        """The rows, with ``source_text``."""

    @property
    def findings(self) -> Mapping[str, pa.Array]:
        """Findings by the column that a suite names."""


def states_of(outcomes: Mapping[str, Outcome], suite: Suite, rows: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Return per row what its verdicts make of it: returned, review or accepted."""
    states = np.full(rows, "accepted", dtype=object)
    for severity, state in (("hold", "review"), ("reject", "returned")):
        for expectation in suite.expectations:
            if expectation.severity == severity:
                states[outcomes[expectation.id].positions] = state
    return states


def verdicts_of(
    batch: JudgedRows, record_ids: npt.NDArray[np.int64], outcomes: Mapping[str, Outcome], suite: Suite
) -> pa.Table:
    """Return one verdict per row and failed expectation (schema ``VERDICT_SCHEMA``)."""
    ids = pa.array(record_ids, pa.int64())
    columns = _Columns(batch)
    parts = [
        _verdicts(columns, ids, expectation, outcomes[expectation.id], suite)
        for expectation in suite.expectations
        if outcomes[expectation.id].unexpected
    ]
    return pa.concat_tables(parts) if parts else VERDICT_SCHEMA.empty_table()


def state_of(severities: Iterable[str]) -> RowState:
    """Return what verdicts of these severities make of a row."""
    found = set(severities)
    return "returned" if "reject" in found else "review" if "hold" in found else "accepted"


def add_counts(counts: dict[str, CheckCount], outcomes: Mapping[str, Outcome], suite: Suite) -> None:
    """Add what Great Expectations counted in one batch to what it counted before, by expectation."""
    for expectation in suite.expectations:
        outcome, so_far = outcomes[expectation.id], counts.get(expectation.id)
        counts[expectation.id] = CheckCount(
            expectation.id,
            expectation.rule,
            expectation.severity,
            outcome.evaluated + (so_far.evaluated if so_far else 0),
            outcome.unexpected + (so_far.unexpected if so_far else 0),
        )


def verdict_about(
    record_id: int, expectation: Expectation, suite: Suite, *, field: str, value: str | None, finding: str | None
) -> dict[str, Any]:
    """Return one verdict as a row of ``VERDICT_SCHEMA``; ``field`` is the column code that people know."""
    return {
        "record_id": record_id, "expectation": expectation.id, "rule": expectation.rule,
        "severity": expectation.severity, "field": field, "value": value, "finding": finding,
        "remedy": expectation.remedy, "suite": suite.label,
    }  # fmt: skip


def repeat_verdicts(rows: Sequence[Mapping[str, Any]], kind: Kind, suite: Suite) -> pa.Table:
    """Return the verdicts about rows that contradict another row of their delivery (R22, the suite's only rule)."""
    [expectation] = suite.expectations
    listed = [
        verdict_about(
            row["record_id"],
            expectation,
            suite,
            field=SHEETS[kind, Sheet(row["sheet"])].code_of(expectation.field),
            value=row[expectation.field],
            finding="DIFFERENT_CONTENT",
        )
        for row in rows
    ]
    return pa.Table.from_pylist(listed, schema=VERDICT_SCHEMA)


def damaged_verdicts(record_ids: Sequence[int], problems: Sequence[Problem]) -> pa.Table:
    """Return the verdicts about rows that could not be split into fields; problems are masked already."""
    listed = [
        {
            "record_id": record_id,
            "expectation": problem.rule,
            "rule": problem.rule,
            "severity": "reject",
            "field": problem.field,
            "value": problem.value,
            "finding": problem.message,
            "remedy": problem.remedy,
            "suite": "connectors.formats",
        }
        for record_id, problem in zip(record_ids, problems, strict=True)
    ]
    return pa.Table.from_pylist(listed, schema=VERDICT_SCHEMA)


class _Columns:
    """Columns of a batch that verdicts quote, each in one piece once it is asked for: most columns never are."""

    def __init__(self, batch: JudgedRows) -> None:
        self.names: Final = batch.records.column_names
        self.findings: Final = batch.findings
        self.code_of: Final = batch.definition.code_of
        self._records = batch.records
        self._whole: dict[str, pa.Array] = {}

    def at(self, name: str, where: pa.Array) -> pa.Array:
        """Return the values of a column at these positions."""
        if name not in self._whole:
            self._whole[name] = self._records[name].combine_chunks()
        return self._whole[name].take(where)


def _verdicts(columns: _Columns, ids: pa.Array, expectation: Expectation, outcome: Outcome, suite: Suite) -> pa.Table:
    where = pa.array(outcome.positions)
    finding = columns.findings[expectation.column].take(where).cast(TEXT)
    code_of = columns.code_of
    if expectation.field:
        fields = pa.repeat(pa.scalar(code_of(expectation.field), TEXT), len(where))
        values = _values(columns, where, expectation.field, code_of(expectation.field))
    else:
        listed = [text.split(";") for text in finding.to_pylist()]
        fields = pa.array([";".join(code_of(name) for name in names) for names in listed], TEXT)
        values = _first_values(columns, where, [names[0] for names in listed], code_of)
    constants = {
        "expectation": expectation.id, "rule": expectation.rule, "severity": expectation.severity,
        "remedy": expectation.remedy, "suite": suite.label,
    }  # fmt: skip
    written = {name: pa.repeat(pa.scalar(text, TEXT), len(where)) for name, text in constants.items()}
    written |= {
        "record_id": ids.take(where),
        "field": fields,
        "value": pc.utf8_slice_codeunits(values, 0, _EXCERPT),
        "finding": finding if expectation.column != expectation.field else pa.nulls(len(where), TEXT),
    }
    return pa.table([written[name] for name in VERDICT_SCHEMA.names], schema=VERDICT_SCHEMA)


def _values(columns: _Columns, where: pa.Array, field: str, code: str) -> pa.Array:
    """The value judged: as standardised, or the source text where standardising could make nothing of it."""
    column = canonical_text(columns.at(field, where))
    if column.null_count:
        unread = pc.if_else(pc.is_null(column), columns.at("source_text", where), None)
        texts = [None if source is None else json.loads(source).get(code) for source in unread.to_pylist()]
        column = pc.coalesce(column, pa.array(texts, TEXT))
    return column


def _first_values(columns: _Columns, where: pa.Array, fields: list[str], code_of: Callable[[str], str]) -> pa.Array:
    values = pa.nulls(len(fields), TEXT)
    named = pa.array(fields, TEXT)
    for field in sorted(set(fields).intersection(columns.names)):
        here = pc.equal(named, field)
        values = pc.replace_with_mask(values, here, _values(columns, where.filter(here), field, code_of(field)))
    return values
