"""Days with faults end as days without, but for what was destroyed; the plan has every fault and is the seed's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.business_days import DAYS
from simulator.chaos.faults import NOT_PLANNED, Heals, Mishap, plan_faults
from simulator.chaos.report import as_document, as_text
from simulator.chaos.twice import run_twice
from simulator.faults import FaultKind

ONE_PER_TRANSPORT = ("cac", "customs", "drc", "ipo", "psb")


def test_every_fault_is_planned_once_within_ten_days() -> None:
    plan = plan_faults(2018, DAYS)
    assert plan == plan_faults(2018, DAYS)
    assert plan != plan_faults(2019, DAYS)
    planned = {each.what for each in plan}
    assert planned >= set(Mishap)
    assert planned & set(FaultKind) == set(FaultKind) - NOT_PLANNED


def test_one_fault_at_a_time_befalls_an_agency_and_none_its_first_day() -> None:
    plan = plan_faults(2018, DAYS)
    assert len({(each.agency, each.day) for each in plan}) == len(plan)
    assert all(each.day > DAYS[0] for each in plan)
    assert [each.what for each in plan if each.heals is Heals.NEVER] == [Mishap.DESTROYED]


@pytest.mark.timeout(280)
def test_chaos_of_three_days_changes_nothing_but_what_it_destroys(server: str, tmp_path: Path) -> None:
    outcome = run_twice(tmp_path, days=DAYS[:3], enterprises=120, scale=0.04, agencies=ONE_PER_TRANSPORT, server=server)
    assert outcome.ok, as_text(outcome)
    assert len(outcome.plan) >= 6
    assert json.loads(json.dumps(as_document(outcome), ensure_ascii=False))["ok"]
