"""放行: deliveries that go on only when two people approve."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from pipeline import holds as ledger
from store.holds import APPROVALS, Hold, HoldDecided, HoldUnknown, person_key
from store.typed_text import NumberTyped
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()


@router.get("/holds")
def holds(desk: At, state: Literal["open", "released", "rejected"] = "open") -> Response:
    """List held deliveries, oldest first."""
    found = ledger.list_holds(desk.office, state=state, agency=desk.agency)
    return render(desk, "holds", found=found, state=state, needed=APPROVALS)


@router.get("/holds/{hold_id}")
def hold(desk: At, hold_id: int) -> Response:
    """Show what stopped a delivery, in numbers, and who decided what."""
    return _page(desk, _read(desk, hold_id))


@router.post("/holds/{hold_id}")
def decide_hold(
    desk: At,
    hold_id: int,
    background: BackgroundTasks,
    decision: Annotated[Literal["approve", "reject"], Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Enter a decision; the delivery of a released hold is taken in once the answer is given."""
    found = _read(desk, hold_id)
    if not reason.strip():
        return _page(desk, found, "请填写理由", 422)
    if decision == "approve" and _has_approved(desk, found):
        return _page(desk, found, "您已同意过, 须由另一人同意", 409)
    try:
        decided = ledger.enter_decision(
            desk.office, hold_id, person=desk.person, decision=decision, reason=reason, via="workbench"
        )
    except HoldDecided:
        return _page(desk, _read(desk, hold_id), "此批已有决定, 您的意见没有记入", 409)
    except NumberTyped as error:
        return _page(desk, found, str(error), 422)
    background.add_task(ledger.release, desk.office, decided)
    return RedirectResponse(desk.url("hold", hold_id=hold_id), 303)


def _has_approved(desk: Desk, found: Hold) -> bool:
    return person_key(desk.person) in map(person_key, found.approved_by)


def _read(desk: Desk, hold_id: int) -> Hold:
    try:
        found = ledger.read_hold(desk.office, hold_id)
    except HoldUnknown as error:
        raise HTTPException(404) from error
    if not desk.sees(found.agency):
        raise HTTPException(404)
    return found


def _page(desk: Desk, found: Hold, refused: str = "", status: int = 200) -> Response:
    limits = found.numbers.get("limits", {})
    numbers = [(name, number, limits.get(name)) for name, number in found.numbers.items() if name != "limits"]
    return render(
        desk, "hold", status=status, found=found, numbers=numbers, needed=APPROVALS, refused=refused,
        has_approved=_has_approved(desk, found),
    )  # fmt: skip
