"""专项行动填报: versions of what agencies report by hand; which of them counts, for whom, on which day."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import sqlalchemy as sa

from pipeline.office import Office
from store import audit
from store import campaign_returns as returns
from store.campaign_returns import CITY, Decision, ReturnChanged, ReturnRefused, ReturnUnknown, ReturnVersion

DAY = dt.date(2018, 9, 3)
ACTION, AGENCY, PERIOD = "wangjian_2018", "aic", "2018-08"


def submit(office: Office, seen: int, *, person: str = "钱工商", days: int = 0, **values: str) -> ReturnVersion:
    figures = {(CITY, item): Decimal(value) for item, value in values.items()}
    with office.engine.begin() as connection:
        return returns.submit(
            connection, action=ACTION, agency=AGENCY, period=PERIOD, seen=seen, figures=figures, warnings=[],
            person=person, reason="", as_of=DAY + dt.timedelta(days),
        )  # fmt: skip


def decide(
    office: Office, version: int, decision: Decision, *, state: str = "submitted", person: str = "王平台", days: int = 0
) -> ReturnVersion:
    with office.engine.begin() as connection:
        return returns.decide(
            connection, action=ACTION, agency=AGENCY, period=PERIOD, version=version, state=state, decision=decision,
            person=person, reason="已核", as_of=DAY + dt.timedelta(days),
        )  # fmt: skip


def counting(office: Office, days: int | None = None) -> dict[str, tuple[int, Decimal]]:
    on = None if days is None else DAY + dt.timedelta(days)
    with office.engine.connect() as connection:
        return {each.item: (each.version, each.value) for each in returns.returned_figures(connection, ACTION, on)}


def test_the_newest_version_counts_whole_as_soon_as_it_is_submitted(office: Office) -> None:
    submit(office, 0, checks="10", deletions="3")
    submit(office, 1, checks="12.50")
    assert counting(office) == {"checks": (2, Decimal("12.50"))}, "what the second leaves out is not filled up"


def test_what_was_sent_back_gives_way_to_what_was_accepted_before_and_to_nothing_else(office: Office) -> None:
    submit(office, 0, checks="10")
    submit(office, 1, checks="20")
    decide(office, 2, "sent_back")
    assert counting(office) == {}, "the agency itself replaced the first one, which nobody accepted"
    submit(office, 2, checks="30")
    decide(office, 3, "accepted")
    submit(office, 3, checks="40")
    decide(office, 4, "sent_back")
    assert counting(office) == {"checks": (3, Decimal(30))}


def test_a_day_knows_only_what_was_said_until_then(office: Office) -> None:
    submit(office, 0, checks="10")
    decide(office, 1, "accepted", days=1)
    submit(office, 1, checks="20", days=2)
    decide(office, 2, "sent_back", days=3)
    assert [counting(office, days) for days in (-1, 0, 2, 3)] == [
        {}, {"checks": (1, Decimal(10))}, {"checks": (2, Decimal(20))}, {"checks": (1, Decimal(10))},
    ]  # fmt: skip


def test_two_who_saw_the_same_version_make_one_version_and_one_refusal(office: Office) -> None:
    submit(office, 0, checks="10")

    def race(value: int) -> str:
        try:
            return str(submit(office, 1, checks=str(value)).version)
        except ReturnChanged:
            return "changed"

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(race, range(4))) == ["2", "changed", "changed", "changed"]


def test_a_decision_is_of_what_was_seen_and_of_another_person(office: Office) -> None:
    with pytest.raises(ReturnUnknown):
        decide(office, 1, "accepted")
    submit(office, 0, person="王平台", checks="10")
    with pytest.raises(ReturnRefused, match="another person"):
        decide(office, 1, "accepted", person=" 王平台")
    submit(office, 1, checks="11")
    with pytest.raises(ReturnChanged):
        decide(office, 1, "accepted")
    decide(office, 2, "accepted")
    with pytest.raises(ReturnChanged):
        decide(office, 2, "sent_back")
    with pytest.raises(ReturnRefused):
        decide(office, 2, "accepted", state="accepted")
    assert decide(office, 2, "sent_back", state="accepted").state == "sent_back"
    with pytest.raises(ReturnRefused):
        decide(office, 2, "accepted", state="sent_back")


def test_every_version_stays_and_the_audit_log_tells_each(office: Office) -> None:
    submit(office, 0, checks="10")
    submit(office, 1, checks="20")
    decide(office, 2, "accepted")
    with office.engine.connect() as connection:
        held = returns.versions(connection, ACTION, agency=AGENCY)
        values = [returns.figures_of(connection, each.return_id) for each in held]
        told = audit.events(connection, about=f"campaign_return:{ACTION}/{AGENCY}/{PERIOD}")
        assert list(audit.faults(connection)) == []
    assert [(each.version, each.state, each.newest) for each in held] == [
        (2, "accepted", True), (1, "submitted", False),
    ]  # fmt: skip
    assert values == [{(CITY, "checks"): Decimal(20)}, {(CITY, "checks"): Decimal(10)}]
    assert [each.action for each in told] == ["campaign_return_decision", "campaign_return", "campaign_return"]
    assert '"110000/checks":"10"' in told[-1].details


@pytest.mark.parametrize("table", ["campaign_return", "campaign_figure", "campaign_return_decision"])
def test_nothing_of_it_is_changed_or_deleted(office: Office, table: str) -> None:
    submit(office, 0, checks="10")
    for change in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with office.engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
            connection.exec_driver_sql(change)
