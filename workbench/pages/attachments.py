"""归属复核: the enterprises that a record may be about, side by side, with what speaks for and against each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from pipeline.candidates import candidates
from pipeline.explain import explain_record
from pipeline.rulings import VersionConflict, propose_attachment
from store.rulings import RulingRefused
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

NOBODY = "none"
"""What a form says for: the register does not know this subject."""


@router.get("/records/{record_id}/attach")
def attach(desk: At, record_id: int) -> Response:
    """Show the record and its candidates."""
    return _page(desk, record_id)


@router.post("/records/{record_id}/attach")
def attach_record(
    desk: At, record_id: int, uscc: Annotated[str, Form()], reason: Annotated[str, Form()] = ""
) -> Response:
    """Propose an enterprise, or that there is none; another person signs."""
    _chain(desk, record_id)
    if not reason.strip():
        return _page(desk, record_id, "请填写理由", 422)
    try:
        ruled = propose_attachment(
            desk.office, record_id, uscc=None if uscc == NOBODY else uscc, person=desk.person, reason=reason,
            as_of=desk.today,
        )  # fmt: skip
    except VersionConflict as conflict:
        return _page(desk, record_id, f"此记录已让位于记录 {conflict.now.record_id}", 409)
    except RulingRefused:
        return _page(desk, record_id, "此记录不待归属, 或已有一项归属等待签批", 409)
    except ValueError as error:
        return _page(desk, record_id, str(error), 422)
    return RedirectResponse(desk.url("ruling", ruling_id=ruled.ruling.ruling_id), 303)


def _chain(desk: Desk, record_id: int) -> dict[str, object]:
    chain = explain_record(desk.office, record_id)
    if chain is None or not desk.sees(chain["delivery"]["agency"]):
        raise HTTPException(404)
    return chain


def _page(desk: Desk, record_id: int, refused: str = "", status: int = 200) -> Response:
    chain = _chain(desk, record_id)
    found = candidates(desk.office, record_id)
    return render(desk, "attach", status=status, chain=chain, found=found, refused=refused, nobody=NOBODY)
