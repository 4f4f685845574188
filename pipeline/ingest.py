"""Take a delivery in: archive -> standard records -> verdicts -> the system of record.

The bytes are safe before anything is read. All rows, verdicts and counts of a delivery are stored in one transaction
with its ledger row, so a killed run leaves the delivery ``archived`` and the next run starts it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from connectors.descriptor import load_agency
from expectations.judging import judge_of_this_process
from expectations.suite import load_suite
from pipeline import absence, overlay, revoked_licences
from pipeline.guarding import Change, DeliveryHeld, guard
from pipeline.journal import journaled
from pipeline.masking import masked
from pipeline.office import Office
from pipeline.reading import DeliveryReader, Tell
from pipeline.references import ReferenceDelivery, stored_answer
from pipeline.review_terms import due_dates
from pipeline.storing import DeliveryWriter
from store import deliveries, holds, records, retention, review_following, reviews, runs
from store.deliveries import CheckCount, Delivery
from store.holds import Hold
from transforms.columns import Content, Reference, Sheet
from transforms.problems import DeliveryRefused, Problem

_LOCK: Final = sa.text("SELECT pg_advisory_xact_lock(hashtext('records'))")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a delivery: its state, rows per state, failures per expectation, problems of the file."""

    delivery_id: int
    state: str
    already_received: bool
    rows: int
    row_states: Mapping[str, int]
    failures: Mapping[str, int]
    problems: tuple[Problem, ...]
    hold_id: int | None = None


def ingest_file(
    office: Office,
    path: Path,
    *,
    agency: str,
    kind: Content,
    as_of: dt.date,
    guarded: bool = True,
    tell: Tell = lambda _step, _rows: None,
) -> Ingested:
    """Take in one file as a delivery of its own.

    The same bytes for the same agency and kind are one delivery: the second time only says so. ``guarded`` and
    ``tell`` as in ``ingest_delivery``.
    """
    load_agency(agency)
    judge_of_this_process().start()
    with office.engine.begin() as connection:
        runs.hold_still(connection, retention.LOCK)
        stored = office.archive.put(path, path.name)
        delivery_id, new = deliveries.register_delivery(
            connection, agency=agency, kind=kind, as_of=as_of, files=[(path.name, stored.sha256, stored.size)]
        )
    return ingest_delivery(office, delivery_id, already_received=not new, guarded=guarded, tell=tell)


def ingest_delivery(
    office: Office,
    delivery_id: int,
    *,
    already_received: bool = False,
    guarded: bool = True,
    tell: Tell = lambda _step, _rows: None,
) -> Ingested:
    """Read, judge and store a delivery whose bytes are archived; one that is checked already stays as it is.

    A delivery that cannot be read as a whole ends ``refused`` with its reason, one that two people have to decide
    about ends ``held`` with its numbers and nothing of it stored; both are answers, not exceptions. ``guarded`` is
    false where its passing was decided before: a replay, a measurement. ``tell`` hears of progress.
    """
    with journaled(office), office.engine.begin() as connection:
        delivery = deliveries.read_delivery(connection, delivery_id)
        if delivery.state == "checked":
            return _stored_answer(connection, delivery, already_received)
        hold = holds.hold_of_delivery(connection, delivery_id)
        if hold is not None and hold.state != "released":
            return _held_answer(connection, delivery, hold, already_received)
        connection.execute(_LOCK)
        if isinstance(delivery.kind, Reference):
            coming = ReferenceDelivery(connection, delivery, delivery.kind, office.archive, tell)
            return _take_in_reference(office, connection, delivery, coming, already_received)
        agency = load_agency(delivery.agency)
        reader = DeliveryReader(
            delivery.files,
            kind=delivery.record_kind,
            archive=office.archive,
            delivering=agency.authority,
            as_of=delivery.as_of,
            sources=agency.source_fields(delivery.record_kind),
            tell=tell,
        )
        try:
            with connection.begin_nested():
                states, failures, change = _store_rows(office, connection, delivery, reader)
                followed = absence.follow(connection, delivery)
                reader.problems += followed.problems
                if guarded and hold is None:
                    guard(connection, delivery, change.and_also(followed), reader.rows_of_file)
        except DeliveryRefused as refusal:
            return _refuse(office, connection, delivery, refusal.problem, already_received)
        except DeliveryHeld as held:
            return replace(_hold(office, connection, delivery, reader, held), already_received=already_received)
        review_following.follow_delivery(
            connection, kind=delivery.record_kind, agency=delivery.agency, delivery_id=delivery_id,
            day=delivery.as_of, due=due_dates(delivery.as_of), withdrew=followed.withdrawn > 0,
        )  # fmt: skip
        _write_manifest(office, delivery, "checked", reader.rows_of_file)
        problems = _close(connection, delivery, reader, "checked")
        return Ingested(delivery_id, "checked", already_received, reader.rows, states, failures, problems)


def _take_in_reference(
    office: Office, connection: sa.Connection, delivery: Delivery, coming: ReferenceDelivery, already_received: bool
) -> Ingested:
    """Take in reports or subjects, which nobody attaches or discloses: no change of theirs is ever held."""
    try:
        with connection.begin_nested():
            states, failures = coming.take()
    except DeliveryRefused as refusal:
        return _refuse(office, connection, delivery, refusal.problem, already_received)
    coming.open_reviews(due_dates(delivery.as_of))
    _write_manifest(office, delivery, "checked", coming.rows_of_file)
    problems = _enter_read(connection, delivery, coming, "checked", sheet=None, suite=coming.suite)
    return Ingested(delivery.delivery_id, "checked", already_received, coming.rows, states, failures, problems)


