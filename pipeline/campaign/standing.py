"""How the returns of a special action stand, by agency and month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.campaign.missing import returns_of
from pipeline.campaign.report import ReturnOf
from pipeline.office import Office
from store import campaign_returns
from store.campaign_returns import ReturnedFigure, ReturnVersion, returned_figures
from transforms.campaign.plausible import Told, whole_city
from transforms.campaign.sheets import Action, sheets


@dataclass(frozen=True, slots=True)
class Standing:
    """One agency's return of one month. ``late``: the first version came after the due day."""

    of: ReturnOf
    newest: ReturnVersion | None
    late: bool

    @property
    def state(self) -> str:
        """As of the newest version where it was sent back, else as the return stands."""
        return "sent_back" if self.newest and self.newest.state == "sent_back" else self.of.state

    @property
    def wanting(self) -> bool:
        """Whether the agency has to do something."""
        return self.state in ("missing", "overdue", "incomplete", "sent_back")


def current_action(day: dt.date) -> Action:
    """Return the newest action that began by a day, else the first one there is."""
    begun = [each for each in sheets().actions if each.first_day <= day]
    return max(begun, key=lambda each: each.first_day) if begun else sheets().actions[0]


def standings(
    office: Office, action: Action, day: dt.date, agency: str | None = None
) -> dict[str, dict[str, Standing]]:
    """Return how every return of an action stands on a business day, by agency and month."""
    with office.engine.connect() as connection:
        figures = returned_figures(connection, action.id)
        held = campaign_returns.versions(connection, action.id, agency=agency)
    by_return: dict[tuple[str, str], list[ReturnVersion]] = {}
    for version in held:
        by_return.setdefault((version.agency, version.period), []).append(version)
    found: dict[str, dict[str, Standing]] = {}
    for each in returns_of(action, sheets(), figures, day):
        if agency not in (None, each.agency):
            continue
        own = by_return.get((each.agency, each.month), [])
        late = bool(own and each.due and own[-1].as_of > each.due)
        found.setdefault(each.agency, {})[each.month] = Standing(each, own[0] if own else None, late)
    return found


def month_before(month: str) -> str:
    """Return the month before one, both as YYYY-MM."""
    return f"{dt.date.fromisoformat(f'{month}-01') - dt.timedelta(days=1):%Y-%m}"


def city_figures(figures: Sequence[ReturnedFigure], agency: str, month: str) -> Mapping[str, Decimal]:
    """Return what an agency told of a month for the whole city, by item."""
    told: dict[str, list[Told]] = {}
    for each in figures:
        if (each.agency, each.period) == (agency, month):
            told.setdefault(each.item, []).append(Told(agency, month, each.district, each.item, each.value))
    return {item: whole_city(of, sheets().whole_city) for item, of in told.items()}
