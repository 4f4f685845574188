"""Run a suite with Great Expectations Core and say which rows failed which expectation.

Great Expectations decides; this module only asks it and keeps its counts. Its pandas engine returns every failing
row (its SQL engines cut the list). Progress bars and analytics are switched off before it is imported.
"""

from __future__ import annotations

import functools
import logging
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.suite import Suite

_ASKS_PRESENCE: Final = {"expect_column_values_to_be_null", "expect_column_values_to_not_be_null"}
_RESULT_FORMAT: Final = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "include_unexpected_rows": False}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation over one batch: rows looked at, rows that Great Expectations counted as failing, and which."""

    evaluated: int
    unexpected: int
    positions: npt.NDArray[np.int64]


class SuiteFailed(RuntimeError):
    """Great Expectations raised instead of judging, or its row list and its count differ."""


def judge(columns: Mapping[str, pa.Array], suite: Suite) -> dict[str, Outcome]:
    """Judge one batch; answer per expectation id.

    ``columns`` holds at least the columns that the suite names, all of one length. ``positions`` count rows of the
    batch from 0. Raises ``SuiteFailed`` when an expectation could not be computed: no verdict is better than a
    silent pass.
    """
    return judge_asked(asked_of(columns, suite), suite)


def asked_of(columns: Mapping[str, pa.Array], suite: Suite) -> pa.RecordBatch:
    """Return what the suite asks of the columns, as narrow as the question allows.

    Great Expectations hashes the whole frame twice and holds several copies. Where it is only asked whether a value is
    there, the column says just that: true or false.
    """
    asked = _columns_by_presence(suite)
    return pa.RecordBatch.from_pydict(
        {name: pc.is_valid(columns[name]) if presence else columns[name] for name, presence in asked.items()}
    )


def judge_asked(asked: pa.RecordBatch, suite: Suite) -> dict[str, Outcome]:
    """Judge what ``asked_of`` returned for the same suite; answers and errors as ``judge``.

    Great Expectations takes some milliseconds for each question, and most findings of a batch were made on no row at
    all. Columns that hold nothing are equal: what is asked of several is asked of one, and the answer holds for each.
    """
    asked_for = _asked_for(asked, suite)
    questions = suite.part(asked_for.values())
    validated = _batch(_frame(asked, questions)).validate(_gx_suite(questions), result_format=_RESULT_FORMAT)
    answers: dict[str, Outcome] = {}
    for result in validated.results:
        expectation_id = result.expectation_config.meta["id"]
        if raised := _raised(result.exception_info):
            raise SuiteFailed(f"{suite.label} {expectation_id}: {raised}")
        found = result.result
        positions = np.asarray(found.get("unexpected_index_list") or [], dtype=np.int64)
        if len(positions) != found["unexpected_count"]:
            raise SuiteFailed(
                f"{suite.label} {expectation_id}: {len(positions)} rows listed, {found['unexpected_count']} counted"
            )
        answers[expectation_id] = Outcome(found["element_count"], found["unexpected_count"], positions)
    if missing := {asked_for[expectation.id] for expectation in suite.expectations} - answers.keys():
        raise SuiteFailed(f"{suite.label}: no result for {', '.join(sorted(missing))}")
    return {expectation.id: answers[asked_for[expectation.id]] for expectation in suite.expectations}


def _asked_for(asked: pa.RecordBatch, suite: Suite) -> dict[str, str]:
    """Return, by expectation id, the id of the one that is asked: the first that asks the same of a column as empty."""
    presence = _columns_by_presence(suite)
    empty = {name for name in asked.schema.names if presence[name] and not pc.any(asked[name]).as_py()}
    first: dict[tuple[str, str], str] = {}
    asked_for = {}
    for each in suite.expectations:
        if each.column in empty:
            conditions = repr(sorted((name, value) for name, value in each.kwargs.items() if name != "column"))
            asked_for[each.id] = first.setdefault((each.type, conditions), each.id)
        else:
            asked_for[each.id] = each.id
    return asked_for


def _raised(exception_info: Mapping[str, Any]) -> str:
    """What Great Expectations raised: told for the expectation as a whole, or one entry per metric."""
    told = [exception_info] if "raised_exception" in exception_info else exception_info.values()
    return "; ".join(sorted({str(entry["exception_message"]) for entry in told if entry["raised_exception"]}))


def _frame(asked: pa.RecordBatch, suite: Suite) -> pd.DataFrame:
    """Presence is 1.0 or NaN, the cheapest column that Great Expectations can tell null from not null in."""
    return pd.DataFrame(
        {
            name: np.where(asked[name].to_numpy(zero_copy_only=False), 1.0, np.nan)
            if presence
            else pd.Series(pd.array(asked[name], dtype=pd.ArrowDtype(asked[name].type)))
            for name, presence in _columns_by_presence(suite).items()
        }
    )


@functools.lru_cache(maxsize=64)
def _columns_by_presence(suite: Suite) -> dict[str, bool]:
    """The columns that a suite reads; true where all its questions about one are whether a value is there."""
    types: dict[str, set[str]] = defaultdict(set)
    for expectation in suite.expectations:
        types[expectation.column].add(expectation.type)
    return {column: asked <= _ASKS_PRESENCE for column, asked in types.items()}


@functools.cache
def great_expectations() -> Any:
    """Import Great Expectations, quietly and without analytics; it takes seconds, and only who asks it pays for it."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as library  # noqa: PLC0415

    return library


@functools.cache
def _batch_definition() -> Any:
    gx = great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("deliveries")
    return source.add_dataframe_asset("batch").add_batch_definition_whole_dataframe("rows")


def _batch(frame: pd.DataFrame) -> Any:
    return _batch_definition().get_batch(batch_parameters={"dataframe": frame})


@functools.lru_cache(maxsize=64)
def _gx_suite(suite: Suite) -> Any:
    gx = great_expectations()
    configurations = [
        {"type": e.type, "kwargs": e.kwargs, "meta": {"id": e.id, "severity": e.severity}} for e in suite.expectations
    ]
    return gx.ExpectationSuite(name=suite.label, expectations=configurations)


def warm_up() -> None:
    """Import Great Expectations and build its context, so that a caller can do it beside other work."""
    _batch_definition()
