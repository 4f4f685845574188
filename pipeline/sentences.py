"""A sentence about each failed rule, with the values of the row, as people may read it (``expectations.messages``)."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from expectations.messages import say
from expectations.suite import load_suite
from store.schema import RECORDS
from transforms import personal
from transforms.columns import STANDARD_COLUMNS, TEXT, Kind, Sheet
from transforms.sheets import SHEETS


@dataclass(frozen=True, slots=True)
class Failed:
    """A rule that a row of records failed: value and finding as its verdict has them."""

    kind: str
    record_id: int
    rule: str
    value: str | None
    finding: str | None


def sentences(connection: sa.Connection, failed: Iterable[Failed]) -> list[str]:
    """Return a sentence for each failure, in order; empty where no suite has the rule, as for damaged rows.

    ID numbers and telephones are masked, whatever column of the row they stand in.
    """
    listed = list(failed)
    wanted: dict[str, set[int]] = defaultdict(set)
    for each in listed:
        wanted[each.kind].add(each.record_id)
    rows = {(kind, row["record_id"]): row for kind, ids in wanted.items() for row in _rows(connection, kind, ids)}
    told = [_said(each, rows.get((each.kind, each.record_id))) for each in listed]
    return [str(text) for text in personal.without_numbers(pa.array(told, TEXT)).to_pylist()]


def _rows(connection: sa.Connection, kind: str, ids: Iterable[int]) -> list[dict[str, Any]]:
    if kind not in tuple(Kind):
        return []
    table = RECORDS[Kind(kind)]
    named = [table.c[name] for name in ("record_id", "sheet", "as_of", *STANDARD_COLUMNS[Kind(kind)])]
    found = connection.execute(sa.select(*named).where(table.c.record_id.in_(sorted(ids)))).mappings()
    return [dict(row) for row in found]


def _said(failed: Failed, row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    kind, sheet = Kind(failed.kind), Sheet(row["sheet"])
    expectation = load_suite(kind, sheet).by_id.get(failed.rule)
    if expectation is None:
        return ""
    return say(expectation, row, {"value": failed.value, "finding": failed.finding}, _labels(kind, sheet))


@functools.cache
def _labels(kind: Kind, sheet: Sheet) -> dict[str, str]:
    return {column.target: column.label for column in SHEETS[kind, sheet].columns}
