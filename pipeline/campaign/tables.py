"""The tables of a summary report, as the page and the workbook both show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.campaign.report import (
    NOT_TOLD,
    RETURN_STATES,
    UNASSIGNED,
    CampaignReport,
    Line,
    rounded,
    span_title,
)
from transforms.campaign.plausible import WHOLE_ACTION


@dataclass(frozen=True, slots=True)
class Number:
    """A figure, rounded as it is shown."""

    value: Decimal
    decimals: int

    def __str__(self) -> str:
        """The figure with separators of thousands."""
        return f"{self.value:,.{self.decimals}f}"


Cell = str | Number


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; ``widths`` in characters. ``totals``: how many of the last rows are sums."""

    title: str
    header: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: int = 0

    def is_numeric(self, column: int) -> bool:
        """Tell whether a column holds figures."""
        return any(isinstance(row[column], Number) for row in self.rows)


def by_month(report: CampaignReport) -> Table:
    """Every item by month, and the whole of the action."""
    spans = (*report.months, WHOLE_ACTION)
    rows = tuple(
        (
            line.title, line.unit, "归集记录" if line.origin == "derived" else "机关报送",
            *(_figure(line, line.spans[span].city if span in line.spans else None) for span in spans),
        )
        for line in report.lines
    )  # fmt: skip
    return Table("逐月情况", ("项目", "单位", "来源", *map(span_title, spans)), (34, 8, 10, *[12] * len(spans)), rows)


def by_district(report: CampaignReport, span: str) -> Table:
    """Every item that anybody told, by district, in one span; districts and 未分区 are the city."""
    rows = []
    for line in report.lines:
        place = line.spans.get(span)
        if place is None or place.city is None:
            continue
        nobody = Decimal() if line.origin == "derived" else None  # of a district that no agency told, nothing is known
        apart = [place.districts.get(code, nobody) for code in report.districts]
        strange = sum((value for code, value in place.districts.items() if code not in report.districts), Decimal())
        unassigned = (place.unassigned or Decimal()) + strange
        cells = [_figure(line, value) for value in (*apart, unassigned, place.city)]
        rows.append((f"{line.title}（{line.unit}）", *cells))
    names = [short_district(name) for name in report.districts.values()]
    title = f"分区情况 {span_title(span)}"
    return Table(title, ("项目", *names, UNASSIGNED, "全市"), (38, *[9] * len(names), 9, 11), tuple(rows))


def by_kind(report: CampaignReport) -> Table:
    """Cases by their heaviest kind and month; the columns add up to the cases."""
    rows: list[tuple[Cell, ...]] = []
    for kind in report.kinds:
        numbers = [report.cases_by_kind[month].get(kind, 0) for month in report.begun]
        if any(numbers):
            rows.append((kind, *_counts([*numbers, sum(numbers)])))
    sums = [sum(report.cases_by_kind[month].values()) for month in report.begun]
    rows.append(("合计", *_counts([*sums, sum(sums)])))
    header = ("最重处罚种类", *map(span_title, (*report.begun, WHOLE_ACTION)))
    return Table("涉网案件按处罚种类（件）", header, (16, *[10] * (len(report.begun) + 1)), tuple(rows), totals=1)


def by_agency(report: CampaignReport) -> Table:
    """Every item that anybody told, by agency, over the whole of the action."""
    told = [line for line in report.lines if line.agencies]
    agencies = [agency for agency in report.agencies if any(agency in line.agencies for line in told)]
    rows: list[tuple[Cell, ...]] = [
        (f"{line.title}（{line.unit}）", *(_figure(line, line.agencies.get(agency)) for agency in agencies),
         _figure(line, line.spans[WHOLE_ACTION].city))
        for line in told
    ]  # fmt: skip
    names = [report.agencies[agency].removeprefix("北京市") for agency in agencies]
    return Table("分机关情况", ("项目", *names, "全市"), (38, *[15] * len(names), 11), tuple(rows))


