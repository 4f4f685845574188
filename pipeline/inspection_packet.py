"""What is handed to inspection (执法检查): the findings of a district as a workbook, with room for what was seen there.

A packet is the list of a district's findings that were handed over and are not closed or decided since. The same
findings give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from pipeline.office import Office
from pipeline.text_workbook import add_sheet, new_book, packed, text_cell
from store import discrepancies
from store.discrepancies import Finding
from store.schema import finding
from transforms.crosscheck.cases import rules

FINDING_KINDS: Final = {
    "concealed": "瞒报", "omitted": "漏报", "misreported": "错报", "not_reported": "未年报", "base_gap": "网监库缺漏",
    "lead": "线索",
}  # fmt: skip
FIELD_NAMES: Final = {
    "has_site": "是否有网站或网店", "address": "网址", "site_type": "类型", "site_name": "名称", "icp_no": "ICP备案号",
    "operator": "经营者", "sites": "网站(网店)数", "last_seen": "最近发现",
}  # fmt: skip
FIELD_VALUES: Final = {
    "has_site": {"yes": "是", "no": "否", "rows": "填有网站或网店", "no rows": "未填网站或网店"},
    "site_type": {"site": "网站", "shop": "网店"},
}  # fmt: skip
"""What the codes of a field mean; other fields hold text as it was told."""
LINK_NAMES: Final = {
    "uscc": "亮照信用代码", "org_code": "组织机构代码", "regno": "亮照注册号", "icp": "ICP备案号", "name": "仅名称",
    "former_name": "仅曾用名",
}  # fmt: skip
_COLUMNS: Final = {
    "编号": 18, "年度": 7, "统一社会信用代码": 21, "企业名称": 30, "种类": 9, "情形": 26, "网址": 32,
    "年报所填": 30, "网监库所载": 30, "关联方式": 14, "可信度": 8, "主体编号": 14, "年报标识": 18, "采集日期": 12,
    "快照哈希": 22, "自行更正截止": 13, "消除条件": 30, "检查日期": 12, "检查人员": 16, "检查结果": 24, "取证编号": 16,
}  # fmt: skip
"""Columns of a packet and their widths; the last four are empty."""


def handed_over(office: Office, district: str) -> list[Finding]:
    """Return the findings of a district that wait for inspection, most certain first."""
    query = discrepancies.select_findings().where(
        finding.c.state == "to_inspection", ~finding.c.closed, finding.c.district == district
    )
    with office.engine.connect() as connection:
        rows = connection.execute(query.order_by(finding.c.confidence.desc(), finding.c.uscc, finding.c.finding_key))
        return [Finding(*row) for row in rows]


def write_packet(findings: Sequence[Finding], *, district: str, as_of: dt.date) -> bytes:
    """Return the XLSX of a packet."""
    book = new_book(f"年报网站网店比对结果 {district} {as_of}", as_of)
    sheet = add_sheet(book, f"移送执法检查 {district}", _COLUMNS, list(_COLUMNS.values()))
    for each in findings:
        sheet.append([text_cell(sheet, text) for text in _told(each)])
    return packed(book)


def _told(found: Finding) -> list[str]:
    evidence = found.evidence
    reported, held = (_side(found, place) for place in (0, 1))
    return [
        found.finding_key[:16], str(found.year), found.uscc, found.enterprise_name or "",
        FINDING_KINDS[found.kind], rules().cases[found.case_no].title, found.site_url or "", reported, held,
        LINK_NAMES.get(evidence.get("link") or "", ""), f"{found.confidence:.3f}", found.subject_id or "",
        found.report_id or "", evidence.get("snapshot_date") or "", evidence.get("snapshot_hash") or "",
        found.correct_until.isoformat(), found.clears, "", "", "", "",
    ]  # fmt: skip


def _side(found: Finding, place: int) -> str:
    return "\n".join(
        f"{FIELD_NAMES.get(name, name)}: {field_value(name, values[place])}" for name, values in found.fields.items()
    )


def field_value(name: str, value: str) -> str:
    """Return a value of a finding's field in words."""
    return FIELD_VALUES.get(name, {}).get(value, value)
