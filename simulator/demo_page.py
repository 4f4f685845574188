"""The demo's numbers as one HTML page that needs nothing but itself: no script, no network, charts as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from pipeline.inspection_packet import FIELD_NAMES, FINDING_KINDS, LINK_NAMES, field_value
from simulator.demo_charts import Bar, Series, bar_chart, legend
from simulator.demo_numbers import METHODS, AgencyNumbers, DemoNumbers, FeedCheck, FindingNumbers, ReleaseNumbers
from transforms.policy import withholdings

STATE_SERIES: Final = (
    Series("published", "公示 published", "#0f8a6a"),
    Series("withheld", "不予公示 withheld", "#7b8794"),
    Series("review", "待核实 in review", "#e8a33d", "#3b2a06"),
    Series("returned", "退回机关 returned", "#c8553d"),
    Series("superseded", "已被新版取代 superseded", "#5b9bd0", "#0b2a40"),
    Series("duplicate", "重复 duplicate", "#b9c6d3", "#23303b"),
    Series("held", "整批待批 held for two approvals", "#c9a227", "#3b2a06"),
    Series("waiting", "等待 waiting", "#8e6bbf"),
    Series("unexplained", "无法说明 unexplained", "#000000"),
)
"""A colour for each state of a row; the last two do not occur after a whole day."""

METHOD_LABELS: Final = {
    "uscc": "统一社会信用代码 USCC",
    "org_code": "组织机构代码 org code",
    "regno": "注册号 registration no.",
    "tax_no": "税务登记号 tax no.",
    "name": "名称 name",
    "former_name": "曾用名 former name",
    "natural_person": "自然人 natural person",
}
READ_TWICE: Final = (
    "收到的行数多于模拟器的账: 接口和前置库每次取数与上次重叠若干条, 以免漏掉迟到的变更; 再次收到的行多计为重复。",
    "More rows may be received than the simulator made: the connectors of APIs and databases overlap their last pull, "
    "so that no late change is missed; most of what comes again counts as a duplicate.",
)
"""Why an agency's rows received and the simulator's account of them differ."""

_METHOD_COLOURS: Final = ("#0f8a6a", "#5b9bd0", "#e8a33d", "#8e6bbf", "#c8553d", "#d889a8", "#7b8794")
_KIND_SERIES: Final = (
    Series("licence", "行政许可 licences", "#2f78b7"),
    Series("penalty", "行政处罚 penalties", "#c8553d"),
    Series("inspection", "抽查检查 inspections", "#0f8a6a"),
    Series("abnormal_operation", "经营异常 abnormal operation", "#e8a33d", "#3b2a06"),
    Series("serious_violation", "严重违法 serious violations", "#8e6bbf"),
    Series("enforcement_notice", "执法措施 notices", "#7b8794"),
    Series("basic_info", "网络经营者 network operators", "#b9c6d3", "#23303b"),
)
_SEVERITY_SERIES: Final = (
    Series("reject", "退回 reject: back to the agency", "#c8553d"),
    Series("hold", "暂缓 hold: a steward decides", "#e8a33d"),
    Series("review", "归属待核实 uncertain attachment", "#5b9bd0"),
)
_REASON_COLOURS: Final = ("#8e6bbf", "#c8553d", "#5b9bd0", "#e8a33d", "#7b8794")
_TOP_RULES: Final = 14

_STYLE: Final = """
:root { color-scheme: light; --ink: #1d2b27; --soft: #5c6b66; --line: #dde5e2; --green: #0f8a6a; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f8f7; color: var(--ink); line-height: 1.55;
  font-family: "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", system-ui, sans-serif; }
