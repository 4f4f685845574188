"""专项行动填报: the figures of a special action that only the agencies can tell, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from pipeline.campaign import filling
from pipeline.campaign.filling import Asked, Checked, Fault, Records, ReturnInvalid, ReturnNotOpen
from pipeline.campaign.return_file import empty_form, form_name, read_return
from pipeline.campaign.standing import city_figures, current_action, month_before, standings
from pipeline.scorecard import newest_change
from store import campaign_returns as ledger
from store.campaign_returns import CITY, ReturnChanged, ReturnRefused, ReturnUnknown, ReturnVersion, returned_figures
from store.typed_text import masked_text
from transforms.campaign.sheets import Action, ActionUnknown, Item, sheets
from transforms.problems import DeliveryRefused, Problem
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

_CELL: Final = "cell."
_KEPT: Final = 12
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Month = Annotated[str, Path(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$")]


async def _form(request: Request) -> FormData:
    return await request.form()


Filled = Annotated[FormData, Depends(_form)]


def _cells(form: FormData) -> dict[tuple[str, str], str]:
    named = [(name.removeprefix(_CELL).partition("."), text) for name, text in form.items() if name.startswith(_CELL)]
    return {(district, item): str(text) for (district, _, item), text in named}


@dataclass(frozen=True)
class Sheet:
    """One return before a person. ``versions`` are newest first."""

    of: Asked
    versions: Sequence[ReturnVersion]
    figures: Mapping[tuple[str, str], Decimal]
    before: Mapping[str, Decimal]

    @property
    def newest(self) -> ReturnVersion | None:
        """The newest version."""
        return self.versions[0] if self.versions else None

    @property
    def texts(self) -> dict[tuple[str, str], str]:
        """The figures of the newest version as they stand in the form."""
        return {(district, item): written(item, value) for (district, item), value in self.figures.items()}


def written(item: str, value: Decimal) -> str:
    """Return a figure with the places of its item, without separators."""
    return f"{value:.{sheets().item(item).decimals}f}"


@router.get("/campaign")
def campaign_returns(desk: At, action: str | None = None) -> Response:
    """List agencies and months: what is in, missing, due, late."""
    chosen = _action(action) if action else current_action(desk.today)
    found = standings(desk.office, chosen, desk.today, desk.agency)
    every = [each for of_agency in found.values() for each in of_agency.values()]
    due = {each.of.month: each.of.due for each in every}
    return render(desk, "campaign_returns", action=chosen, found=found, due=due, every=every, actions=sheets().actions)


def _sheet(desk: At, action: str, agency: str, month: Month) -> Sheet:
    try:
        of = filling.asked_for(action, agency, month)
    except (ActionUnknown, ReturnNotOpen) as error:
        raise HTTPException(404) from error
    if not desk.sees(agency):
        raise HTTPException(404)
    with desk.office.engine.connect() as connection:
        held = ledger.versions(connection, of.action.id, agency=agency, period=month)
        figures = ledger.figures_of(connection, held[0].return_id) if held else {}
        before = city_figures(returned_figures(connection, of.action.id), agency, month_before(month))
    return Sheet(of, held, figures, before)


Found = Annotated[Sheet, Depends(_sheet)]
"""A route's parameter: the return that its address names, where the person may see it."""


@router.get("/campaign/{action}/{agency}/{month}")
def campaign_return(desk: At, sheet: Found, version: int | None = None) -> Response:
    """Show the return of an agency and month: the form, or one version as it was entered."""
    if version is None:
        return _page(desk, sheet)
    shown = next((each for each in sheet.versions if each.version == version), None)
    if shown is None:
        raise HTTPException(404)
    with desk.office.engine.connect() as connection:
        figures = ledger.figures_of(connection, shown.return_id)
    return _page(desk, sheet, shown=shown, texts={key: written(key[1], value) for key, value in figures.items()})


@router.get("/campaign/{action}/{agency}/{month}/form", name="campaign_form")
def campaign_form(desk: At, sheet: Found) -> Response:
    """Return the empty form (XLSX)."""
    content = empty_form(sheet.of, before=sheet.before, as_of=desk.today)
    saved_as = {"Content-Disposition": f'attachment; filename="{form_name(sheet.of)}"'}
    return Response(content, media_type=_XLSX, headers=saved_as)


@router.post("/campaign/{action}/{agency}/{month}/check")
def check_campaign_return(desk: At, sheet: Found, form: Filled) -> Response:
    """Tell what the rules say of the form as it stands; nothing is entered."""
    checked = _checked(desk, sheet, _cells(form))
    return render(desk, "campaign_check", checked=checked, beside=_beside(checked.faults))


@router.post("/campaign/{action}/{agency}/{month}/file")
def fill_campaign_return(desk: At, sheet: Found, file: UploadFile) -> Response:
    """Fill the form from a file (XLSX, CSV); nothing is entered."""
    name = file.filename or "(未命名)"
    try:
        found = read_return(file.file, name, agency=sheet.of.agency, month=sheet.of.month)
    except DeliveryRefused as error:
        return _page(desk, sheet, problems=[error.problem], status=422)
    status = 422 if found.refused else 200
    return _page(desk, sheet, texts=found.cells, problems=found.problems, status=status, file=name)


