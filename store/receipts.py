"""Receipts of sites as the ledger has them, and whether each agrees with the release that it speaks of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store import audit
from store.schema import receipt, release
from store.typed_text import masked_told, require_no_number


class ReleaseUnknown(LookupError):
    """There is no visible release with that number at that site."""


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt. ``differs`` names what does not agree with the release; empty where all does."""

    receipt_id: int
    site: str
    sequence: int
    manifest_sha256: str
    outcome: str
    tables: Mapping[str, int]
    problems: tuple[str, ...]
    differs: tuple[str, ...]
    person: str
    at: dt.datetime

    @property
    def acknowledged(self) -> bool:
        """Whether the site shows just what it was given."""
        return self.outcome == "applied" and not self.differs


def enter(
    connection: sa.Connection,
    *,
    site: str,
    sequence: int,
    manifest_sha256: str,
    outcome: str,
    tables: Mapping[str, int],
    problems: tuple[str, ...],
    person: str,
) -> Received:
    """Enter a receipt, held against its release; the same one again is entered once.

    The site wrote its ``problems``: numbers of persons in them are masked. Raises ``ReleaseUnknown``,
    ``typed_text.NumberTyped`` for the name of the person.
    """
    require_no_number("姓名", person)
    released = connection.execute(
        sa.select(release.c.manifest_sha256, release.c.summary).where(
            release.c.site == site, release.c.sequence == sequence, release.c.state == "visible"
        )
    ).one_or_none()
    if released is None:
        raise ReleaseUnknown(f"{site} has no release {sequence}")
    values: dict[str, Any] = {
        "site": site, "sequence": sequence, "manifest_sha256": manifest_sha256, "outcome": outcome,
        "tables": dict(sorted(tables.items())), "problems": masked_told(list(problems)),
        "differs": _differences(manifest_sha256, outcome, tables, *released), "person": person,
    }  # fmt: skip
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('receipts'))"))
    told = ("manifest_sha256", "outcome", "tables", "problems")
    for known in receipts_of(connection, site, sequence):
        if json.dumps([getattr(known, name) for name in told]) == json.dumps([values[name] for name in told]):
            return known
    number = connection.execute(sa.insert(receipt).values(**values).returning(receipt.c.receipt_id)).scalar_one()
    audit.append(connection, actor=person, action="receipt", about=f"release:{site}/{sequence}", details=values)
    return next(each for each in receipts_of(connection, site, sequence) if each.receipt_id == number)


def _differences(
    manifest_sha256: str,
    outcome: str,
    tables: Mapping[str, int],
    released_sha256: str | None,
    summary: Mapping[str, Mapping[str, Any]] | None,
) -> list[str]:
    """Name what a receipt says otherwise than the release: ``manifest``, or tables."""
    found = [] if manifest_sha256 == released_sha256 else ["manifest"]
    if outcome == "applied":
        given = {name: table["full"] for name, table in (summary or {}).items()}
        found += sorted(name for name in given.keys() | tables.keys() if given.get(name) != tables.get(name))
    return found


def receipts_of(connection: sa.Connection, site: str, sequence: int | None = None) -> list[Received]:
    """Return the receipts of a site, of one release where it is named, newest first."""
    query = sa.select(receipt).where(receipt.c.site == site).order_by(receipt.c.receipt_id.desc()).limit(200)
    if sequence is not None:
        query = query.where(receipt.c.sequence == sequence)
    return [
        Received(
            row.receipt_id, row.site, row.sequence, row.manifest_sha256, row.outcome, row.tables, tuple(row.problems),
            tuple(row.differs), row.person, row.at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip
