"""Put a summary report together from pooled records and returns, and keep it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from connectors.descriptor import agency_ids, load_agency
from pipeline.campaign.cases import typical_cases
from pipeline.campaign.missing import returns_of
from pipeline.campaign.report import CampaignReport, Line, Place
from pipeline.office import Office
from store import campaign_reports
from store.campaign_figures import Authorities, Cell, Derived, derive
from store.campaign_reports import KeptReport
from store.campaign_returns import returned_figures
from transforms.campaign.counting import counting
from transforms.campaign.plausible import WHOLE_ACTION, Evidence, Told, implausible, whole_city
from transforms.campaign.sheets import Action, Item, Sheets, sheets

_NUMBERS_TOLD: Final = 5


def make_report(office: Office, action_id: str, *, as_of: dt.date, person: str) -> KeptReport:
    """Count an action as it stood on a day, keep the report in the ledger and return it.

    The same figures and texts as the newest report of that day make no new version. Raises
    ``transforms.campaign.sheets.ActionUnknown``; ``ValueError`` for a day before the action.
    """
    action = sheets().action(action_id)
    if as_of < action.first_day:
        raise ValueError(f"{action.id} begins on {action.first_day}: nothing can be told as of {as_of}")
    with office.engine.begin() as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        report = _counted(connection, action, as_of)
    with office.engine.begin() as connection:
        return campaign_reports.keep(
            connection, action=action.id, as_of=as_of, content=report.model_dump_json(indent=1), person=person
        )


def read_report(office: Office, action_id: str, *, as_of: dt.date, version: int | None = None) -> KeptReport:
    """Return a report as it was made, the newest version where none is named.

    Raises ``store.campaign_reports.ReportUnknown``.
    """
    with office.engine.connect() as connection:
        return campaign_reports.read(connection, sheets().action(action_id).id, as_of, version)


def authorities() -> Authorities:
    """Return which agency decides under a code or a name; a name that several bear tells none."""
    known = [load_agency(agency) for agency in agency_ids()]
    names: dict[str, set[str]] = defaultdict(set)
    for agency in known:
        for name in agency.names:
            names[name.name].add(agency.id)
    return Authorities(
        {code.code: agency.id for agency in known for code in agency.codes},
        {name: next(iter(of)) for name, of in sorted(names.items()) if len(of) == 1},
    )


def derived_figures(connection: sa.Connection, action: Action, as_of: dt.date) -> Derived:
    """Derive the figures of an action from what was known on a day; as ``store.campaign_figures.derive``."""
    districts = {code: each.code for each in sheets().districts for code in (each.code, *each.also)}
    return derive(
        connection, first=action.first_day, last=action.last_day, today=as_of, authorities=authorities(),
        districts=districts, counting=counting(),
    )  # fmt: skip


def _counted(connection: sa.Connection, action: Action, as_of: dt.date) -> CampaignReport:
    table, rules = sheets(), counting()
    derived = derived_figures(connection, action, as_of)
    figures = returned_figures(connection, action.id, as_of)
    told = [Told(each.agency, each.period, each.district, each.item, each.value) for each in figures]
    begun = tuple(month for month in action.months if dt.date.fromisoformat(f"{month}-01") <= as_of)
    evidence = Evidence(derived.by_agency, told, derived.notices)
    lines = tuple(_line(item, begun, derived, told, table) for item in table.items)
    return CampaignReport(
        action=action.id, title=action.title, as_of=as_of, first_day=action.first_day, last_day=action.last_day,
        months=action.months, begun=begun, due_dates=tuple((each.day, each.what) for each in action.due_dates),
        districts={each.code: each.name for each in table.districts},
        agencies={agency: load_agency(agency).name_on(action.issued) for agency in agency_ids()},
        lines=lines,
        kinds=tuple(rules.title(rank) for rank in range(len(rules.severity), -1, -1)),
        cases_by_kind=_by_kind(derived, begun),
        contradictions=tuple(sorted(implausible(evidence, action, table), key=lambda each: each.severity != "error")),
        returns=tuple(returns_of(action, table, figures, as_of)),
        cases=tuple(typical_cases(connection, action, rules, as_of)),
        least_cases=action.least_cases,
        notes=tuple(_notes(derived, table)), sheets_as_of=table.as_of, counting_as_of=rules.as_of,
    )  # fmt: skip


def _line(item: Item, begun: Sequence[str], derived: Derived, told: Sequence[Told], table: Sheets) -> Line:
    if item.origin == "derived":
        spans = {month: _derived(derived.cells[item.code], [month]) for month in begun}
        spans[WHOLE_ACTION] = _derived(derived.cells[item.code], begun)
        agencies: dict[str, Decimal] = {}
        for (code, _, agency), value in sorted(derived.by_agency.items()):
            if code == item.code:
                agencies[agency] = agencies.get(agency, Decimal()) + value
    else:
        own = [each for each in told if each.item == item.code and each.month in begun]
        spans = {month: added_up([each for each in own if each.month == month], table) for month in begun}
        spans[WHOLE_ACTION] = added_up(own, table)
        agencies = {
            agency: added_up([each for each in own if each.agency == agency], table).city or Decimal()
            for agency in sorted({each.agency for each in own})
        }
    return Line(
        code=item.code, title=item.title, unit=item.unit, decimals=item.decimals, origin=item.origin, spans=spans,
        agencies=agencies,
    )  # fmt: skip


def _derived(cells: Iterable[Cell], months: Iterable[str]) -> Place:
    wanted = set(months)
    districts: dict[str, Decimal] = defaultdict(Decimal)
    unassigned = Decimal()
    for cell in cells:
        if cell.month not in wanted:
            continue
        if cell.district is None:
            unassigned += cell.number
        else:
            districts[cell.district] += cell.number
    return Place(
        city=sum(districts.values(), unassigned), districts=dict(sorted(districts.items())), unassigned=unassigned
    )


def added_up(told: Sequence[Told], table: Sheets) -> Place:
    """Add up what agencies returned of one item. What one told for the city beyond its districts has no district."""
    if not told:
        return Place(city=None, districts={}, unassigned=None)
    returns: dict[tuple[str, str], list[Told]] = defaultdict(list)
    districts: dict[str, Decimal] = defaultdict(Decimal)
    for each in told:
        returns[each.agency, each.month].append(each)
        if each.district != table.whole_city:
            known = table.district_of(each.district)
            districts[known.code if known else each.district] += each.value
    city = sum((whole_city(of, table.whole_city) for of in returns.values()), Decimal())
    apart = sum(districts.values(), Decimal())
    return Place(city=city, districts=dict(sorted(districts.items())), unassigned=city - apart)


def _by_kind(derived: Derived, begun: Iterable[str]) -> dict[str, dict[str, int]]:
    rules = counting()
    found: dict[str, dict[str, int]] = {month: {} for month in begun}
    for (month, rank), number in sorted(derived.by_rank.items()):
        found[month][rules.title(rank)] = number
    return found


def _notes(derived: Derived, table: Sheets) -> list[str]:
    """Say what the derived figures leave out or could not tell; each with the number and what to do."""
    notes: list[str] = []
    if waiting := sum(derived.waiting.values()):
        notes.append(
            f"另有 {waiting:,} 件涉网处罚决定因待核实或已退回机关未计入（查处涉网违法案件、罚没款），"
            "核实后重新生成本报告即计入；清单: disclosure export reviews"
        )
    notes += _numbers_note(derived.shared, "个文书号由不同机关使用，按 1 件计，请核对是否确为同一决定")
    notes += _numbers_note(derived.differing, "件决定在不同来源中的金额不一致，按最新报送的计，请核对")
    for item, number in derived.unattached.items():
        if number:
            title = table.item(item).title
            notes.append(f"{title}: 另有 {number:,} 条名录记录尚未确定企业，未计入；归属核实后计入")
    return notes


def _numbers_note(numbers: Sequence[str], told: str) -> list[str]:
    if not numbers:
        return []
    more = "等" if len(numbers) > _NUMBERS_TOLD else ""
    return [f"{len(numbers):,} {told}: {'、'.join(numbers[:_NUMBERS_TOLD])}{more}"]
