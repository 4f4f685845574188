"""The ledger of the raw archive: what was removed and when it was due, what a legal hold keeps, who needs an object.

Every function works inside the caller's transaction. Nothing here is ever changed or deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from store import runs
from store.runs import Step
from store.schema import RECORDS, archive_removal, delivery, delivery_file, legal_hold, register_version
from store.typed_text import require_no_number

Event = Literal["planned", "removed", "spared"]
LOCK: Final = "archive"
"""Shared by whoever enters an object in the ledger, held alone by whoever removes objects."""


class HoldUnknown(LookupError):
    """There is no legal hold of that number in force."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One event in the life of an object that had to go."""

    sha256: str
    event: Event
    due: dt.date
    policy: str
    what: str
    as_of: dt.date


@dataclass(frozen=True, slots=True)
class Scope:
    """What a legal hold keeps: one delivery (by the hash of its content), one enterprise, or a range of days."""

    content_sha256: str | None = None
    uscc: str | None = None
    from_day: dt.date | None = None
    to_day: dt.date | None = None

    def __post_init__(self) -> None:
        """Raises ValueError unless it names exactly one of the three."""
        named = [self.content_sha256 is not None, self.uscc is not None, self.from_day is not None]
        if sum(named) != 1 or (self.from_day is None) != (self.to_day is None):
            raise ValueError("a legal hold names one delivery, or one enterprise, or a range of days")
        if self.from_day is not None and self.to_day is not None and self.to_day < self.from_day:
            raise ValueError("the range of days ends before it begins")


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A legal hold, and who released it where somebody did."""

    hold_no: int
    scope: Scope
    person: str
    reason: str
    as_of: dt.date
    released_by: str | None
    released_because: str | None
    released_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Something that an object belongs to: a delivery or a register version, by its id, with day and kind."""

    sha256: str
    what: Literal["delivery", "register"]
    holder_id: int
    agency: str
    kind: str
    day: dt.date
    state: str
    content_sha256: str


def try_alone(connection: sa.Connection) -> bool:
    """Take the archive alone for this session; false while a delivery is being entered."""
    return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(hashtext(:name))"), {"name": LOCK}))


def holders(connection: sa.Connection) -> list[Holder]:
    """Return everything that the ledger says an object belongs to, in the order of hashes."""
    of_deliveries = sa.select(
        delivery_file.c.sha256, sa.literal("delivery"), delivery.c.delivery_id, delivery.c.agency, delivery.c.kind,
        delivery.c.as_of, delivery.c.state, delivery.c.content_sha256,
    ).join(delivery, delivery.c.delivery_id == delivery_file.c.delivery_id)  # fmt: skip
    of_register = sa.select(
        register_version.c.sha256, sa.literal("register"), register_version.c.register_version,
        sa.literal("register"), sa.literal("register"), register_version.c.as_of, register_version.c.mode,
        register_version.c.sha256,
    )  # fmt: skip
    return [Holder(*row) for row in connection.execute(sa.union_all(of_deliveries, of_register).order_by(sa.text("1")))]


def open_pieces(connection: sa.Connection) -> set[str]:
    """Return the objects of pulls that are not complete."""
    query = "SELECT sha256 FROM collection_piece JOIN collection USING (collection_id) WHERE state = 'open'"
    return set(connection.scalars(sa.text(query)))


def collected_pieces(connection: sa.Connection) -> set[str]:
    """Return the objects of all pulls."""
    return set(connection.scalars(sa.text("SELECT DISTINCT sha256 FROM collection_piece")))


