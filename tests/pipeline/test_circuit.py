"""A source that fails in a row is left alone for a while, over simulated time; nobody else is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import DAY, NEXT_DAY
from hypothesis import given
from hypothesis import strategies as st

from connectors.descriptor import Circuit, load_agency
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Piece
from pipeline import circuit
from pipeline import collect as collecting
from pipeline.collect import collect
from pipeline.office import Office
from pipeline.resync import close_circuit, resync
from pipeline.silence import late_sources, source_status
from store.schema import delivery, delivery_file, watermark_move
from store.sources import Health, read_health

START = dt.datetime(2018, 8, 21, 3, 0, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
LIMITS = Circuit()


class Source:
    """An agency whose streams answer as a test says, and that counts how often each is asked."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.cursors: list[Any] = []
        self.fault: dict[str, Exception] = {}
        self.content = b"CF_WSH\n"

    def pull(self, stream: Any, _endpoint: object, *, cursor: Any, as_of: dt.date) -> Iterator[Piece]:
        self.asked[stream.id] = self.asked.get(stream.id, 0) + 1
        self.cursors.append(cursor)
        if stream.id in self.fault:
            raise self.fault[stream.id]
        yield Piece(f"{stream.id}_{as_of}.csv", self.content + stream.id.encode(), {"up_to": str(as_of)}, True, 7)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    made = Source()
    monkeypatch.setattr(collecting, "pull", made.pull)
    return made


@pytest.fixture
def ask(office: Office) -> Callable[..., dict[str, Any]]:
    def collect_at(now: dt.datetime | None, day: dt.date = DAY) -> dict[str, Any]:
        return collect(
            "aic", day, engine=office.engine, archive=office.archive, endpoint=None, ingest=lambda _: None, now=now
        )  # type: ignore[arg-type]

    return collect_at


def fail(ask: Callable[..., Any], now: dt.datetime, error: type[Exception]) -> str:
    with pytest.raises(error) as raised:
        ask(now)
    return str(raised.value)


def test_an_unavailable_source_is_left_alone_longer_each_time_and_the_other_stream_is_not(
    office: Office, source: Source, ask: Any
) -> None:
    source.fault["licence"] = AgencyUnavailable("answered 503")
    now = START
    for _ in range(LIMITS.unavailable):
        fail(ask, now, AgencyUnavailable)
        now += MINUTE
    others = [stream.id for stream in load_agency("aic").streams if stream.id != "licence"]
    assert source.asked == {"licence": 4} | dict.fromkeys(others, 1)
    told = fail(ask, now, AgencyRefused)
    assert "open since 2018-08-21 03:03 UTC after 4 failures (unavailable)" in told
    assert "answered 503" in told
    assert source.asked["licence"] == 4
    fail(ask, START + 3 * MINUTE + dt.timedelta(minutes=LIMITS.first_minutes), AgencyUnavailable)  # the probe
    assert source.asked["licence"] == 5
    with office.engine.connect() as connection:
        health = read_health(connection, "aic", "licence")
    assert health is not None
    assert health.open_until is not None
    assert health.last_failed_at is not None
    assert health.open_until - health.last_failed_at == 2 * dt.timedelta(minutes=LIMITS.first_minutes)
    assert health.open_since == START + 3 * MINUTE
    del source.fault["licence"]
    counts = ask(health.open_until)
    assert counts["streams"]["licence"]["state"] == "new"
    assert {(s["stream"], s["circuit"]) for s in source_status(office, health.open_until, ("aic",))} == {
        (stream, "closed") for stream in ("licence", *others)
    }


def test_a_refusal_opens_sooner_and_a_person_closes_it(office: Office, source: Source, ask: Any) -> None:
    source.fault["licence"] = AgencyRefused("answered 401")
    for _ in range(LIMITS.refused):
        fail(ask, START, AgencyRefused)
    assert "not asked" in fail(ask, START + MINUTE, AgencyRefused)
    del source.fault["licence"]
    close_circuit(office, "aic", "licence")
    assert ask(START + 2 * MINUTE)["streams"]["licence"]["state"] == "new"


