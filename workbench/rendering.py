"""Templates to answers."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from connectors.descriptor import agency_name
from pipeline.acceptance import title_of
from pipeline.inspection_packet import field_value
from pipeline.rule_titles import rule_title
from transforms.dates import BEIJING
from workbench import charts, marks, words
from workbench.desk import Desk, url_of
from workbench.pages.assets import VERSION

NAVIGATION: Final = (
    ("overview", "总览", "o"),
    ("worklist", "待办", "w"),
    ("records", "记录", "r"),
    ("rulings", "签批", "s"),
    ("findings", "比对", "f"),
    ("deliveries", "报送", "d"),
    ("holds", "放行", "h"),
    ("returns", "退回", "b"),
    ("campaign_returns", "填报", "t"),
    ("releases", "发布", "p"),
    ("scorecards", "成绩单", "c"),
    ("audit", "审计", "u"),
)
"""Route, name and key of each page in the navigation."""


def _moment(at: dt.datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


_TEMPLATES: Final = Environment(
    loader=PackageLoader("workbench"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(moment=_moment, count=_count)
_TEMPLATES.globals.update(
    word=words.word, agency_name=agency_name, site_name=words.site_name, rule_title=rule_title,
    column_label=words.column_label, district_name=words.district_name, field_value=field_value,
    withholding=words.withholding, finding=words.finding, mark=marks.mark, bars=charts.bars, stacked=charts.stacked,
    version=VERSION, acceptance_title=title_of,
)  # fmt: skip


def render(desk: Desk, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Answer a person with a page; ``template`` is the name of a file without its ending."""
    navigation = [(route, name, key) for route, name, key in NAVIGATION if desk.may(route)]
    text = _TEMPLATES.get_template(f"{template}.html").render(
        desk=desk, url=desk.url, navigation=navigation, can_log_out=desk.request.app.state.door.has_login, **context
    )
    return HTMLResponse(text, status)


def render_bare(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Answer somebody who is not known."""

    def url(route: str, **parts: Any) -> str:
        return url_of(request, route, **parts)

    return HTMLResponse(_TEMPLATES.get_template(f"{template}.html").render(url=url, **context), status)


def render_error(request: Request, status: int, text: str) -> HTMLResponse:
    """Answer with what went wrong, in the frame that the person knows where there is one."""
    desk = getattr(request.state, "desk", None)
    if isinstance(desk, Desk):
        return render(desk, "error", status=status, code=status, text=text)
    return render_bare(request, "error_bare", status=status, code=status, text=text)
