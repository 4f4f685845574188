"""``disclosure collect``: a past range is filled day by day; what was collected before is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import steps
from simulator.agencies import Simulator
from simulator.business_days import DAYS
from tests.cli.conftest import Terminal

RANGE = ("--from", str(DAYS[0]), "--to", str(DAYS[2]))


@pytest.fixture
def offered(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """Three past days at an agency that was never asked before."""
    steps._office.cache_clear()
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(tmp_path, exchange, enterprises=60, scale=0.05, days=DAYS[:3], agencies=["drc"]) as simulator:
        for day in DAYS[:3]:
            simulator.publish_day(day)
        monkeypatch.setenv("DISCLOSURE_DRC_URL", simulator.endpoints()["drc"].url)
        yield simulator
    steps._office().engine.dispose()
    steps._office.cache_clear()


def test_a_past_range_is_filled_day_by_day_and_only_once(terminal: Terminal, offered: Simulator) -> None:
    first = terminal.run("collect", "drc", *RANGE, "--json")
    assert first.code == 0, first.text
    brought = {told["as_of"]: told["streams"]["penalty"] for told in first.json["done"]}
    sent = {day: len(offered.world.rows["drc", "penalty", day]) for day in DAYS[:3]}
    assert [brought[str(day)]["rows"] for day in DAYS[:3]] == list(sent.values())
    again = terminal.run("collect", "drc", *RANGE)
    assert again.out.count("penalty known (0 rows)") == 3
    accounts = terminal.run("reconcile", "--json")
    assert (accounts.code, [each["received"] for each in accounts.json["deliveries"]]) == (0, list(sent.values()))


def test_an_agency_that_fails_is_left_there_and_the_others_go_on(terminal: Terminal, offered: Simulator) -> None:
    answer = terminal.run("collect", "fda", "drc", *RANGE)
    assert answer.code == 1
    assert f"fda failed at {DAYS[0]}: agency fda: set DISCLOSURE_FDA_URL" in answer.err
    assert answer.out.count("drc: penalty") == 3


def test_a_range_that_ends_before_it_begins_is_wrong_usage(terminal: Terminal) -> None:
    assert terminal.run("collect", "drc", "--from", str(DAYS[1]), "--to", str(DAYS[0])).code == 2
