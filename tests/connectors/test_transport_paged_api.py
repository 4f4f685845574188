"""The paged API transport against the simulated server, with its faults."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import trustme

from connectors.descriptor import (
    ChangeDates,
    NextToken,
    PagedApi,
    PageNumbers,
    Retries,
    Stream,
    TimeWindows,
    load_agency,
)
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece, PullInconsistentError
from connectors.transports.paged_api import pull
from simulator.faults import Fault, FaultKind
from simulator.servers.paged_api import PagedApiServer

DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
TOKEN = "a-token"
QUICK = Retries(attempts=3, first_wait=0.01, longest_wait=2.0)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return authority, path


@pytest.fixture
def server(certificates: tuple[trustme.CA, Path]) -> Iterator[PagedApiServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates[0].issue_cert("127.0.0.1").configure_cert(tls)
    server = PagedApiServer(TOKEN, tls)
    server.publish("/licences", DAY1, rows(1, 95))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def endpoint(server: PagedApiServer, certificates: tuple[trustme.CA, Path]) -> Endpoint:
    return Endpoint(server.url, TOKEN, str(certificates[1]))


def stream(**changes: object) -> Stream:
    shipped = load_agency("aic").stream("licence")
    retries = changes.pop("retries", QUICK)
    options = {"page_size": 20, "read_timeout": 5.0, **changes}
    return shipped.model_copy(
        update={"rate": 1000.0, "retries": retries, "transport": shipped.transport.model_copy(update=options)}
    )


def rows(first: int, last: int) -> list[dict[str, str]]:
    return [{"XK_WSH": f"第{n}号"} for n in range(first, last + 1)]


def numbers(pieces: list[Piece]) -> list[str]:
    return [row["XK_WSH"] for piece in pieces for row in json.loads(piece.content)["rows"]]


def numbers_of(first: int, last: int) -> list[str]:
    return [f"第{n}号" for n in range(first, last + 1)]


def drain(endpoint: Endpoint, cursor: Cursor | None = None, as_of: date = DAY1, **changes: object) -> list[Piece]:
    return list(pull(stream(**changes), endpoint, cursor=cursor or {}, as_of=as_of))


def test_all_pages_come_as_sent_and_the_last_one_says_so(endpoint: Endpoint) -> None:
    pieces = drain(endpoint)
    assert numbers(pieces) == numbers_of(1, 95)
    assert [piece.last for piece in pieces] == [False] * 4 + [True]
    assert [piece.rows for piece in pieces] == [20, 20, 20, 20, 15]
    assert pieces[-1].cursor == {"watermark": 95}
    assert "第1号".encode() in pieces[0].content
    assert len({piece.name for piece in pieces}) == 5


def test_a_pull_goes_on_behind_any_piece_after_a_round_trip_through_json(endpoint: Endpoint) -> None:
    whole = drain(endpoint)
    for kept in range(1, len(whole)):
        cursor = json.loads(json.dumps(whole[kept - 1].cursor))
        rest = drain(endpoint, cursor)
        assert [piece.content for piece in rest] == [piece.content for piece in whole[kept:]]
        assert rest[-1].cursor == whole[-1].cursor


def test_the_next_pull_reads_changes_and_an_overlap(endpoint: Endpoint, server: PagedApiServer) -> None:
    cursor = drain(endpoint)[-1].cursor
    server.publish("/licences", DAY2, rows(96, 100))
    pieces = drain(endpoint, cursor, DAY2)
    assert numbers(pieces) == [f"第{n}号" for n in range(76, 101)]  # 20 numbers of overlap
    assert pieces[-1].cursor == {"watermark": 100}


def test_what_is_dated_after_the_business_day_stays_for_later(endpoint: Endpoint, server: PagedApiServer) -> None:
    server.publish("/licences", DAY2, rows(96, 96))
    pieces = drain(endpoint, as_of=DAY1)
    assert "第96号" not in numbers(pieces)
    assert pieces[-1].cursor == {"watermark": 95}


def test_nothing_at_the_source_is_no_piece(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.publish("/empty", DAY1, [])
    assert drain(endpoint, path="/empty") == []


def test_a_watermark_of_days_asks_the_overlap_again(server: PagedApiServer, endpoint: Endpoint) -> None:
    by_day = ChangeDates(by="date", overlap_days=2)
    assert drain(endpoint, watermark=by_day)[-1].cursor == {"watermark": "2018-08-21"}
    server.publish("/licences", DAY2, rows(96, 97))
    assert numbers(drain(endpoint, {"watermark": "2018-08-21"}, DAY2, watermark=by_day)) == numbers_of(1, 97)
    assert "changed_since=2018-08-19&" in server.requests[-1] + "&"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.TOO_MANY_REQUESTS, page=2, times=2),
        Fault(FaultKind.SERVER_ERROR, page=3, times=2),
        Fault(FaultKind.RESET, page=4, times=2),
        Fault(FaultKind.TRUNCATED, page=5, times=2),
        Fault(FaultKind.SLOW, page=1, times=1, seconds=0.6),
    ],
    ids=lambda fault: fault.kind.name,
)
def test_a_passing_fault_leaves_no_trace(server: PagedApiServer, endpoint: Endpoint, fault: Fault) -> None:
    sound = drain(endpoint)
    server.faults.turn_on(fault)
    assert drain(endpoint, read_timeout=0.3) == sound


@pytest.mark.parametrize(
    "kind",
    [FaultKind.TOO_MANY_REQUESTS, FaultKind.SERVER_ERROR, FaultKind.RESET, FaultKind.TRUNCATED],
)
def test_a_lasting_fault_is_given_up_and_can_be_asked_again_later(
    server: PagedApiServer, endpoint: Endpoint, kind: FaultKind
) -> None:
    server.faults.turn_on(Fault(kind, page=2))
    pieces: list[Piece] = []
    with pytest.raises(AgencyUnavailable, match="attempt 3 of 3"):
        pieces.extend(pull(stream(), endpoint, cursor={}, as_of=DAY1))
    assert len(server.requests) == 4
    server.faults.turn_off()


def test_the_wait_that_a_busy_source_asks_for_is_kept(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.faults.turn_on(Fault(FaultKind.TOO_MANY_REQUESTS, page=1, times=1, seconds=1))
    start = time.perf_counter()
    drain(endpoint)
    assert time.perf_counter() - start >= 1


def test_a_wait_longer_than_ours_is_left_to_the_scheduler(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.faults.turn_on(Fault(FaultKind.TOO_MANY_REQUESTS, page=1, seconds=900))
    with pytest.raises(AgencyUnavailable) as caught:
        drain(endpoint)
    assert caught.value.retry_after == 900
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (FaultKind.UNAUTHORIZED, "renew the secret"),
        (FaultKind.FORBIDDEN, "ask the agency for the right"),
        (FaultKind.NOT_FOUND, "`path` of the descriptor"),
        (FaultKind.LOGIN_PAGE, "a login page"),
        (FaultKind.REDIRECT, "redirects are not followed"),
    ],
)
def test_a_refusal_is_told_at_once_with_what_to_put_right(
    server: PagedApiServer, endpoint: Endpoint, kind: FaultKind, advice: str
) -> None:
    server.faults.turn_on(Fault(kind, page=2))
    with pytest.raises(AgencyRefused, match=advice):
        drain(endpoint)
    assert len(server.requests) == 2


def test_rows_that_do_not_add_up_to_the_total_start_the_pull_over(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.faults.turn_on(Fault(FaultKind.WRONG_TOTAL))
    with pytest.raises(PullInconsistentError, match="96 rows declared, 95 received"):
        drain(endpoint)
    server.faults.turn_on(Fault(FaultKind.WRONG_TOTAL, page=3))
    with pytest.raises(PullInconsistentError, match="changed from 95 to 96 rows"):
        drain(endpoint)


WINDOWS = {
    "paging": TimeWindows(by="window", start=date(2018, 8, 14), days=7),
    "watermark": ChangeDates(by="date", overlap_days=3),
}


def test_windows_are_asked_for_one_after_the_other_on_a_grid(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.publish("/licences", date(2018, 8, 30), rows(96, 97))
    pieces = drain(endpoint, as_of=date(2018, 8, 30), **WINDOWS)
    assert numbers(pieces) == numbers_of(1, 97)
    assert {piece.name.split("_")[2] for piece in pieces} == {"20180821", "20180828"}
    spans = {tuple(re.findall(r"changed_(?:until|since)=([\d-]+)", target)) for target in server.requests}
    assert spans == {("2018-08-20", "2018-08-14"), ("2018-08-27", "2018-08-21"), ("2018-08-30", "2018-08-28")}
    assert pieces[-1].cursor == {"watermark": "2018-08-30"}


def test_a_window_that_has_not_changed_is_not_handed_over_again(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.publish("/licences", date(2018, 8, 22), rows(96, 97))
    cursor = drain(endpoint, as_of=date(2018, 8, 29), etags=True, **WINDOWS)[-1].cursor
    server.publish("/licences", date(2018, 8, 30), rows(98, 98))
    assert numbers(drain(endpoint, cursor, date(2018, 8, 30), etags=True, **WINDOWS)) == numbers_of(98, 98)
    server.publish("/licences", date(2018, 8, 22), [{"XK_WSH": "改"}], 96)
    changed = drain(endpoint, cursor, date(2018, 8, 30), etags=True, **WINDOWS)
    assert "改" in numbers(changed)
    assert len(json.dumps(changed[-1].cursor)) < 64 * 1024


def test_a_304_for_something_new_is_made_good_by_the_next_pull(server: PagedApiServer, endpoint: Endpoint) -> None:
    daily = {**WINDOWS, "paging": TimeWindows(by="window", start=DAY1, days=1), "etags": True}
    cursor = drain(endpoint, as_of=DAY2, **daily)[-1].cursor
    server.publish("/licences", DAY1, rows(1, 96))
    server.faults.turn_on(Fault(FaultKind.STALE_ETAG))
    assert drain(endpoint, cursor, DAY2, **daily) == []
    server.faults.turn_off()
    assert "第96号" in numbers(drain(endpoint, cursor, DAY2, **daily))


def test_tokens_are_followed_without_a_total(endpoint: Endpoint) -> None:
    pieces = drain(endpoint, paging=NextToken(by="cursor"), total=None)
    assert numbers(pieces) == numbers_of(1, 95)
    assert [piece.last for piece in pieces] == [False] * 4 + [True]
    assert numbers(drain(endpoint, pieces[2].cursor, paging=NextToken(by="cursor"), total=None)) == numbers_of(61, 95)


@pytest.mark.parametrize("paging", [PageNumbers(by="page"), NextToken(by="cursor")], ids=lambda paging: paging.by)
def test_rows_that_the_agency_repeats_are_its_own_business(
    server: PagedApiServer, endpoint: Endpoint, paging: object
) -> None:
    server.publish("/licences", DAY1, [*rows(1, 30), *rows(7, 12), *rows(31, 40), *rows(1, 1)])
    assert len(numbers(drain(endpoint, paging=paging))) == 47


def test_a_row_number_given_twice_is_a_shift(server: PagedApiServer, endpoint: Endpoint) -> None:
    server.publish("/licences", DAY1, [*rows(1, 30), *rows(7, 12)])
    with pytest.raises(PullInconsistentError, match="a row of page 1 again"):
        drain(endpoint, row_id="XK_WSH")


def test_a_list_that_moved_while_a_pull_was_cut_off_is_noticed(server: PagedApiServer, endpoint: Endpoint) -> None:
    by_day = ChangeDates(by="date")
    cursor = drain(endpoint, watermark=by_day)[1].cursor
    server.publish("/licences", DAY1, [*rows(2, 95), *rows(96, 96)])
    with pytest.raises(PullInconsistentError, match="page 2 changed"):
        drain(endpoint, cursor, watermark=by_day)


def test_a_page_larger_than_agreed_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(AgencyRefused, match="larger than 100 bytes"):
        drain(endpoint, largest_page=100)


def test_the_certificate_is_verified(endpoint: Endpoint, tmp_path: Path) -> None:
    stranger = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    for untrusted in (str(stranger), None):
        with pytest.raises(AgencyRefused, match="certificate is not trusted"):
            drain(replace(endpoint, ca_file=untrusted))
    with pytest.raises(AgencyRefused, match="CA"):
        drain(replace(endpoint, ca_file=str(tmp_path / "absent.pem")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "http://127.0.0.1:1/api"}, "only https"),
        ({"secret": None}, "no token"),
        ({"secret": "another"}, "answered 401"),
    ],
)
def test_the_token_travels_only_where_it_may(endpoint: Endpoint, change: dict[str, str | None], message: str) -> None:
    with pytest.raises(AgencyRefused, match=message) as caught:
        drain(replace(endpoint, **change))
    assert TOKEN not in str(caught.value)


def test_a_closed_port_is_unavailable(endpoint: Endpoint) -> None:
    with pytest.raises(AgencyUnavailable, match="ConnectionError"):
        drain(replace(endpoint, url="https://127.0.0.1:9/api"), retries=Retries(attempts=1))


def test_the_shipped_streams_are_read_by_this_transport() -> None:
    assert all(isinstance(s.transport, PagedApi) for s in load_agency("aic").streams)
    with pytest.raises(TypeError, match="not read through a paged API"):
        next(pull(load_agency("fda").stream("licence"), Endpoint("/"), cursor={}, as_of=DAY1))
