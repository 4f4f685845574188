"""A summary report as one HTML page that needs nothing but itself: no script, no network, charts as inline SVG."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from pipeline.campaign import charts, tables
from pipeline.campaign.report import NOT_TOLD, CampaignReport, Line, span_title
from pipeline.letters import rendered
from transforms.campaign.plausible import WHOLE_ACTION

_FIRST_SHOWN: Final = ("cases", "fines", "to_police", "checks_online", "checks_onsite", "closed")
_KIND_COLOURS: Final = ("k7", "k6", "k5", "k4", "k3", "k2", "k1", "k0")
"""Of the kinds of penalties, the heaviest first."""


def write_page(report: CampaignReport, version: int) -> str:
    """Return the page of a version of a report."""
    tiles = [
        (line.title, line.written(line.spans[WHOLE_ACTION].city), line.unit)
        for line in map(report.line, _FIRST_SHOWN)
    ]  # fmt: skip
    told = [line for line in report.lines if line.spans[WHOLE_ACTION].city is not None]
    kinds = tables.by_kind(report)
    shown = {str(row[0]) for row in kinds.rows}
    colours = [(kind, colour) for kind, colour in zip(report.kinds, _KIND_COLOURS, strict=True) if kind in shown]
    return rendered(
        "campaign_report.html", report=report, version=version, tiles=tiles,
        charts=[(line.title, line.unit, _chart(report, line)) for line in told if _has_any(line)],
        kind_chart=_kind_chart(report, colours), kind_colours=colours,
        by_month=tables.by_month(report), by_district=tables.by_district(report, WHOLE_ACTION),
        districts_by_month=[tables.by_district(report, month) for month in report.begun],
        by_kind=kinds, by_agency=tables.by_agency(report), contradictions=tables.contradictions(report),
        missing=tables.missing(report), returns=tables.returns(report), notes=tables.notes(report),
        span_title=span_title, is_number=lambda cell: isinstance(cell, tables.Number),
    )  # fmt: skip


def _has_any(line: Line) -> bool:
    return any(place.city for place in line.spans.values())


def _chart(report: CampaignReport, line: Line) -> Markup:
    values = []
    for month in report.months:
        value = line.spans[month].city if month in line.spans else None
        values.append((span_title(month), value, NOT_TOLD if value is None else line.written(value)))
    return charts.columns(values, title=f"{line.title}（{line.unit}）逐月")


def _kind_chart(report: CampaignReport, colours: list[tuple[str, str]]) -> Markup:
    months = [(span_title(month), report.cases_by_kind.get(month, {})) for month in report.begun]
    return charts.stacked(months, parts=list(reversed(colours)), title="涉网案件按最重处罚种类逐月")
