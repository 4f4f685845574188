"""Invariant 7 for what agencies were asked for: pulled deliveries, full sets with absences, the register by streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.attach import attach
from pipeline.collect import collect
from pipeline.ingest import ingest_delivery
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register_pull import pull_register
from pipeline.replay import compare, past_runs, replay
from simulator.agencies import Simulator
from simulator.business_days import DAYS

ASKED = ("bcom", "drc")
"""bcom sends the full list of its filings every day: what is missing from it was cancelled."""


def test_pulled_days_with_absences_end_with_the_same_hashes_again(
    office: Office,
    new_home: Callable[[], Any],
    office_of: Callable[[Any], Office],
    hashes_of: Callable[[Path], dict[str, str]],
    tmp_path: Path,
) -> None:
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(
        tmp_path, exchange, enterprises=120, scale=0.3, days=DAYS[:3], agencies=["aic", *ASKED]
    ) as simulator:
        endpoints = simulator.endpoints()
        for day in DAYS[:3]:
            simulator.publish_day(day)
            pull_register(office, "aic", day, endpoint=endpoints["aic"])
            for agency in ASKED:
                collect(
                    agency,
                    day,
                    engine=office.engine,
                    archive=office.archive,
                    endpoint=endpoints[agency],
                    ingest=lambda delivery_id: ingest_delivery(office, delivery_id),
                )
            attach(office, as_of=day)
            publish(office, ["creditchina"], as_of=day)
    with office.engine.connect() as connection:
        absent = connection.exec_driver_sql("SELECT count(*) FROM withdrawal WHERE reason = 'absent_from_full_set'")
        assert (absent.scalar() or 0) > 0
    site = new_home()
    opened = office_of(site)
    target = Office(opened.settings, opened.engine, office.archive.beside(site.home / "beside"))
    done = replay(office, target, past_runs(office, "archive"))
    assert (done.gone, done.otherwise) == ([], [])
    assert compare(office, target, done).differences == ()
    assert hashes_of(target.settings.feeds) == hashes_of(office.settings.feeds)
