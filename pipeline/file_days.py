"""The days in the names of dated files, which order versions that bear no time (domain 1.10).

A file names the day that it speaks of, whenever it comes: an old file that is put in place once more says nothing new.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from connectors.descriptor import DropFolder, Sftp
from connectors.transports.dated_files import day_in_name
from pipeline.guarding import stream_of
from store import records
from store.deliveries import Delivery
from transforms.versions import Held


def days_of_files(delivery: Delivery) -> dict[int, dt.date]:
    """Return the day in the name of each dated file of a delivery, by its ordinal."""
    days = {file.ordinal: _day_of_file(delivery, file.name) for file in delivery.files}
    return {ordinal: day for ordinal, day in days.items() if day}


def with_days_of_files(
    connection: sa.Connection, delivery: Delivery, held: Mapping[str, Sequence[Held]]
) -> dict[str, list[Held]]:
    """Put beside each held row the day of the file it came in, where that is a dated file of the delivery's stream."""
    ids = [row.record_id for rows in held.values() for row in rows]
    names = records.file_names(connection, delivery.record_kind, ids, agency=delivery.agency)
    days = {record_id: _day_of_file(delivery, name) for record_id, name in names.items()}
    return {key: [replace(row, file_day=days.get(row.record_id)) for row in rows] for key, rows in held.items()}


def _day_of_file(delivery: Delivery, name: str) -> dt.date | None:
    stream = stream_of(delivery)
    if stream is None or not isinstance(stream.transport, DropFolder | Sftp):
        return None
    return day_in_name(stream.transport.pattern, name)
