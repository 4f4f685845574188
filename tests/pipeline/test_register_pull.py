"""The register by the streams of the agency that keeps it: full sets and changes, cuts, suspect sets, silent days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.descriptor import Agency, Limit, Retries, load_agency
from connectors.transports.contract import AgencyUnavailable
from pipeline import register_pull
from pipeline.office import Office
from pipeline.register import Loaded, RegisterSuspect
from pipeline.register_pull import pull_register, register_streams, registrars
from simulator.agencies import Simulator
from simulator.business_days import DAYS
from simulator.desks import HttpsDesk
from simulator.faults import Fault, FaultKind
from simulator.population import COLUMNS

WEEK = DAYS[:6]
"""The sixth day brings a full set again."""


@pytest.fixture(scope="module")
def aic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    home = tmp_path_factory.mktemp("aic")
    exchange = f"sqlite:///{home}/exchange.db"
    with Simulator(home, exchange, enterprises=120, scale=0.01, days=WEEK, agencies=["aic"]) as simulator:
        for day in WEEK:
            simulator.publish_register(day)
        yield simulator


def impatient(agency_id: str, may_close: int = 100) -> Agency:
    agency = load_agency(agency_id)
    limits = agency.references[0].mass_change.model_copy(update={"withdrawn": Limit(rows=may_close, share=0)})
    quick = {"rate": 1000.0, "retries": Retries(attempts=1), "mass_change": limits}
    references = [
        each.model_copy(
            update={**quick, "transport": each.transport.model_copy(update={"page_size": 50})},
        )
        for each in agency.references
    ]
    return agency.model_copy(update={"references": tuple(references)})


def pulled(office: Office, aic: Simulator, day: date, may_close: int = 100) -> list[Loaded]:
    endpoint = aic.endpoints()["aic"]
    return pull_register(office, "aic", day, endpoint=endpoint, describe=lambda agency: impatient(agency, may_close))


def current(office: Office) -> set[tuple[str, ...]]:
    with office.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT uscc, name, reg_state, former_names FROM enterprise WHERE to_version IS NULL"
        )
        return {tuple(text or "" for text in row) for row in rows}


def as_it_was(aic: Simulator, day: date) -> set[tuple[str, ...]]:
    return {(e.uscc, e.name, e.state, ";".join(e.former_names)) for e in aic.population.on(day)}


def test_the_registrar_is_the_one_whose_descriptor_says_so() -> None:
    assert registrars() == ("aic",)
    assert [stream.id for stream in register_streams(load_agency("aic"))] == ["register_full", "register_changes"]


def test_after_every_day_of_a_week_the_register_is_what_the_registrar_holds(office: Office, aic: Simulator) -> None:
    for day in WEEK:
        pulled(office, aic, day)
        assert current(office) == as_it_was(aic, day), day
        assert pulled(office, aic, day) == []


def test_a_day_that_was_missed_is_loaded_with_the_next(office: Office, aic: Simulator) -> None:
    pulled(office, aic, WEEK[0])
    aic.desks["aic"].faults.turn_on(Fault(FaultKind.SERVER_ERROR))
    with pytest.raises(AgencyUnavailable, match=r"register_full.*register_changes"):
        pulled(office, aic, WEEK[1])
    aic.desks["aic"].faults.turn_off()
    pulled(office, aic, WEEK[2])
    assert current(office) == as_it_was(aic, WEEK[2])


def test_of_two_changes_of_one_enterprise_in_one_pull_the_later_holds(office: Office, tmp_path: Path) -> None:
    exchange = f"sqlite:///{tmp_path}/exchange.db"
    with Simulator(tmp_path, exchange, enterprises=60, scale=0.01, days=WEEK[:2], agencies=["aic"]) as registrar:
        registrar.publish_register(WEEK[0])
        pulled(office, registrar, WEEK[0])
        desk, changes = registrar.desks["aic"], register_streams(load_agency("aic"))[1]
        assert isinstance(desk, HttpsDesk)
        row = dict(zip(COLUMNS, registrar.population.first[0].row(), strict=True))
        desk.publish_reference(changes, WEEK[1], [{**row, "ENTNAME": name} for name in ("先改之名", "后改之名")], 1)
        pulled(office, registrar, WEEK[1])
    assert [each[1] for each in current(office) if each[0] == row["UNISCID"]] == ["后改之名"]


def test_a_run_killed_between_pull_and_load_is_finished_by_the_next(
    office: Office, aic: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(register_pull, "load_register", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pulled(office, aic, WEEK[0])
    assert current(office) == set()
    assert [each.rows for each in pulled(office, aic, WEEK[0])] == [120]
    assert current(office) == as_it_was(aic, WEEK[0])


def test_a_full_set_that_closes_too_many_changes_nothing(office: Office, aic: Simulator) -> None:
    pulled(office, aic, WEEK[0])
    with office.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO enterprise (uscc, from_version, name, name_key)"
            " SELECT 'X' || n, 1, 'closed ' || n, 'closed ' || n FROM generate_series(1, 3) n"
        )
    unheard_of = current(office) - as_it_was(aic, WEEK[0])
    with pytest.raises(RegisterSuspect, match=r"3 enterprises .* the limit is 2"):
        pulled(office, aic, WEEK[5], may_close=2)
    assert current(office) == as_it_was(aic, WEEK[4]) | unheard_of
    pulled(office, aic, WEEK[5], may_close=3)
    assert current(office) == as_it_was(aic, WEEK[5])
