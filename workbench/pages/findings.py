"""比对: what the cross-check found, with its evidence; people confirm, reject, send on. Nothing here is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse

from pipeline import findings as steps
from pipeline.correction_letter import LetterRefused, correction_letter, may_have_letter
from pipeline.exports import BASE_GAPS, export
from pipeline.findings import FindingChanged
from pipeline.inspection_packet import handed_over, write_packet
from store import discrepancies, finding_list
from store.discrepancies import STATES, Decision, Finding, FindingRefused, FindingUnknown
from store.finding_list import BANDS, Filters
from store.typed_text import masked_text
from transforms.crosscheck.cases import rules
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

PAGE: Final = 50
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Step = Literal["confirmed", "rejected", "sent_for_correction", "to_inspection", "listing_proposed"]
Bulk = Literal["sent_for_correction", "to_inspection", "rejected"]


@dataclass(frozen=True)
class Asked:
    """The filters of the list as they stand in its address."""

    year: int | None = None
    district: str | None = None
    kind: str | None = None
    confidence: str | None = None
    state: str = "open"

    def query(self, **other: object) -> dict[str, object]:
        """Return the address's parameters, with others instead where given."""
        return vars(self) | other


@router.get("/findings")
def findings(  # noqa: PLR0917 (FastAPI reads the parameters)
    desk: At,
    year: int | None = None,
    district: str | None = None,
    kind: str | None = None,
    confidence: str | None = None,
    state: str = "open",
    after: str | None = None,
) -> Response:
    """List findings, most certain first, with what the list can be narrowed by."""
    return _list(desk, Asked(year, district, kind, confidence, state), after=after)


@router.post("/findings")
def decide_findings(  # noqa: PLR0917 (FastAPI reads the parameters)
    desk: At,
    decision: Annotated[Bulk, Form()],
    reason: Annotated[str, Form()] = "",
    finding: Annotated[list[str] | None, Form()] = None,
    year: Annotated[int | None, Form()] = None,
    district: Annotated[str | None, Form()] = None,
    kind: Annotated[str | None, Form()] = None,
    confidence: Annotated[str | None, Form()] = None,
    state: Annotated[str, Form()] = "open",
    after: Annotated[str | None, Form()] = None,
) -> Response:
    """Enter one decision about all findings that were ticked; all or none.

    Where it is refused, the same list comes back with its ticks and the reason; only what says something else by now
    is not ticked, and marked.
    """
    asked = Asked(year, district, kind, confidence, state)
    chosen = [(key, seen) for key, _, seen in (each.partition(":") for each in finding or [])]
    refused = _entered(desk, chosen, decision, reason) if chosen else ("没有勾选任何一项", 422)
    if refused is not None:
        told, status = refused
        return _list(desk, asked, after=after, refused=told, status=status, ticked=dict(chosen), reason=reason)
    return RedirectResponse(desk.url("findings", query={"state": decision}), 303)


