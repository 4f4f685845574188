"""Pull the register 企业登记主数据 from the agency that keeps it, by the streams of its descriptor, and load it.

Pages are kept like those of any pull (``pipeline.collect``): in the archive, then in the ledger. When a pull is
complete its rows are put together in one file, and the file is loaded as a version; the ledger says which. A pull that
was not loaded (the run was killed in between, or the set was suspect) is loaded by the next run, before anything newer.
"""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from connectors.descriptor import Absence, Agency, ReferenceStream, agency_ids, load_agency
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import AgencyError
from pipeline.collect import REGISTER, Source, StreamCounts, as_one, read_stream, watched
from pipeline.office import Office
from pipeline.register import COLUMNS, Loaded, load_register
from store import collections as ledger


def registrars() -> tuple[str, ...]:
    """Return the agencies whose descriptors name streams of the register."""
    return tuple(agency for agency in agency_ids() if load_agency(agency).keeps_register)


def register_streams(agency: Agency) -> tuple[ReferenceStream, ...]:
    """Return an agency's streams of the register, full sets first: changes of the same day go on top of one."""
    streams = [stream for stream in agency.references if stream.content == REGISTER]
    return tuple(sorted(streams, key=lambda stream: not _is_full(stream)))


def pull_register(
    office: Office,
    agency: str,
    as_of: dt.date,
    *,
    endpoint: Endpoint,
    now: dt.datetime | None = None,
    describe: Callable[[str], Agency] = load_agency,
) -> list[Loaded]:
    """Pull an agency's register streams for a business day and load what came, oldest first; ``now`` as in collect.

    Raises AgencyError when a stream could not be read, after what the others brought was loaded;
    ``pipeline.register.RegisterSuspect`` and ``DeliveryRefused`` as loading does.
    """
    streams = {stream.id: stream for stream in register_streams(describe(agency))}
    failures: dict[str, AgencyError] = {}
    for stream in streams.values():
        counts = StreamCounts()
        try:
            with watched(office.engine, agency, stream, counts, now):
                read_stream(Source(agency, stream, endpoint, office.archive, counts), as_of, office.engine)
        except AgencyError as error:
            failures[stream.id] = error
    with office.engine.connect() as connection:
        waiting = ledger.unloaded(connection, agency, list(streams))
    loaded = [_load(office, streams[pull.stream], pull) for pull in waiting]
    if failures:
        raise as_one(failures)
    return loaded


def _load(office: Office, stream: ReferenceStream, pull: ledger.Unloaded) -> Loaded:
    is_full = _is_full(stream)
    with tempfile.TemporaryDirectory(dir=office.scratch()) as folder:
        path = Path(folder) / f"register_{pull.as_of:%Y%m%d}_{'full' if is_full else 'changes'}.csv"
        _put_together(office, pull.files, path, last_holds=not is_full)
        loaded = load_register(
            office,
            path,
            as_of=pull.as_of,
            mode="full" if is_full else "changes",
            may_close=stream.mass_change.withdrawn,
            late="leave",
        )
    with office.engine.begin() as connection:
        ledger.enter_version(connection, pull.collection_id, loaded.register_version)
    return loaded


def _put_together(office: Office, files: tuple[tuple[str, str], ...], path: Path, *, last_holds: bool) -> None:
    """Write the rows of all pages under the columns of the register that they have.

    ``last_holds``: pages are in the order of the registrar's changes, of several rows of one code the last is written,
    so that what an overlap brings again stands below what came after it.
    """
    rows = _rows(office, files)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows({row[0] or place: row for place, row in enumerate(rows)}.values() if last_holds else rows)


def _rows(office: Office, files: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, ...]]:
    for name, sha256 in files:
        with open_table(office.archive.open(sha256), file=name) as table:
            for batch in table.batches():
                yield from zip(*(_texts(batch, column) for column in COLUMNS), strict=True)


def _texts(batch: pa.RecordBatch, column: str) -> list[str]:
    if column not in batch.schema.names:
        return [""] * batch.num_rows
    return [text or "" for text in batch.column(column).to_pylist()]


def _is_full(stream: ReferenceStream) -> bool:
    return isinstance(stream.deletions, Absence)
