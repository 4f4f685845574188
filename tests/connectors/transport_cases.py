"""Every transport with a source of its own, for the conformance suite: a new transport adds a case here.

A case is opened in a folder and gives a ``Source``: rows are published to it by day, and pulled from it. Rows are told
by their number alone, so that all cases are held to the same expectations.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from connectors.descriptor import DropFolder as DropFolderOptions
from connectors.descriptor import ExchangeDb, HtmlList, PagedApi, Sftp, SoapService, Stream
from connectors.descriptor.transports import Transport
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import Cursor, Piece
from connectors.transports.pulling import pull
from simulator.faults import FaultSwitch
from simulator.servers.dated_files import DropFolder
from simulator.servers.exchange_db import ExchangeDatabase
from simulator.servers.html_site import HtmlSite
from simulator.servers.https import HttpsServer
from simulator.servers.mariadb import MariaDbServer
from simulator.servers.paged_api import PagedApiServer
from simulator.servers.sftp import SftpServer
from simulator.servers.soap import PATH, SoapServer
from tests.connectors.http_sources import TOKEN, ca_file, serving, stream_of

CODE = "CF_WSH"


@dataclass(frozen=True)
class Source:
    """A source that runs: ``publish(day, numbers)`` puts rows in place, ``faults`` is its switch, if it has one."""

    stream: Stream
    endpoint: Endpoint
    publish: Callable[[date, Sequence[int]], None]
    faults: FaultSwitch | None = None

    def pull(self, cursor: Cursor, as_of: date) -> Iterator[Piece]:
        """Pull; a file is read while it is there, because a transport may take it back."""
        for piece in pull(self.stream, self.endpoint, cursor=cursor, as_of=as_of):
            yield replace(piece, content=piece.content.read_bytes()) if isinstance(piece.content, Path) else piece


Case = Callable[[Path], AbstractContextManager[Source]]


def row(number: int) -> dict[str, str]:
    return {CODE: f"{number}", "CF_XDR_MC": "北京甲公司", "CF_NR": "罚款"}


def numbers_in(pieces: Sequence[Piece]) -> list[int]:
    """Read the numbers of the rows out of pieces, by the reader that takes deliveries in."""
    found: list[int] = []
    for piece in pieces:
        content = piece.content if isinstance(piece.content, Path) else io.BytesIO(piece.content)
        with open_table(content, file=piece.name) as table:
            found += [int(each[CODE]) for batch in table.batches() for each in batch.to_pylist()]
    return found


def _over_https(kind: type[HttpsServer], path: str, transport: Transport, **options: object) -> Case:
    @contextmanager
    def opened(folder: Path) -> Iterator[Source]:
        with serving(kind, **options) as server:
            stream = stream_of(transport.model_copy(update={"read_timeout": 0.5}))
            server.publish(path, date(2018, 8, 20), [])

            def publish(day: date, numbers: Sequence[int]) -> None:
                server.publish(path, day, [row(number) for number in numbers])

            yield Source(stream, Endpoint(server.url, TOKEN, ca_file(folder)), publish, server.faults)

    return opened


def _api(**facts: object) -> PagedApi:
    by_number = {"by": "number", "overlap": 0}
    facts = {"type": "paged_api", "path": "/penalties", "page_size": 3, "watermark": by_number, **facts}
    return PagedApi.model_validate(facts)


HTTPS_CASES: dict[str, Case] = {
    "paged_api by page": _over_https(PagedApiServer, "/penalties", _api(row_id=CODE)),
    "paged_api by cursor": _over_https(PagedApiServer, "/penalties", _api(paging={"by": "cursor"})),
    "paged_api by window": _over_https(
        PagedApiServer,
        "/penalties",
        _api(
            paging={"by": "window", "start": "2018-08-19", "days": 1},
            watermark={"by": "date", "overlap_days": 0},
            etags=True,
        ),
    ),
    "soap": _over_https(
        SoapServer,
        "exportPenaltyXml",
        SoapService.model_validate(
            {
                "type": "soap",
                "wsdl": f"{PATH}?wsdl",
                "operation": "exportPenaltyXml",
                "batch_rows": 3,
                "watermark": {"by": "number", "overlap": 0},
            }
        ),
    ),
    "html_list": _over_https(
        HtmlSite,
        "/xzcf/",
        HtmlList.model_validate(
            {
                "type": "html_list",
                "path": "/xzcf/",
                "entry": "//ul[@class='list']/li",
                "day": "string(.//span)",
                "pages": "string(//span[@class='pages'])",
            }
        ),
        page_size=3,
        charset="gb18030",
    ),
}

PATTERN = "CF_{date}*.csv"


@contextmanager
def _in_a_folder(folder: Path) -> Iterator[Source]:
    with DropFolder(folder / "drop") as server:
        stream = stream_of(DropFolderOptions(type="drop_folder", pattern=PATTERN))

        def publish(day: date, numbers: Sequence[int]) -> None:
            server.publish(PATTERN, day, [row(number) for number in numbers])

        yield Source(stream, Endpoint(server.url), publish, server.faults)


@contextmanager
def _over_sftp(folder: Path) -> Iterator[Source]:
    with SftpServer(folder / "sftp", TOKEN) as server:
        stream = stream_of(Sftp(type="sftp", pattern=PATTERN))

        def publish(day: date, numbers: Sequence[int]) -> None:
            server.publish(PATTERN, day, [row(number) for number in numbers])

        yield Source(stream, Endpoint(server.url, TOKEN, host_key=server.host_key), publish, server.faults)


@contextmanager
def _in_mariadb(folder: Path) -> Iterator[Source]:
    with (
        MariaDbServer(folder / "mariadb") as database,
        ExchangeDatabase(database.url, {"QZ_XZCF": [CODE, "CF_XDR_MC", "CF_NR"]}) as office,
    ):
        options = {"type": "exchange_db", "table": "QZ_XZCF", "day_column": "CHANGED_AT", "page_rows": 3}
        stream = stream_of(ExchangeDb.model_validate(options))

        def publish(day: date, numbers: Sequence[int]) -> None:
            office.publish("QZ_XZCF", day, [row(number) for number in numbers])

        yield Source(stream, Endpoint(database.url), publish, office.faults)


CASES: dict[str, Case] = {
    **HTTPS_CASES,
    "drop_folder": _in_a_folder,
    "sftp": _over_sftp,
    "exchange_db on MariaDB": _in_mariadb,
}