def test_without_a_moment_every_source_is_asked(source: Source, ask: Any) -> None:
    source.fault["licence"] = AgencyRefused("answered 401")
    for _ in range(6):
        with pytest.raises(AgencyRefused, match="answered 401"):
            ask(None)
    assert source.asked["licence"] == 6


def test_a_source_silent_past_its_limit_is_named_with_what_to_do(office: Office, source: Source, ask: Any) -> None:
    assert late_sources(office, START) == []
    ask(START)
    source.fault["licence"] = AgencyUnavailable("timeout after 60 s")
    limit = load_agency("aic").stream("licence").freshness_hours * HOUR
    with pytest.raises(AgencyUnavailable):
        ask(START + limit, NEXT_DAY)
    assert late_sources(office, START + limit) == []
    [late] = late_sources(office, START + limit + MINUTE)
    told = late.alarm(START + limit + MINUTE)
    assert told.startswith("source=aic/licence silent for 48 h (limit 48 h), last complete pull 2018-08-21 03:00 UTC")
    assert "timeout after 60 s" in told
    assert "disclosure diagnose aic" in told


def test_a_resynchronisation_asks_for_everything_the_same_day_and_keeps_the_history(
    office: Office, source: Source, ask: Any
) -> None:
    ask(START)
    assert ask(START)["streams"]["penalty"]["state"] == "known"
    before = resync(office, "aic", "penalty", as_of=DAY, person="王某", reason="漏收")
    assert before == {"up_to": "2018-08-21"}
    source.cursors.clear()
    source.content = b"CF_WSH\nmore\n"
    assert ask(START)["streams"]["penalty"]["state"] == "new"
    assert source.cursors == [{}]
    assert ask(START)["streams"]["penalty"]["state"] == "known"
    with office.engine.connect() as connection:
        moves = connection.execute(
            sa.select(watermark_move.c.why, watermark_move.c.person)
            .where(watermark_move.c.stream == "penalty")
            .order_by(watermark_move.c.move_id)
        ).all()
        streams = connection.scalars(sa.select(delivery.c.stream).order_by(delivery.c.delivery_id)).all()
        declared = connection.scalars(sa.select(delivery_file.c.declared_rows)).all()
    assert [tuple(move) for move in moves] == [("pull", None), ("resync", "王某"), ("pull", None)]
    assert streams == [*(stream.id for stream in load_agency("aic").streams), "penalty"]
    assert set(declared) == {7}


EVENTS = st.lists(st.tuples(st.sampled_from(["refused", "unavailable", "answer"]), st.integers(0, 2000)), max_size=30)


@given(EVENTS)
def test_however_it_fails_it_is_asked_again_in_time(events: list[tuple[Any, int]]) -> None:
    health, now, in_a_row = Health("aic", "penalty", first_asked_at=START), START, 0
    for event, minutes in events:
        now += minutes * MINUTE
        if circuit.is_open(health, now):
            continue
        if event == "answer":
            health, in_a_row = circuit.after_answer(health, now, brought=True), 0
            assert (health.failures, health.open_since, health.open_until) == (0, None, None)
            continue
        in_a_row += 1
        health = circuit.after_failure(health, event, "x", now, LIMITS)
        if circuit.is_open(health, now):
            assert in_a_row >= min(LIMITS.refused, LIMITS.unavailable)
            assert health.open_until is not None
            assert MINUTE <= health.open_until - now <= LIMITS.longest_minutes * MINUTE


def test_what_the_agency_said_is_kept_and_told_without_numbers_of_persons(
    office: Office, source: Source, ask: Any
) -> None:
    said = "code 10004, line 17: 张三,110101198001010053,手机13812345678"
    source.fault["licence"] = AgencyRefused(said)
    told = fail(ask, START, AgencyRefused)
    health = circuit.after_failure(Health("aic", "licence", START), "refused", said, START, LIMITS)
    [status] = [s for s in source_status(office, START, ("aic",)) if s["stream"] == "licence"]
    for text in (told, health.last_failure or "", str(status)):
        assert "张三,110101********0053,手机〔电话略〕" in text
        assert "110101198001010053" not in text and "13812345678" not in text
