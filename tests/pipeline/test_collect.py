"""Collecting from the three simulated agencies into the ledger of a real PostgreSQL, with cuts, kills and faults."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.archive import Archive
from connectors.descriptor import load_agency
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable
from pipeline.collect import collect
from simulator.agencies import Simulator
from simulator.faults import Fault, FaultKind
from simulator.servers.dated_files import drop_file
from store.collections import try_lock
from store.database import create_database, open_engine
from store.schema import collection, collection_piece, delivery, delivery_file, metadata, watermark

THREE = ("aic", "fda", "qtsb")
OF_AIC = {stream.id for stream in load_agency("aic").streams}
DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
DAY3 = date(2018, 8, 23)


@pytest.fixture(scope="module")
def ledger(server: str) -> Iterator[sa.Engine]:
    engine = open_engine(create_database(server, "ledger"))
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(ledger: sa.Engine) -> sa.Engine:
    with ledger.begin() as connection:
        connection.execute(sa.text("TRUNCATE collection, collection_piece, watermark, delivery, delivery_file CASCADE"))
    return ledger


@pytest.fixture(scope="module")
def both_days(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    home = tmp_path_factory.mktemp("agencies")
    with Simulator(home, create_database(server, "exchange")) as simulator:
        for day in (DAY1, DAY2):
            simulator.publish_day(day)
        yield simulator


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path, f"sqlite:///{tmp_path}/exchange.db", enterprises=300, scale=0.1) as simulator:
        yield simulator


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


class Taker:
    """Stands where the ingest step will: notes what it was given and closes the delivery."""

    def __init__(self, engine: sa.Engine) -> None:
        self.taken: list[int] = []
        self._engine = engine

    def __call__(self, delivery_id: int) -> None:
        self.taken.append(delivery_id)
        with self._engine.begin() as connection:
            connection.execute(sa.update(delivery).where(delivery.c.delivery_id == delivery_id).values(state="checked"))


@pytest.fixture
def run(engine: sa.Engine, archive: Archive) -> Callable[..., dict[str, Any]]:
    def run_collect(simulator: Simulator, agency: str, day: date, ingest: Callable[[int], object] | None = None):
        endpoint = simulator.endpoints()[agency]
        return collect(agency, day, engine=engine, archive=archive, endpoint=endpoint, ingest=ingest or Taker(engine))

    return run_collect


def rows_of(engine: sa.Engine, table: sa.Table) -> list[dict[str, Any]]:
    order = list(table.primary_key.columns)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table).order_by(*order)).mappings()]


def outcome(engine: sa.Engine) -> Any:
    """Everything that must be equal however often a run was cut off: no ids, no times."""
    with engine.connect() as connection:
        deliveries = connection.execute(
            sa.select(delivery.c.agency, delivery.c.kind, delivery.c.as_of, delivery.c.content_sha256, delivery_file)
            .join(delivery_file)
            .order_by(delivery.c.agency, delivery.c.kind, delivery.c.content_sha256, delivery_file.c.ordinal)
        ).mappings()
        files = [{k: v for k, v in row.items() if "_id" not in k} for row in deliveries]
    marks = [{k: v for k, v in row.items() if k != "as_of"} for row in rows_of(engine, watermark)]
    states = [(c["agency"], c["stream"], c["as_of"], c["state"], c["cursor"]) for c in rows_of(engine, collection)]
    return files, marks, sorted(states, key=str)


def test_two_days_of_three_agencies_become_deliveries_and_a_third_time_brings_nothing(
    engine: sa.Engine, archive: Archive, both_days: Simulator, run
) -> None:
    taker = Taker(engine)
    for day in (DAY1, DAY2):
        for agency in THREE:
            counts = run(both_days, agency, day, taker)
            assert {stream["state"] for stream in counts["streams"].values()} == {"new"}
            sent = sum(len(both_days.world.rows[agency, stream, day]) for stream in counts["streams"])
            received = sum(stream["rows"] for stream in counts["streams"].values())
            assert sent <= received <= both_days.sent_until(agency, day)  # a source asked with an overlap sends again
            json.dumps(counts)
    deliveries = rows_of(engine, delivery)
    assert sorted(taker.taken) == [d["delivery_id"] for d in deliveries]
    assert len(deliveries) == 2 * sum(len(load_agency(agency).streams) for agency in THREE)
    assert all(f["sha256"] in archive for f in rows_of(engine, delivery_file))
    assert {m["as_of"] for m in rows_of(engine, watermark)} == {DAY2}

    before = outcome(engine)
    again = Taker(engine)
    for agency in THREE:
        counts = run(both_days, agency, DAY2, again)
        assert {stream["state"] for stream in counts["streams"].values()} == {"known"}
    assert outcome(engine) == before
    assert again.taken == []


def test_what_was_archived_and_not_taken_in_is_offered_again_without_a_pull(
    engine: sa.Engine, both_days: Simulator, run
) -> None:
    def broken(_: int) -> None:
        raise RuntimeError("the ingest step died")

    with pytest.raises(RuntimeError, match="died"):
        run(both_days, "aic", DAY1, broken)
    asked = len(both_days.desks["aic"].requests)
    taker = Taker(engine)
    run(both_days, "aic", DAY1, taker)
    assert len(taker.taken) == len(OF_AIC)
    assert len(both_days.desks["aic"].requests) == asked


CHILD = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
import sqlalchemy as sa
from connectors.archive import Archive
from connectors.endpoint import Endpoint
from pipeline.collect import collect
from store.database import open_engine

url, root, agency, endpoint, where, count = sys.argv[1:]
left = int(count)

def die(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

engine = open_engine(url)
if where == "after commit":
    commit = engine.dialect.do_commit
    engine.dialect.do_commit = lambda connection: (commit(connection), die())
elif where == "before commit":
    sa.event.listen(engine, "commit", die)
archive = Archive(Path(root))
address = Endpoint(**json.loads(endpoint))
if where == "after put":
    put = archive.put
    archive.put = lambda source, name: (put(source, name), die())[0]
collect(agency, date(2018, 8, 21), engine=engine, archive=archive, endpoint=address, ingest=print)
"""


