"""Releases and the disclosure decisions that they made visible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from store import runs
from store.runs import Step
from store.schema import acceptance_check, attachment, disclosure, not_accepted, release


@dataclass(frozen=True, slots=True)
class Release:
    """One release as the ledger has it; state ``building`` until its directory is visible."""

    release_id: int
    sequence: int
    as_of: dt.date
    state: str
    manifest_sha256: str | None
    summary: Mapping[str, Any] | None


def newest_release(connection: sa.Connection, site: str, state: str) -> Release | None:
    """Return the newest release of a site in a state, or None."""
    row = connection.execute(
        sa.select(
            release.c.release_id, release.c.sequence, release.c.as_of, release.c.state,
            release.c.manifest_sha256, release.c.summary,
        )
        .where(release.c.site == site, release.c.state == state)
        .order_by(release.c.sequence.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    return None if row is None else Release(*row)


def newest_attachment(connection: sa.Connection) -> int:
    """Return the id of the newest attachment, 0 before the first; what is read afterwards knows at least that one."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(attachment.c.attachment_id), 0))) or 0)


def open_release(
    connection: sa.Connection, site: str, sequence: int, as_of: dt.date, *, after_attachment: int, run_no: int
) -> int:
    """Enter a release that is being built from what was known up to an attachment, and return its id.

    ``run_no`` is the place in the order of steps at which the records were read.
    """
    return int(
        connection.execute(
            sa.insert(release)
            .values(
                site=site,
                sequence=sequence,
                as_of=as_of,
                state="building",
                after_attachment=after_attachment,
                run_no=run_no,
            )
            .returning(release.c.release_id)
        ).scalar_one()
    )


def mark_visible(
    connection: sa.Connection, release_id: int, manifest_sha256: str, summary: Mapping[str, Any] | None
) -> None:
    """Enter that a release is what readers see, and its publication among the runs."""
    published = connection.execute(
        sa.update(release)
        .where(release.c.release_id == release_id)
        .values(state="visible", manifest_sha256=manifest_sha256, summary=summary)
        .returning(release.c.run_no, release.c.as_of)
    ).one()
    runs.enter(connection, Step.PUBLISH, published.as_of, run_no=published.run_no, release_id=release_id)


def drop_unfinished(connection: sa.Connection, release_id: int) -> None:
    """Take back a release that never became visible, with its decisions."""
    for table in (disclosure, acceptance_check, not_accepted):
        connection.execute(sa.delete(table).where(table.c.release_id == release_id))
    connection.execute(sa.delete(release).where(release.c.release_id == release_id, release.c.state == "building"))
