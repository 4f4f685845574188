"""A SOAP service that hands out batches of rows as XML, of the shape of the upload services of 2018.

The service description (WSDL) is fetched from the endpoint; what it imports is fetched from the same host only, a
document type definition is refused, and questions go to the endpoint's own host whatever address the description names.
Each batch is asked for by the operation of the descriptor with token, since, until, number and size of the batch. An
answer whose ``code`` is the accepted one holds the rows; any other code refuses, with the bad line and its text. What
is handed over is the whole envelope as it came; :mod:`connectors.formats.envelope` reads the rows in it.

How batches must fit together, and the cursor: :mod:`connectors.transports.page_by_page`, a batch being a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import requests
import zeep
from lxml import etree
from zeep.helpers import serialize_object
from zeep.transports import Transport

from connectors.descriptor import ChangeNumbers, SoapService, Stream
from connectors.endpoint import Endpoint
from connectors.http.client import HttpClient, Question, Received
from connectors.http.web_page import is_web_page
from connectors.quoting import quoted
from connectors.transports.contract import AgencyError, AgencyRefused, AgencyUnavailable, Cursor, Piece, Reason
from connectors.transports.page import Page
from connectors.transports.page_by_page import PageByPage

_SETTINGS: Final = {"forbid_dtd": True, "forbid_entities": True, "xml_huge_tree": True}
"""A text of more than 10 MB needs ``xml_huge_tree``; an answer is bounded before it is parsed."""

_FAULTS_OF_THE_SERVICE: Final = ("Server", "Receiver")
_SHOWN_CHARS: Final = 200


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield the batches that changed since the cursor's watermark, up to and including ``as_of``."""
    options = stream.transport
    if not isinstance(options, SoapService):
        raise TypeError(f"stream {stream.id} is not read from a SOAP service")
    with HttpClient(stream, endpoint, options) as client:
        yield from _Batches(stream, options, client, cursor, as_of).pieces()


class _Batches(PageByPage):
    suffix = ".xml"

    def __init__(self, stream: Stream, options: SoapService, client: HttpClient, cursor: Cursor, as_of: date) -> None:
        super().__init__(stream.id, options.watermark, cursor, as_of)
        self._options: Final = options
        self._client: Final = client
        self._secret: Final = client.endpoint.secret or ""
        self._where: Final = f"{client.endpoint.shown}{options.wsdl.partition('?')[0]} {options.operation}"
        self._transport: Final = _GuardedTransport(client)
        self._service: Final = client.patiently(self._described)

    def ask(self, position: Cursor) -> Page:
        options = self._options
        since = position["since"]
        arguments = {
            options.credential_parameter: self._secret,
            options.since_parameter: "" if since is None else str(since),
            options.until_parameter: position["until"],
            options.batch_parameter: str(position["page"]),
            options.batch_rows_parameter: str(options.batch_rows),
        }
        return self._client.patiently(lambda: self._batch(arguments, f"{self._where} batch {position['page']}"))

    def _batch(self, arguments: Mapping[str, str], where: str) -> Page:
        try:
            told = self._service[self._options.operation](**arguments)
        except zeep.exceptions.Fault as fault:
            raise self._fault(fault, where) from fault
        except zeep.exceptions.TransportError as error:
            raise AgencyUnavailable(f"{where}: is not whole as XML", reason=Reason.CUT_OFF) from error
        except (zeep.exceptions.Error, TypeError, ValueError) as error:
            message = f"{where}: the interface changed: {self._safe(error)}"
            raise AgencyRefused(message, Reason.INTERFACE) from error
        return self._page(_members(told), where)

    def _page(self, told: Mapping[str, Any], where: str) -> Page:
        options = self._options
        code = told.get(options.code)
        if code != options.accepted:
            line, message = told.get(options.line) or "-", told.get(options.message) or ""
            refusal = self._safe(f"code {code}, line {line}: {message}")
            raise AgencyRefused(f"{where}: the service refused: {refusal}", Reason.REJECTED)
        by_number = options.watermark if isinstance(options.watermark, ChangeNumbers) else None
        try:
            rows = _rows(told[options.rows], options.row)
            return Page(
                total=int(told[options.total]),
                count=len(rows),
                content=self._transport.received,
                rows=rows,
                number=int(told[options.number]),
                pages=int(told[options.batches]),
                highest=int(told[by_number.highest]) if by_number else None,
            )
        except etree.XMLSyntaxError as error:
            raise AgencyUnavailable(f"{where}: the rows are not whole as XML", reason=Reason.CUT_OFF) from error
        except (KeyError, TypeError, ValueError) as error:
            message = f"{where}: no rows or no whole number where one is agreed: {self._safe(error)}"
            raise AgencyRefused(message, Reason.INTERFACE) from error

    def _described(self) -> Any:
        """Read the service description and point its first service to the endpoint's own host."""
        address = self._client.url_of(self._options.wsdl)
        try:
            described = zeep.Client(address, transport=self._transport, settings=zeep.Settings(**_SETTINGS))
            port = next(port for service in described.wsdl.services.values() for port in service.ports.values())
        except (zeep.exceptions.XMLSyntaxError, etree.XMLSyntaxError) as error:
            message = f"{self._where}: the service description is not whole as XML"
            raise AgencyUnavailable(message, reason=Reason.CUT_OFF) from error
        except (zeep.exceptions.Error, etree.LxmlError, StopIteration, ValueError, KeyError) as error:
            message = f"{self._where}: the service description cannot be used: {type(error).__name__}"
            raise AgencyRefused(message, Reason.INTERFACE) from error
        if self._options.operation not in port.binding.all():
            message = f"{self._where}: the service has no operation of this name: compare `operation` of the descriptor"
            raise AgencyRefused(message, Reason.ADDRESS)
        return described.create_service(port.binding.name, address.partition("?")[0])

    def _fault(self, fault: zeep.exceptions.Fault, where: str) -> AgencyError:
        message = f"{where}: fault {self._safe(fault.code)}: {self._safe(fault.message)}"
        if str(fault.code).rpartition(":")[2] in _FAULTS_OF_THE_SERVICE:
            return AgencyUnavailable(message, reason=Reason.BROKEN)
        return AgencyRefused(message, Reason.REJECTED)

    def _safe(self, text: object) -> str:
        """Shorten what the service said: without the token, should it have been sent back, and numbers of persons."""
        shown = str(text)
        return quoted(shown.replace(self._secret, "***") if self._secret else shown, _SHOWN_CHARS)


