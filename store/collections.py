"""Ledger of pulls: collections, their pieces, watermarks, and the deliveries that they become.

Every function works inside the caller's transaction. A stream has at most one open collection; its watermark moves
only in the transaction that completes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from store import deliveries
from store.schema import collection, collection_piece, delivery, delivery_file, watermark, watermark_move
from store.typed_text import masked_name, require_no_number
from transforms.columns import Content

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


_LOCK_PATIENCE: Final = "2s"
_LOCK_NOT_AVAILABLE: Final = "55P03"


def try_lock(connection: sa.Connection, agency: str, stream: str) -> bool:
    """Take the stream for this connection until it closes; false when another one holds it.

    Waits a little: the server needs a moment to see that the session of a killed run is gone.
    """
    key = sa.func.hashtextextended(f"collect {agency} {stream}", 0)
    try:
        with connection.begin_nested():
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'"))
            connection.execute(sa.select(sa.func.pg_advisory_lock(key)))
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def find_open(connection: sa.Connection, agency: str, stream: str) -> Collection | None:
    """Return the collection of a stream that was cut off, if any."""
    return _find(connection, (collection.c.agency == agency) & (collection.c.stream == stream), state="open")


def open_collection(connection: sa.Connection, agency: str, stream: str, as_of: date) -> Collection:
    """Return the collection of a day, made where there is none, starting at the watermark.

    One that completed without a piece is opened again: the source may have published since. So is one that completed
    before a full resynchronisation was asked for.
    """
    where = (collection.c.agency == agency) & (collection.c.stream == stream) & (collection.c.as_of == as_of)
    found = _find(connection, where)
    if found and not found.complete:
        return found
    if found and (found.delivery_id is not None or found.pieces):
        if not _resync_asked(connection, agency, stream):
            return found
        _forget_pieces(connection, found.collection_id)
    start = {
        "state": "open", "cursor": read_watermark(connection, agency, stream), "full_set": False,
        "register_version": None,
    }  # fmt: skip
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


def read_last_day(connection: sa.Connection, agency: str, stream: str) -> date | None:
    """Return the last business day that a stream was read to its end for; null before the first."""
    query = sa.select(watermark.c.as_of).where(watermark.c.agency == agency, watermark.c.stream == stream)
    return connection.scalar(query)


def keep_piece(
    connection: sa.Connection,
    collection_id: int,
    *,
    name: str,
    sha256: str,
    size: int,
    cursor: Cursor,
    rows: int | None = None,
    full_set: bool = False,
) -> None:
    """Enter a piece that is safe in the archive, and the cursor behind it.

    ``size`` counts bytes, ``rows`` is what the source declared, ``full_set`` that its pull is all that there is. The
    name is kept with numbers of persons masked; the cursor tells files apart by the names that they have at the source.
    """
    ordinals = sa.select(sa.func.count() + 1).where(collection_piece.c.collection_id == collection_id).scalar_subquery()
    values = {"collection_id": collection_id, "ordinal": ordinals, "name": masked_name(name)}
    connection.execute(sa.insert(collection_piece).values(**values, sha256=sha256, bytes=size, declared_rows=rows))
    connection.execute(
        sa.update(collection)
        .where(collection.c.collection_id == collection_id)
        .values(cursor=cursor, full_set=collection.c.full_set | sa.literal(full_set))
    )


def start_over(connection: sa.Connection, opened: Collection) -> None:
    """Forget the pieces of a pull whose parts do not fit together; its bytes stay in the archive."""
    _forget_pieces(connection, opened.collection_id)
    start = read_watermark(connection, opened.agency, opened.stream)
    connection.execute(
        sa.update(collection)
        .where(collection.c.collection_id == opened.collection_id)
        .values(cursor=start, full_set=False)
    )


def _forget_pieces(connection: sa.Connection, collection_id: int) -> None:
    connection.execute(sa.delete(collection_piece).where(collection_piece.c.collection_id == collection_id))


def resync(connection: sa.Connection, agency: str, stream: str, *, as_of: date, person: str, reason: str) -> None:
    """Set a stream's watermark back to the beginning: the next pull asks for everything (全量重新同步).

    A pull that was cut off starts over too. Rows that come again unchanged become duplicates. Raises ``ValueError``
    where name or reason is empty or holds a number of a person.
    """
    if not person.strip() or not reason.strip():
        raise ValueError("a resynchronisation needs a name and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)
    values = {"agency": agency, "stream": stream, "value": {}, "as_of": as_of}
    back = {"value": {}, "resync": True}
    connection.execute(
        insert(watermark)
        .values(**values, resync=True)
        .on_conflict_do_update(index_elements=["agency", "stream"], set_=back)
    )
    connection.execute(sa.insert(watermark_move).values(**values, why="resync", person=person, reason=reason))
    cut_off = find_open(connection, agency, stream)
    if cut_off is not None:
        start_over(connection, cut_off)


def _resync_asked(connection: sa.Connection, agency: str, stream: str) -> bool:
    query = sa.select(watermark.c.resync).where(watermark.c.agency == agency, watermark.c.stream == stream)
    return bool(connection.scalar(query))


@dataclass(frozen=True, slots=True)
class Completed:
    """What a complete collection became: no delivery, a new one, or one with the same content as an earlier one."""

    delivery_id: int | None
    new: bool


def complete(connection: sa.Connection, opened: Collection, content: Content | None) -> Completed:
    """Complete a collection: make its delivery and move the watermark to its cursor.

    No delivery is made without pieces, nor of a register (``content`` null), which is loaded as a version.
    """
    pieces = connection.execute(
        sa.select(collection_piece)
        .where(collection_piece.c.collection_id == opened.collection_id)
        .order_by(collection_piece.c.ordinal)
    ).all()
    completed = Completed(None, new=False)
    if pieces and content is not None:
        completed = _deliver(connection, opened, content, pieces)
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
            set_={"value": cursor, "as_of": sa.func.greatest(watermark.c.as_of, opened.as_of), "resync": False},
        )
    )
    connection.execute(
        sa.insert(watermark_move).values(
            agency=opened.agency, stream=opened.stream, value=cursor, as_of=opened.as_of, why="pull"
        )
    )
    return completed


def _deliver(
    connection: sa.Connection, opened: Collection, content: Content, pieces: Sequence[sa.Row[Any]]
) -> Completed:
    """Make the delivery of a collection's pieces.

    The same bytes are one delivery, but for a full set: when another one came in between, saying the old set again
    is news.
    """
    files = [(piece.name, piece.sha256, piece.bytes) for piece in pieces]
    full_set = connection.scalar(
        sa.select(collection.c.full_set).where(collection.c.collection_id == opened.collection_id)
    )
    occasion = None
    if full_set and not _is_newest_set(connection, opened, [piece.sha256 for piece in pieces]):
        occasion = f"full set of {opened.as_of}"
    delivery_id, new = deliveries.register_delivery(
        connection, agency=opened.agency, kind=content, as_of=opened.as_of, files=files, stream=opened.stream,
        full_set=bool(full_set), occasion=occasion,
    )  # fmt: skip
    if new:
        for ordinal, piece in enumerate(pieces):
            connection.execute(
                sa.update(delivery_file)
                .where(delivery_file.c.delivery_id == delivery_id, delivery_file.c.ordinal == ordinal)
                .values(declared_rows=piece.declared_rows)
            )
    return Completed(delivery_id, new)


def _is_newest_set(connection: sa.Connection, opened: Collection, hashes: list[str]) -> bool:
    """Tell whether a stream's newest full set is one of these files, so that nothing has changed."""
    newest = connection.scalar(
        sa.select(delivery.c.delivery_id)
        .where(delivery.c.agency == opened.agency, delivery.c.stream == opened.stream, delivery.c.full_set)
        .order_by(delivery.c.delivery_id.desc())
        .limit(1)
    )
    files = sa.select(delivery_file.c.sha256).where(delivery_file.c.delivery_id == newest)
    return list(connection.scalars(files.order_by(delivery_file.c.ordinal))) == hashes


