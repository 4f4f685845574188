"""机关成绩单: how each agency reported in a month."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response

from pipeline.scorecard import RATES, Rate, Scorecards, newest_change
from pipeline.scorecard import scorecards as count
from workbench.desk import At, Desk
from workbench.rendering import render

router = APIRouter()

_KEPT: Final = 24
_MONTH: Final = r"^[12]\d{3}-(0[1-9]|1[0-2])$"


@router.get("/scorecards", name="scorecards")
def scorecards_page(desk: At, month: Annotated[str | None, Query(pattern=_MONTH)] = None) -> Response:
    """Show a month, every agency that the person sees."""
    found = _count(desk, month)
    before = found.month - dt.timedelta(days=1)
    after = (found.month + dt.timedelta(days=31)).replace(day=1)
    return render(
        desk, "scorecards", found=found, before=before, after=after if after <= desk.today else None, told=_told,
        rates=RATES,
    )  # fmt: skip


@router.get("/scorecards/{month}.{form}", name="scorecard_file")
def scorecard_file(desk: At, month: Annotated[str, Path(pattern=_MONTH)], form: Literal["json", "csv"]) -> Response:
    """Return a month as a file."""
    found = _count(desk, month)
    content = found.json_bytes() if form == "json" else found.csv_bytes()
    media = "application/json" if form == "json" else "text/csv; charset=utf-8"
    saved_as = {"Content-Disposition": f'attachment; filename="scorecards_{found.month:%Y-%m}.{form}"'}
    return Response(content, media_type=media, headers=saved_as)


def _count(desk: Desk, month: str | None) -> Scorecards:
    """Count a month, or take what was counted since anything changed: at a million rows in it that takes seconds."""
    first = dt.date.fromisoformat(f"{month}-01") if month else desk.today.replace(day=1)
    kept: dict[Any, Scorecards] = desk.request.app.state.scorecards
    key = (first, desk.today, newest_change(desk.office))
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        kept[key] = count(desk.office, first, as_of=desk.today)
    return kept[key].of_agency(desk.agency)


def _told(rate: Rate) -> str:
    return "分母未知" if rate.unknown else "—" if rate.value is None else f"{rate.value:.1%}"
