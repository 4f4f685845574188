"""Every transport with a source of its own, for the conformance suite: a new transport adds a case here.

A case is opened in a folder and gives a ``Source``: rows are published to it by day, and pulled from it. Rows are told
by their number alone, so that all cases are held to the same expectations.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.descriptor import HtmlList, PagedApi, SoapService, Stream
from connectors.descriptor.transports import Transport
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import Cursor, Piece
from connectors.transports.pulling import pull
from simulator.faults import FaultSwitch
from simulator.servers.html_site import HtmlSite
from simulator.servers.https import HttpsServer
from simulator.servers.paged_api import PagedApiServer
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
        return pull(self.stream, self.endpoint, cursor=cursor, as_of=as_of)


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

CASES: dict[str, Case] = {**HTTPS_CASES}
