"""The simulator as a process of its own, and publishing a day twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.descriptor import RecordStream, load_agency
from connectors.endpoint import Endpoint
from connectors.transports.pulling import pull
from simulator.agencies import Simulator
from simulator.business_days import DEMO_DAYS
from simulator.plan import SERVED


def hurried(stream: RecordStream) -> RecordStream:
    """The stream of a source that may be asked as often as one likes."""
    return stream.model_copy(update={"rate": 1000.0})


def test_it_serves_as_a_process_until_it_is_told_to_stop(tmp_path: Path) -> None:
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    command = [sys.executable, "-m", "simulator", "serve", "--home", str(tmp_path), "--exchange-url", exchange]
    command += ["--enterprises", "300", "--scale", "0.1", "--days", "2018-08-21"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        endpoints = {agency: Endpoint(**told) for agency, told in json.loads(process.stdout.readline()).items()}
        rows = {
            (agency, stream.id): sum(
                p.rows or 0 for p in pull(hurried(stream), endpoints[agency], cursor={}, as_of=DEMO_DAYS[1])
            )
            for agency in SERVED
            for stream in load_agency(agency).streams
        }
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert all(rows.values())
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {"ca.pem", "exchange.db", "register_20180821_full.csv", "truth.csv"}
    assert "fda" in {path.name for path in tmp_path.iterdir() if path.is_dir()} <= set(SERVED)


def test_a_day_published_twice_is_there_once(tmp_path: Path) -> None:
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(tmp_path, exchange, enterprises=300, scale=0.1) as simulator:
        for day in (DEMO_DAYS[0], DEMO_DAYS[1], DEMO_DAYS[1], DEMO_DAYS[0]):
            simulator.publish_day(day)
        for agency in SERVED:
            for stream in load_agency(agency).streams:
                pieces = pull(hurried(stream), simulator.endpoints()[agency], cursor={}, as_of=DEMO_DAYS[1])
                sent = sum(len(simulator.world.rows[agency, stream.id, day]) for day in DEMO_DAYS)
                assert sum(piece.rows or 0 for piece in pieces) == sent
        with pytest.raises(ValueError, match="2018-08-21, 2018-08-22 only"):
            simulator.publish_day(date(2018, 8, 23))


def test_amounts_are_decimals_in_the_exchange_database(tmp_path: Path) -> None:
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(tmp_path, exchange, enterprises=300, scale=0.1) as simulator:
        simulator.publish_day(DEMO_DAYS[0])
        desk = simulator.desks["qtsb"]
        with desk.server._engine.connect() as connection:
            tables = desk.server._tables.tables
            assert len(tables) == len(load_agency("qtsb").streams)
            fines = connection.scalars(sa.select(tables["QZ_XZCF_790"].c["CF_NR_FK"])).all()
    assert any(fine and fine > 0 for fine in fines)
