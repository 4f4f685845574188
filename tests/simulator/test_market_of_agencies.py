"""Annual reports and online subjects as aic serves them: pulled, compared, and found to be what was played."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from connectors.descriptor import load_agency
from pipeline.collect import REGISTER, collect
from pipeline.crosscheck import crosscheck, years_due
from pipeline.ingest import ingest_delivery
from pipeline.office import Office
from pipeline.reconcile import reconcile
from pipeline.register import load_register
from simulator.agencies import MARKET_YEAR, Simulator
from simulator.business_days import DEMO_DAYS


def test_what_aic_serves_is_collected_and_every_kind_of_finding_is_made(office: Office, tmp_path: Path) -> None:
    day, next_day = DEMO_DAYS
    aic = load_agency("aic")
    fast = tuple(stream.model_copy(update={"rate": 1000.0}) for stream in aic.references if stream.content != REGISTER)
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(tmp_path, exchange, enterprises=400, scale=0.05, agencies=["aic"]) as simulator:
        simulator.publish_day(day)
        load_register(office, simulator.register_file(day), as_of=day, mode="full")
        counts = collect(
            "aic",
            day,
            engine=office.engine,
            archive=office.archive,
            endpoint=simulator.endpoints()["aic"],
            ingest=lambda delivery_id: ingest_delivery(office, delivery_id),
            describe=lambda _: aic.model_copy(update={"streams": ()}),
            also=fast,
        )
    assert {stream["state"] for stream in counts["streams"].values()} == {"new"}
    assert years_due(office, day) == [MARKET_YEAR]
    crosscheck(office, year=MARKET_YEAR, as_of=day)
    assert years_due(office, next_day) == []
    with office.engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text("SELECT uscc, kind, case_no FROM finding"))]
    truth = [(each.uscc, *each.truth) for each in simulator.market() if each.truth]
    assert sorted(found) == sorted(truth)
    assert {case for _, _, case in found} == set(range(1, 11))
    assert reconcile(office).ok
