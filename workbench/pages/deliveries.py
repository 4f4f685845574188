"""报送: what came, from whom, what became of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse

from expectations.data_docs import STYLE_SHEET
from pipeline.data_docs import FOLDER, page_of
from workbench.desk import At, Desk
from workbench.reads import deliveries as reads
from workbench.rendering import render

router = APIRouter()


@router.get("/deliveries")
def deliveries(
    desk: At,
    agency: str | None = None,
    state: Literal["archived", "checked", "refused", "held"] | None = None,
    day: dt.date | None = None,
    before: int | None = None,
) -> Response:
    """List deliveries, newest first."""
    shown = desk.agency or agency
    found = reads.list_deliveries(desk.office, agency=shown, state=state, day=day, before=before)
    filters = {"agency": agency, "state": state, "day": day}
    more = found[-1].delivery_id if len(found) == reads.PAGE else None
    return render(desk, "deliveries", found=found, filters=filters, more=more)


@router.get("/deliveries/{delivery_id}")
def delivery(desk: At, delivery_id: int) -> Response:
    """Show one delivery: files, problems, failed rules."""
    found = reads.read_delivery(desk.office, delivery_id)
    if found is None or not desk.sees(found.agency):
        raise HTTPException(404)
    return render(
        desk, "delivery", found=found, files=reads.files_of(desk.office, delivery_id),
        problems=reads.problems_of(desk.office, delivery_id), failures=reads.failures_of(desk.office, delivery_id),
        documented=_data_docs(desk, delivery_id).exists(),
    )  # fmt: skip


@router.get("/data-docs/data_docs.css")
def data_docs_style(desk: At) -> FileResponse:  # noqa: ARG001 (who may not be here gets no style either)
    """Return what the pages of Data Docs look like."""
    return FileResponse(STYLE_SHEET, media_type="text/css")


@router.get("/data-docs/{delivery_id}")
def data_docs(desk: At, delivery_id: int) -> FileResponse:
    """Show Great Expectations' Data Docs of a delivery, as they were built."""
    found = reads.read_delivery(desk.office, delivery_id)
    page = _data_docs(desk, delivery_id)
    if found is None or not desk.sees(found.agency) or not page.exists():
        raise HTTPException(404)
    return FileResponse(page, media_type="text/html")


def _data_docs(desk: Desk, delivery_id: int) -> Path:
    return desk.office.settings.state / FOLDER / page_of(delivery_id)
