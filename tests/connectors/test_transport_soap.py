"""The SOAP transport against the simulated service: batches, codes, faults, what the description may name."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connectors.descriptor import ChangeDates, SoapService, load_agency
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import (
    AgencyRefused,
    AgencyUnavailable,
    Cursor,
    Piece,
    PullInconsistentError,
    Reason,
)
from connectors.transports.soap import pull
from simulator.faults import Fault, FaultKind
from simulator.servers.https import Answer, Request
from simulator.servers.soap import PATH, SoapServer
from tests.connectors.http_sources import TOKEN, ca_file, serving, stream_of

DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
OPERATION = "exportPenaltyXml"


class ShiftingServer(SoapServer):
    """A service whose description or answers a test may replace."""

    replaced: Answer | None = None

    def answer(self, request: Request) -> Answer:
        replaces = self.replaced and (request.method == "GET") == self.replaced.body.startswith(b"<definitions")
        return self.replaced if replaces and self.replaced else super().answer(request)


@pytest.fixture
def server() -> Iterator[SoapServer]:
    with serving(ShiftingServer) as server:
        server.publish(OPERATION, DAY1, rows(1, 25))
        yield server


@pytest.fixture
def endpoint(server: SoapServer, tmp_path: Path) -> Endpoint:
    return Endpoint(server.url, TOKEN, ca_file(tmp_path))


def rows(first: int, last: int) -> list[dict[str, str]]:
    return [{"CF_WSH": f"京关罚〔2018〕{n}号", "CF_NR": "没收 <侵权> & 罚款"} for n in range(first, last + 1)]


def drain(endpoint: Endpoint, cursor: Cursor | None = None, as_of: date = DAY1, **changes: object) -> list[Piece]:
    facts = {
        "type": "soap",
        "wsdl": f"{PATH}?wsdl",
        "operation": OPERATION,
        "batch_rows": 10,
        "watermark": {"by": "number", "overlap": 0},
        "read_timeout": 5.0,
        **changes,
    }
    stream = stream_of(SoapService.model_validate(facts))
    return list(pull(stream, endpoint, cursor=cursor or {}, as_of=as_of))


def read(pieces: list[Piece]) -> list[str]:
    found = []
    for piece in pieces:
        assert isinstance(piece.content, bytes)
        with open_table(io.BytesIO(piece.content), file=piece.name) as table:
            found += [row["CF_WSH"] for batch in table.batches() for row in batch.to_pylist()]
    return found


def test_batches_come_as_envelopes_that_the_reader_opens(endpoint: Endpoint) -> None:
    pieces = drain(endpoint)
    assert read(pieces) == [row["CF_WSH"] for row in rows(1, 25)]
    assert [piece.rows for piece in pieces] == [10, 10, 5]
    assert all(b"Envelope" in piece.content for piece in pieces if isinstance(piece.content, bytes))
    assert TOKEN.encode() not in b"".join(piece.content for piece in pieces if isinstance(piece.content, bytes))
    assert pieces[-1].cursor == {"watermark": 25}


def test_the_next_pull_asks_behind_the_watermark(server: SoapServer, endpoint: Endpoint) -> None:
    server.publish(OPERATION, DAY2, rows(26, 27))
    assert read(drain(endpoint, {"watermark": 25}, DAY2)) == [row["CF_WSH"] for row in rows(26, 27)]
    assert drain(endpoint, {"watermark": 25}, DAY1) == []
    by_day = ChangeDates(by="date", overlap_days=0)
    assert drain(endpoint, {"watermark": "2018-08-22"}, DAY2, watermark=by_day)[-1].cursor == {
        "watermark": "2018-08-22"
    }


def test_another_code_refuses_with_the_line_and_the_text_of_the_service(endpoint: Endpoint) -> None:
    with pytest.raises(AgencyRefused, match=r"code 01, line -: token 无效") as caught:
        drain(replace(endpoint, secret="another-token"))
    assert caught.value.reason is Reason.REJECTED
    with pytest.raises(AgencyRefused, match=r"code 02, line 1: 参数错误"):
        drain(endpoint, since_parameter="until", until_parameter="since")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"operation": "importPenaltyXml"}, Reason.ADDRESS),
        ({"wsdl": "/elsewhere?wsdl"}, Reason.ADDRESS),
        ({"batch_parameter": "page"}, Reason.INTERFACE),
        ({"rows": "rowdata"}, Reason.INTERFACE),
        ({"total": "message"}, Reason.INTERFACE),
    ],
)
def test_what_is_not_as_the_descriptor_says_is_refused(
    endpoint: Endpoint, changes: dict[str, object], reason: Reason
) -> None:
    with pytest.raises(AgencyRefused) as caught:
        drain(endpoint, **changes)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("faultcode", "error", "reason"),
    [("soap:Client", AgencyRefused, Reason.REJECTED), ("soap:Server", AgencyUnavailable, Reason.BROKEN)],
)
def test_a_soap_fault_is_told_without_the_token(
    server: ShiftingServer, endpoint: Endpoint, faultcode: str, error: type[Exception], reason: Reason
) -> None:
    body = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
        f"<faultcode>{faultcode}</faultcode><faultstring>bad token {TOKEN}</faultstring>"
        "</soap:Fault></soap:Body></soap:Envelope>"
    )
    server.replaced = Answer(500, body.encode(), "text/xml; charset=utf-8")
    with pytest.raises(error, match=r"bad token \*\*\*") as caught:
        drain(endpoint)
    assert caught.value.reason is reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "description",
    [
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"><import namespace="urn:y" location="{}"/></definitions>',
        '<!DOCTYPE definitions [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&e;</definitions>',
    ],
    ids=["another host", "document type"],
)
def test_a_description_leads_nowhere_else(server: ShiftingServer, endpoint: Endpoint, description: str) -> None:
    body = description.format("https://127.0.0.2:1/other.xsd").encode()
    server.replaced = Answer(200, body, "text/xml; charset=utf-8")
    server.answer = lambda request: server.replaced  # type: ignore[assignment,method-assign,return-value]
    with pytest.raises(AgencyRefused):
        drain(endpoint)


def test_a_batch_that_was_shifted_starts_the_pull_over(server: SoapServer, endpoint: Endpoint) -> None:
    for kind in (FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATE_PAGE, FaultKind.WRONG_TOTAL):
        server.faults.turn_on(Fault(kind, page=2, times=1))
        with pytest.raises(PullInconsistentError):
            drain(endpoint)


def test_only_its_own_streams_are_read() -> None:
    with pytest.raises(TypeError, match="not read from a SOAP service"):
        next(pull(load_agency("fda").streams[0], Endpoint("/"), cursor={}, as_of=DAY1))


def test_what_the_service_says_is_told_without_numbers_of_persons(server: ShiftingServer, endpoint: Endpoint) -> None:
    said = f"line 17: 张三,110101198001010053,手机13812345678,{'长' * 140}110101198001010053"
    body = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
        f"<faultcode>soap:Client</faultcode><faultstring>{said}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
    )
    server.replaced = Answer(500, body.encode(), "text/xml; charset=utf-8")
    with pytest.raises(AgencyRefused, match=r"line 17: 张三,110101\*{8}0053,手机〔电话略〕") as caught:
        drain(endpoint)
    assert "1101011" not in str(caught.value) and "1381234" not in str(caught.value)


def test_the_text_of_a_refusing_code_is_told_without_numbers_of_persons(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"code": "10004", "line": "17", "message": "张三,110101198001010053,手机13812345678"}
    monkeypatch.setattr("connectors.transports.soap._members", lambda _told: said)
    with pytest.raises(AgencyRefused, match=r"code 10004, line 17: 张三,110101\*{8}0053,手机〔电话略〕"):
        drain(endpoint)
