"""Pulling a stream by whatever transport its descriptor names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from connectors.descriptor import Absence, DropFolder, ExchangeDb, HtmlList, PagedApi, Sftp, SoapService, Stream
from connectors.endpoint import Endpoint
from connectors.transports import drop_folder, exchange_db, html_list, paged_api, sftp, soap
from connectors.transports.contract import Cursor, Piece


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the pieces of a stream that lie behind the cursor; errors and cursors as ``contract`` specifies."""
    for piece in _pieces(stream, endpoint, cursor=cursor, as_of=as_of):
        yield replace(piece, full_set=True) if isinstance(stream.deletions, Absence) else piece


def _pieces(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    match stream.transport:
        case PagedApi():
            yield from paged_api.pull(stream, endpoint, cursor=cursor, as_of=as_of)
        case SoapService():
            yield from soap.pull(stream, endpoint, cursor=cursor, as_of=as_of)
        case HtmlList():
            yield from html_list.pull(stream, endpoint, cursor=cursor, as_of=as_of)
        case DropFolder():
            yield from drop_folder.pull(stream, endpoint, cursor=cursor, as_of=as_of)
        case Sftp():
            yield from sftp.pull(stream, endpoint, cursor=cursor, as_of=as_of)
        case ExchangeDb():
            yield from exchange_db.pull(stream, endpoint, cursor=cursor, as_of=as_of)
