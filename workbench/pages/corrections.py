"""更正: change what a record says, see at once what the rules make of it, sign for another, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from pipeline import rulings as steps
from pipeline.rereading import Reread, RowGone
from pipeline.rulings import Version, VersionConflict
from pipeline.suggestions import suggestions
from store import rulings as ledger
from store.rulings import Ruling, RulingRefused, RulingUnknown
from store.typed_text import NumberTyped, masked_text
from transforms.columns import ID_COLUMNS, Sheet
from transforms.sheets import SHEETS, SheetDefinition
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

_CELL: Final = "cell."


async def _form(request: Request) -> FormData:
    return await request.form()


Filled = Annotated[FormData, Depends(_form)]


def _cells(form: FormData) -> dict[str, str]:
    return {name.removeprefix(_CELL): str(text).strip("\r\n") for name, text in form.items() if name.startswith(_CELL)}


def _waives(form: FormData) -> list[str]:
    return [str(rule) for rule in form.getlist("waive")]


@router.get("/records/{record_id}/correct")
def correct(desk: At, record_id: int) -> Response:
    """Show the row as received, to be changed cell by cell."""
    seen, sheet = _seen(desk, record_id)
    return _page(desk, seen, sheet)


@router.post("/records/{record_id}/recheck")
def recheck(desk: At, record_id: int, form: Filled) -> Response:
    """Tell what the rules would make of the row with these cells; nothing is stored."""
    seen, sheet = _seen(desk, record_id)
    try:
        reread = steps.recheck(desk.office, seen.record_id, cells=_cells(form), waives=_waives(form))
    except RulingRefused:
        return render(desk, "recheck", reread=None, refused="", kind=seen.kind, sheet=sheet)
    except (ValueError, RowGone) as error:
        return render(desk, "recheck", reread=None, refused=str(error), kind=seen.kind, sheet=sheet)
    return render(desk, "recheck", reread=reread, refused="", kind=seen.kind, sheet=sheet)


@router.post("/records/{record_id}/correct")
def propose_correction(
    desk: At,
    record_id: int,
    form: Filled,
    act: Annotated[Literal["correct", "send_back"], Form()] = "correct",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Propose a correction; what one person may decide is in force at once."""
    seen, sheet = _seen(desk, record_id)
    cells, waives = (_cells(form), _waives(form)) if act == "correct" else ({}, [])
    if not reason.strip():
        return _page(desk, seen, sheet, filled=cells, waived=waives, refused="请填写理由", status=422)
    try:
        ruled = steps.propose(
            desk.office, record_id, cells=cells, waives=waives, sends_back=reason if act == "send_back" else None,
            person=desk.person, reason=reason, as_of=desk.today,
        )  # fmt: skip
    except VersionConflict as conflict:
        return _page(
            desk, conflict.now, sheet, filled=cells, waived=waives, conflict=conflict, status=409, reason=reason
        )
    except (RulingRefused, ValueError, RowGone) as error:
        refused = _refusal(error)
        return _page(desk, seen, sheet, filled=cells, waived=waives, refused=refused, status=422, reason=reason)
    goal = ruled.ruling.ruling_id if ruled.waits else None
    if goal is not None:
        return RedirectResponse(desk.url("ruling", ruling_id=goal), 303)
    return RedirectResponse(desk.url("record", record_id=ruled.made.record_id if ruled.made else record_id), 303)


def _refusal(error: Exception) -> str:
    text = str(error)
    if "changes nothing" in text:
        return "没有改动任何内容"
    if "waits for a signature" in text:
        return "此记录已有一项更正等待另一人签批"
    return text


def _seen(desk: Desk, record_id: int) -> tuple[Version, Sheet]:
    try:
        with desk.office.engine.connect() as connection:
            _, row = ledger.row_of(connection, record_id)
            if not desk.sees(row["agency"]):
                raise HTTPException(404)
            return steps.read_version(connection, record_id), Sheet(row["sheet"])
    except LookupError as error:
        raise HTTPException(404) from error


