"""Let raw deliveries go when their time is over, and never one that anything still needs.

An object may go when every delivery, register version and manifest that it belongs to is past its retention
(``transforms/policy/retention.yaml``), decided about in every row, and under no legal hold. The plan is committed
before the first object is deleted, the removal after; a process killed in between is finished by the next one.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from pipeline.journal import journaled
from pipeline.office import Office
from store import retention, runs
from store.retention import Holder, LegalHold, Removal, Scope
from store.runs import Step
from transforms.policy.retention import REGISTER, Retention, RetentionPolicy, retention_policy

_WAIT_SECONDS: Final = 60


class ArchiveBusy(RuntimeError):
    """Deliveries were being entered all the time: nothing was removed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An object past its retention that stays, and why."""

    sha256: str
    what: str
    because: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """What goes on a day, what is past its time and stays, and whether it was done or only shown."""

    as_of: dt.date
    removals: tuple[Removal, ...]
    kept: tuple[Kept, ...]
    applied: bool


def expire(
    office: Office,
    *,
    as_of: dt.date,
    apply: bool = False,
    policy: RetentionPolicy | None = None,
    tell: Callable[[Removal], object] = lambda _removal: None,
) -> Expiry:
    """Find the objects whose time is over on a day and, with ``apply``, delete them; ``tell`` hears of each.

    Raises ``ArchiveBusy`` when it cannot get the archive alone.
    """
    policy = policy or retention_policy()
    if not apply:
        with office.engine.connect() as connection:
            return _look(office, connection, as_of, policy)
    with journaled(office), _archive_alone(office) as connection:
        with connection.begin():
            found = _look(office, connection, as_of, policy)
            planned = _plan(office, connection, found)
        removed = []
        for removal in planned:
            office.archive.remove(removal.sha256)
            removed.append(replace(removal, event="removed"))
            tell(removal)
        if removed:
            with connection.begin():
                retention.enter_removals(connection, removed)
                runs.enter(connection, Step.EXPIRE, as_of, told={"removals": [_told(each) for each in removed]})
    return replace(found, applied=True)


def add_hold(office: Office, scope: Scope, *, person: str, reason: str, as_of: dt.date) -> int:
    """Keep something in the archive until further notice. Raises ValueError without a person or a reason."""
    with journaled(office), office.engine.begin() as connection:
        return retention.enter_hold(connection, scope, person=person, reason=reason, as_of=as_of)


def end_hold(office: Office, hold_no: int, *, person: str, reason: str, as_of: dt.date) -> None:
    """Release a legal hold. Raises ``store.retention.HoldUnknown`` when it is not in force."""
    with journaled(office), office.engine.begin() as connection:
        retention.release_hold(connection, hold_no, person=person, reason=reason, as_of=as_of)


def scope_of_delivery(office: Office, delivery_id: int) -> Scope:
    """Return the scope of a hold on one delivery. Raises LookupError when there is none of that number."""
    with office.engine.connect() as connection:
        query = sa.text("SELECT content_sha256 FROM delivery WHERE delivery_id = :delivery")
        content = connection.scalar(query, {"delivery": delivery_id})
    if content is None:
        raise LookupError(f"there is no delivery {delivery_id}")
    return Scope(content_sha256=content)


def enter_again(connection: sa.Connection, run_told: dict[str, Any], as_of: dt.date) -> None:
    """Enter the events of a past expiry in a replay; the objects are gone already."""
    removals = [Removal(**{**told, "due": dt.date.fromisoformat(told["due"])}) for told in run_told["removals"]]
    retention.enter_removals(connection, removals)
    runs.enter(connection, Step.EXPIRE, as_of, told=run_told)


@contextmanager
def _archive_alone(office: Office) -> Iterator[sa.Connection]:
    with office.engine.connect() as connection:
        connection.detach()  # the lock ends with this session, not with the pool's
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            with connection.begin():
                alone = retention.try_alone(connection)
            if alone:
                break
            if time.monotonic() > deadline:
                raise ArchiveBusy("deliveries are being entered: nothing was removed, run it again in a quiet hour")
            time.sleep(0.2)
        yield connection


def _look(office: Office, connection: sa.Connection, as_of: dt.date, policy: RetentionPolicy) -> Expiry:
    by_object: dict[str, list[Holder]] = defaultdict(list)
    for holder in retention.holders(connection):
        by_object[holder.sha256].append(holder)
    past = {
        sha256: (rule, due)
        for sha256, held_by in by_object.items()
        if (rule_and_due := _newest_due(held_by, policy)) is not None
        for rule, due in [rule_and_due]
        if due <= as_of and sha256 in office.archive
    }
    needed = _Needs(office, connection, policy, as_of, [h for sha256 in past for h in by_object[sha256]])
    removals, kept = [], []
    for sha256, (rule, due) in sorted(past.items()):
        what = "; ".join(sorted({_named(holder) for holder in by_object[sha256]}))
        because = needed.reasons(sha256, by_object[sha256])
        if because:
            kept.append(Kept(sha256, what, "; ".join(because)))
        else:
            removals.append(Removal(sha256, "planned", due, rule.id, what, as_of))
    return Expiry(as_of, tuple(removals), tuple(kept), applied=False)


def _newest_due(held_by: Sequence[Holder], policy: RetentionPolicy) -> tuple[Retention, dt.date] | None:
    """The rule and day of whatever keeps an object longest; None when something keeps it for ever."""
    found = []
    for holder in held_by:
        rule = policy.rule(holder.kind, holder.day)
        if rule is None:
            return None
        found.append((rule, rule.due(holder.day)))
    return max(found, key=lambda each: each[1])


class _Needs:
    """Who needs what, asked for once for all objects that are past their time."""

    def __init__(
        self,
        office: Office,
        connection: sa.Connection,
        policy: RetentionPolicy,
        as_of: dt.date,
        past: Sequence[Holder],
    ) -> None:
        ids = sorted({holder.holder_id for holder in past if holder.what == "delivery"})
        self._states: Final = retention.rows_by_state(connection, ids)
        self._needed_while: Final = policy.needed_while
        self._holds: Final = [hold for hold in retention.holds(connection) if hold.released_by is None]
        usccs = {hold.scope.uscc for hold in self._holds if hold.scope.uscc is not None}
        self._about: Final = retention.deliveries_about(connection, usccs)
        self._pieces: Final = retention.open_pieces(connection)
        self._register_in_force: Final = _register_in_force(connection)
        self._manifests: Final = _unexpired_manifests(office, policy, as_of)

    def reasons(self, sha256: str, held_by: Sequence[Holder]) -> list[str]:
        found = [f"a pull that is not complete needs {sha256[:12]}"] if sha256 in self._pieces else []
        found += [f"manifest {name[:12]} is kept until {due}" for name, due in self._manifests.get(sha256, [])]
        for holder in held_by:
            found += [f"{_named(holder)}: {reason}" for reason in self._of_holder(holder)]
        return found

    def _of_holder(self, holder: Holder) -> Iterator[str]:
        if holder.what == "register":
            if holder.holder_id >= self._register_in_force:
                yield "the register in force stands on it"
        else:
            if holder.state not in ("checked", "refused"):
                yield f"{holder.state}, nobody has decided"
            for state, rows in sorted(self._states[holder.holder_id].items()):
                if state in self._needed_while:
                    yield f"{rows} rows {state}"
        for hold in self._holds:
            if self._covers(hold, holder):
                yield f"legal hold {hold.hold_no} ({hold.person}: {hold.reason})"

    def _covers(self, hold: LegalHold, holder: Holder) -> bool:
        scope = hold.scope
        if scope.content_sha256 is not None:
            return holder.content_sha256 == scope.content_sha256
        if scope.uscc is not None:
            return holder.what == "delivery" and scope.uscc in self._about.get(holder.holder_id, ())
        return scope.from_day is not None and scope.to_day is not None and scope.from_day <= holder.day <= scope.to_day


def _register_in_force(connection: sa.Connection) -> int:
    """The newest full set; it and the change sets after it make the register of today."""
    query = "SELECT coalesce(max(register_version) FILTER (WHERE mode = 'full'), 0) FROM register_version"
    return int(connection.scalar(sa.text(query)) or 0)


def _unexpired_manifests(
    office: Office, policy: RetentionPolicy, as_of: dt.date
) -> dict[str, list[tuple[str, dt.date | str]]]:
    """Manifests that are not past their time, by the objects that they name: the ledger may know less than they."""
    found: dict[str, list[tuple[str, dt.date | str]]] = defaultdict(list)
    for name, manifest in office.archive.manifests():
        day = dt.date.fromisoformat(manifest["as_of"])
        rule = policy.rule(manifest["kind"], day)
        if rule is None or rule.due(day) > as_of:
            for file in manifest.get("files", []):
                found[file["sha256"]].append((name, rule.due(day) if rule else "further notice"))
    return found


def _plan(office: Office, connection: sa.Connection, found: Expiry) -> list[Removal]:
    """Enter what is going to be deleted, with what an earlier run planned and could not finish."""
    newest = retention.newest_removals(connection)
    unfinished = {sha256: removal for sha256, removal in newest.items() if removal.event == "planned"}
    going = {removal.sha256: removal for removal in found.removals}
    retention.enter_removals(connection, [each for sha256, each in going.items() if sha256 not in unfinished])
    spared = [
        replace(removal, event="spared", as_of=found.as_of)
        for sha256, removal in unfinished.items()
        if sha256 not in going and sha256 in office.archive
    ]
    retention.enter_removals(connection, spared)
    gone = [removal for sha256, removal in unfinished.items() if sha256 not in office.archive]
    return [*gone, *going.values()]


def _named(holder: Holder) -> str:
    if holder.kind == REGISTER:
        return f"register version {holder.holder_id} of {holder.day}"
    return f"delivery {holder.holder_id} of {holder.agency} {holder.kind} {holder.day}"


def _told(removal: Removal) -> dict[str, Any]:
    return {
        "sha256": removal.sha256, "event": removal.event, "due": removal.due.isoformat(), "policy": removal.policy,
        "what": removal.what, "as_of": removal.as_of.isoformat(),
    }  # fmt: skip
