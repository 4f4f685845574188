"""What every transport promises (``connectors.transports.contract``), held against each of them with a real source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.transports.contract import (
    AgencyError,
    AgencyRefused,
    AgencyUnavailable,
    Cursor,
    Piece,
    PullInconsistentError,
    Reason,
)
from simulator.faults import Fault, FaultKind
from tests.connectors.http_sources import TOKEN
from tests.connectors.transport_cases import CASES, HTTPS_CASES, Source, numbers_in

DAY1, DAY2, DAY3 = date(2018, 8, 21), date(2018, 8, 22), date(2018, 8, 23)
LARGEST_CURSOR = 64 * 1024

REFUSALS = {
    FaultKind.UNAUTHORIZED: Reason.CREDENTIAL,
    FaultKind.FORBIDDEN: Reason.RIGHT,
    FaultKind.NOT_FOUND: Reason.ADDRESS,
    FaultKind.REDIRECT: Reason.ADDRESS,
    FaultKind.LOGIN_PAGE: Reason.LOGIN_PAGE,
    FaultKind.HTML_AS_DATA: Reason.LOGIN_PAGE,
}
PASSING = {
    FaultKind.TOO_MANY_REQUESTS: Reason.BUSY,
    FaultKind.SERVER_ERROR: Reason.BROKEN,
    FaultKind.RESET: Reason.CONNECTION,
    FaultKind.TRUNCATED: Reason.CUT_OFF,
    FaultKind.SLOW: Reason.CONNECTION,
}
SHIFTS = (FaultKind.WRONG_TOTAL, FaultKind.ROW_INSERTED, FaultKind.ROW_REMOVED, FaultKind.DUPLICATE_PAGE)


@pytest.fixture(params=CASES, scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    with CASES[request.param](tmp_path_factory.mktemp("source")) as source:
        source.publish(DAY1, range(1, 8))
        source.publish(DAY2, range(8, 11))
        yield source


@pytest.fixture(params=HTTPS_CASES)
def https_source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    with HTTPS_CASES[request.param](tmp_path) as source:
        source.publish(DAY1, range(1, 8))
        yield source


def whole(source: Source, cursor: Cursor, as_of: date) -> list[Piece]:
    pieces = list(source.pull(cursor, as_of))
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True] * bool(pieces)
    assert len({piece.name for piece in pieces}) == len(pieces)
    for piece in pieces:
        text = json.dumps(piece.cursor)
        assert len(text) < LARGEST_CURSOR
        assert json.loads(text) == piece.cursor
        assert TOKEN not in text
    return pieces


def test_a_first_pull_brings_all_up_to_the_day_and_the_next_one_what_is_new(source: Source) -> None:
    first = whole(source, {}, DAY1)
    assert sorted(numbers_in(first)) == list(range(1, 8))
    second = whole(source, first[-1].cursor, DAY2)
    assert set(range(8, 11)) <= set(numbers_in(second))
    assert whole(source, second[-1].cursor, DAY2) == []


def test_a_pull_changes_nothing_at_the_source(source: Source) -> None:
    assert [piece.content for piece in whole(source, {}, DAY2)] == [p.content for p in whole(source, {}, DAY2)]


def test_a_pull_goes_on_exactly_behind_any_piece(source: Source) -> None:
    pieces = whole(source, {}, DAY2)
    for kept, piece in enumerate(pieces[:-1], start=1):
        rest = whole(source, json.loads(json.dumps(piece.cursor)), DAY2)
        assert [(p.name, p.content, p.cursor) for p in rest] == [(p.name, p.content, p.cursor) for p in pieces[kept:]]


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 3), max_size=8))
def test_cuts_anywhere_bring_the_rows_of_a_pull_without_cuts(source: Source, cuts: list[int]) -> None:
    kept: list[Piece] = []
    cursor: Cursor = {}
    for cut in cuts:
        if kept and kept[-1].last:
            break
        for _, piece in zip(range(cut), source.pull(cursor, DAY2), strict=False):
            kept.append(piece)
            cursor = json.loads(json.dumps(piece.cursor))
    if not (kept and kept[-1].last):
        kept += source.pull(cursor, DAY2)
    assert sorted(numbers_in(kept)) == list(range(1, 11))


def test_nothing_at_the_source_is_no_piece(source: Source) -> None:
    assert whole(source, {}, date(2018, 8, 19)) == []


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_told_at_once_with_its_reason_and_without_the_secret(
    https_source: Source, kind: FaultKind
) -> None:
    assert https_source.faults
    https_source.faults.turn_on(Fault(kind, page=2))
    with pytest.raises(AgencyRefused) as caught:
        list(https_source.pull({}, DAY1))
    assert caught.value.reason is REFUSALS[kind]
    assert not said_in(caught.value, TOKEN)


@pytest.mark.parametrize("kind", PASSING)
def test_a_passing_fault_leaves_no_trace_and_a_lasting_one_is_given_up(https_source: Source, kind: FaultKind) -> None:
    assert https_source.faults
    sound = whole(https_source, {}, DAY1)
    https_source.faults.turn_on(Fault(kind, page=2, times=1, seconds=0))
    assert whole(https_source, {}, DAY1) == sound
    https_source.faults.turn_on(Fault(kind, page=2, seconds=0))
    with pytest.raises(AgencyUnavailable, match="attempt 3 of 3") as caught:
        list(https_source.pull({}, DAY1))
    assert caught.value.reason is PASSING[kind]
    assert not said_in(caught.value, TOKEN)


def test_rows_dated_ahead_by_the_clock_of_the_source_come_when_their_day_has_come(https_source: Source) -> None:
    assert https_source.faults
    first = whole(https_source, {}, DAY1)
    https_source.faults.turn_on(Fault(FaultKind.CLOCK_AHEAD))
    https_source.publish(DAY2, range(8, 11))
    https_source.faults.turn_off()
    second = whole(https_source, first[-1].cursor, DAY2)
    assert not set(range(8, 11)) & set(numbers_in(second))
    https_source.publish(DAY3, range(11, 13))
    third = whole(https_source, (second or first)[-1].cursor, DAY3)
    assert set(range(8, 13)) <= set(numbers_in(third))


def test_silence_is_a_timeout(https_source: Source) -> None:
    assert https_source.faults
    https_source.faults.turn_on(Fault(FaultKind.SLOW, page=1, seconds=0.7, times=3))
    with pytest.raises(AgencyUnavailable) as caught:
        list(https_source.pull({}, DAY1))
    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize("kind", SHIFTS)
def test_rows_that_shift_start_the_pull_over_and_nothing_is_lost(https_source: Source, kind: FaultKind) -> None:
    assert https_source.faults
    https_source.faults.turn_on(Fault(kind, page=2, times=1))
    pieces: list[Piece] = []
    try:
        pieces.extend(https_source.pull({}, DAY1))
    except PullInconsistentError as error:
        assert error.reason is Reason.INCONSISTENT
        assert not (pieces and pieces[-1].last)
        pieces = whole(https_source, {}, DAY1)
    assert sorted(numbers_in(pieces)) == list(range(1, 8))


def said_in(error: AgencyError, secret: str) -> bool:
    """Say whether a secret stands in an error or in what caused it."""
    chain: BaseException | None = error
    while chain is not None:
        if secret in f"{chain} {chain!r}":
            return True
        chain = chain.__cause__ or chain.__context__
    return False