@pytest.mark.parametrize(
    "kill", [("aic", "after put", 3), ("aic", "after commit", 6), ("fda", "before commit", 3)], ids=str
)
def test_a_killed_run_ends_as_one_that_was_not(
    engine: sa.Engine, both_days: Simulator, run, tmp_path: Path, kill: tuple[str, str, int]
) -> None:
    agency, where, count = kill
    run(both_days, agency, DAY1)
    expected = outcome(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE collection, collection_piece, watermark, delivery, delivery_file CASCADE"))
    url = engine.url.render_as_string(hide_password=False)
    endpoint = json.dumps(asdict(both_days.endpoints()[agency]))
    root = str(tmp_path / "archive")
    child = [sys.executable, "-c", CHILD, url, root, agency, endpoint, where, str(count)]
    died = subprocess.run(child, capture_output=True, check=False, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert outcome(engine) != expected
    run(both_days, agency, DAY1)
    assert outcome(engine) == expected
    assert list(Archive(tmp_path / "archive").verify()) == []


def test_a_stream_that_fails_does_not_stop_the_other_and_goes_on_at_the_broken_page(
    engine: sa.Engine, both_days: Simulator, run
) -> None:
    both_days.desks["aic"].faults.turn_on(Fault(FaultKind.FORBIDDEN, page=5))  # only the licences have five pages
    taker = Taker(engine)
    try:
        with pytest.raises(AgencyRefused, match=r"licence: .*answered 403"):
            run(both_days, "aic", DAY1, taker)
    finally:
        both_days.desks["aic"].faults.turn_off()
    assert {d["kind"] for d in rows_of(engine, delivery)} == OF_AIC - {"licence"}
    assert len(taker.taken) == len(OF_AIC) - 1
    assert {m["stream"] for m in rows_of(engine, watermark)} == OF_AIC - {"licence"}

    asked = len(both_days.desks["aic"].requests)
    counts = run(both_days, "aic", DAY1)
    assert counts["streams"]["licence"]["pieces"] == 1
    assert ["page=5" in request for request in both_days.desks["aic"].requests[asked:]] == [True]
    assert len(rows_of(engine, delivery)) == len(OF_AIC)


def test_a_connection_that_breaks_in_mid_page_is_not_noticed(engine: sa.Engine, both_days: Simulator, run) -> None:
    run(both_days, "aic", DAY1)
    expected = outcome(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE collection, collection_piece, watermark, delivery, delivery_file CASCADE"))
    both_days.desks["aic"].faults.turn_on(Fault(FaultKind.RESET, page=2, times=1))
    run(both_days, "aic", DAY1)
    assert outcome(engine) == expected


def test_a_pull_whose_parts_do_not_fit_starts_over(engine: sa.Engine, both_days: Simulator, run) -> None:
    both_days.desks["aic"].faults.turn_on(Fault(FaultKind.WRONG_TOTAL, page=4))
    try:
        with pytest.raises(AgencyUnavailable, match="selection changed"):
            run(both_days, "aic", DAY1)
    finally:
        both_days.desks["aic"].faults.turn_off()
    (opened,) = [c for c in rows_of(engine, collection) if c["state"] == "open"]
    assert opened["cursor"] == {}
    assert not [p for p in rows_of(engine, collection_piece) if p["collection_id"] == opened["collection_id"]]
    assert run(both_days, "aic", DAY1)["streams"]["licence"]["pieces"] == 5


def test_a_pull_of_an_earlier_day_that_was_cut_off_is_finished_first(
    engine: sa.Engine, both_days: Simulator, run
) -> None:
    both_days.desks["aic"].faults.turn_on(Fault(FaultKind.FORBIDDEN, page=5))
    try:
        with pytest.raises(AgencyRefused):
            run(both_days, "aic", DAY1)
    finally:
        both_days.desks["aic"].faults.turn_off()
    run(both_days, "aic", DAY2)
    licences = [c for c in rows_of(engine, collection) if c["stream"] == "licence"]
    assert [(c["as_of"], c["state"]) for c in licences] == [(DAY1, "complete"), (DAY2, "complete")]
    assert len(rows_of(engine, delivery)) == 2 * len(OF_AIC)


@pytest.mark.parametrize("agency", ["aic", "fda", "qtsb"])
def test_missed_days_are_read_one_by_one_so_that_versions_keep_their_order(
    engine: sa.Engine, both_days: Simulator, run, agency: str
) -> None:
    run(both_days, agency, DAY1)
    counts = run(both_days, agency, DAY2 + timedelta(days=2))["streams"]["licence"]
    assert counts["state"] == "new"
    days = [d["as_of"] for d in rows_of(engine, delivery) if d["stream"] == "licence"]
    assert days[:2] == [DAY1, DAY2], "an overlap may come once more on the days after"
    assert {m["as_of"] for m in rows_of(engine, watermark)} == {DAY2 + timedelta(days=2)}


def test_two_runs_do_not_collect_one_stream_at_once(engine: sa.Engine, both_days: Simulator, run) -> None:
    with engine.connect() as other:
        other.detach()
        assert try_lock(other, "aic", "licence")
        with pytest.raises(AgencyUnavailable, match="licence is being collected by another run"):
            run(both_days, "aic", DAY1)
    run(both_days, "aic", DAY1)


def test_a_file_that_is_not_its_manifest_is_reported_until_it_is_put_right(
    engine: sa.Engine, small: Simulator, run
) -> None:
    small.publish_day(DAY1)
    rows = small.world.rows["fda", "licence", DAY1][:3]
    bad = drop_file(small.desks["fda"].drop.folder, "XK_20180821_2.csv", rows)
    bad.write_bytes(b"<html>")
    first = run(small, "fda", DAY1)["streams"]["licence"]
    assert (first["state"], first["pieces"]) == ("new", 1)
    assert "XK_20180821_2.csv" in first["refused"][0]
    second = run(small, "fda", DAY2)["streams"]["licence"]
    assert (second["state"], len(second["refused"])) == ("empty", 1)
    drop_file(small.desks["fda"].drop.folder, bad.name, rows)
    third = run(small, "fda", DAY2)["streams"]["licence"]
    assert (third["state"], third["rows"], third["refused"]) == ("new", 3, [])


def test_nothing_at_the_source_is_a_ledger_row_and_the_day_may_be_asked_again(
    engine: sa.Engine, small: Simulator, run
) -> None:
    for agency in THREE:
        counts = run(small, agency, DAY1)
        assert {stream["state"] for stream in counts["streams"].values()} == {"empty"}
    assert {(c["state"], c["delivery_id"]) for c in rows_of(engine, collection)} == {("complete", None)}
    assert rows_of(engine, delivery) == []
    small.publish_day(DAY1)
    for agency in THREE:
        counts = run(small, agency, DAY1)
        assert {stream["state"] for stream in counts["streams"].values()} == {"new"}
    assert {c["state"] for c in rows_of(engine, collection)} == {"complete"}


def test_the_same_content_is_the_same_delivery(engine: sa.Engine, small: Simulator, run) -> None:
    rows = small.world.rows["fda", "licence", DAY1]
    drop_file(small.desks["fda"].drop.folder, "XK_20180821.csv", rows)
    first = run(small, "fda", DAY1)["streams"]["licence"]
    drop_file(small.desks["fda"].drop.folder, "XK_20180823.csv", rows)
    second = run(small, "fda", DAY3)["streams"]["licence"]
    assert (first["state"], second["state"]) == ("new", "repeated")
    assert first["delivery_id"] == second["delivery_id"]


def test_a_file_that_changes_between_check_and_archive_is_not_delivered(
    engine: sa.Engine, small: Simulator, tmp_path: Path
) -> None:
    path = drop_file(small.desks["fda"].drop.folder, "XK_20180821.csv", small.world.rows["fda", "licence", DAY1])

    class Overwritten(Archive):
        def put(self, source, name):
            path.write_bytes(b"other")
            return super().put(source, name)

    with pytest.raises(AgencyUnavailable, match="changed while it was read"):
        collect(
            "fda",
            DAY1,
            engine=engine,
            archive=Overwritten(tmp_path / "archive"),
            endpoint=Endpoint(str(small.desks["fda"].drop.folder)),
            ingest=Taker(engine),
        )
    assert rows_of(engine, delivery) == []