def _page(
    desk: Desk,
    version: Version,
    sheet: Sheet,
    *,
    filled: Mapping[str, str] | None = None,
    waived: Sequence[str] = (),
    conflict: VersionConflict | None = None,
    refused: str = "",
    reason: str = "",
    status: int = 200,
) -> Response:
    definition = SHEETS[version.kind, sheet]
    try:
        texts = steps.texts_received(desk.office, version.record_id)
    except RowGone as error:
        raise HTTPException(409, str(error)) from error
    with desk.office.engine.connect() as connection:
        received = ledger.read_row(connection, version.kind, version.received_id)
        key = received["record_key"]
        for each in ledger.rulings_over(connection, version.kind, key, version.received_id):
            texts |= {code: cell["text"] for code, cell in each.content.get("cells", {}).items()}
    offered: dict[str, list[Any]] = {}
    for suggestion in suggestions(desk.office, version.record_id):
        offered.setdefault(suggestion.code, []).append(suggestion)
    typed = {code: text if text == texts.get(code) else masked_text(text) for code, text in (filled or {}).items()}
    return render(
        desk, "correct", status=status, version=version, sheet=sheet, columns=_columns(definition, version),
        texts=texts, filled=typed, waived=waived, offered=offered, conflict=conflict, refused=refused,
        reason=masked_text(reason), differs=_differs(conflict),
    )  # fmt: skip


def _columns(definition: SheetDefinition, version: Version) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    """Return the columns that may be changed with their failed rules, those that failed first."""
    listed = []
    for column in definition.columns:
        if column.target not in ID_COLUMNS:
            failed = [v for v in version.verdicts if {column.code, column.target} & set(v["field"].split(";"))]
            listed.append((column, failed))
    return sorted(listed, key=lambda pair: not any(v["severity"] != "warn" for v in pair[1]))


def _differs(conflict: VersionConflict | None) -> list[tuple[str, Any, Any]]:
    if conflict is None:
        return []
    seen, now = conflict.seen.values, conflict.now.values
    return [(name, seen[name], now[name]) for name in seen if seen[name] != now.get(name)]


@router.get("/rulings")
def rulings(desk: At, state: Literal["waiting", "in_force", "rejected", "undone"] = "waiting") -> Response:
    """List corrections and attachments by people, those that wait for a signature first."""
    states = ("proposed", "undo_proposed") if state == "waiting" else (state,)
    with desk.office.engine.connect() as connection:
        found = [r for each in states for r in ledger.list_rulings(connection, state=each, agency=desk.agency)]
    found.sort(key=lambda ruling: ruling.ruling_id, reverse=state != "waiting")
    return render(desk, "rulings", found=found[:200], state=state)


@router.get("/rulings/{ruling_id}")
def ruling(desk: At, ruling_id: int) -> Response:
    """Show one: what it changes, who said so, and what may be done about it."""
    return _ruling_page(desk, _read(desk, ruling_id))


@router.post("/rulings/{ruling_id}")
def decide_ruling(
    desk: At,
    ruling_id: int,
    act: Annotated[Literal["approve", "reject", "undo"], Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Sign, refuse or undo."""
    found = _read(desk, ruling_id)
    if not reason.strip():
        return _ruling_page(desk, found, "请填写理由", 422)
    decide = {"approve": steps.approve, "reject": steps.reject, "undo": steps.undo}[act]
    try:
        decide(desk.office, ruling_id, person=desk.person, reason=reason, as_of=desk.today)
    except VersionConflict as conflict:
        told = f"提出之后记录已有新的版本 (记录 {conflict.now.record_id}), 请核对后重新更正"
        return _ruling_page(desk, found, told, 409)
    except NumberTyped as error:
        return _ruling_page(desk, found, str(error), 422)
    except RulingRefused:
        return _ruling_page(desk, _read(desk, ruling_id), "此项现在不能这样处理: 已有决定, 或须由另一人签批", 409)
    return RedirectResponse(desk.url("ruling", ruling_id=ruling_id), 303)


def _read(desk: Desk, ruling_id: int) -> Ruling:
    try:
        with desk.office.engine.connect() as connection:
            found = ledger.read_ruling(connection, ruling_id)
    except RulingUnknown as error:
        raise HTTPException(404) from error
    if not desk.sees(found.agency):
        raise HTTPException(404)
    return found


def _ruling_page(desk: Desk, found: Ruling, refused: str = "", status: int = 200) -> Response:
    reread: Reread | None = None
    if found.what == "correct" and found.state == "proposed":
        cells = {code: cell["text"] for code, cell in found.content["cells"].items()}
        try:
            reread = steps.recheck(
                desk.office, found.base_id, cells=cells, waives=list(found.content["waives"]),
                sends_back=found.content["sends_back"],
            )  # fmt: skip
        except (RulingRefused, ValueError, RowGone):
            reread = None
    other = ledger.other_person(found, desk.person)
    return render(desk, "ruling", status=status, found=found, reread=reread, other=other, refused=refused)
