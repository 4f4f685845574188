"""The ledger of held deliveries: why each waits, who decided what about it, and what follows.

A hold is ``open`` until two different people approved it (``released``, its delivery is ``archived`` again and may be
taken in) or one person rejected it (``rejected``, its delivery is ``refused``). Decisions are appended, never changed.
Every function works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from store.schema import approval, delivery, hold
from store.typed_text import require_no_number

Choice = Literal["approve", "reject"]
Via = Literal["cli", "airflow", "workbench"]

APPROVALS: Final = 2
"""Different people who have to approve."""


class HoldUnknown(LookupError):
    """There is no hold with that number."""


class HoldDecided(RuntimeError):
    """The hold is not open any more: a later decision changes nothing."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What one person decided, why, when, and by which way it came in."""

    person: str
    decision: Choice
    reason: str
    via: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A held delivery. ``approved_by`` are the different people who approved, in order."""

    hold_id: int
    delivery_id: int
    agency: str
    kind: str
    stream: str | None
    as_of: dt.date
    reasons: tuple[str, ...]
    numbers: Mapping[str, Any]
    explanation: str
    state: str
    delivery_state: str
    held_at: dt.datetime
    decisions: tuple[Approval, ...]

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Names of those who approved, the first spelling of each."""
        names: dict[str, str] = {}
        for each in self.decisions:
            if each.decision == "approve":
                names.setdefault(person_key(each.person), each.person)
        return tuple(names.values())


def person_key(name: str) -> str:
    """Return a name as names are compared: 张三, ' 张三' and 'ZHANG san', 'Zhang San' are one person each."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def enter_hold(
    connection: sa.Connection,
    delivery_id: int,
    *,
    reasons: Sequence[str],
    numbers: Mapping[str, Any],
    explanation: str,
) -> int:
    """Enter why a delivery waits, and return the number of the hold."""
    values = {"delivery_id": delivery_id, "reasons": list(reasons), "numbers": dict(numbers), "state": "open"}
    statement = sa.insert(hold).values(**values, explanation=explanation).returning(hold.c.hold_id)
    return int(connection.execute(statement).scalar_one())


def read_hold(connection: sa.Connection, hold_id: int) -> Hold:
    """Read a hold with its decisions. Raises ``HoldUnknown``."""
    found = _holds(connection, hold.c.hold_id == hold_id)
    if not found:
        raise HoldUnknown(f"there is no hold {hold_id}")
    return found[0]


def hold_of_delivery(connection: sa.Connection, delivery_id: int) -> Hold | None:
    """Read the hold of a delivery, if it ever had one."""
    found = _holds(connection, hold.c.delivery_id == delivery_id)
    return found[0] if found else None


def list_holds(connection: sa.Connection, *, state: str | None = None, agency: str | None = None) -> list[Hold]:
    """Return the holds of a state and an agency, oldest first."""
    where = sa.and_(
        sa.true() if state is None else hold.c.state == state,
        sa.true() if agency is None else delivery.c.agency == agency,
    )
    return _holds(connection, where)


def decide(connection: sa.Connection, hold_id: int, *, person: str, decision: Choice, reason: str, via: Via) -> Hold:
    """Append a person's decision and draw its consequence; the hold as it stands then.

    The same person counts once, however often and however spelt. Raises ``HoldUnknown``, ``HoldDecided`` when the
    hold is not open, and ``ValueError`` where name or reason is empty or holds a number of a person.
    """
    if not person_key(person) or not reason.strip():
        raise ValueError("a decision needs a name and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)
    state = connection.scalar(sa.select(hold.c.state).where(hold.c.hold_id == hold_id).with_for_update())
    if state is None:
        raise HoldUnknown(f"there is no hold {hold_id}")
    if state != "open":
        raise HoldDecided(f"hold {hold_id} is {state} already")
    connection.execute(
        sa.insert(approval).values(
            hold_id=hold_id, person=person.strip(), person_key=person_key(person), decision=decision,
            reason=reason.strip(), via=via,
        )
    )  # fmt: skip
    decided = read_hold(connection, hold_id)
    if decision == "reject":
        _end(connection, decided, "rejected", "refused")
    elif len(decided.approved_by) >= APPROVALS:
        _end(connection, decided, "released", "archived")
    return read_hold(connection, hold_id)


def _end(connection: sa.Connection, ended: Hold, state: str, delivery_state: str) -> None:
    connection.execute(sa.update(hold).where(hold.c.hold_id == ended.hold_id).values(state=state))
    connection.execute(
        sa.update(delivery).where(delivery.c.delivery_id == ended.delivery_id).values(state=delivery_state)
    )


def _holds(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Hold]:
    query = (
        sa.select(
            hold, delivery.c.agency, delivery.c.kind, delivery.c.stream, delivery.c.as_of,
            delivery.c.state.label("delivery_state"),
        )
        .join(delivery, delivery.c.delivery_id == hold.c.delivery_id)
        .where(where)
        .order_by(hold.c.hold_id)
    )  # fmt: skip
    rows = connection.execute(query).all()
    made: dict[int, list[Approval]] = {row.hold_id: [] for row in rows}
    decisions = sa.select(approval).where(approval.c.hold_id.in_(list(made))).order_by(approval.c.approval_id)
    for each in connection.execute(decisions):
        made[each.hold_id].append(Approval(each.person, each.decision, each.reason, each.via, each.at))
    return [
        Hold(
            row.hold_id, row.delivery_id, row.agency, row.kind, row.stream, row.as_of, tuple(row.reasons), row.numbers,
            row.explanation, row.state, row.delivery_state, row.held_at, tuple(made[row.hold_id]),
        )
        for row in rows
    ]  # fmt: skip
