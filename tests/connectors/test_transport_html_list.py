"""The HTML list transport against the simulated site: pages and days, what is new, what is left out, what moved."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.descriptor import HtmlList, load_agency
from connectors.endpoint import Endpoint
from connectors.formats.reader import open_table
from connectors.transports.contract import (
    AgencyRefused,
    Cursor,
    FilesRefusedError,
    Piece,
    PullInconsistentError,
    Reason,
)
from connectors.transports.html_list import pull
from simulator.faults import Fault, FaultKind
from simulator.servers.html_site import HtmlSite
from tests.connectors.http_sources import TOKEN, ca_file, serving, stream_of

DAY1, DAY2, DAY3 = date(2018, 8, 21), date(2018, 8, 22), date(2018, 8, 23)
LIST = "/xzcf/"
LABELS = {"CF_WSH": "行政处罚决定书文号", "CF_XDR_MC": "行政相对人名称", "CF_NR": "处罚内容"}


@pytest.fixture(params=["utf-8", "gb18030"])
def server(request: pytest.FixtureRequest) -> Iterator[HtmlSite]:
    with serving(HtmlSite, charset=request.param, page_size=5, labels=LABELS) as server:
        assert isinstance(server, HtmlSite)
        server.publish(LIST, DAY1, rows(1, 12))
        yield server


@pytest.fixture
def endpoint(server: HtmlSite, tmp_path: Path) -> Endpoint:
    return Endpoint(server.url, TOKEN, ca_file(tmp_path))


def rows(first: int, last: int) -> list[dict[str, str]]:
    return [
        {"CF_WSH": f"京知罚〔2018〕{n}号", "CF_XDR_MC": "北京甲公司", "CF_NR": "罚款"} for n in range(first, last + 1)
    ]


def drain(endpoint: Endpoint, cursor: Cursor | None = None, as_of: date = DAY1, **changes: object) -> list[Piece]:
    facts = {
        "type": "html_list",
        "path": LIST,
        "entry": "//ul[@class='list']/li",
        "day": "string(.//span)",
        "pages": "string(//span[@class='pages'])",
        "read_timeout": 5.0,
        **changes,
    }
    return list(pull(stream_of(HtmlList.model_validate(facts)), endpoint, cursor=cursor or {}, as_of=as_of))


def read(pieces: list[Piece]) -> list[str]:
    found = []
    for piece in pieces:
        assert isinstance(piece.content, bytes)
        with open_table(io.BytesIO(piece.content), file=piece.name) as table:
            assert set(table.header) == set(LABELS.values())
            found += [row[LABELS["CF_WSH"]] for batch in table.batches() for row in batch.to_pylist()]
    return found


def test_each_decision_is_a_piece_that_the_reader_opens(endpoint: Endpoint) -> None:
    pieces = drain(endpoint)
    assert sorted(read(pieces)) == sorted(row["CF_WSH"] for row in rows(1, 12))
    assert [piece.last for piece in pieces] == [False] * 11 + [True]
    assert pieces[-1].cursor["watermark"] == "2018-08-21"


def test_days_after_the_business_day_stay_and_the_next_pull_brings_only_what_is_new(
    server: HtmlSite, endpoint: Endpoint
) -> None:
    server.publish(LIST, DAY2, rows(13, 15))
    first = drain(endpoint)
    assert len(first) == 12
    assert read(drain(endpoint, first[-1].cursor, DAY2)) == [row["CF_WSH"] for row in rows(13, 15)]
    assert drain(endpoint, first[-1].cursor) == []


def test_old_list_pages_are_not_turned(server: HtmlSite, endpoint: Endpoint) -> None:
    for back in range(1, 20):
        server.publish(LIST, DAY1 - timedelta(days=back), rows(100 * back, 100 * back + 4))
    asked = len(server.requests)
    drain(endpoint, {"watermark": "2018-08-21"}, DAY1)
    pages = [target for target in server.requests[asked:] if "page=" in target]
    assert len(pages) == 5  # three with entries of the day, one without, the first again


def test_an_entry_put_on_the_list_late_or_changed_is_found_in_the_overlap(server: HtmlSite, endpoint: Endpoint) -> None:
    server.publish(LIST, DAY2, rows(13, 14))
    cursor = drain(endpoint, as_of=DAY2, overlap_days=2)[-1].cursor
    server.publish(LIST, DAY1, [*rows(1, 11), {"CF_WSH": "改", "CF_XDR_MC": "北京甲公司", "CF_NR": "撤销"}], 1)
    assert read(drain(endpoint, cursor, DAY3, overlap_days=2)) == ["改"]
    assert drain(endpoint, cursor, DAY3, overlap_days=0) == []


def test_a_page_that_is_gone_or_without_labels_is_left_out_and_asked_for_again(
    server: HtmlSite, endpoint: Endpoint
) -> None:
    server.faults.turn_on(Fault(FaultKind.NOT_FOUND, page=0, times=2))
    pieces: list[Piece] = []
    with pytest.raises(FilesRefusedError) as caught:
        pieces = _kept(endpoint, pieces)
    assert len(pieces) == 10
    assert {problem.rule for problem in caught.value.problems} == {"PAGE_GONE"}
    assert len(pieces[-1].cursor["left"]) == 2
    server.publish(LIST, DAY3, rows(20, 20))
    assert len(drain(endpoint, pieces[-1].cursor, DAY3, overlap_days=0)) == 3

    with pytest.raises(FilesRefusedError, match="数据项名称"):
        drain(endpoint, label="//tr/th[@class='name']")


def _kept(endpoint: Endpoint, pieces: list[Piece]) -> list[Piece]:
    facts = HtmlList(
        type="html_list",
        path=LIST,
        entry="//ul[@class='list']/li",
        day="string(.//span)",
        pages="string(//span[@class='pages'])",
    )
    pieces.extend(pull(stream_of(facts), endpoint, cursor={}, as_of=DAY1))
    return pieces


@pytest.mark.parametrize(
    "kind", [FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATE_PAGE, FaultKind.WRONG_TOTAL]
)
def test_a_list_that_moves_while_it_is_turned_starts_the_pull_over(
    server: HtmlSite, endpoint: Endpoint, kind: FaultKind
) -> None:
    server.faults.turn_on(Fault(kind, page=2, times=1))
    with pytest.raises(PullInconsistentError):
        drain(endpoint)
    assert len(drain(endpoint)) == 12


def test_a_list_that_moved_above_a_cut_starts_the_pull_over(server: HtmlSite, endpoint: Endpoint) -> None:
    cursor = drain(endpoint)[4].cursor
    assert len(drain(endpoint, cursor)) == 7
    server.publish(LIST, DAY1 - timedelta(days=3), rows(50, 50))
    with pytest.raises(PullInconsistentError, match="above the page"):
        drain(endpoint, cursor)


@pytest.mark.parametrize(
    "changes", [{"day": "string(.//em)"}, {"link": "string(.//b)"}, {"pages": "string(//b)"}, {"entry": "//["}]
)
def test_a_list_that_is_not_as_the_descriptor_says_is_refused(endpoint: Endpoint, changes: dict[str, str]) -> None:
    with pytest.raises(AgencyRefused, match="not a list as the descriptor says") as caught:
        drain(endpoint, **changes)
    assert caught.value.reason is Reason.INTERFACE


def test_a_public_page_needs_no_token_and_others_do(endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(AgencyRefused, match="no token"):
        drain(replace(endpoint, secret=None))
    with serving(HtmlSite, token="") as open_to_all:
        open_to_all.publish(LIST, DAY1, rows(1, 1))
        assert len(drain(Endpoint(open_to_all.url, None, ca_file(tmp_path)), public=True)) == 1


def test_a_link_to_another_host_is_not_followed(server: HtmlSite, endpoint: Endpoint) -> None:
    with pytest.raises(AgencyRefused, match="points to another host"):
        drain(endpoint, link="string('https://127.0.0.2/x.html')")


def test_only_its_own_streams_are_read() -> None:
    with pytest.raises(TypeError, match="not read from a list of web pages"):
        next(pull(load_agency("fda").streams[0], Endpoint("/"), cursor={}, as_of=DAY1))
