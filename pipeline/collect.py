"""Collect what an agency has to send: pull its streams, keep every byte, make deliveries, have them taken in.

A piece is put into the raw archive first; then piece and cursor are entered in one transaction. A run that is killed
at any instruction goes on behind the last piece entered. The last piece, the delivery and the watermark are entered in
one transaction too, so a watermark never passes bytes that belong to no delivery.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from connectors.archive import Archive, StoredFile
from connectors.descriptor import Absence, Agency, RecordStream, ReferenceStream, Stream, load_agency
from connectors.endpoint import Endpoint
from connectors.transports.contract import (
    AgencyError,
    AgencyRefused,
    AgencyUnavailable,
    FilesRefusedError,
    Piece,
    PullInconsistentError,
)
from connectors.transports.pulling import pull
from pipeline import circuit
from pipeline.circuit import CircuitOpen
from pipeline.masking import masked
from store import collections as ledger
from store import retention, runs, sources
from store.sources import FailureClass, Health
from transforms.columns import Content, content_named

log = logging.getLogger(__name__)

Ingest = Callable[[int], object]
"""Takes one delivery in, by its id: archived -> checked or refused. Called again for one that was cut off."""


REGISTER: Final = "register"
"""Content of the streams that ``pipeline.register_pull`` reads."""

MOST_MISSED_DAYS: Final = 31
"""Missed days that are read one by one; what lies before them comes with the first of them."""

_TOLD: Final = ("failed", "known", "empty", "repeated", "new")
"""States of a stream in one run from what matters least to most; the last day of several decides between equals."""


@dataclass(slots=True)
class StreamCounts:
    """What one stream brought in this run. ``rows`` counts what the source declared, ``bytes`` are uncompressed.

    ``state``: new (a delivery was made), repeated (its content was there already), empty (nothing at the source),
    known (the day was collected before), failed, skipped (not asked: its circuit is open).
    """

    state: str = "known"
    pieces: int = 0
    bytes: int = 0
    rows: int = 0
    delivery_id: int | None = None
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Source:
    """A stream with what is needed to read it, and the counts that reading it adds to."""

    agency: str
    stream: Stream
    endpoint: Endpoint
    archive: Archive
    counts: StreamCounts


def collect(
    agency: str,
    as_of: date,
    *,
    engine: sa.Engine,
    archive: Archive,
    endpoint: Endpoint,
    ingest: Ingest,
    now: datetime | None = None,
    describe: Callable[[str], Agency] = load_agency,
    also: Sequence[ReferenceStream] = (),
) -> dict[str, Any]:
    """Pull every stream of an agency for a business day and have each new delivery taken in.

    A stream that fails does not stop the others: what they brought is taken in, then the failure is raised, as
    AgencyUnavailable where asking again may help any of them, else as AgencyRefused. Files refused one by one
    (``refused`` of a stream) raise nothing: they stay at the agency and are reported again by every later day until
    they are put right. ``now`` is the moment of the call, with its zone: by it a source that failed too often is left
    alone for a while (``pipeline.circuit``) and what it answers is kept; without it every source is asked.
    ``describe`` returns the agency's descriptor: the one in force, or one that is tried. ``also``: its streams of
    references that become deliveries (annual reports, online subjects), to be read in the same run.
    Returns ``{agency, as_of, streams: {id: counts}, ingested: [delivery ids]}``.
    """
    streams: dict[str, StreamCounts] = {}
    failures: dict[str, AgencyError] = {}
    for stream in (*describe(agency).streams, *also):
        counts = streams[stream.id] = StreamCounts()
        try:
            with watched(engine, agency, stream, counts, now):
                read_stream(Source(agency, stream, endpoint, archive, counts), as_of, engine)
        except AgencyError as error:
            counts.state = "skipped" if isinstance(error, CircuitOpen) else "failed"
            failures[stream.id] = error
            log.error("%s %s %s: %s", agency, stream.id, as_of, error)
        else:
            log.info(
                "%s %s %s: %s, %d rows in %d pieces", agency, stream.id, as_of, counts.state, counts.rows, counts.pieces
            )
    with engine.connect() as connection:
        waiting = ledger.waiting_deliveries(connection, agency)
    for delivery_id in waiting:
        ingest(delivery_id)
    if failures:
        raise as_one(failures)
    counts_by_stream = {stream_id: asdict(counts) for stream_id, counts in streams.items()}
    return {"agency": agency, "as_of": as_of.isoformat(), "streams": counts_by_stream, "ingested": waiting}


class StreamBusy(AgencyUnavailable):
    """Another run collects the stream: nothing is wrong with its source."""


@contextlib.contextmanager
def watched(
    engine: sa.Engine, agency: str, stream: Stream, counts: StreamCounts, now: datetime | None
) -> Iterator[None]:
    """Ask a source only when its circuit lets it be asked, and keep how it answered."""
    if now is None:
        yield
        return
    with engine.connect() as connection:
        health = sources.read_health(connection, agency, stream.id) or Health(agency, stream.id, first_asked_at=now)
    if circuit.is_open(health, now):
        raise circuit.refusal(health)
    try:
        yield
    except StreamBusy:
        raise
    except AgencyError as error:
        kind: FailureClass = "unavailable" if isinstance(error, AgencyUnavailable) else "refused"
        health = circuit.after_failure(health, kind, str(error), now, stream.circuit)
        raise
    else:
        if counts.state != "known":
            health = circuit.after_answer(health, now, brought=counts.pieces > 0)
    finally:
        with engine.begin() as connection:
            sources.write_health(connection, health)


def read_stream(source: Source, as_of: date, engine: sa.Engine) -> None:
    """Pull a stream for a business day into archive and ledger.

    Finish the pull that was cut off, if any, because the watermark moves through whole pulls only; then pull.

    Days on which the source could not be read are read one by one: each becomes the delivery that it would have been,
    so that two versions of a record stand in two deliveries in their order, not beside each other in one.
    """
    agency, stream = source.agency, source.stream
    with engine.connect() as connection:
        connection.detach()  # the lock ends with this session, not with the pool's
        with connection.begin():
            if not ledger.try_lock(connection, agency, stream.id):
                raise StreamBusy(f"{agency} {stream.id} is being collected by another run")
            cut_off = ledger.find_open(connection, agency, stream.id)
        if cut_off and cut_off.as_of != as_of:
            _finish(connection, cut_off, source)
        with connection.begin():
            days = _days_to_read(ledger.read_last_day(connection, agency, stream.id), as_of)
        for day in days:
            with connection.begin():
                opened = ledger.open_collection(connection, agency, stream.id, day)
            if opened.complete:
                source.counts.state, source.counts.delivery_id = "known", opened.delivery_id
            else:
                _finish(connection, opened, source)


def _days_to_read(last: date | None, as_of: date) -> list[date]:
    """The days after the last one that was read to its end, up to ``as_of``; of a long silence the last ones."""
    missed = (as_of - last).days - 1 if last is not None else 0
    return [as_of - timedelta(days=back) for back in range(min(max(missed, 0), MOST_MISSED_DAYS), -1, -1)]


def _finish(connection: sa.Connection, opened: ledger.Collection, source: Source) -> None:
    """Pull from the collection's cursor to the end of the source."""
    counts = source.counts
    completed: ledger.Completed | None = None
    try:
        for piece in pull(source.stream, source.endpoint, cursor=opened.cursor, as_of=opened.as_of):
            stored = _keep(source.archive, piece)
            with connection.begin():
                runs.hold_still(connection, retention.LOCK)
                if stored.sha256 not in source.archive:
                    raise AgencyUnavailable(f"{piece.name}: its retention ended while it was received again")
                ledger.keep_piece(
                    connection,
                    opened.collection_id,
                    name=stored.name,
                    sha256=stored.sha256,
                    size=stored.size,
                    cursor=piece.cursor,
                    rows=piece.rows,
                    full_set=piece.full_set or isinstance(source.stream.deletions, Absence),
                )
                if piece.last:
                    completed = ledger.complete(connection, opened, _content(source.stream))
            counts.pieces += 1
            counts.bytes += stored.size
            counts.rows += piece.rows or 0
    except FilesRefusedError as refused:
        counts.refused = [str(problem) for problem in masked(refused.problems)]
    except PullInconsistentError:
        with connection.begin():
            ledger.start_over(connection, opened)
        raise
    if completed is None:
        with connection.begin():
            completed = ledger.complete(connection, opened, _content(source.stream))
    state = "new" if completed.new else "repeated" if completed.delivery_id else "empty"
    if _TOLD.index(state) >= _TOLD.index(counts.state):
        counts.state, counts.delivery_id = state, completed.delivery_id


def _content(stream: Stream) -> Content | None:
    """Return what a pull's delivery holds; null for the register, which makes versions instead of deliveries."""
    match stream:
        case RecordStream(kind=kind):
            return kind
        case ReferenceStream(content=content) if content != REGISTER:
            return content_named(content)
        case _:
            return None


def _keep(archive: Archive, piece: Piece) -> StoredFile:
    stored = archive.put(piece.content, piece.name)
    if piece.sha256 not in (None, stored.sha256):
        raise AgencyUnavailable(f"{piece.name}: the file was changed while it was read")
    return stored


def as_one(failures: dict[str, AgencyError]) -> AgencyError:
    """Return one error for those of several streams; asking again may help where it may help any of them."""
    message = "; ".join(f"{stream_id}: {error}" for stream_id, error in failures.items())
    temporary = [error for error in failures.values() if isinstance(error, AgencyUnavailable)]
    if not temporary:
        return AgencyRefused(message)
    waits = [error.retry_after for error in temporary if error.retry_after is not None]
    return AgencyUnavailable(message, max(waits, default=None))
