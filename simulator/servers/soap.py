"""The simulated SOAP service of an agency, of the shape of the upload services of 2018: rows as XML text in the answer.

``GET /service/DataService?wsdl`` describes the service (document/literal, SOAP 1.1); every operation that something was
published under is ``operation(token, since, until, batch, batchRows)``: ``since`` a change number that is excluded or a
day that is included, empty for everything; ``until`` a day that is included; ``batch`` counts from 1. The answer holds
``code`` ("00" accepted), ``line`` and ``message`` of what was wrong, ``total`` rows selected, ``batches``, ``batch``,
the ``change_no`` that is the highest selected, and ``xml``: ``<ROWDATA><ROW><XK_WSH>..</XK_WSH>..</ROW></ROWDATA>`` as
text.
"""

from __future__ import annotations

import hmac
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from threading import Lock
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from defusedxml.ElementTree import ParseError, fromstring

from simulator.faults import OF_PAGES, Fault, FaultKind
from simulator.servers.https import Answer, HttpsServer, Request
from simulator.servers.published import Change, Row

PATH: Final = "/service/DataService"
_NAMESPACE: Final = "urn:disclosure:exchange"
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_XML: Final = "text/xml; charset=utf-8"
_ASKED: Final = ("token", "since", "until", "batch", "batchRows")
_ANSWERED: Final = ("code", "line", "message", "total", "batches", "batch", "change_no", "xml")