def rows_by_state(connection: sa.Connection, delivery_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return rows per state (view ``row_state``) of each of the deliveries."""
    found: dict[int, dict[str, int]] = {delivery_id: {} for delivery_id in delivery_ids}
    query = (
        "SELECT delivery_id, state, count(*) AS rows FROM row_state WHERE delivery_id = ANY(:ids)"
        " GROUP BY delivery_id, state"
    )
    for row in connection.execute(sa.text(query), {"ids": list(delivery_ids)}):
        found[row.delivery_id][row.state] = row.rows
    return found


def enter_removals(connection: sa.Connection, removals: Iterable[Removal]) -> None:
    """Append events."""
    rows = [
        {"sha256": r.sha256, "event": r.event, "due": r.due, "policy": r.policy, "what": r.what, "as_of": r.as_of}
        for r in removals
    ]
    if rows:
        connection.execute(sa.insert(archive_removal), rows)


def newest_removals(connection: sa.Connection) -> dict[str, Removal]:
    """Return the newest event of every object that ever had one."""
    query = (
        "SELECT DISTINCT ON (sha256) sha256, event, due, policy, what, as_of FROM archive_removal"
        " ORDER BY sha256, removal_id DESC"
    )
    return {row.sha256: Removal(*row) for row in connection.execute(sa.text(query))}


def enter_hold(connection: sa.Connection, scope: Scope, *, person: str, reason: str, as_of: dt.date) -> int:
    """Append a legal hold and return its number.

    Raises ValueError without a person or a reason, and where one of them holds a number of a person.
    """
    if not person.strip() or not reason.strip():
        raise ValueError("a legal hold needs a person and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)
    runs.hold_still(connection, LOCK)
    connection.execute(sa.text("LOCK TABLE legal_hold IN SHARE ROW EXCLUSIVE MODE"))
    hold_no = int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(legal_hold.c.hold_no), 0) + 1)) or 1)
    _append(connection, hold_no, "added", scope, person=person, reason=reason, as_of=as_of)
    return hold_no


def release_hold(connection: sa.Connection, hold_no: int, *, person: str, reason: str, as_of: dt.date) -> None:
    """Append the release of a hold. Raises HoldUnknown where none of that number is in force; ValueError as above."""
    if not person.strip() or not reason.strip():
        raise ValueError("the release of a legal hold needs a person and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)
    connection.execute(sa.text("LOCK TABLE legal_hold IN SHARE ROW EXCLUSIVE MODE"))
    in_force = {hold.hold_no: hold for hold in holds(connection) if hold.released_by is None}
    if hold_no not in in_force:
        raise HoldUnknown(f"there is no legal hold {hold_no} in force")
    scope = in_force[hold_no].scope
    _append(connection, hold_no, "released", scope, person=person, reason=reason, as_of=as_of)


def enter_again(connection: sa.Connection, told: Mapping[str, Any], as_of: dt.date) -> None:
    """Enter a past event of a legal hold again, as a replay does."""
    days = {name: told[name] and dt.date.fromisoformat(told[name]) for name in ("from_day", "to_day")}
    scope = Scope(told["content_sha256"], told["uscc"], **days)
    _append(
        connection, told["hold_no"], told["event"], scope, person=told["person"], reason=told["reason"], as_of=as_of
    )


def holds(connection: sa.Connection) -> list[LegalHold]:
    """Return all legal holds in the order of their numbers."""
    rows = connection.execute(sa.select(legal_hold).order_by(legal_hold.c.event_id)).all()
    releases = {row.hold_no: row for row in rows if row.event == "released"}
    found = []
    for row in rows:
        if row.event == "added":
            ended = releases.get(row.hold_no)
            scope = Scope(row.content_sha256, row.uscc, row.from_day, row.to_day)
            found.append(
                LegalHold(
                    row.hold_no, scope, row.person, row.reason, row.as_of, ended.person if ended else None,
                    ended.reason if ended else None, ended.as_of if ended else None,
                )
            )  # fmt: skip
    return found


def deliveries_about(connection: sa.Connection, usccs: Collection[str]) -> dict[int, set[str]]:
    """Return the deliveries with a row that names, or was ever attached to, one of these enterprises."""
    received = " UNION ALL ".join(
        f"SELECT record_id, delivery_id, uscc FROM {table.name}"  # noqa: S608 (own names)
        for table in RECORDS.values()
    )
    query = (
        f"WITH received AS ({received}) SELECT delivery_id, uscc FROM received WHERE uscc = ANY(:usccs)"  # noqa: S608
        " UNION SELECT r.delivery_id, a.uscc FROM attachment a JOIN received r USING (record_id)"
        " WHERE a.uscc = ANY(:usccs)"
    )
    found: dict[int, set[str]] = {}
    if usccs:
        for delivery_id, uscc in connection.execute(sa.text(query), {"usccs": list(usccs)}):
            found.setdefault(delivery_id, set()).add(uscc)
    return found


def _append(
    connection: sa.Connection, hold_no: int, event: str, scope: Scope, *, person: str, reason: str, as_of: dt.date
) -> None:
    values: Mapping[str, Any] = {
        "hold_no": hold_no, "event": event, "content_sha256": scope.content_sha256, "uscc": scope.uscc,
        "from_day": scope.from_day, "to_day": scope.to_day, "person": person.strip(), "reason": reason.strip(),
    }  # fmt: skip
    connection.execute(sa.insert(legal_hold).values(**values, as_of=as_of))
    told = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}
    runs.enter(connection, Step.LEGAL_HOLD, as_of, told=told)
