"""What a site would not take of what is about to be shown there: receiver suites, judged by Great Expectations.

A receiver's rule looks at one column as the site gets it, or at how many characters are in it, and what is equal is
judged equally. So the rows are reduced once to the columns asked about, Great Expectations judges each different value,
and the database tells which records have the values that failed. Millions of rows hold some tens of lengths and as
many codes as there are enterprises: what is judged grows with these.

What a rule counts is held twice against what Great Expectations counted: when the failing values are looked up, and
when the records are entered (``store.acceptance``).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from expectations.judging import judge_of_this_process
from expectations.messages import say
from expectations.suite import Expectation, Suite, load_receiver_suite
from feeds.row_text import identifier, published_value
from feeds.sites import Column, Site, Table, load_sites
from store.acceptance import NOT_ACCEPTED, AcceptanceCount, not_accepted_of_record, not_accepted_of_release
from transforms import personal
from transforms.columns import TEXT, Kind

LENGTH: Final = ".length"
"""``CODE.length`` is asked about the number of characters in a column, 0 where it is missing."""
_JUDGED_AT_ONCE: Final = 100_000
"""Most different values of one column judged at once."""
_EXCERPT: Final = 120
"""Characters of a value that are told."""
_REDUCED: Final = "acceptance_reduced"
_FAILING: Final = "acceptance_failing"


class AcceptanceBroken(RuntimeError):
    """The values found to fail are not as many as Great Expectations counted; nothing is published."""


@dataclass(frozen=True, eq=False)
class Acceptance:
    """The answer about one table of a site: a count per rule, and a row of ``NOT_ACCEPTED`` per record and rule."""

    suite: Suite
    counts: tuple[AcceptanceCount, ...]
    rows: pa.Table

    @property
    def refused(self) -> pa.RecordBatch:
        """The records that the site would not take, once each, as ``refused_id``."""
        ids = np.unique(self.rows["record_id"].to_numpy())
        return pa.RecordBatch.from_pydict({"refused_id": pa.array(ids, pa.int64())})

    def of(self, suite: Suite) -> Acceptance:
        """Return the same answer in the name of a suite with the same expectations."""
        named = pa.repeat(pa.scalar(suite.label, TEXT), self.rows.num_rows)
        return Acceptance(
            suite, self.counts, self.rows.set_column(self.rows.column_names.index("suite"), "suite", named)
        )


def receiver_suite(site: Site, table: Table, as_of: dt.date) -> Suite | None:
    """Return what a site asks of a table on a day; null where it asks nothing."""
    suite = load_receiver_suite(site.site, table.kind)
    asked = suite.on(as_of) if suite else None
    return asked if asked and asked.expectations else None


def judge_acceptance(
    database: duckdb.DuckDBPyConnection, *, site: Site, table: Table, relation: str, suite: Suite
) -> Acceptance:
    """Judge what ``table`` would publish of ``relation`` (``record_id`` and what ``build_release`` asks of one).

    Raises ``expectations.runner.SuiteFailed`` and ``AcceptanceBroken``: without a verdict nothing is published.
    """
    columns = sorted({expectation.column for expectation in suite.expectations})
    reduced = ", ".join(f"{_reduced(name, table, site)} AS {identifier(name)}" for name in columns)
    database.execute(f"CREATE OR REPLACE TABLE {_REDUCED} AS SELECT record_id, {reduced} FROM {relation}")  # noqa: S608
    try:
        values = {name: _different(database, name) for name in columns}
        failing = _failing(values, suite)
        counts, rows = [], [NOT_ACCEPTED.empty_table()]
        for expectation in suite.expectations:
            failed = failing[expectation.id]
            found, found_values, count = _look_up(database, expectation, failed)
            if found_values != len(failed):
                raise AcceptanceBroken(
                    f"{suite.label} {expectation.id}: {len(failed)} values counted, {found_values} found"
                )
            evaluated = len(values[expectation.column])
            counts.append(AcceptanceCount(expectation.id, expectation.severity, evaluated, len(failed), count))
            if found is not None:
                shown = next(column for column in table.columns if column.code == expectation.field)
                texts = _with_text(database, found, relation, _excerpt(shown, site))
                rows.append(_told(texts, expectation, suite, table.kind))
    finally:
        database.execute(f"DROP TABLE {_REDUCED}")
    return Acceptance(suite, tuple(counts), pa.concat_tables(rows))


def _reduced(name: str, table: Table, site: Site) -> str:
    code = name.removesuffix(LENGTH)
    column = next(column for column in table.columns if column.code == code)
    value = published_value(column, site, drop_illegal=False)
    return f"coalesce(length({value}), 0)::INTEGER" if name.endswith(LENGTH) else value


def _different(database: duckdb.DuckDBPyConnection, name: str) -> pa.Array:
    """The different values of a column, in order; what is missing is no value."""
    column = identifier(name)
    found = database.sql(f"SELECT DISTINCT {column} FROM {_REDUCED} WHERE {column} IS NOT NULL ORDER BY 1")  # noqa: S608
    values = found.to_arrow_table().column(0).combine_chunks()
    return pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values


def _failing(values: Mapping[str, pa.Array], suite: Suite) -> dict[str, pa.Array]:
    """The values that fail, by expectation: as many as Great Expectations counted (``runner`` sees to it).

    Great Expectations takes some milliseconds for each question: what is asked of several columns is asked once, about
    each value that any of them has.
    """
    asked, answered_by = _questions(suite)
    by_question: dict[str, list[pa.Array]] = {each.column: [] for each in asked.expectations}
    for expectation in suite.expectations:
        by_question[answered_by[expectation.id].column].append(values[expectation.column])
    of_question = {name: pc.unique(pa.concat_arrays(parts)) for name, parts in by_question.items()}
    failing: dict[str, list[pa.Array]] = {name: [each.slice(0, 0)] for name, each in of_question.items()}
    for columns in _side_by_side(of_question):
        part = asked.part(each.id for each in asked.expectations if each.column in columns)
        outcomes = judge_of_this_process().judge(columns, part)
        for question in part.expectations:
            positions = pa.array(outcomes[question.id].positions)
            failing[question.column].append(columns[question.column].take(positions))
    wrong = {name: pa.concat_arrays(parts) for name, parts in failing.items()}
    return {
        each.id: values[each.column].filter(pc.is_in(values[each.column], value_set=wrong[answered_by[each.id].column]))
        for each in suite.expectations
    }


@functools.lru_cache(maxsize=64)
def _questions(suite: Suite) -> tuple[Suite, dict[str, Expectation]]:
    """Return the different questions of a suite, each about a column of its own, and which of them answers for whom."""
    questions: dict[str, Expectation] = {}
    answered_by = {}
    for each in suite.expectations:
        conditions = {name: value for name, value in each.kwargs.items() if name != "column"}
        asked = f"{each.type} {sorted(conditions.items())!r}"
        if asked not in questions:
            questions[asked] = replace(each, kwargs={"column": f"question {len(questions)}", **conditions})
        answered_by[each.id] = questions[asked]
    return Suite(suite.name, suite.version, tuple(questions.values()), suite.set), answered_by


def _side_by_side(values: Mapping[str, pa.Array]) -> Iterator[dict[str, pa.Array]]:
    """Put columns of different lengths beside each other, short ones filled up with nothing, a batch at a time.

    Great Expectations does not look at what is missing where it asks about a value.
    """
    longest = max(len(each) for each in values.values())
    for start in range(0, longest, _JUDGED_AT_ONCE):
        parts = {name: each.slice(start, _JUDGED_AT_ONCE) for name, each in values.items() if len(each) > start}
        rows = max(len(each) for each in parts.values())
        yield {name: pa.concat_arrays([each, pa.nulls(rows - len(each), each.type)]) for name, each in parts.items()}


def _look_up(
    database: duckdb.DuckDBPyConnection, expectation: Expectation, failed: pa.Array
) -> tuple[pa.Table | None, int, int]:
    """Find the records with a failing value (null where the rule only warns), how many values and how many records."""
    if not len(failed):
        return None, 0, 0
    column = identifier(expectation.column)
    database.register(_FAILING, pa.table({"failed": failed}))
    try:
        having = f"FROM {_REDUCED} WHERE {column} IN (SELECT failed FROM {_FAILING})"  # noqa: S608
        [(values, rows)] = database.execute(f"SELECT count(DISTINCT {column}), count(*) {having}").fetchall()
        if expectation.severity != "withhold":
            return None, values, rows
        told = f"SELECT record_id, {column}::VARCHAR AS judged {having} ORDER BY record_id"
        return database.sql(told).to_arrow_table(), values, rows
    finally:
        database.unregister(_FAILING)


def _excerpt(column: Column, site: Site) -> str:
    return f"left({published_value(column, site)}, {_EXCERPT})"


def _with_text(database: duckdb.DuckDBPyConnection, found: pa.Table, relation: str, text: str) -> pa.Table:
    """Put a text of the relation, an SQL expression, beside each record found."""
    database.register(_FAILING, found)
    try:
        return database.sql(
            f"SELECT f.record_id, f.judged, r.text FROM {_FAILING} f"  # noqa: S608 (descriptor's)
            f" JOIN (SELECT record_id, {text} AS text FROM {relation}) r USING (record_id) ORDER BY f.record_id"
        ).to_arrow_table()
    finally:
        database.unregister(_FAILING)


def _told(texts: pa.Table, expectation: Expectation, suite: Suite, kind: Kind) -> pa.Table:
    """Return rows of ``NOT_ACCEPTED``: beside what was judged an excerpt of what would have been shown, masked."""
    constants = {
        "expectation": expectation.id, "kind": kind.value, "field": expectation.field, "suite": suite.label,
    }  # fmt: skip
    columns = {name: pa.repeat(pa.scalar(text, TEXT), texts.num_rows) for name, text in constants.items()}
    columns |= {
        "record_id": texts["record_id"],
        "judged": texts["judged"].cast(TEXT),
        "value": personal.without_numbers(texts["text"]),
    }
    return pa.table([columns[name] for name in NOT_ACCEPTED.names], schema=NOT_ACCEPTED)


def told_of_record(connection: sa.Connection, record_id: int) -> list[dict[str, Any]]:
    """Return why sites would not take a record, as their newest releases found: site, rule, sentence, remedy."""
    return [found | _in_words(found["site"], found) for found in not_accepted_of_record(connection, record_id)]


def told_of_release(connection: sa.Connection, site: str, release_id: int, *, most: int) -> list[dict[str, Any]]:
    """Return records that a release left out because its site would not take them, with sentence and remedy."""
    return [found | _in_words(site, found) for found in not_accepted_of_release(connection, release_id, most=most)]


def title_of(site: str, kind: str, expectation: str) -> str:
    """Return what a rule of a receiver says; its id where the suite does not have it any more."""
    found = _rule(site, kind, expectation)
    return found.title if found else expectation


def _in_words(site: str, found: Mapping[str, Any]) -> dict[str, str]:
    expectation = _rule(site, found["kind"], found["expectation"])
    if expectation is None:
        return {"title": found["expectation"], "said": "", "remedy": ""}
    verdict = {"value": found["value"], "finding": None}
    said = say(expectation, {}, verdict, _labels(site, Kind(found["kind"])))
    return {"title": expectation.title, "said": said, "remedy": expectation.remedy}


def _rule(site: str, kind: str, expectation: str) -> Expectation | None:
    suite = load_receiver_suite(site, Kind(kind))
    return suite.by_id.get(expectation) if suite else None


@functools.cache
def _labels(site: str, kind: Kind) -> dict[str, str]:
    tables = load_sites()[site].tables
    return {column.code: column.label for table in tables if table.kind is kind for column in table.columns}