@router.get("/findings/packet")
def inspection_packet(desk: At, district: str) -> Response:
    """Return the workbook of what was handed to inspection in a district."""
    packet = write_packet(handed_over(desk.office, district), district=district, as_of=desk.today)
    safe = "".join(sign for sign in district if sign.isascii() and sign.isalnum()) or "district"
    name = f"inspection-{safe}-{desk.today:%Y%m%d}.xlsx"
    return Response(packet, media_type=_XLSX, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/findings/base-gaps")
def base_gaps(desk: At) -> Response:
    """Return what goes back to the monitoring base: reported sites that it does not have."""
    with TemporaryDirectory(dir=desk.office.scratch()) as folder:
        path = Path(folder) / "base_gaps.csv"
        export(desk.office, BASE_GAPS, path)
        content = path.read_bytes()
    disposition = f'attachment; filename="base-gaps-{desk.today:%Y%m%d}.csv"'
    return Response(content, media_type="text/csv; charset=utf-8", headers={"content-disposition": disposition})


@router.get("/findings/{finding_key}")
def finding(desk: At, finding_key: str) -> Response:
    """Show one finding: both sides, the evidence, what would clear it, what was decided."""
    return _page(desk, finding_key)


@router.get("/findings/{finding_key}/letter")
def finding_letter(desk: At, finding_key: str) -> Response:
    """Return the letter to the enterprise as a page to be saved, printed and sent."""
    try:
        name, content = correction_letter(desk.office, finding_key)
    except FindingUnknown as error:
        raise HTTPException(404) from error
    except LetterRefused as error:
        raise HTTPException(409, str(error)) from error
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@router.post("/findings/{finding_key}")
def decide_finding(
    desk: At,
    finding_key: str,
    decision: Annotated[Step, Form()],
    seen: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Enter a decision about what the person saw."""
    return _decided(desk, finding_key, decision, seen, reason)


@router.post("/findings/{finding_key}/listing")
def sign_listing(
    desk: At,
    finding_key: str,
    decision: Annotated[Literal["listing_signed", "listing_refused"], Form()],
    seen: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Sign or refuse the proposal to list an enterprise."""
    return _decided(desk, finding_key, decision, seen, reason)


def _decided(desk: Desk, finding_key: str, decision: Decision, seen: str, reason: str) -> Response:
    refused = _entered(desk, [(finding_key, seen)], decision, reason)
    if refused is not None:
        return _page(desk, finding_key, refused=refused[0], status=refused[1])
    return RedirectResponse(desk.url("finding", finding_key=finding_key), 303)


def _entered(desk: Desk, chosen: list[tuple[str, str]], decision: Decision, reason: str) -> tuple[str, int] | None:
    """Enter a decision; where it is refused, return why and the status of the answer."""
    if not reason.strip():
        return "请填写理由", 422
    try:
        steps.decide(desk.office, chosen, decision, person=desk.person, reason=reason, as_of=desk.today)
    except FindingUnknown as error:
        raise HTTPException(404) from error
    except FindingChanged:
        return "比对结果已有变化或已消除, 请核对后重新决定; 您的意见没有记入", 409
    except FindingRefused:
        return "此项现在不能这样处理: 已有决定, 或须由另一人签批, 或企业自行更正期未满", 409
    except ValueError as error:
        return str(error), 422
    return None


def _list(
    desk: Desk,
    asked: Asked,
    *,
    after: str | None = None,
    refused: str = "",
    status: int = 200,
    ticked: Mapping[str, str] | None = None,
    reason: str = "",
) -> Response:
    filters = Filters(asked.year, asked.district, asked.kind, asked.confidence, asked.state)
    with desk.office.engine.connect() as connection:
        found = finding_list.list_findings(connection, filters, after=_place(after), limit=PAGE)
        counts = finding_list.counts(connection, filters)
        precision = finding_list.precision(connection, asked.year)
    more = f"{found[-1].confidence}_{found[-1].finding_key}" if len(found) == PAGE else None
    return render(
        desk, "findings", status=status, asked=asked, found=found, counts=counts, precision=precision, more=more,
        states=(*STATES, "closed"), bands=tuple(BANDS), refused=refused, title=_title,
        after=after or "", ticked=ticked or {}, reason=masked_text(reason),
    )  # fmt: skip


def _place(after: str | None) -> tuple[Decimal, str] | None:
    if not after:
        return None
    confidence, _, key = after.partition("_")
    try:
        return Decimal(confidence), key
    except InvalidOperation as error:
        raise HTTPException(422) from error


def _title(found: Finding) -> str:
    return rules().cases[found.case_no].title


def _page(desk: Desk, finding_key: str, *, refused: str = "", status: int = 200) -> Response:
    try:
        with desk.office.engine.connect() as connection:
            found = discrepancies.read_finding(connection, finding_key)
            events, decisions = discrepancies.history(connection, finding_key)
    except FindingUnknown as error:
        raise HTTPException(404) from error
    possible = {each for each, states in steps.MAY_FOLLOW.items() if not found.closed and found.state in states}
    return render(
        desk, "finding", status=status, found=found, events=events, decisions=decisions, refused=refused,
        title=_title(found), possible=possible, letter=may_have_letter(found),
        may_list=steps.may_list(found, desk.today), other=steps.other_person(found, desk.person),
    )  # fmt: skip
