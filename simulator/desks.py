"""One agency as it is reached from outside: the server that its descriptor asks for, and how a day's rows get there."""

from __future__ import annotations

import secrets
import ssl
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from connectors.descriptor import (
    Agency,
    DropFolder,
    ExchangeDb,
    HtmlList,
    PagedApi,
    RecordStream,
    ReferenceStream,
    Sftp,
    SoapService,
    Stream,
)
from connectors.endpoint import Endpoint
from simulator.dialect import as_source_writes, columns_of, marks_of
from simulator.faults import OF_CONTENT, FaultKind, FaultSwitch
from simulator.servers import dated_files
from simulator.servers.exchange_db import WHILE_WRITING, ExchangeDatabase
from simulator.servers.html_site import HtmlSite
from simulator.servers.paged_api import PagedApiServer
from simulator.servers.served import Served
from simulator.servers.sftp import SftpServer
from simulator.servers.soap import SoapServer
from simulator.servers.workbook import WorkbookHabits, as_workbook
from simulator.spoiling import can_spoil, spoil
from simulator.templates import Row
from transforms.columns import Sheet


@dataclass(frozen=True, slots=True)
class Building:
    """Where desks are set up: a folder per agency, TLS for those that speak HTTPS, a database, the first day."""

    home: Path
    tls: ssl.SSLContext
    exchange_url: str
    first_day: date


class Desk(Served):
    """One agency. ``publish`` puts the rows of a stream and day in place; a second time changes nothing."""

    def __init__(self, agency: Agency, faults: FaultSwitch, able: Collection[FaultKind]) -> None:
        """Take the streams from the descriptor; ``faults`` makes go wrong what the server is ``able`` to show."""
        self.faults: Final = faults
        spoilable = {kind for kind in OF_CONTENT if any(can_spoil(stream, kind) for stream in agency.streams)}
        self.able: Final = frozenset({*able, *spoilable})
        self._streams: Final = {stream.id: stream for stream in agency.streams}

    @property
    def requests(self) -> Sequence[str]:
        """What was asked so far, where the server keeps an account of it."""
        return ()

    @property
    @abstractmethod
    def endpoint(self) -> Endpoint:
        """Where the agency is reached."""

    def publish(self, stream_id: str, day: date, rows: Sequence[Row], first_number: int) -> None:
        """Write rows as their source does and put them in place; the first one has this number of change."""
        stream = self._streams[stream_id]
        written = [as_source_writes(row, stream) for row in rows]
        if fault := self.faults.strike(0, OF_CONTENT & self.able):
            written = spoil(written, stream, fault.kind)
        self._put(stream, day, written, first_number)

    @abstractmethod
    def _put(self, stream: RecordStream, day: date, rows: Sequence[Row], first_number: int) -> None: ...


class _NumberedServer(Protocol):
    @property
    def faults(self) -> FaultSwitch: ...
    @property
    def able(self) -> frozenset[FaultKind]: ...
    @property
    def requests(self) -> Sequence[str]: ...
    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def publish(
        self, path: str, day: date, rows: Sequence[Mapping[str, str]], first_number: int | None = None
    ) -> None: ...


class HttpsDesk(Desk):
    """Rows numbered in the order of change behind HTTPS, with a token."""

    def __init__(self, agency: Agency, server: _NumberedServer, token: str | None, building: Building) -> None:
        """Every stream is there from the start, still empty."""
        super().__init__(agency, server.faults, server.able)
        self.server: Final = server
        self._endpoint = Endpoint(server.url, token, str(building.home / "ca.pem"))
        for stream in (*agency.streams, *agency.references):
            self.server.publish(_path(stream), building.first_day, [])

    @property
    def endpoint(self) -> Endpoint:
        """Root of the server, token, certificate authority."""
        return self._endpoint

    @property
    def requests(self) -> Sequence[str]:
        """Targets asked so far."""
        return self.server.requests

    def start(self) -> None:
        """Answer from now on."""
        self.server.start()

    def stop(self) -> None:
        """Answer no more."""
        self.server.stop()

    def publish_reference(self, stream: ReferenceStream, day: date, rows: Sequence[Row], first_number: int) -> None:
        """Put rows of a stream that carries no records in place."""
        self.server.publish(_path(stream), day, rows, first_number)

    def _put(self, stream: RecordStream, day: date, rows: Sequence[Row], first_number: int) -> None:
        self.server.publish(_path(stream), day, rows, first_number)