def enter_again(
    connection: sa.Connection, agency: str, stream: str, as_of: date, *, cursor: Cursor, delivery_id: int
) -> None:
    """Enter a complete collection of the past and move the watermark behind it, as a replay does."""
    connection.execute(
        sa.insert(collection).values(
            agency=agency, stream=stream, as_of=as_of, state="complete", cursor=cursor, delivery_id=delivery_id
        )
    )
    moved = insert(watermark).values(agency=agency, stream=stream, value=cursor, as_of=as_of)
    connection.execute(
        moved.on_conflict_do_update(index_elements=["agency", "stream"], set_={"value": cursor, "as_of": as_of})
    )


@dataclass(frozen=True, slots=True)
class Unloaded:
    """A complete pull of a register stream that no register version was made of yet; ``files``: name and sha256."""

    collection_id: int
    stream: str
    as_of: date
    files: tuple[tuple[str, str], ...]


def unloaded(connection: sa.Connection, agency: str, streams: Sequence[str]) -> list[Unloaded]:
    """Return what is to be loaded into the register, oldest day first, of a day in the order of ``streams``."""
    query = (
        sa.select(collection, collection_piece.c.name, collection_piece.c.sha256)
        .join(collection_piece, collection_piece.c.collection_id == collection.c.collection_id)
        .where(
            collection.c.agency == agency,
            collection.c.stream.in_(streams),
            collection.c.state == "complete",
            collection.c.register_version.is_(None),
        )
        .order_by(collection.c.collection_id, collection_piece.c.ordinal)
    )
    found: dict[int, Unloaded] = {}
    for row in connection.execute(query):
        before = found.get(row.collection_id)
        files = (*(before.files if before else ()), (row.name, row.sha256))
        found[row.collection_id] = Unloaded(row.collection_id, row.stream, row.as_of, files)
    return sorted(found.values(), key=lambda each: (each.as_of, streams.index(each.stream)))


def enter_version(connection: sa.Connection, collection_id: int, register_version: int) -> None:
    """Enter the register version that a pull was loaded as."""
    connection.execute(
        sa.update(collection)
        .where(collection.c.collection_id == collection_id)
        .values(register_version=register_version)
    )


def waiting_deliveries(connection: sa.Connection, agency: str) -> list[int]:
    """Return the collected deliveries of an agency that were archived and not yet checked, oldest first."""
    query = sa.select(delivery.c.delivery_id).where(
        delivery.c.state == "archived", delivery.c.agency == agency, delivery.c.stream.is_not(None)
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
