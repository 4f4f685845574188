"""Which record took the place of one that was withdrawn: a corrected 文书号 or name gives a record another key.

A row that gave way names the row that holds now (``superseded_by``); what it names may have given way since. Such rows
are few: a correction each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import sqlalchemy as sa

from pipeline.engine import Engine
from pipeline.office import Office
from store.bulk import read_batches
from store.schema import withdrawal
from transforms.columns import TEXT, Kind

REPLACED: Final = "replaced"
"""Why a record is withdrawn that goes by another key."""

_SUCCESSORS: Final = """
WITH RECURSIVE chain AS (
    SELECT r.record_key, r.superseded_by AS record_id FROM {kind} r
    WHERE r.record_id IN (SELECT w.record_id FROM withdrawal w WHERE w.kind = '{kind}' AND w.reason = '{replaced}')
      AND r.superseded_by IS NOT NULL
    UNION
    SELECT c.record_key, r.superseded_by FROM chain c JOIN {kind} r USING (record_id) WHERE r.superseded_by IS NOT NULL
)
SELECT c.record_key, r.record_key AS successor_key, max(r.record_id) AS successor_id
FROM chain c JOIN {kind} r USING (record_id)
WHERE r.state = 'accepted' AND r.record_key <> c.record_key
GROUP BY 1, 2
"""
"""A set of pairs (UNION, not ALL): a ring of rows, which no step makes, would end it too."""

_SCHEMA: Final = pa.schema([("record_key", TEXT), ("successor_key", TEXT), ("successor_id", pa.int64())])


def load_successors(
    office: Office, engine: Engine, connection: sa.Connection, kinds: Iterable[Kind]
) -> dict[Kind, ir.Table]:
    """Return, per kind that has any, the keys that were given up: record_key, successor_key, successor_id."""
    replaced = sa.select(withdrawal.c.kind).where(withdrawal.c.reason == REPLACED).distinct()
    given_up = set(connection.scalars(replaced))
    return {
        kind: engine.load(
            f"{kind}_successors",
            _SCHEMA,
            read_batches(office.bulk_url, _SUCCESSORS.format(kind=kind.value, replaced=REPLACED)),
        )
        for kind in kinds
        if kind.value in given_up
    }


def inherited(before: ir.Table, successors: ir.Table) -> ir.Table:
    """Return ``before`` (record_key, first_shown, ended_id, ended) with successors first shown when the earliest was.

    The clock of a record does not start again because its key was put right (domain 3.5).
    """
    replaced = successors.select(replaced_key=successors.record_key, successor_key=successors.successor_key)
    taken_over = before.inner_join(replaced, before.record_key == replaced.replaced_key)
    taken_over = taken_over.select(
        record_key=taken_over.successor_key,
        first_shown=taken_over.first_shown,
        ended_id=ibis.null("int64"),
        ended=ibis.null("date"),
    )
    every = ibis.union(before, taken_over, distinct=False)
    return every.group_by("record_key").aggregate(
        first_shown=every.first_shown.min(), ended_id=every.ended_id.max(), ended=every.ended.max()
    )


def shown_successors(successors: ir.Table, decided: ir.Table) -> ir.Table:
    """Return replaced_key (unique) and successor_key of those whose successor is shown: of several, the newest."""
    shown = decided.filter(decided.shown).select(shown_key=decided.record_key)
    found = successors.inner_join(shown, successors.successor_key == shown.shown_key)
    return found.group_by(replaced_key=found.record_key).aggregate(
        successor_key=found.successor_key.argmax(found.successor_id)
    )
