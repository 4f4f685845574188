"""总览: what waits, what came today, who is silent."""

from __future__ import annotations

from fastapi import APIRouter, Response

from connectors.descriptor import agency_name
from pipeline.campaign.standing import Standing, current_action, standings
from pipeline.holds import list_holds
from pipeline.rule_titles import rule_title
from pipeline.silence import late_sources
from transforms.campaign.sheets import Action
from workbench.desk import At, Desk
from workbench.reads.deliveries import day_by_agency
from workbench.reads.reviews import AGES, waiting
from workbench.rendering import render

router = APIRouter()


@router.get("/")
def overview(desk: At) -> Response:
    """Show what a steward looks at first in the morning."""
    held = list_holds(desk.office, agency=desk.agency)
    late = [source for source in late_sources(desk.office, desk.now) if desk.sees(source.agency)]
    today = day_by_agency(desk.office, desk.today, desk.agency)
    arrived = [
        (agency_name(each.agency), each.rows, desk.url("deliveries", query={"agency": each.agency, "day": desk.today}))
        for each in today
    ]
    counted = waiting(desk.office, agency=desk.agency, today=desk.today)
    by_rule = [
        (rule_title(rule, *kinds), number, desk.url("worklist_items", query={"rule": rule}))
        for rule, number, kinds in counted.by_rule
    ]
    by_age = [(name, number, "") for (_, name), number in zip(AGES, counted.by_age, strict=True)]
    by_agency = [
        (agency_name(agency), numbers, desk.url("worklist", query={"agency": agency}))
        for agency, numbers in counted.by_agency.items()
    ]
    action = current_action(desk.today)
    return render(
        desk, "overview", action=action, wanting=_wanting(desk, action), held=held, late=late, today=today,
        arrived=arrived, counted=counted, by_rule=by_rule, by_age=by_age, by_agency=by_agency,
    )  # fmt: skip


def _wanting(desk: Desk, action: Action) -> list[Standing]:
    """Return the returns of a special action that somebody has to fill in or mend, the oldest month first."""
    found = standings(desk.office, action, desk.today, desk.agency)
    every = [each for of_agency in found.values() for each in of_agency.values() if each.wanting]
    return sorted(every, key=lambda each: (each.of.month, each.of.agency))
