"""Deletion by absence: what a full set no longer holds is withdrawn, what it holds again stands again.

Part of taking a delivery in, inside its transaction, so that a held or cut-off delivery withdraws nothing. A set in
which even one row cannot be told the record of proves no absence: the missing record may be that row. Then nothing is
withdrawn and the file's problems say so.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from store import withdrawals
from store.deliveries import Delivery
from transforms.problems import Problem


@dataclass(frozen=True, slots=True)
class Followed:
    """Records withdrawn because they are absent, records that stand again, and what kept absence from being told."""

    withdrawn: int
    reinstated: int
    problems: tuple[Problem, ...] = ()


def follow(connection: sa.Connection, delivery: Delivery) -> Followed:
    """Enter what the presence and absence of records in a delivery mean, once all of its rows are stored."""
    kind, day, delivery_id = delivery.record_kind, delivery.as_of, delivery.delivery_id
    back = withdrawals.reinstate(connection, kind=kind, delivery_id=delivery_id, day=day)
    if not delivery.full_set or delivery.stream is None:
        return Followed(0, back)
    source = {"agency": delivery.agency, "stream": delivery.stream}
    if withdrawals.later_set_checked(connection, kind=kind, day=day, **source):
        return Followed(0, back)
    unknown = withdrawals.rows_without_key(connection, kind=kind, delivery_id=delivery_id)
    if unknown:
        return Followed(0, back, (_nothing_proven(unknown),))
    gone = withdrawals.withdraw_absent(connection, kind=kind, delivery_id=delivery_id, day=day, **source)
    return Followed(gone, back)


def _nothing_proven(rows: int) -> Problem:
    return Problem(
        "FULL_SET",
        "warn",
        f"全量数据中有 {rows} 行无法识别所属记录, 本次不据此撤回缺失的记录",
        "请改正这些行后重新报送全量数据",
    )