class _GuardedTransport(Transport):
    """Carries zeep's questions through the client of the agency; ``received`` is the last envelope as it came."""

    def __init__(self, client: HttpClient) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # zeep has no types
        self.received = b""
        self._client: Final = client

    def load(self, url: str) -> bytes:
        received = self._client.ask_once(Question(url, what="service description"))
        _refuse_web_page(received)
        return received.content

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> requests.Response:
        question = Question(address, method="POST", headers=headers, body=message)
        received = self._client.ask_once(question, see_failures=True)
        if received.failed and b"Envelope" not in received.content:
            raise received.failed
        _refuse_web_page(received)
        self.received = received.content
        answer = requests.Response()
        answer.status_code = 500 if received.failed else 200
        answer.headers["Content-Type"] = received.kind or "text/xml"
        answer._content = received.content
        return answer


def _refuse_web_page(received: Received) -> None:
    if is_web_page(received.content, received.kind):
        message = f"{received.where}: a web page came instead of data (a login page?): check token and gateway"
        raise AgencyRefused(message, Reason.LOGIN_PAGE)


def _members(told: Any) -> Mapping[str, Any]:
    """Return the elements of an answer; one element around all of them (``return``) is looked into."""
    members = serialize_object(told, dict)
    while isinstance(members, dict) and len(members) == 1 and isinstance(next(iter(members.values())), dict):
        members = next(iter(members.values()))
    return members if isinstance(members, dict) else {}


def _rows(value: Any, row: str) -> list[str]:
    """Return the text of each row, of XML as text or as elements; XMLSyntaxError where it is cut off."""
    if isinstance(value, str):
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        value = etree.fromstring(value.encode(), parser)
    elif isinstance(value, dict):
        value = value.get("_value_1")
    if not isinstance(value, etree._Element):
        raise TypeError("no XML where the rows are agreed to stand")
    return [etree.tostring(each, encoding="unicode") for each in value.iter(f"{{*}}{row}")]