def _store_rows(
    office: Office, connection: sa.Connection, delivery: Delivery, reader: DeliveryReader
) -> tuple[dict[str, int], dict[str, int], Change]:
    """Store every row with its verdicts, and account for all: rows per state, failures per expectation, the change."""
    writer = DeliveryWriter(connection, delivery)
    writer.take_all(reader.batches())
    writer.settle(reader.definitions)
    changed_again = overlay.follow(office, connection, delivery)
    if changed_again:
        writer.add_count(CheckCount(overlay.SOURCE_CHANGED, "C01", "hold", changed_again, changed_again))
    for count in revoked_licences.follow(connection, delivery, reader.definitions):
        writer.add_count(count)
    damaged = masked(problem for _, problem in reader.damaged)
    sheet = reader.definitions[0].sheet if reader.definitions else Sheet.STANDARD
    ordinals = [ordinal for ordinal, _ in reader.damaged]
    writer.store_damaged(list(zip(ordinals, damaged, strict=True)), sheet.value, reader.rows)
    states, failures = writer.reconcile(reader.rows)
    changed, withdrawn = writer.displaced.changed, writer.displaced.withdrawn
    return states, failures, Change(reader.rows, states.get("accepted", 0) - changed - withdrawn, changed, withdrawn)


def _close(connection: sa.Connection, delivery: Delivery, reader: DeliveryReader, state: str) -> tuple[Problem, ...]:
    suites = sorted({load_suite(d.kind, d.sheet).label for d in reader.definitions})
    sheets = sorted({d.sheet.value for d in reader.definitions})
    return _enter_read(
        connection, delivery, reader, state, sheet=",".join(sheets) or None, suite=",".join(suites) or None
    )


def _enter_read(
    connection: sa.Connection,
    delivery: Delivery,
    reader: DeliveryReader | ReferenceDelivery,
    state: str,
    *,
    sheet: str | None,
    suite: str | None,
) -> tuple[Problem, ...]:
    problems = masked(reader.problems)
    for ordinal, rows in reader.rows_of_file.items():
        deliveries.record_file_rows(connection, delivery.delivery_id, ordinal, rows)
    deliveries.replace_problems(connection, delivery.delivery_id, problems)
    deliveries.close_delivery(connection, delivery.delivery_id, state=state, rows=reader.rows, sheet=sheet, suite=suite)
    return (*problems, *masked(problem for _, problem in reader.damaged))


def _refuse(
    office: Office, connection: sa.Connection, delivery: Delivery, problem: Problem, already_received: bool
) -> Ingested:
    _write_manifest(office, delivery, "refused", {})
    because = masked([problem])
    deliveries.replace_problems(connection, delivery.delivery_id, because)
    deliveries.close_delivery(connection, delivery.delivery_id, state="refused", rows=0, sheet=None, suite=None)
    return Ingested(delivery.delivery_id, "refused", already_received, 0, {}, {}, because)


def _hold(
    office: Office, connection: sa.Connection, delivery: Delivery, reader: DeliveryReader, held: DeliveryHeld
) -> Ingested:
    _write_manifest(office, delivery, "held", reader.rows_of_file)
    problems = _close(connection, delivery, reader, "held")
    hold_id = holds.enter_hold(
        connection, delivery.delivery_id, reasons=held.reasons, numbers=held.numbers, explanation=held.explanation
    )
    reviews.open_hold(
        connection, hold_id=hold_id, delivery_id=delivery.delivery_id, kind=delivery.record_kind,
        agency=delivery.agency, reasons=held.reasons, day=delivery.as_of, due=due_dates(delivery.as_of),
    )  # fmt: skip
    in_review = {"review": reader.rows}
    return Ingested(delivery.delivery_id, "held", False, reader.rows, in_review, {}, problems, hold_id)


def _held_answer(connection: sa.Connection, delivery: Delivery, hold: Hold, already_received: bool) -> Ingested:
    """Say again that a delivery waits, or that it was rejected: the same bytes are the same delivery."""
    rows = delivery.rows or 0
    states = {"review" if hold.state == "open" else "returned": rows}
    problems = deliveries.problems_of(connection, delivery.delivery_id)
    return Ingested(delivery.delivery_id, delivery.state, already_received, rows, states, {}, problems, hold.hold_id)


def _write_manifest(office: Office, delivery: Delivery, state: str, rows: Mapping[int, int]) -> None:
    """Say beside the bytes whose they are and how many rows each file held, null where it could not be read."""
    identity = [
        delivery.agency,
        delivery.kind.value,
        delivery.as_of.isoformat(),
        state,
        *(file.sha256 for file in delivery.files),
    ]
    manifest = {
        "agency": delivery.agency,
        "kind": delivery.kind.value,
        "as_of": delivery.as_of.isoformat(),
        "state": state,
        "stream": delivery.stream,
        "full_set": delivery.full_set,
        "files": [
            {"name": f.name, "sha256": f.sha256, "bytes": f.bytes, "rows": rows.get(f.ordinal)} for f in delivery.files
        ],
    }
    office.archive.write_manifest(deliveries.content_hash(identity), manifest)


def _stored_answer(connection: sa.Connection, delivery: Delivery, already_received: bool) -> Ingested:
    if isinstance(delivery.kind, Reference):
        states, failures = stored_answer(connection, delivery.kind, delivery.delivery_id)
    else:
        states, failures = records.counts_of_delivery(connection, delivery.kind, delivery.delivery_id)
    rows = sum(states.values())
    return Ingested(delivery.delivery_id, "checked", already_received, rows, states, failures, ())
