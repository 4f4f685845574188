"""待办: what waits for a person, by agency and rule; who has it; how long there is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from pipeline.accounts import list_accounts
from pipeline.sentences import Failed, sentences
from store import reviews
from store.accounts import Role
from store.reviews import Filters, Review, ReviewTaken, ReviewUnknown
from store.typed_text import NumberTyped, masked_text, require_no_number
from workbench.access import may
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

PAGE: Final = 50
Action = Literal["claim", "release", "assign"]


@dataclass(frozen=True)
class Asked:
    """The filters of a list as they stand in its address."""

    agency: str | None = None
    rule: str | None = None
    severity: str | None = None
    kind: str | None = None
    whose: str | None = None  # "mine", "nobody", or a name
    overdue: bool = False

    def query(self, **other: object) -> dict[str, object]:
        """Return the address's parameters, with others instead where given."""
        own: dict[str, object] = {
            "agency": self.agency, "rule": self.rule, "severity": self.severity, "kind": self.kind,
            "whose": self.whose, "overdue": "true" if self.overdue else None,
        }  # fmt: skip
        return own | other

    def filters(self, desk: Desk) -> Filters:
        """Return what the person may see of it."""
        return Filters(
            agency=desk.agency or self.agency or None,
            rule=self.rule or None,
            severity=self.severity or None,
            kind=self.kind or None,
            assignee=desk.person if self.whose == "mine" else None if self.whose == "nobody" else self.whose or None,
            unassigned=self.whose == "nobody",
            overdue_on=desk.today if self.overdue else None,
        )


@router.get("/worklist")
def worklist(
    desk: At,
    agency: str | None = None,
    severity: str | None = None,
    whose: str | None = None,
    overdue: bool = False,
) -> Response:
    """Show the groups of agency and rule, most first, each with its oldest items."""
    asked = Asked(agency=agency, severity=severity, whose=whose, overdue=overdue)
    with desk.office.engine.connect() as connection:
        groups = reviews.grouped(connection, asked.filters(desk), today=desk.today)
        said = _said(connection, [each for group in groups for each in group.samples])
    total = sum(group.count for group in groups)
    return render(desk, "worklist", asked=asked, groups=groups, total=total, said=said)


def _said(connection: sa.Connection, items: list[Review]) -> dict[int, str]:
    """Return a sentence per item about a failed rule, by the number of the item."""
    failed = [each for each in items if each.record_id is not None]
    told = sentences(
        connection,
        (Failed(each.kind, each.record_id or 0, each.rule, each.value, each.finding) for each in failed),
    )
    return {each.review_id: "" for each in items} | {
        each.review_id: text for each, text in zip(failed, told, strict=True)
    }


@router.get("/worklist/items")
def worklist_items(  # noqa: PLR0917 (FastAPI reads the parameters)
    desk: At,
    agency: str | None = None,
    rule: str | None = None,
    severity: str | None = None,
    kind: str | None = None,
    whose: str | None = None,
    overdue: bool = False,
    after: str | None = None,
) -> Response:
    """List items, oldest first."""
    asked = Asked(agency, rule, severity, kind, whose, overdue)
    with desk.office.engine.connect() as connection:
        found = reviews.list_reviews(connection, asked.filters(desk), after=_place(after), limit=PAGE)
        said = _said(connection, found)
    more = f"{found[-1].opened}_{found[-1].review_id}" if len(found) == PAGE else None
    people = _people(desk, asked.agency)
    return render(desk, "worklist_items", asked=asked, found=found, more=more, people=people, said=said)


def _place(after: str | None) -> tuple[dt.date, int] | None:
    if not after:
        return None
    day, _, number = after.partition("_")
    try:
        return dt.date.fromisoformat(day), int(number)
    except ValueError as error:
        raise HTTPException(422) from error


def _people(desk: Desk, agency: str | None) -> list[str]:
    """Return those to whom items may be given: who acts on reviews and sees the agency's."""
    shown = desk.agency or agency
    return [
        account.person
        for account in list_accounts(desk.office)
        if not account.disabled
        and may(account.role, "act_on_reviews")
        and (account.role is not Role.AGENCY or account.agency == shown)
    ]


