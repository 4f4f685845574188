"""Which returns of a special action are missing on a day, and on which days people are told (alarms and digests)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.descriptor import load_agency
from pipeline.campaign.report import ReturnOf, ReturnState, span_title
from pipeline.office import Office
from store.campaign_returns import ReturnedFigure, returned_figures
from transforms.campaign.sheets import Action, Sheets, sheets, workdays_before
from transforms.workdays import CalendarMissing, add_workdays


@dataclass(frozen=True, slots=True)
class DueNotice:
    """Something of an action that is due, or was, and what is still wanting of it, by agency.

    ``key`` names the action and what is due. ``days``: calendar days until then, negative past it.
    ``issued``: day of the plan, whose names of agencies are used.
    """

    key: str
    title: str
    due: dt.date
    days: int
    issued: dt.date
    missing: tuple[ReturnOf, ...]

    def told(self) -> str:
        """Return the notice as a line for a log or a digest; agencies by their names."""
        when = f"还有 {self.days} 日" if self.days > 0 else "今日到期" if self.days == 0 else f"已逾期 {-self.days} 日"
        by_agency: dict[str, list[str]] = {}
        for each in self.missing:
            what = span_title(each.month) + (f"（缺 {'、'.join(each.lacking)}）" if each.lacking else "")
            by_agency.setdefault(load_agency(each.agency).name_on(self.issued), []).append(what)
        names = "；".join(f"{name} {'、'.join(months)}" for name, months in by_agency.items())
        return f"{self.title} {self.due}（{when}）: " + (
            f"未报 {len(by_agency)} 个机关: {names}" if names else "均已报"
        )


def returns_of(action: Action, table: Sheets, figures: Sequence[ReturnedFigure], as_of: dt.date) -> Iterator[ReturnOf]:
    """Return how each agency's return of each month stands on a day, by agency and month.

    Where the working days of a year are not known, a due day is not known either, and nothing is called overdue.
    """
    told: dict[tuple[str, str], list[ReturnedFigure]] = {}
    for figure in figures:
        told.setdefault((figure.agency, figure.period), []).append(figure)
    ended = set(action.ended_months(as_of))
    for agency in table.agencies:
        for month in action.months:
            due = _due(action, month)
            own = told.get((agency, month))
            if own:
                lacking = [each.title for each in table.required_of(agency) if each.code not in {f.item for f in own}]
                state: ReturnState = (
                    "incomplete" if lacking else "accepted" if own[0].state == "accepted" else "submitted"
                )
                yield ReturnOf(
                    agency=agency, month=month, due=due, state=state, version=own[0].version, lacking=tuple(lacking)
                )
                continue
            state = "not_due" if month not in ended else "overdue" if due and due < as_of else "missing"
            yield ReturnOf(agency=agency, month=month, due=due, state=state, version=None, lacking=())


def due_notices(office: Office, as_of: dt.date) -> list[DueNotice]:
    """Return what people are told on a day about the returns and due dates of every action.

    A month's return: on the days before its due day that the table names, and, while it is missing, on every working
    day after it for as long as the table says. A due date of the action: the same, with every return that is wanting.
    """
    table = sheets()
    found: list[DueNotice] = []
    for action in table.actions:
        if as_of < action.first_day:
            continue
        with office.engine.connect() as connection:
            figures = returned_figures(connection, action.id, as_of)
        wanting = [
            each for each in returns_of(action, table, figures, as_of)
            if each.state in ("missing", "overdue", "incomplete")
        ]  # fmt: skip
        found += _of_months(action, wanting, as_of)
        found += _of_due_dates(action, wanting, as_of)
    return found


def _of_months(action: Action, wanting: Sequence[ReturnOf], as_of: dt.date) -> Iterator[DueNotice]:
    terms = action.monthly_return
    for month in action.ended_months(as_of):
        missing = tuple(each for each in wanting if each.month == month)
        due = _due(action, month)
        if due and missing and _is_told(as_of, due, terms.warn_workdays, terms.overdue_workdays):
            title = f"{action.title}{span_title(month)}统计表"
            yield DueNotice(f"{action.id}/{month}", title, due, (due - as_of).days, action.issued, missing)


def _of_due_dates(action: Action, wanting: Sequence[ReturnOf], as_of: dt.date) -> Iterator[DueNotice]:
    for each in action.due_dates:
        after = each.overdue_workdays if wanting else 0
        if _is_told(as_of, each.day, each.warn_workdays, after):
            title = f"{action.title}: {each.what}，报{each.to}"
            yield DueNotice(
                f"{action.id}/{each.id}", title, each.day, (each.day - as_of).days, action.issued, tuple(wanting)
            )


def _due(action: Action, month: str) -> dt.date | None:
    with contextlib.suppress(CalendarMissing):
        return action.return_due(month)
    return None


def _is_told(today: dt.date, due: dt.date, before: Iterable[int], after: int) -> bool:
    """Tell whether a day is one of the working days before a due day, or after it, on which people are told."""
    if today > due:
        return today in {add_workdays(due, number) for number in range(1, after + 1)}
    return today in {workdays_before(due, number) for number in before}
