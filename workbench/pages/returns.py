"""退回机关: failing rows go back to their agency as a workbook with a cover; what comes back closes their items."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from connectors.descriptor import agency_ids
from pipeline import returning
from pipeline.returning import NothingToReturn, notice_number
from store import reviews
from store.returns import ROWS_AT_MOST, Notice, NoticeUnknown
from store.reviews import Filters
from store.typed_text import NumberTyped
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

_TYPES: Final = {
    "workbook": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "cover": "text/html; charset=utf-8",
}


@router.get("/returns")
def returns(desk: At) -> Response:
    """List what each agency has to mend, and the notices that went out."""
    waiting = returning.returnable(desk.office, desk.agency)
    notices = returning.list_notices(desk.office, desk.agency)
    return render(desk, "returns", waiting=waiting, notices=notices, number=notice_number)


@router.get("/returns/new/{agency}")
def new_return(desk: At, agency: str) -> Response:
    """Show what a notice to an agency would hold; nothing is made yet."""
    return _form(desk, agency)


@router.post("/returns/new/{agency}")
def make_return(
    desk: At,
    agency: str,
    remark: Annotated[str, Form()] = "",
    rule: Annotated[list[str] | None, Form()] = None,
    again: Annotated[bool, Form()] = False,
) -> Response:
    """Make a notice."""
    if agency not in agency_ids():
        raise HTTPException(404)
    try:
        notice = returning.make_notice(
            desk.office, agency, person=desk.person, as_of=desk.today, remark=remark.strip(), rules=rule or (),
            again=again,
        )  # fmt: skip
    except NumberTyped as error:
        return _form(desk, agency, str(error), 422)
    except NothingToReturn:
        return _form(desk, agency, "所选范围内没有尚未通知的退回记录", 409)
    return RedirectResponse(desk.url("return_notice", notice_id=notice.notice_id), 303)


@router.get("/returns/{notice_id}")
def return_notice(desk: At, notice_id: int) -> Response:
    """Show one notice: its files, and what became of its items."""
    notice = _read(desk, notice_id)
    return render(desk, "return_notice", notice=notice, number=notice_number(notice_id, notice.as_of))


@router.get("/returns/{notice_id}/{which}")
def return_file(desk: At, notice_id: int, which: Literal["workbook", "cover"]) -> Response:
    """Return a file of a notice as issued."""
    notice = _read(desk, notice_id)
    content = returning.notice_file(desk.office, notice_id, which)
    saved_as = {"Content-Disposition": f'attachment; filename="{returning.file_name(notice, which)}"'}
    return Response(content, media_type=_TYPES[which], headers=saved_as)


def _read(desk: Desk, notice_id: int) -> Notice:
    try:
        notice = returning.read_notice(desk.office, notice_id)
    except NoticeUnknown as error:
        raise HTTPException(404) from error
    if not desk.sees(notice.agency):
        raise HTTPException(404)
    return notice


def _form(desk: Desk, agency: str, refused: str = "", status: int = 200) -> Response:
    if agency not in agency_ids():
        raise HTTPException(404)
    waiting = next(iter(returning.returnable(desk.office, agency)), None)
    with desk.office.engine.connect() as connection:
        groups = reviews.grouped(connection, Filters(agency=agency, severity="reject"), today=desk.today, samples=0)
    return render(
        desk, "return_new", status=status, agency=agency, waiting=waiting, groups=groups, most=ROWS_AT_MOST,
        refused=refused,
    )  # fmt: skip
