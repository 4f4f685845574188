"""报送: what came, from whom, what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from fastapi import APIRouter, HTTPException, Response

from workbench.desk import At
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
    )  # fmt: skip
