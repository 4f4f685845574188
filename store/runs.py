"""The order in which the record came about: each step that changed it, with a number, so that it can be done again.

A step's place is taken under a lock that whatever it reads cannot change behind: ``records`` (rows and attachments),
``register``. A step that writes them holds the lock alone, one that only reads shares it. A run is entered in the
transaction of its effect; numbers may have gaps, where a transaction was rolled back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from store import audit
from store.schema import run_no_sequence, step_run
from store.typed_text import masked_told


class Step(StrEnum):
    """The steps that change the record."""

    REGISTER = "register"
    INGEST = "ingest"
    ATTACH = "attach"
    PUBLISH = "publish"
    APPROVAL = "approval"
    EXPIRE = "expire"
    LEGAL_HOLD = "legal_hold"
    RULING = "ruling"
    CROSSCHECK = "crosscheck"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Run:
    """One step of the past in words that hold in any database: no ids, only hashes, names and days.

    ``told`` is what the step worked on: of a register load ``sha256``, ``file``, ``mode``; of an ingest ``agency``,
    ``kind``, ``day``, ``files``, ``stream``, ``full_set`` and, where it was ``pulled``, the cursor behind it; of an
    attach ``register``, the hash of the file whose version it used; of a publish ``site``, ``sequence``,
    ``manifest_sha256``; of an expiry ``removals``; of a cross-check its ``year`` and events; of an approval, a legal
    hold, a ruling or a decision about a finding its event. ``outcome`` is the state in which an ingest left its
    delivery.
    """

    run_no: int
    step: Step
    as_of: dt.date
    outcome: str | None
    told: dict[str, Any]

    def as_entry(self) -> dict[str, Any]:
        """Return the run as the archive's journal keeps it."""
        return {"step": self.step.value, "as_of": self.as_of.isoformat(), "outcome": self.outcome, **self.told}

    @classmethod
    def of_entry(cls, number: int, entry: dict[str, Any]) -> Run:
        """Read a journal entry."""
        told = {name: value for name, value in entry.items() if name not in ("step", "as_of", "outcome")}
        return cls(number, Step(entry["step"]), dt.date.fromisoformat(entry["as_of"]), entry["outcome"], told)


TYPED: Final = frozenset({"person", "reason", "sends_back"})
"""What of ``Run.told`` a person wrote in his own words."""

_TOLD: Final = """
SELECT s.run_no, s.step, s.as_of, s.outcome, CASE s.step
    WHEN 'register' THEN json_build_object('sha256', v.sha256, 'file', v.file, 'mode', v.mode)
    WHEN 'ingest' THEN json_build_object(
        'agency', d.agency, 'kind', d.kind, 'day', d.as_of, 'stream', d.stream, 'full_set', d.full_set,
        'content_sha256', d.content_sha256,
        'files', (
            SELECT json_agg(json_build_object(
                'name', f.name, 'sha256', f.sha256, 'bytes', f.bytes, 'declared_rows', f.declared_rows
            ) ORDER BY f.ordinal)
            FROM delivery_file f WHERE f.delivery_id = d.delivery_id
        ),
        'pulled', (
            SELECT json_build_object('stream', c.stream, 'cursor', c.cursor) FROM collection c
            WHERE c.delivery_id = d.delivery_id AND c.as_of = d.as_of ORDER BY c.stream LIMIT 1
        )
    )
    WHEN 'attach' THEN json_build_object('register', v.sha256)
    WHEN 'publish' THEN json_build_object(
        'site', r.site, 'sequence', r.sequence, 'manifest_sha256', r.manifest_sha256
    )
    ELSE s.told
END AS told
FROM step_run s
LEFT JOIN delivery d USING (delivery_id)
LEFT JOIN register_version v USING (register_version)
LEFT JOIN release r ON r.release_id = s.release_id
"""


def hold_still(connection: sa.Connection, *locks: str) -> None:
    """Keep others from changing what ``locks`` name until the transaction ends; readers may share."""
    for name in locks:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock_shared(hashtext(:name))"), {"name": name})


def next_number(connection: sa.Connection) -> int:
    """Take the next place in the order."""
    return int(connection.scalar(sa.select(run_no_sequence.next_value())) or 0)


def continue_after(connection: sa.Connection, number: int) -> None:
    """Let the next place be the one after ``number``: a replay gives each step the place that it had."""
    connection.execute(
        sa.text("SELECT setval('run_no_seq', :number, :used)"), {"number": max(number, 1), "used": number > 0}
    )


def enter(
    connection: sa.Connection,
    step: Step,
    as_of: dt.date,
    *,
    run_no: int | None = None,
    outcome: str | None = None,
    delivery_id: int | None = None,
    register_version: int | None = None,
    release_id: int | None = None,
    up_to_attachment: int | None = None,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Enter a step in the transaction of its effect, at the next place or at one taken before.

    It goes into the audit log too, in the name of the person who decided, else of the step. Call it last: the log is
    locked until the transaction ends. Numbers of persons in what was ``TYPED`` are masked: a step is kept in the
    archive's journal as well, for ever; the rest of ``told`` a replay needs to the letter.
    """
    if told is not None:
        told = {name: masked_told(value) if name in TYPED else value for name, value in told.items()}
    place = next_number(connection) if run_no is None else run_no
    effect = {
        "outcome": outcome, "delivery_id": delivery_id, "register_version": register_version, "release_id": release_id,
        "up_to_attachment": up_to_attachment,
    }  # fmt: skip
    connection.execute(sa.insert(step_run).values(run_no=place, step=step.value, as_of=as_of, told=told, **effect))
    known = {name: value for name, value in effect.items() if value is not None}
    audit.append(
        connection, actor=(told or {}).get("person") or step.value, action=step.value, about=f"run:{place}",
        details={"as_of": as_of, **known, **(told or {})},
    )  # fmt: skip


def runs(connection: sa.Connection) -> list[Run]:
    """Return all runs in their order."""
    return _read(connection, f"{_TOLD} ORDER BY s.run_no")


def unjournaled(connection: sa.Connection) -> list[Run]:
    """Return the runs that the archive may not know yet, in their order; another process's are left to it."""
    return _read(connection, f"{_TOLD} WHERE NOT s.journaled ORDER BY s.run_no FOR UPDATE OF s SKIP LOCKED")


def mark_journaled(connection: sa.Connection, run_nos: list[int]) -> None:
    """Enter that the archive knows these runs."""
    connection.execute(sa.update(step_run).where(step_run.c.run_no.in_(run_nos)).values(journaled=True))


def _read(connection: sa.Connection, query: str) -> list[Run]:
    rows = connection.execute(sa.text(query))
    return [Run(row.run_no, Step(row.step), row.as_of, row.outcome, dict(row.told)) for row in rows]