@router.post("/worklist/preview")
def preview_reviews(
    desk: At,
    action: Annotated[Action, Form()],
    review: Annotated[list[int] | None, Form()] = None,
    to: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Show exactly what an action would change; nothing is changed yet."""
    found = _chosen(desk, review or [])
    goal = _goal(desk, action, to)
    changes = [(each, goal) for each in found if _would_change(each, action, goal)]
    kept = [each for each in found if not _would_change(each, action, goal)]
    return render(
        desk, "worklist_preview", action=action, to=to, back=_inside(back), changes=changes, kept=kept, refused="",
        reason="",
    )  # fmt: skip


@router.post("/worklist/act")
def act_on_reviews(  # noqa: PLR0917 (FastAPI reads the parameters)
    desk: At,
    action: Annotated[Action, Form()],
    review: Annotated[list[str] | None, Form()] = None,
    to: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Claim, release or assign what the preview showed, all of it or nothing.

    ``review`` is ``number:assignee`` as previewed: where another person was quicker, nothing is changed, and the others
    are shown to be confirmed again.
    """
    seen = dict(_split(each) for each in review or [])
    goal = _goal(desk, action, to)
    moved: list[Review] = []
    chosen = _chosen(desk, list(seen))
    try:
        require_no_number("附言", reason)
    except NumberTyped as error:
        return render(
            desk, "worklist_preview", status=422, action=action, to=to, back=_inside(back), kept=[],
            reason=masked_text(reason), changes=[(each, goal) for each in chosen], refused=str(error),
        )  # fmt: skip
    with desk.office.engine.begin() as connection:
        for number in sorted(seen):
            current = reviews.read_review(connection, number)
            if (current.assignee or "") != seen[number] or not _would_change(current, action, goal):
                moved.append(current)
            elif action == "claim":
                reviews.claim(connection, number, person=desk.person, reason=reason)
            else:
                reviews.assign(connection, number, to=goal, person=desk.person, reason=reason)
        if moved:
            connection.rollback()
    if moved:
        left = [each for each in chosen if each.review_id not in {other.review_id for other in moved}]
        told = "其余各项仍列在下面, 可再次确认" if left else "请返回重选"
        return render(
            desk, "worklist_preview", status=409, action=action, to=to, back=_inside(back), kept=moved, reason=reason,
            changes=[(each, goal) for each in left],
            refused=f"有 {len(moved)} 项待办在此期间已被他人处理, 本次没有任何改动; {told}",
        )  # fmt: skip
    return RedirectResponse(_inside(back) or desk.url("worklist"), 303)


@router.post("/reviews/{review_id}/claim")
def claim_review(desk: At, review_id: int) -> Response:
    """Take one item."""
    [found] = _chosen(desk, [review_id])
    try:
        with desk.office.engine.begin() as connection:
            reviews.claim(connection, review_id, person=desk.person)
    except ReviewTaken as error:
        raise HTTPException(409, "此待办已由他人认领或已办结") from error
    return _to_record(desk, found)


@router.post("/reviews/{review_id}/comment")
def comment_review(desk: At, review_id: int, reason: Annotated[str, Form()] = "") -> Response:
    """Append a remark."""
    [found] = _chosen(desk, [review_id])
    if reason.strip():
        with desk.office.engine.begin() as connection:
            reviews.comment(connection, review_id, person=desk.person, reason=reason.strip())
    return _to_record(desk, found)


def _to_record(desk: Desk, found: Review) -> Response:
    if found.record_id is None:
        return RedirectResponse(desk.url("hold", hold_id=found.hold_id), 303)
    return RedirectResponse(desk.url("record", record_id=found.record_id), 303)


def _chosen(desk: Desk, numbers: list[int]) -> list[Review]:
    try:
        with desk.office.engine.connect() as connection:
            found = [reviews.read_review(connection, number) for number in sorted(set(numbers))]
    except ReviewUnknown as error:
        raise HTTPException(404) from error
    if not all(desk.sees(each.agency) for each in found):
        raise HTTPException(404)
    return found


def _would_change(found: Review, action: Action, goal: str | None) -> bool:
    """Tell whether an action moves an item; what another person has is not claimed, only assigned."""
    free = action != "claim" or found.assignee is None
    return found.state == "open" and found.assignee != goal and free


def _goal(desk: Desk, action: Action, to: str) -> str | None:
    if action == "assign" and to not in _people(desk, None) + _people(desk, desk.agency):
        raise HTTPException(422, "请选择受理人")
    return {"claim": desk.person, "release": None, "assign": to}[action]


def _split(text: str) -> tuple[int, str]:
    number, _, assignee = text.partition(":")
    if not number.isdecimal():
        raise HTTPException(422)
    return int(number), assignee


def _inside(back: str) -> str:
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else ""
