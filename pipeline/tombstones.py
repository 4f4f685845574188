"""Why records are not shown on a site: what the tombstones of those that were shown there will say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from pipeline.engine import Engine
from pipeline.successors import REPLACED, shown_successors
from transforms.columns import DAY, TEXT, Kind
from transforms.disclose import IN_DOUBT
from transforms.policy import withholdings

_WITHDRAWAL_SCHEMA: Final = pa.schema(
    [
        ("kind", TEXT), ("record_key", TEXT), ("reason_code", TEXT), ("effective_date", DAY), ("successor_key", TEXT),
    ]
)  # fmt: skip


def withdrawn(
    engine: Engine,
    tables: Mapping[Kind, tuple[ir.Table, ir.Table]],
    successors: Mapping[Kind, ir.Table],
    *,
    as_of: dt.date,
) -> ir.Table:
    """Return the reason of every record that is not shown.

    ``tables``: per kind the records and the decisions of the site; ``successors`` as of ``pipeline.successors``. A
    withholding that the policy dates takes effect on that day, or on the day on which the record came to be as it is,
    whichever is later. The answer has the columns that ``feeds.release.build_release`` asks of withdrawals.
    """
    schema = pa.schema([("code", TEXT), ("text", TEXT), ("basis", TEXT)])
    listed = [{"code": w.code, "text": w.reason, "basis": w.legal_basis} for w in withholdings().values()]
    reasons = engine.load("withholding_reasons", schema, [pa.RecordBatch.from_pylist(listed, schema=schema)])
    today = ibis.literal(as_of, type="date")
    parts = [engine.load("no_withdrawals", _WITHDRAWAL_SCHEMA, [])]
    for kind, (rows, decided) in tables.items():
        changed = rows.select(changed_id=rows.record_id, changed_on=rows.last_changed)
        withheld = decided.filter(~decided.shown)
        withheld = withheld.left_join(changed, withheld.record_id == changed.changed_id)
        by_policy = withheld.reason.isin(["policy_not_shown", "no_policy"])
        told = withheld.select(
            kind=ibis.literal(kind.value),
            record_key=withheld.record_key,
            reason_code=withheld.reason,
            effective_date=ibis.cases(
                (withheld.reason == "expired", withheld.since),
                (withheld.reason.isin(["not_accepted", IN_DOUBT]), today),
                (by_policy & withheld.since.isnull(), today),
                (by_policy, ibis.greatest(withheld.since, ibis.coalesce(withheld.changed_on, withheld.since))),
                else_=ibis.coalesce(withheld.changed_on, today),
            ),
        )
        parts.append(_followed(told, successors.get(kind), decided))
    every = ibis.union(*parts, distinct=False)
    every = every.left_join(reasons, every.reason_code == reasons.code)
    return every.select(
        "kind", "record_key", "reason_code", reason=every.text, legal_basis=every.basis,
        effective_date=every.effective_date, successor_key=every.successor_key,
    )  # fmt: skip


def _followed(told: ir.Table, successors: ir.Table | None, decided: ir.Table) -> ir.Table:
    """Name the record that takes the place of one that was replaced, where the site shows it."""
    if successors is None:
        return told.mutate(successor_key=ibis.null("string"))
    shown = shown_successors(successors, decided).mutate(replaced_reason=ibis.literal(REPLACED))
    named = told.left_join(shown, [told.record_key == shown.replaced_key, told.reason_code == shown.replaced_reason])
    return named.select(*told.columns, "successor_key")