class SoapServer(HttpsServer):
    """Serves each operation that something was published under.

    The token is the first argument of every operation; reading the description needs none.
    """

    faults_of_protocol = OF_PAGES | {FaultKind.OTHER_CHARSET}

    def __init__(self, token: str, tls: ssl.SSLContext, port: int = 0) -> None:
        """Bind to a port of loopback (0: any free one); nothing is answered before start."""
        super().__init__("", tls, port)
        self._expected: Final = token
        self._turned: Final[Counter[str]] = Counter()
        self._lock: Final = Lock()

    def answer(self, request: Request) -> Answer:
        """Answer the description, a batch, a code that is not "00", or a SOAP fault."""
        if request.path != PATH:
            return Answer(404)
        if request.method == "GET":
            return Answer(200, self._wsdl(), _XML)
        asked = _asked(request)
        return _fault("soap:Client", "not an envelope") if asked is None else self._batch(*asked)

    def page_of(self, request: Request) -> int:
        """Return the number of the batch asked for, 0 for the description."""
        asked = _asked(request) if request.method == "POST" else None
        batch = asked[1].get("batch", "") if asked else ""
        return int(batch) if batch.isdigit() else 0

    def spoilt(self, fault: Fault, request: Request, sound: Answer) -> Answer:
        """Make the fault out of the sound answer; the order of rows stays turned afterwards."""
        asked = _asked(request)
        if asked is None:
            return sound
        operation, arguments = asked
        batch = int(arguments["batch"])
        match fault.kind:
            case FaultKind.WRONG_TOTAL:
                return self._batch(operation, arguments, extra=1)
            case FaultKind.DUPLICATE_PAGE:
                return self._batch(operation, arguments, rows_of=max(batch - 1, 1))
            case FaultKind.DROPPED_PAGE:
                return self._batch(operation, arguments, rows_of=batch + 1)
            case FaultKind.OTHER_CHARSET:
                return replace(sound, body=sound.body.decode().encode("gb18030"))
            case FaultKind.ROW_INSERTED | FaultKind.ROW_REMOVED:
                with self._lock:
                    self._turned[operation] += 1 if fault.kind is FaultKind.ROW_REMOVED else -1
                return self._batch(operation, arguments)
            case _:
                raise ValueError(f"a SOAP service knows no fault {fault.kind.name}")

    def _batch(
        self, operation: str, arguments: Mapping[str, str], *, extra: int = 0, rows_of: int | None = None
    ) -> Answer:
        changes = self._published.changes(operation)
        if changes is None:
            return _fault("soap:Client", f"no operation {operation}")
        if not hmac.compare_digest(arguments.get("token", "").encode(), self._expected.encode()):
            return _answered(operation, {"code": "01", "message": "token 无效或已过期"})
        try:
            batch, size = int(arguments["batch"]), int(arguments["batchRows"])
            until = date.fromisoformat(arguments["until"])
            since = arguments.get("since") or "0"
            selected = [change for change in changes if change.day <= until and _is_since(change, since)]
        except (KeyError, ValueError) as error:
            return _answered(operation, {"code": "02", "line": "1", "message": f"参数错误: {error}"})
        turn = self._turned[operation] % len(selected) if selected else 0
        rows = [change.row for change in (*selected[turn:], *selected[:turn])]
        first = ((rows_of or batch) - 1) * size
        highest = max((change.number for change in selected), default=int(since) if since.isdigit() else 0)
        told = {
            "code": "00",
            "total": str(len(rows) + extra),
            "batches": str(-(-len(rows) // size)),
            "batch": str(batch),
            "change_no": str(highest),
            "xml": _rowdata(rows[first : first + size]),
        }
        return _answered(operation, told)

    def _wsdl(self) -> bytes:
        names = self._published.paths()
        types = "".join(_element(name, _ASKED) + _element(f"{name}Response", _ANSWERED) for name in names)
        messages = "".join(
            f'<message name="{name}{way}"><part name="parameters" element="x:{name}{way}"/></message>'
            for name in names
            for way in ("", "Response")
        )
        operations = "".join(
            f'<operation name="{name}"><input message="x:{name}"/><output message="x:{name}Response"/></operation>'
            for name in names
        )
        bound = "".join(
            f'<operation name="{name}"><soap:operation soapAction="{name}"/>'
            '<input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>'
            for name in names
        )
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:x="{_NAMESPACE}" '
            f'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" targetNamespace="{_NAMESPACE}"><types>'
            f'<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{_NAMESPACE}" '
            f'elementFormDefault="qualified">{types}</schema></types>{messages}'
            f'<portType name="DataPort">{operations}</portType><binding name="DataBinding" type="x:DataPort">'
            f'<soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>{bound}</binding>'
            '<service name="DataService"><port name="DataPort" binding="x:DataBinding">'
            f'<soap:address location="{escape(self.url)}{PATH}"/></port></service></definitions>'
        ).encode()


def _element(name: str, parts: Sequence[str]) -> str:
    inside = "".join(f'<element name="{part}" type="string" minOccurs="0"/>' for part in parts)
    return f'<element name="{name}"><complexType><sequence>{inside}</sequence></complexType></element>'


def _asked(request: Request) -> tuple[str, dict[str, str]] | None:
    """Return operation and arguments of an envelope, null for what is none."""
    try:
        body = fromstring(request.body).find(f"{{{_SOAP}}}Body")
    except ParseError:
        return None
    if body is None or not len(body):
        return None
    return _local(body[0]), {_local(part): part.text or "" for part in body[0]}


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _is_since(change: Change, since: str) -> bool:
    return change.number > int(since) if since.isdigit() else change.day >= date.fromisoformat(since)


def _rowdata(rows: Sequence[Row]) -> str:
    inside = "".join(
        f"<ROW>{''.join(f'<{code}>{escape(text)}</{code}>' for code, text in row.items())}</ROW>" for row in rows
    )
    return f"<ROWDATA>{inside}</ROWDATA>"


def _answered(operation: str, told: Mapping[str, str]) -> Answer:
    parts = "".join(f"<x:{name}>{escape(told[name])}</x:{name}>" for name in _ANSWERED if name in told)
    return Answer(
        200, _envelope(f'<x:{operation}Response xmlns:x="{_NAMESPACE}">{parts}</x:{operation}Response>'), _XML
    )


def _fault(code: str, text: str) -> Answer:
    inside = f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring></soap:Fault>"
    return Answer(500, _envelope(inside), _XML)


def _envelope(inside: str) -> bytes:
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{_SOAP}">'
    return f"{head}<soap:Body>{inside}</soap:Body></soap:Envelope>".encode()