@router.post("/campaign/{action}/{agency}/{month}")
def submit_campaign_return(
    desk: At,
    sheet: Found,
    form: Filled,
    seen: Annotated[int, Form(ge=0)],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Enter the next version of a return; where another one came in between, show both."""
    cells = _cells(form)
    try:
        filling.submit(
            desk.office, sheet.of, cells, seen=seen, person=desk.person, reason=reason, as_of=desk.today,
            records=_records(desk, sheet.of.action),
        )  # fmt: skip
    except ReturnChanged:
        return _page(desk, _again(desk, sheet), texts=cells, reason=reason, conflict=True, status=409)
    except (ReturnInvalid, ReturnNotOpen) as error:
        return _page(desk, sheet, texts=cells, reason=reason, refused=str(error), status=422)
    return RedirectResponse(_url(desk, sheet), 303)


@router.post("/campaign/{action}/{agency}/{month}/decision")
def decide_campaign_return(  # noqa: PLR0917 (FastAPI reads the parameters)
    desk: At,
    sheet: Found,
    decision: Annotated[Literal["accepted", "sent_back"], Form()],
    version: Annotated[int, Form()],
    state: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Accept a return, or send it back with a reason."""
    try:
        filling.decide(
            desk.office, sheet.of, decision, version=version, state=state, person=desk.person,
            reason=reason, as_of=desk.today,
        )  # fmt: skip
    except ReturnUnknown as error:
        raise HTTPException(404) from error
    except ReturnChanged:
        told = "在此期间有了新的版本或新的意见, 您的意见没有记入, 请核对后重新决定"
        return _page(desk, _again(desk, sheet), refused=told, status=409)
    except ReturnRefused:
        return _page(
            desk, sheet, refused="此版本现在不能这样处理: 已有同样的意见, 或须由填报人以外的人采纳", status=409
        )
    except ReturnInvalid as error:
        return _page(desk, sheet, refused=str(error), status=422)
    return RedirectResponse(_url(desk, sheet), 303)


def _action(action: str) -> Action:
    try:
        return sheets().action(action)
    except ActionUnknown as error:
        raise HTTPException(404) from error


def _url(desk: Desk, sheet: Sheet) -> str:
    return desk.url("campaign_return", action=sheet.of.action.id, agency=sheet.of.agency, month=sheet.of.month)


def _again(desk: Desk, sheet: Sheet) -> Sheet:
    """Read a return again: it changed while it was looked at."""
    return _sheet(desk, sheet.of.action.id, sheet.of.agency, sheet.of.month)


def _records(desk: Desk, action: Action) -> Records:
    """Derive what is pooled, or take what was derived since anything changed: it may take seconds."""
    kept: dict[Any, Records] = desk.request.app.state.campaign_records
    key = (action.id, desk.today, newest_change(desk.office))
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = filling.read_records(desk.office, action, desk.today)
    return kept[key]


def _checked(desk: Desk, sheet: Sheet, cells: Mapping[tuple[str, str], str]) -> Checked:
    return filling.check(desk.office, sheet.of, cells, _records(desk, sheet.of.action), as_of=desk.today)


def _beside(faults: Sequence[Fault]) -> list[tuple[str, Fault]]:
    """Put each fault beside the first item that it is about."""
    return [(each.items[0] if each.items else "", each) for each in faults]


def _summed(figures: Mapping[tuple[str, str], Decimal]) -> dict[str, Decimal]:
    """Add up what the districts told, by item."""
    summed: dict[str, Decimal] = {}
    for (district, item), value in figures.items():
        if district != CITY:
            summed[item] = summed.get(item, Decimal(0)) + value
    return summed


def _loose(faults: Sequence[Fault], items: Sequence[Item]) -> list[Fault]:
    """Return the faults that stand beside no item of the form."""
    shown = {item.code for item in items}
    return [each for each in faults if not shown & set(each.items)]


def _page(
    desk: Desk,
    sheet: Sheet,
    *,
    texts: Mapping[tuple[str, str], str] | None = None,
    shown: ReturnVersion | None = None,
    reason: str = "",
    refused: str = "",
    conflict: bool = False,
    problems: Sequence[Problem] = (),
    file: str = "",
    status: int = 200,
) -> Response:
    """Show a return; ``conflict``: another person's version came in before what stands in ``texts``."""
    table, of = sheets(), sheet.of
    records = _records(desk, of.action)
    open_ = of.month in of.action.ended_months(desk.today)
    edits = shown is None and open_ and desk.may("submit_campaign_return")
    filled = sheet.texts if texts is None else dict(texts)
    given = texts is not None and shown is None
    checked = _checked(desk, sheet, filled) if given else Checked({}, ())
    figures = checked.figures if given else {key: Decimal(text) for key, text in filled.items()}
    standing = standings(desk.office, of.action, desk.today, of.agency)[of.agency][of.month]
    items = table.asked_of(of.agency)
    return render(
        desk, "campaign_return", status=status, sheet=sheet, items=items, districts=table.districts, city=CITY,
        filled=filled, edits=edits, opened=open_, shown=shown, standing=standing, reason=masked_text(reason),
        refused=refused, conflict=conflict, given=given, action=of.action, agency=of.agency, month=of.month,
        checked=checked, beside=_beside(checked.faults), loose=_loose(checked.faults, items), problems=problems,
        file=file, held={item.code: records.held(item, of) for item in items}, written=written,
        summed=_summed(figures), apart=any(district != CITY and text for (district, _), text in filled.items()),
        other=sheet.newest is not None and filling.other_person(sheet.newest, desk.person),
    )  # fmt: skip