svg { font-family: inherit; width: 100%; height: auto; display: block; }
header { background: #ffffff; border-bottom: 3px solid var(--green); padding: 28px 24px 22px; }
header > div, main { max-width: 1080px; margin: 0 auto; }
h1 { font-size: 26px; margin: 0 0 4px; } h1 span { color: var(--soft); font-weight: 400; font-size: 20px; }
header p { margin: 4px 0 0; color: var(--soft); }
main { padding: 20px 24px 60px; }
.chips { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; padding: 0; list-style: none; }
.chips li { padding: 3px 12px; border-radius: 14px; font-size: 14px; background: #e3f3ee; color: #0a6a51; }
.chips li.bad { background: #fbe6e1; color: #9c2f19; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px; margin-bottom: 18px; }
.tiles div { background: #fff; border: 1px solid var(--line); border-top: 4px solid; border-radius: 6px;
  padding: 10px 14px; }
.tiles b { display: block; font-size: 25px; line-height: 1.25; } .tiles span { font-size: 13px; color: var(--soft); }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 18px 22px 20px;
  margin: 0 0 18px; }
h2 { font-size: 18px; margin: 0; } h2 span { color: var(--soft); font-weight: 400; font-size: 15px; }
h3 { font-size: 15px; margin: 20px 0 4px; } section > p { margin: 4px 0 12px; color: var(--soft); font-size: 14px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 6px 0 10px; list-style: none;
  font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px;
  vertical-align: -1px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } thead th { color: var(--soft); font-weight: 500; }
tr.part td { background: #f5f8f7; color: var(--soft); font-size: 13px; text-align: left; }
td.told { text-align: left; white-space: normal; min-width: 150px; }
td.zero { color: #b6c1bd; } td.total, tr.total td { font-weight: 600; } td.odd { color: #9c2f19; }
code { background: #eef3f1; padding: 2px 6px; border-radius: 4px; font-size: 13px; overflow-wrap: anywhere;
  font-family: ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; }
dl { margin: 0; display: grid; grid-template-columns: minmax(180px, max-content) 1fr; gap: 8px 18px; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; gap: 2px; } section { padding: 14px; } }
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo ended in: findings of the reconciliation, of the feed checks, and what a reader can do next."""

    findings: Sequence[str]
    feeds: Sequence[FeedCheck]
    next_steps: Sequence[tuple[str, str]]


def page(numbers: DemoNumbers, outcome: Outcome) -> str:
    """Return the page; equal numbers give equal text."""
    days = sorted({day for agency in numbers.agencies for day in agency.days})
    body = "".join(
        [
            _head(days, outcome),
            "<main>",
            _tiles(numbers.agencies),
            _states(numbers.agencies),
            _methods(numbers.agencies),
            _published(numbers.releases),
            _changes(numbers.releases),
            _failing(numbers),
            *([_crosscheck(numbers.crosscheck)] if numbers.crosscheck else []),
            *(_agency(agency, days) for agency in numbers.agencies),
            _next_steps(outcome.next_steps),
            "</main>",
        ]
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>信用信息归集与公示 演示 Demo</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _section(title: str, english: str, text: str, *parts: str) -> str:
    return f"<section><h2>{title} <span>{english}</span></h2><p>{text}</p>{''.join(parts)}</section>"


def _head(days: Sequence[str], outcome: Outcome) -> str:
    chips = [("每一行都有去向 every row is accounted for", True)] if not outcome.findings else []
    chips += [(finding, False) for finding in outcome.findings]
    verified = [check for check in outcome.feeds if not check.problems]
    chips += [
        (
            f"{len(verified)} / {len(outcome.feeds)} 个站点验签、比对通过 feeds verified",
            len(verified) == len(outcome.feeds),
        )
    ]
    chips += [(f"{check.site}: {problem}", False) for check in outcome.feeds for problem in check.problems]
    items = "".join(f"<li class='{'good' if good else 'bad'}'>{escape(text)}</li>" for text, good in chips)
    return (
        "<header><div><h1>信用信息归集与公示 <span>Demo: pool the records, publish the feeds</span></h1>"
        f"<p>业务日 business days {escape(' · '.join(days))}。十三个模拟机关按各自协议报送, 企业与记录均为虚构。"
        "Thirteen simulated agencies over their real protocols; every enterprise and record is made up.</p>"
        f'<ul class="chips">{items}</ul></div></header>'
    )


def _tiles(agencies: Sequence[AgencyNumbers]) -> str:
    received = sum(agency.total.received for agency in agencies)
    tiles = [("收到 received", received, "#33413d")]
    for series in STATE_SERIES:
        rows = sum(agency.total.states[series.key] for agency in agencies)
        if rows or series.key not in ("held", "waiting", "unexplained"):
            tiles.append((series.label, rows, series.colour))
    parts = (
        f'<div style="border-top-color:{colour}"><b>{rows:,}</b><span>{escape(label)}</span></div>'
        for label, rows, colour in tiles
    )
    return f'<div class="tiles">{"".join(parts)}</div>'


def _states(agencies: Sequence[AgencyNumbers]) -> str:
    bars = [Bar(f"{agency.name} {agency.agency}", agency.total.states) for agency in agencies]
    present = [series for series in STATE_SERIES if any(bar.lengths.get(series.key) for bar in bars)]
    return _section(
        "各机关报送记录的去向",
        "rows by state, per agency",
        "两日合计; 每行恰有一个状态。Both days together; every row is in exactly one state.",
        legend(present),
        bar_chart("各机关报送记录的去向 rows by state", bars, present),
    )


def _methods(agencies: Sequence[AgencyNumbers]) -> str:
    series = [
        Series(method, METHOD_LABELS[method], colour)
        for method, colour in zip(METHODS, _METHOD_COLOURS, strict=True)
        if any(agency.total.methods[method] for agency in agencies)
    ]
    by_code = series[:1]
    other = series[1:]
    label = {agency.agency: f"{agency.name} {agency.agency}" for agency in agencies}
    return _section(
        "归属方法",
        "how records found their enterprise",
        "公示和不予公示的记录; 绝大多数凭统一社会信用代码, 其余方法另行放大。"
        "Published and withheld records; most by USCC, so the other ways have a scale of their own.",
        legend(by_code),
        bar_chart("凭统一社会信用代码 by USCC", _with_any(agencies, label, by_code), by_code),
        legend(other),
        bar_chart("其他方法 by other keys", _with_any(agencies, label, other), other),
    )


def _with_any(agencies: Sequence[AgencyNumbers], label: Mapping[str, str], series: Sequence[Series]) -> list[Bar]:
    """Return a bar for each agency that has something to show in it."""
    bars = [Bar(label[agency.agency], agency.total.methods) for agency in agencies]
    return [bar for bar in bars if any(bar.lengths.get(each.key) for each in series)]


def _release_label(release: ReleaseNumbers) -> str:
    return f"{release.name} {release.day[5:]}"


def _published(releases: Sequence[ReleaseNumbers]) -> str:
    bars = [Bar(_release_label(release), release.full) for release in releases]
    shown = [series for series in _KIND_SERIES if any(bar.lengths.get(series.key) for bar in bars)]
    return _section(
        "各站点在公示的记录",
        "records on show, per site and day",
        "每期全量的行数。Rows of each release's full set.",
        legend(shown),
        bar_chart("各站点在公示的记录 records on show", bars, shown),
    )


def _changes(releases: Sequence[ReleaseNumbers]) -> str:
    delta = Series("delta", "新增和变更 new and changed", "#0f8a6a")
    reasons = sorted({reason for release in releases for reason in release.tombstones})
    texts = withholdings()
    marks = [
        Series(reason, f"{texts[reason].reason if reason in texts else reason} {reason}", colour)
        for reason, colour in zip(reasons, _REASON_COLOURS * len(reasons), strict=False)
    ]
    return _section(
        "每期的增量与撤下",
        "deltas and tombstones, per site and day",
        "上一期全量 + 增量 = 本期全量。撤销的处罚和失效的许可从每个曾公示的站点撤下。"
        "full(n-1) + delta(n) = full(n); a withdrawal reaches every site that showed the record.",
        legend([delta]),
        bar_chart("增量 delta", [Bar(_release_label(each), {"delta": each.delta}) for each in releases], [delta]),
        "<h3>撤下 tombstones</h3>",
        legend(marks),
        bar_chart("撤下 tombstones", [Bar(_release_label(each), each.tombstones) for each in releases], marks),
    )


def _failing(numbers: DemoNumbers) -> str:
    top = numbers.failing[:_TOP_RULES]
    bars = [Bar(f"{each.title} {each.code}", {each.severity: each.rows}) for each in top]
    left_out = len(numbers.failing) - len(top)
    note = f" 另有 {left_out} 项未列。{left_out} more are not shown." if left_out else ""
    return _section(
        "未通过最多的规则",
        "what fails most often",
        f"一行可以不合多条规则。A row may fail several rules.{note}",
        legend(_SEVERITY_SERIES),
        bar_chart("未通过最多的规则 top failing rules", bars, _SEVERITY_SERIES),
    )


def _crosscheck(findings: Sequence[FindingNumbers]) -> str:
    rows = "".join(
        f"<tr><td>{escape(FINDING_KINDS[each.kind])} {each.kind}, {each.case_no}</td><td>{each.findings}</td>"
        f"<td class='told'>{escape(each.enterprise_name)}<br>{escape(_sides(each))}</td>"
        f"<td class='told'>{escape(_evidence(each.evidence))}</td><td class='told'>{escape(each.clears)}</td></tr>"
        for each in findings
    )
    head = (
        "<tr><th>种类 kind, case</th><th>项 findings</th><th>例 example: 年报 report → 网监库 base</th>"
        "<th>证据 evidence</th><th>消除条件 cleared by</th></tr>"
    )
    return _section(
        "年报与网监库比对",
        "annual reports against the monitoring base",
        "均为线索, 由人核实, 不对外公示。Leads for inspection; nothing of this is published.",
        f"<div class='scroll'><table class='told'><thead>{head}</thead><tbody>{rows}</tbody></table></div>",
    )


def _sides(found: FindingNumbers) -> str:
    told = (
        f"{FIELD_NAMES[name]}: {field_value(name, a) or '(空)'} → {field_value(name, b) or '(空)'}"
        for name, (a, b) in found.fields.items()
    )
    return "; ".join(told)


def _evidence(evidence: Mapping[str, Any]) -> str:
    link = LINK_NAMES.get(evidence["link"] or "")
    snapshot = (
        f"{evidence['snapshot_date']} 快照 {evidence['snapshot_hash'][:12]}" if evidence["snapshot_hash"] else None
    )
    report = f"年报 {evidence['report_id']}" if evidence["report_id"] else None
    return "; ".join(part for part in (link, snapshot, report) if part)


def _agency(agency: AgencyNumbers, days: Sequence[str]) -> str:
    header = "".join(f"<th>{escape(day)}</th>" for day in days)
    rows = "".join(_table_row(line) for line in agency_lines(agency, days))
    return _section(
        f"{escape(agency.name)} {agency.agency}",
        "numbers per day of delivery",
        "右列是模拟器自己的账。The last column is the simulator's own account of the rows that it made. "
        + " ".join(READ_TWICE),
        f'<div class="scroll"><table><thead><tr><th></th>{header}<th>合计 total</th><th>模拟器 simulator</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>",
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an agency's table; a heading has no numbers. ``expected`` is the simulator's number, if it has one."""

    label: str
    per_day: tuple[int, ...] = ()
    total: int | None = None
    expected: int | None = None


def agency_lines(agency: AgencyNumbers, days: Sequence[str]) -> list[Line]:
    """Return the table of one agency, for the terminal and for the page."""
    columns = [agency.days[day] for day in days if day in agency.days]
    total = agency.total

    def line(label: str, part: str, key: str, expected: int | None = None) -> Line:
        values: list[Mapping[str, int]] = [getattr(column, part) for column in columns]
        return Line(label, tuple(value.get(key, 0) for value in values), getattr(total, part)[key], expected)

    received = Line(
        "收到 received", tuple(column.received for column in columns), total.received, agency.expected.total()
    )
    states = [
        line(series.label, "states", series.key, agency.expected[series.key])
        for series in STATE_SERIES
        if total.states[series.key] or series.key not in ("held", "waiting", "unexplained")
    ]
    methods = [line(METHOD_LABELS[key], "methods", key) for key in METHODS if total.methods[key]]
    sites = [line(site, "sites", site) for site in sorted(total.sites)]
    return [
        received,
        *states,
        Line("归属方法 attached by"),
        *methods,
        Line("在公示 on show at"),
        *sites,
    ]


def _table_row(line: Line) -> str:
    if line.total is None:
        return f'<tr class="part"><td colspan="9">{escape(line.label)}</td></tr>'
    cells = "".join(f"<td class='{'some' if value else 'zero'}'>{value:,}</td>" for value in line.per_day)
    expected = "<td></td>" if line.expected is None else f"<td>{line.expected:,}</td>"
    return f'<tr><td>{escape(line.label)}</td>{cells}<td class="total">{line.total:,}</td>{expected}</tr>'


def _next_steps(steps: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escape(what)}</dt><dd><code>{escape(how)}</code></dd>" for what, how in steps)
    return _section(
        "接着看", "where to look next", "数据、公示文件与日志都保留。Data, feeds and logs stay.", f"<dl>{items}</dl>"
    )