def contradictions(report: CampaignReport) -> Table:
    """What contradicts what, with both numbers and what to do."""
    rows = tuple(
        (
            "须核实" if each.severity == "error" else "请核对", span_title(each.span),
            report.agencies[each.agency] if each.agency else "全市", each.sentence, each.left, each.right, each.remedy,
            each.rule,
        )
        for each in report.contradictions
    )  # fmt: skip
    header = ("程度", "期间", "机关", "规则", "数一", "数二", "处理办法", "规则编号")
    return Table("核对", header, (8, 7, 24, 34, 30, 30, 44, 24), rows)


def returns(report: CampaignReport) -> Table:
    """How the return of each agency and month stands."""
    states = {(each.agency, each.month): each for each in report.returns}
    agencies = [agency for agency in report.agencies if any(of == agency for of, _ in states)]
    rows = tuple(
        (report.agencies[agency], *(RETURN_STATES[states[agency, month].state] for month in report.months))
        for agency in agencies
    )
    header = ("机关", *map(span_title, report.months))
    return Table("统计表报送情况", header, (30, *[10] * len(report.months)), rows)


def missing(report: CampaignReport) -> Table:
    """The returns that are wanting, by agency and month."""
    rows = tuple(
        (
            name, span_title(each.month), "" if each.due is None else each.due.isoformat(),
            RETURN_STATES[each.state], "、".join(each.lacking),
        )
        for name, wanting in report.missing.items()
        for each in wanting
    )  # fmt: skip
    return Table("未报统计表", ("机关", "月份", "期限", "情况", "缺项"), (30, 8, 12, 10, 60), rows)


def cases(report: CampaignReport) -> Table:
    """The typical cases, a row for each text of the decision document."""
    rows: list[tuple[Cell, ...]] = []
    for number, case in enumerate(report.cases, 1):
        told = [
            ("决定书文号", case.document_no), ("处罚机关", case.authority_name), ("当事人", case.subject_name),
            ("统一社会信用代码", case.uscc), ("决定日期", case.decision_date.isoformat()),
            ("所在区", report.districts.get(case.district or "", UNASSIGNED)), *case.texts.items(),
            ("入选理由", case.why), ("数据来源", case.source),
        ]  # fmt: skip
        rows += [(str(number), title, text) for title, text in told]
    return Table("典型案例", ("序号", "项目", "内容"), (6, 20, 90), tuple(rows))


def notes(report: CampaignReport) -> Table:
    """How the figures were counted, and what they leave out."""
    told = [
        f"{report.title}：按处罚决定日期统计 {report.first_day} 至 {report.last_day}，"
        f"截至 {report.as_of} 归集和报送的数据。",
        "查处涉网违法案件：按决定书文号去重计件；同一决定在多个机关报送的数据中出现只计一次；"
        "一件决定有多种处罚的，按最重的一种计一次。",
        "罚没款：罚款与没收金额之和，由未舍入的金额累加，最后一次四舍五入到两位小数；"
        "各分项分别舍入，与合计可能相差 0.01。",
        "分区：按当事人登记机关所在区，登记机关不明的按处罚机关所在区；不明或当事人分属不同区的计入未分区。"
        "各区与未分区之和等于全市。",
        "列入经营异常名录、严重违法失信名单：只计有网络经营记录的企业，每户计一次，计入首次列入的月份。",
        "机关报送的项目只汇总不修正；「—」表示无人报送或月份未开始，不等于零。",
        f"统计口径 counting.yaml {report.counting_as_of}；统计表 sheets.yaml {report.sheets_as_of}。",
        *report.notes,
    ]
    return Table("说明", ("序号", "内容"), (6, 120), tuple((str(place), text) for place, text in enumerate(told, 1)))


def short_district(name: str) -> str:
    """Return the name of a district as a narrow column bears it."""
    return "经开区" if name.endswith("开发区") else name.removesuffix("区")


def _figure(line: Line, value: Decimal | None) -> Cell:
    return NOT_TOLD if value is None else Number(rounded(value, line.decimals), line.decimals)


def _counts(numbers: Sequence[int]) -> list[Cell]:
    return [Number(Decimal(number), 0) for number in numbers]
