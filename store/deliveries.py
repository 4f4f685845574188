"""The ledger of deliveries: what arrived, in which state it is, what was wrong with it as a file."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from store import runs
from store.runs import Step
from store.schema import check_result, delivery, delivery_file, problem
from store.typed_text import masked_name
from transforms.columns import Content, Kind, Reference, content_named
from transforms.problems import Problem


@dataclass(frozen=True, slots=True)
class FileOfDelivery:
    """One file or page of a delivery, in the archive under its hash."""

    ordinal: int
    name: str
    sha256: str
    bytes: int
    declared_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as the ledger has it. ``stream`` is null for one that came by hand."""

    delivery_id: int
    agency: str
    kind: Content
    as_of: dt.date
    state: str
    files: tuple[FileOfDelivery, ...]
    rows: int | None = None
    stream: str | None = None
    full_set: bool = False

    @property
    def record_kind(self) -> Kind:
        """The kind of its records; TypeError when it holds none."""
        if isinstance(self.kind, Reference):
            raise TypeError(f"delivery {self.delivery_id} holds no records of a kind, but {self.kind}")
        return self.kind


def content_hash(parts: Iterable[str]) -> str:
    """Return the hash of several texts without line ends, in order; of its files' hashes it identifies a delivery."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def register_delivery(
    connection: sa.Connection,
    *,
    agency: str,
    kind: Content,
    as_of: dt.date,
    files: Sequence[tuple[str, str, int]],
    stream: str | None = None,
    full_set: bool = False,
    occasion: str | None = None,
    content_sha256: str | None = None,
) -> tuple[int, bool]:
    """Enter a delivery of ``files`` (name, sha256, bytes) whose bytes are in the archive.

    Returns its id and whether it is new: the same bytes for the same agency and kind are one delivery for ever, but
    where an ``occasion`` tells one from the other. ``content_sha256`` says which one it was, where that is known.
    Names are kept with numbers of persons masked: they are shown and sent on, and nothing is found by them.
    """
    identity = content_sha256 or content_hash([*(sha256 for _, sha256, _ in files), *([occasion] if occasion else [])])
    entered = connection.execute(
        insert(delivery)
        .values(
            agency=agency, kind=kind.value, as_of=as_of, content_sha256=identity, state="archived", stream=stream,
            full_set=full_set,
        )
        .on_conflict_do_nothing(index_elements=["agency", "kind", "content_sha256"])
        .returning(delivery.c.delivery_id)
    ).scalar_one_or_none()  # fmt: skip
    if entered is None:
        known = connection.execute(
            sa.select(delivery.c.delivery_id).where(
                delivery.c.agency == agency, delivery.c.kind == kind.value, delivery.c.content_sha256 == identity
            )
        ).scalar_one()
        return known, False
    if files:
        connection.execute(
            sa.insert(delivery_file),
            [
                {"delivery_id": entered, "ordinal": ordinal, "name": masked_name(name), "sha256": sha256, "bytes": size}
                for ordinal, (name, sha256, size) in enumerate(files)
            ],
        )
    return entered, True


def declare_rows(connection: sa.Connection, delivery_id: int, declared_rows: Sequence[int | None]) -> None:
    """Enter how many rows the source declared for each file of a delivery, in the order of the files."""
    for ordinal, rows in enumerate(declared_rows):
        connection.execute(
            sa.update(delivery_file)
            .where(delivery_file.c.delivery_id == delivery_id, delivery_file.c.ordinal == ordinal)
            .values(declared_rows=rows)
        )


def read_delivery(connection: sa.Connection, delivery_id: int) -> Delivery:
    """Read a delivery and its files; the row is locked until the transaction ends."""
    row = connection.execute(sa.select(delivery).where(delivery.c.delivery_id == delivery_id).with_for_update()).one()
    files = connection.execute(
        sa.select(delivery_file).where(delivery_file.c.delivery_id == delivery_id).order_by(delivery_file.c.ordinal)
    ).all()
    return Delivery(
        row.delivery_id,
        row.agency,
        content_named(row.kind),
        row.as_of,
        row.state,
        tuple(FileOfDelivery(f.ordinal, f.name, f.sha256, f.bytes, f.declared_rows) for f in files),
        row.rows,
        row.stream,
        row.full_set,
    )


def content_of(connection: sa.Connection, delivery_id: int) -> str:
    """Return the content hash of a delivery, by which it can be found in any database."""
    query = sa.select(delivery.c.content_sha256).where(delivery.c.delivery_id == delivery_id)
    return str(connection.execute(query).scalar_one())


def find_delivery(connection: sa.Connection, agency: str, kind: Content, content_sha256: str) -> int | None:
    """Find a delivery by its content."""
    query = sa.select(delivery.c.delivery_id).where(
        delivery.c.agency == agency, delivery.c.kind == kind.value, delivery.c.content_sha256 == content_sha256
    )
    return connection.scalar(query)


def close_delivery(
    connection: sa.Connection, delivery_id: int, *, state: str, rows: int | None, sheet: str | None, suite: str | None
) -> None:
    """Set the state in which an ingest leaves a delivery, and enter the ingest among the runs."""
    as_of = connection.execute(
        sa.update(delivery)
        .where(delivery.c.delivery_id == delivery_id)
        .values(state=state, rows=rows, sheet=sheet, suite=suite)
        .returning(delivery.c.as_of)
    ).scalar_one()
    runs.enter(connection, Step.INGEST, as_of, outcome=state, delivery_id=delivery_id)


def record_file_rows(connection: sa.Connection, delivery_id: int, ordinal: int, rows: int) -> None:
    """Note how many rows a file held, damaged ones included."""
    connection.execute(
        sa.update(delivery_file)
        .where(delivery_file.c.delivery_id == delivery_id, delivery_file.c.ordinal == ordinal)
        .values(rows=rows)
    )


def replace_problems(connection: sa.Connection, delivery_id: int, problems: Iterable[Problem]) -> None:
    """Store what was wrong with the delivery as a file; an earlier attempt's list gives way."""
    connection.execute(sa.delete(problem).where(problem.c.delivery_id == delivery_id))
    rows = [_problem_row(delivery_id, each) for each in problems]
    if rows:
        connection.execute(sa.insert(problem), rows)


