"""What agencies report by hand for a special action (专项行动填报): every version, and what was said of each.

A return is one agency's figures of one month, by district and item. Who submits it again makes the next version, of
what that person saw: where another version came in between, nothing is entered. A version is ``submitted`` until a
steward of the platform says ``accepted`` or ``sent_back``. Of an agency and month, the newest version counts that was
accepted, or that is the newest of all and was not sent back: what an agency itself replaced does not come back. Every
function works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import sqlalchemy as sa

from store import audit
from store.holds import person_key
from store.schema import campaign_figure, campaign_return, campaign_return_decision

CITY: Final = "110000"
"""Stands for the whole city where an item is not told by districts."""
Decision = Literal["accepted", "sent_back"]
Figures = Mapping[tuple[str, str], Decimal]
"""Values by district and item."""

_STATE: Final = """
SELECT r.return_id, r.action, r.agency, r.period, r.version, r.person, r.reason, r.warnings, r.as_of, r.at,
       coalesce(d.decision, 'submitted') AS state, d.person AS decided_by, d.reason AS decided_because,
       d.as_of AS decided_on,
       row_number() OVER (PARTITION BY r.action, r.agency, r.period ORDER BY r.version DESC) = 1 AS newest
FROM campaign_return r LEFT JOIN LATERAL (
    SELECT decision, person, reason, as_of FROM campaign_return_decision c
    WHERE c.return_id = r.return_id AND (CAST(:on AS date) IS NULL OR c.as_of <= :on)
    ORDER BY c.decision_id DESC LIMIT 1
) d ON true
WHERE r.action = :action AND (CAST(:on AS date) IS NULL OR r.as_of <= :on)
  AND (CAST(:agency AS text) IS NULL OR r.agency = :agency) AND (CAST(:period AS text) IS NULL OR r.period = :period)
"""
_COUNTING: Final = f"""
WITH told AS ({_STATE})
SELECT DISTINCT ON (agency, period) agency, period, version, state, return_id FROM told
WHERE state = 'accepted' OR (newest AND state = 'submitted') ORDER BY agency, period, version DESC
"""  # noqa: S608 (own names)


class ReturnUnknown(LookupError):
    """There is no such version of a return."""


class ReturnChanged(RuntimeError):
    """Another version came in, or something was said of it, since the person looked."""


class ReturnRefused(RuntimeError):
    """The decision cannot be made as things stand; the message says why."""


@dataclass(frozen=True, slots=True)
class ReturnVersion:
    """One version of an agency's return of a month. ``state``: submitted, accepted, sent_back."""

    return_id: int
    action: str
    agency: str
    period: str
    version: int
    person: str
    reason: str
    warnings: Sequence[str]
    as_of: dt.date
    at: dt.datetime
    state: str
    decided_by: str | None
    decided_because: str | None
    decided_on: dt.date | None
    newest: bool


@dataclass(frozen=True, slots=True)
class ReturnedFigure:
    """A value that counts. ``district`` is ``110000`` where the agency told the item for the whole city."""

    agency: str
    period: str
    district: str
    item: str
    value: Decimal
    version: int
    state: str


def returned_figures(connection: sa.Connection, action: str, on: dt.date | None = None) -> list[ReturnedFigure]:
    """Return the values of an action that count, by agency, month, district and item.

    ``on`` is the business day as of which they are asked for: what was submitted or said later is not known yet.
    """
    query = sa.text(
        f"SELECT c.agency, c.period, f.district, f.item, f.value, c.version, c.state FROM ({_COUNTING}) c"  # noqa: S608
        " JOIN campaign_figure f USING (return_id) ORDER BY c.agency, c.period, f.district, f.item"
    )
    asked = {"action": action, "on": on, "agency": None, "period": None}
    return [ReturnedFigure(*row) for row in connection.execute(query, asked)]


def versions(
    connection: sa.Connection, action: str, *, agency: str | None = None, period: str | None = None
) -> list[ReturnVersion]:
    """Return the versions of returns by agency and month, newest first."""
    query = sa.text(f"{_STATE} ORDER BY r.agency, r.period, r.version DESC")
    asked = {"action": action, "on": None, "agency": agency, "period": period}
    return [ReturnVersion(*row) for row in connection.execute(query, asked)]


