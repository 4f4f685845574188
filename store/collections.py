"""Ledger of pulls: collections, their pieces, watermarks, and the deliveries that they become.

Every function works inside the caller's transaction. A stream has at most one open collection; its watermark moves
only in the transaction that completes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from store.deliveries import register_delivery
from store.schema import collection, collection_piece, delivery, watermark
from transforms.columns import Kind

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Collection:
    """One pull of one stream for one business day. ``pieces`` is how many are kept already."""

    collection_id: int
    agency: str
    stream: str
    as_of: date
    complete: bool
    cursor: Cursor
    delivery_id: int | None
    pieces: int


def try_lock(connection: sa.Connection, agency: str, stream: str) -> bool:
    """Take the stream for this connection until it closes; false when another one holds it."""
    key = sa.func.hashtextextended(f"collect {agency} {stream}", 0)
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))


def find_open(connection: sa.Connection, agency: str, stream: str) -> Collection | None:
    """Return the collection of a stream that was cut off, if any."""
    return _find(connection, (collection.c.agency == agency) & (collection.c.stream == stream), state="open")


def open_collection(connection: sa.Connection, agency: str, stream: str, as_of: date) -> Collection:
    """Return the collection of a day, made where there is none, starting at the watermark.

    One that completed without a piece is opened again: the source may have published since.
    """
    where = (collection.c.agency == agency) & (collection.c.stream == stream) & (collection.c.as_of == as_of)
    found = _find(connection, where)
    if found and (not found.complete or found.delivery_id is not None):
        return found
    start = {"state": "open", "cursor": read_watermark(connection, agency, stream)}
    statement = insert(collection).values(agency=agency, stream=stream, as_of=as_of, **start)
    connection.execute(statement.on_conflict_do_update(index_elements=["agency", "stream", "as_of"], set_=start))
    opened = _find(connection, where)
    if opened is None:
        raise RuntimeError(f"the collection of {agency} {stream} {as_of} vanished while it was opened")
    return opened


def read_watermark(connection: sa.Connection, agency: str, stream: str) -> Cursor:
    """Return the cursor behind the last complete pull of a stream, ``{}`` before the first."""
    query = sa.select(watermark.c.value).where(watermark.c.agency == agency, watermark.c.stream == stream)
    return dict(connection.scalar(query) or {})


def keep_piece(
    connection: sa.Connection, collection_id: int, *, name: str, sha256: str, size: int, cursor: Cursor
) -> None:
    """Enter a piece that is safe in the archive (``size`` in bytes), and the cursor behind it."""
    ordinals = sa.select(sa.func.count() + 1).where(collection_piece.c.collection_id == collection_id).scalar_subquery()
    values = {"collection_id": collection_id, "ordinal": ordinals, "name": name, "sha256": sha256, "bytes": size}
    connection.execute(sa.insert(collection_piece).values(values))
    connection.execute(sa.update(collection).where(collection.c.collection_id == collection_id).values(cursor=cursor))


def start_over(connection: sa.Connection, opened: Collection) -> None:
    """Forget the pieces of a pull whose parts do not fit together; its bytes stay in the archive."""
    connection.execute(sa.delete(collection_piece).where(collection_piece.c.collection_id == opened.collection_id))
    start = read_watermark(connection, opened.agency, opened.stream)
    connection.execute(
        sa.update(collection).where(collection.c.collection_id == opened.collection_id).values(cursor=start)
    )


@dataclass(frozen=True, slots=True)
class Completed:
    """What a complete collection became: no delivery, a new one, or one with the same content as an earlier one."""

    delivery_id: int | None
    new: bool


def complete(connection: sa.Connection, opened: Collection, kind: Kind) -> Completed:
    """Complete a collection: make its delivery (none without pieces) and move the watermark to its cursor."""
    pieces = connection.execute(
        sa.select(collection_piece)
        .where(collection_piece.c.collection_id == opened.collection_id)
        .order_by(collection_piece.c.ordinal)
    ).all()
    completed = Completed(None, new=False)
    if pieces:
        files = [(piece.name, piece.sha256, piece.bytes) for piece in pieces]
        made = register_delivery(connection, agency=opened.agency, kind=kind, as_of=opened.as_of, files=files)
        completed = Completed(*made)
    cursor = connection.scalar(
        sa.update(collection)
        .where(collection.c.collection_id == opened.collection_id)
        .values(state="complete", delivery_id=completed.delivery_id)
        .returning(collection.c.cursor)
    )
    moved = insert(watermark).values(agency=opened.agency, stream=opened.stream, value=cursor, as_of=opened.as_of)
    connection.execute(
        moved.on_conflict_do_update(
            index_elements=["agency", "stream"],
            set_={"value": cursor, "as_of": sa.func.greatest(watermark.c.as_of, opened.as_of)},
        )
    )
    return completed


def waiting_deliveries(connection: sa.Connection, agency: str) -> list[int]:
    """Return the collected deliveries of an agency that were archived and not yet checked, oldest first."""
    collected = sa.select(collection.c.delivery_id).where(collection.c.agency == agency)
    query = sa.select(delivery.c.delivery_id).where(
        delivery.c.state == "archived", delivery.c.delivery_id.in_(collected)
    )
    return list(connection.scalars(query.order_by(delivery.c.delivery_id)))


def _find(connection: sa.Connection, where: sa.ColumnElement[bool], state: str | None = None) -> Collection | None:
    pieces = (
        sa.select(sa.func.count())
        .where(collection_piece.c.collection_id == collection.c.collection_id)
        .scalar_subquery()
        .label("pieces")
    )
    query = sa.select(collection, pieces).where(where)
    row = connection.execute(query.where(collection.c.state == state) if state else query).one_or_none()
    if row is None:
        return None
    return Collection(
        collection_id=row.collection_id,
        agency=row.agency,
        stream=row.stream,
        as_of=row.as_of,
        complete=row.state == "complete",
        cursor=row._mapping["cursor"],
        delivery_id=row.delivery_id,
        pieces=row.pieces,
    )
