"""Two business days through the real scheduler: everything that `make demo` runs, on fewer records."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import airflow_runtime
from pipeline.airflow_client import Run
from pipeline.reconcile import Reconciliation, reconcile
from simulator.business_days import DEMO_DAYS
from simulator.demo_numbers import DemoNumbers, FeedCheck, check_feeds, count
from simulator.demo_run import AIRFLOW, DAG_IDS, WITHOUT_ADDRESS, running_system, settings_of

pytestmark = [pytest.mark.scheduler, pytest.mark.timeout(900)]

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


@dataclass
class TwoDays:
    home: Path
    runs: dict[str, list[Run]]
    feeds: list[FeedCheck]
    reconciliation: Reconciliation
    numbers: DemoNumbers
    components: tuple[airflow_runtime.Component, ...]


@pytest.fixture(scope="module")
def two_days() -> Iterator[TwoDays]:
    # Not pytest's own folder: each pytest of the machine closes that to PostgreSQL's user, who is not root.
    with tempfile.TemporaryDirectory(prefix="scheduler-run-") as folder:
        yield ran(Path(folder) / "home")


def ran(home: Path) -> TwoDays:
    with running_system(home, enterprises=600, scale=0.2) as system:
        runs = {day.isoformat(): system.run_day(day, timeout=400) for day in DEMO_DAYS}
        return TwoDays(
            home=home,
            runs=runs,
            feeds=check_feeds(system.office, home / "clients"),
            reconciliation=reconcile(system.office),
            numbers=count(system.office, system.simulator.truth_file),
            components=system.airflow.components,
        )


def test_every_dag_runs_once_a_day_and_succeeds_where_its_agency_can_be_reached(two_days: TwoDays) -> None:
    for runs in two_days.runs.values():
        assert sorted(run.dag_id for run in runs) == sorted(DAG_IDS)
        assert {run.dag_id for run in runs if run.state != "success"} == WITHOUT_ADDRESS


def test_every_row_of_every_agency_is_accounted_for(two_days: TwoDays) -> None:
    assert two_days.reconciliation.findings == ()
    for agency in two_days.numbers.agencies:
        assert set(agency.days) == {day.isoformat() for day in DEMO_DAYS}
        for column in agency.days.values():
            assert column.received == column.states.total() > 0
            assert column.states["waiting"] == column.states["unexplained"] == 0
            assert column.methods.total() == column.states["published"] + column.states["withheld"]


def test_what_the_simulator_made_sound_is_published(two_days: TwoDays) -> None:
    for agency in two_days.numbers.agencies:
        assert agency.total.states["published"] == agency.expected["published"]


def test_each_site_can_follow_both_days_by_their_deltas(two_days: TwoDays) -> None:
    assert [feed.site for feed in two_days.feeds] == list(SITES)
    for feed in two_days.feeds:
        assert feed.problems == ()
        assert feed.how == ("full", "delta")
        assert sum(feed.rows.values()) > 0


def test_the_withdrawals_of_the_second_day_reach_every_site(two_days: TwoDays) -> None:
    second = [release for release in two_days.numbers.releases if release.day == DEMO_DAYS[1].isoformat()]
    assert [release.site for release in second] == list(SITES)
    for release in second:
        assert release.tombstones["withdrawn"] > 0
    assert two_days.numbers.example is not None


def test_no_process_is_left_and_the_data_stay(two_days: TwoDays) -> None:
    assert airflow_runtime.running(two_days.home / AIRFLOW) is None
    assert all(airflow_runtime.start_time(each.pid) != each.started for each in two_days.components)
    postgres = settings_of(two_days.home).postgres_data
    assert postgres.is_dir()
    assert not (postgres / "postmaster.pid").exists()