def figures_of(connection: sa.Connection, return_id: int) -> dict[tuple[str, str], Decimal]:
    """Return the values of one version by district and item."""
    f = campaign_figure.c
    query = sa.select(f.district, f.item, f.value).where(f.return_id == return_id).order_by(f.district, f.item)
    return {(row.district, row.item): row.value for row in connection.execute(query)}


def submit(
    connection: sa.Connection,
    *,
    action: str,
    agency: str,
    period: str,
    seen: int,
    figures: Figures,
    warnings: Sequence[str],
    person: str,
    reason: str,
    as_of: dt.date,
) -> ReturnVersion:
    """Enter the next version of a return, with an event in the audit log.

    ``seen`` is the version that the person saw, 0 for none. Raises ``ReturnChanged``.
    """
    newest = _lock(connection, action, agency, period)
    if (newest.version if newest else 0) != seen:
        raise ReturnChanged(
            f"{agency} {period} of {action} is at version {newest.version if newest else 0}, not {seen}"
        )
    return_id = connection.execute(
        sa.insert(campaign_return)
        .values(
            action=action, agency=agency, period=period, version=seen + 1, person=person.strip(),
            reason=reason.strip(), warnings=list(warnings), as_of=as_of,
        )
        .returning(campaign_return.c.return_id)
    ).scalar_one()  # fmt: skip
    rows = [
        {"return_id": return_id, "district": district, "item": item, "value": value}
        for (district, item), value in figures.items()
    ]
    if rows:
        connection.execute(sa.insert(campaign_figure), rows)
    told: dict[str, Any] = {
        "version": seen + 1, "warnings": list(warnings), "reason": reason.strip(), "as_of": as_of,
        "figures": {f"{district}/{item}": str(value) for (district, item), value in sorted(figures.items())},
    }  # fmt: skip
    audit.append(
        connection, actor=person.strip(), action="campaign_return", about=_about(action, agency, period), details=told
    )
    return versions(connection, action, agency=agency, period=period)[0]


def decide(
    connection: sa.Connection,
    *,
    action: str,
    agency: str,
    period: str,
    version: int,
    state: str,
    decision: Decision,
    person: str,
    reason: str,
    as_of: dt.date,
) -> ReturnVersion:
    """Accept the newest version of a return, or send it back, with an event in the audit log.

    ``version`` and ``state`` are what the person saw. Raises ``ReturnUnknown``, ``ReturnChanged``; ``ReturnRefused``
    where the person submitted it, where it was decided so already, or where what was sent back would be accepted
    without another version.
    """
    newest = _lock(connection, action, agency, period)
    if newest is None:
        raise ReturnUnknown(f"{agency} has no return of {period} for {action}")
    if (newest.version, newest.state) != (version, state):
        raise ReturnChanged(f"{agency} {period} of {action} is at version {newest.version} ({newest.state})")
    if state in (decision, "sent_back"):
        raise ReturnRefused(f"version {version} is {state}: {decision} cannot follow")
    if decision == "accepted" and person_key(person) == person_key(newest.person):
        raise ReturnRefused(f"{person} submitted version {version}: another person accepts it")
    connection.execute(
        sa.insert(campaign_return_decision).values(
            return_id=newest.return_id, decision=decision, person=person.strip(), reason=reason.strip(), as_of=as_of
        )
    )
    told = {"version": version, "decision": decision, "reason": reason.strip(), "as_of": as_of}
    audit.append(
        connection,
        actor=person.strip(),
        action="campaign_return_decision",
        about=_about(action, agency, period),
        details=told,
    )
    return versions(connection, action, agency=agency, period=period)[0]


def _about(action: str, agency: str, period: str) -> str:
    return f"campaign_return:{action}/{agency}/{period}"


def _lock(connection: sa.Connection, action: str, agency: str, period: str) -> ReturnVersion | None:
    """Keep others from this return until the transaction ends, and return its newest version."""
    name = _about(action, agency, period)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
    found = versions(connection, action, agency=agency, period=period)
    return found[0] if found else None
