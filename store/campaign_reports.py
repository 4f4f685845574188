"""Summary reports of a special action as they were made: every version, so that each can be shown again.

Works inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from store import audit
from store.schema import campaign_report


class ReportUnknown(LookupError):
    """No report of that day and version was made."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report as it was made. ``content`` is JSON; ``new`` where this call entered it."""

    report_id: int
    action: str
    as_of: dt.date
    version: int
    content: str
    sha256: str
    new: bool = False


def keep(connection: sa.Connection, *, action: str, as_of: dt.date, content: str, person: str) -> KeptReport:
    """Enter a report as the next version of its day, with an event in the audit log.

    What says the same as the newest version of the day is that version: nothing is entered.
    """
    lock = sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))")
    connection.execute(lock, {"name": f"campaign_report {action} {as_of}"})
    newest = _newest(connection, action, as_of, None)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    if newest is not None and newest.sha256 == sha256:
        return newest
    values = {
        "action": action, "as_of": as_of, "version": newest.version + 1 if newest else 1, "sha256": sha256,
        "person": person,
    }  # fmt: skip
    entered = sa.insert(campaign_report).values(content=content, **values).returning(campaign_report.c.report_id)
    report_id = connection.execute(entered).scalar_one()
    audit.append(
        connection, actor=person, action="campaign_report", about=f"campaign_report:{report_id}", details=values
    )
    return KeptReport(report_id, action, as_of, int(str(values["version"])), content, sha256, new=True)


def read(connection: sa.Connection, action: str, as_of: dt.date, version: int | None = None) -> KeptReport:
    """Return a version of a day's report, the newest where none is named. Raises ``ReportUnknown``."""
    found = _newest(connection, action, as_of, version)
    if found is None:
        which = "report" if version is None else f"version {version} of the report"
        raise ReportUnknown(f"no {which} of {action} as of {as_of} was made")
    return found


def _newest(connection: sa.Connection, action: str, as_of: dt.date, version: int | None) -> KeptReport | None:
    t = campaign_report.c
    query = (
        sa.select(t.report_id, t.action, t.as_of, t.version, t.content, t.sha256)
        .where(t.action == action, t.as_of == as_of, sa.true() if version is None else t.version == version)
        .order_by(t.version.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else KeptReport(*row)