class FolderDesk(Desk):
    """Dated files in a folder on this machine."""

    def __init__(self, agency: Agency, folder: Path) -> None:
        """Make the folder."""
        self.drop: Final = dated_files.DropFolder(folder)
        super().__init__(agency, self.drop.faults, dated_files.FOLDER_FAULTS)

    @property
    def endpoint(self) -> Endpoint:
        """The folder."""
        return Endpoint(self.drop.url)

    def start(self) -> None:
        """Make the folder where there is none."""
        self.drop.folder.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Leave the files where they are."""

    def _put(self, stream: RecordStream, day: date, rows: Sequence[Row], _first_number: int) -> None:
        if rows:
            self.drop.publish(
                dated_pattern(stream, day), day, rows, writer=writer_of(stream), full_set=_is_full_set(stream)
            )


class SftpDesk(Desk):
    """Dated files on an SFTP server."""

    def __init__(self, agency: Agency, server: SftpServer, password: str) -> None:
        """Take a server that is not started yet."""
        super().__init__(agency, server.faults, server.able)
        self.server: Final = server
        self._password = password

    @property
    def endpoint(self) -> Endpoint:
        """Address, password, host key."""
        return Endpoint(self.server.url, self._password, host_key=self.server.host_key)

    def start(self) -> None:
        """Answer from now on."""
        self.server.start()

    def stop(self) -> None:
        """Hang up."""
        self.server.stop()

    def _put(self, stream: RecordStream, day: date, rows: Sequence[Row], _first_number: int) -> None:
        if rows:
            self.server.publish(
                dated_pattern(stream, day), day, rows, writer=writer_of(stream), full_set=_is_full_set(stream)
            )


class TableDesk(Desk):
    """Tables in an exchange database 前置库."""

    def __init__(self, agency: Agency, exchange_url: str) -> None:
        """Describe the tables; they are made at the start."""
        self.server: Final = ExchangeDatabase(
            exchange_url, {_table(stream): (*columns_of(stream), *marks_of(stream)) for stream in agency.streams}
        )
        super().__init__(agency, self.server.faults, WHILE_WRITING)

    @property
    def endpoint(self) -> Endpoint:
        """The database."""
        return Endpoint(self.server.url)

    def start(self) -> None:
        """Make the tables."""
        self.server.start()

    def stop(self) -> None:
        """Close the connections."""
        self.server.stop()

    def _put(self, stream: RecordStream, day: date, rows: Sequence[Row], first_number: int) -> None:
        self.server.publish(_table(stream), day, rows, first_number)


def _path(stream: Stream) -> str:
    match stream.transport:
        case PagedApi(path=path) | HtmlList(path=path):
            return path
        case SoapService(operation=operation):
            return operation
        case _:
            raise TypeError(f"stream {stream.id} is not read over HTTPS")


def dated_pattern(stream: RecordStream, day: date) -> str:
    """Return the pattern of a stream's files; systems of the legacy sheet write the day with dashes."""
    transport = stream.transport
    if isinstance(transport, DropFolder | Sftp):
        dashed = stream.sheet is Sheet.LEGACY
        return transport.pattern.replace("{date}", day.isoformat()) if dashed else transport.pattern
    raise TypeError(f"stream {stream.id} is not read from files")


def _table(stream: RecordStream) -> str:
    if isinstance(stream.transport, ExchangeDb):
        return stream.transport.table
    raise TypeError(f"stream {stream.id} is not read from an exchange database")


def _is_full_set(stream: RecordStream) -> bool:
    return stream.deletions.by == "absence"


def writer_of(stream: RecordStream) -> dated_files.Writer:
    """Return what makes a file of rows, in the format that the stream agreed to."""
    if stream.format.type == "xlsx":
        return _as_workbook
    return partial(dated_files.as_csv, encoding=stream.format.encoding)


def _as_workbook(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Write a workbook with a title above the header; control characters cannot stand in one."""
    told = [{name: ILLEGAL_CHARACTERS_RE.sub("", text) for name, text in row.items()} for row in rows]
    return as_workbook({"报送": told}, WorkbookHabits(titles=("信用信息报送表",)))


def _paged_api(agency: Agency, building: Building) -> Desk:
    token = secrets.token_urlsafe(32)
    return HttpsDesk(agency, PagedApiServer(token, building.tls), token, building)


def _soap(agency: Agency, building: Building) -> Desk:
    token = secrets.token_urlsafe(32)
    return HttpsDesk(agency, SoapServer(token, building.tls), token, building)


def _html(agency: Agency, building: Building) -> Desk:
    return HttpsDesk(agency, HtmlSite("", building.tls), None, building)


def _folder(agency: Agency, building: Building) -> Desk:
    return FolderDesk(agency, building.home / agency.id)


def _sftp(agency: Agency, building: Building) -> Desk:
    password = secrets.token_urlsafe(32)
    return SftpDesk(agency, SftpServer(building.home / agency.id, password), password)


def _tables(agency: Agency, building: Building) -> Desk:
    return TableDesk(agency, building.exchange_url)


_BUILDERS: Final[Mapping[type, Callable[[Agency, Building], Desk]]] = {
    PagedApi: _paged_api,
    SoapService: _soap,
    HtmlList: _html,
    DropFolder: _folder,
    Sftp: _sftp,
    ExchangeDb: _tables,
}


def set_up(agency: Agency, building: Building) -> Desk:
    """Set up the desk that an agency's streams ask for; one endpoint means one transport for all of them."""
    [transport] = {type(stream.transport) for stream in agency.streams}
    return _BUILDERS[transport](agency, building)