def add_problem(connection: sa.Connection, delivery_id: int, found: Problem) -> None:
    """Append to what was wrong with the delivery as a whole."""
    connection.execute(sa.insert(problem), [_problem_row(delivery_id, found)])


def problems_of(connection: sa.Connection, delivery_id: int) -> tuple[Problem, ...]:
    """Return what was wrong with the delivery as a file."""
    rows = connection.execute(
        sa.select(problem).where(problem.c.delivery_id == delivery_id).order_by(problem.c.problem_id)
    )
    return tuple(
        Problem(r.rule, r.severity, r.message, r.remedy, file=r.file, row=r.row_no, field=r.field, value=r.value)
        for r in rows
    )


def _problem_row(delivery_id: int, p: Problem) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id, "rule": p.rule, "severity": p.severity, "file": p.file, "row_no": p.row,
        "field": p.field, "value": p.value, "message": p.message, "remedy": p.remedy,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckCount:
    """One expectation over a whole delivery, as Great Expectations counted it."""

    expectation: str
    rule: str
    severity: str
    evaluated: int
    unexpected: int


def store_check_counts(
    connection: sa.Connection, delivery_id: int, counts: Iterable[CheckCount], quarantined: dict[str, int]
) -> None:
    """Store Great Expectations' counts beside the number of verdicts that were stored."""
    rows = [
        {
            "delivery_id": delivery_id, "expectation": c.expectation, "rule": c.rule, "severity": c.severity,
            "evaluated": c.evaluated, "unexpected": c.unexpected, "quarantined": quarantined.get(c.expectation, 0),
        }
        for c in counts
    ]  # fmt: skip
    if rows:
        connection.execute(sa.insert(check_result), rows)
