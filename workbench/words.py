"""Codes as stewards read them."""

from __future__ import annotations

import functools
from typing import Final

from expectations.messages import FINDINGS
from expectations.suite import SEVERITY_NAMES
from feeds.sites import load_sites
from pipeline.campaign.report import RETURN_STATES
from pipeline.inspection_packet import FIELD_NAMES, FINDING_KINDS, LINK_NAMES
from pipeline.rule_titles import ATTACH_REASONS, HOLD_REASONS
from store.accounts import Role
from store.runs import Step
from transforms.campaign.sheets import sheets
from transforms.columns import CONTENT_NAMES
from transforms.policy import withholdings
from transforms.sheets import SHEETS

WORDS: Final[dict[str, dict[str, str]]] = {
    "role": {
        Role.AGENCY: "机关数据员", Role.PLATFORM: "平台数据员", Role.APPROVER: "审批人", Role.AUDITOR: "审计员",
    },
    "kind": {content.value: name for content, name in CONTENT_NAMES.items()},
    "sheet": {"standard": "790号表样", "legacy": "旧表样"},
    "severity": {
        **SEVERITY_NAMES, "refuse": "拒收", "review": "归属待定", "batch": "整批待批",
    },
    "delivery_state": {"archived": "已归档", "checked": "已入库", "refused": "已拒收", "held": "整批待批"},
    "hold_state": {"open": "待批", "released": "已放行", "rejected": "已退回"},
    "hold_reason": HOLD_REASONS,
    "ruling_state": {
        "waiting": "待签批", "proposed": "待签批",
        "undo_proposed": "撤销待签批", "in_force": "生效", "rejected": "未获同意",
        "undone": "已撤销", "agreed": "来源已改正", "stale": "来源已另改",
    },
    "ruling_event": {
        "propose": "提出", "proposed": "提出", "approve": "同意",
        "approved": "同意", "reject": "不同意", "rejected": "不同意",
        "undo": "撤销", "undone": "撤销", "undo_proposed": "提出撤销", "agreed": "来源已改正", "stale": "来源已另改",
    },
    "review_event": {
        "claimed": "认领", "assigned": "交办", "released": "交回",
        "commented": "附言", "notified": "退回通知", "closed": "办结", "reopened": "重开",
    },
    "closed_as": {
        "corrected": "已更正", "source_fixed": "来源已改正", "attached": "已归属", "attached_by_steward": "人工归属",
        "rejected": "已退回", "returned": "退回机关",
        "superseded": "已被更新", "withdrawn": "已撤回", "approved": "已放行",
    },
    "audit_action": {
        "register": "登记库入库", "ingest": "报送入库", "attach": "归属", "publish": "发布", "approval": "放行意见",
        "expire": "到期清理", "legal_hold": "暂停清理", "ruling": "更正和归属意见", "crosscheck": "比对",
        "finding": "比对意见", "agency_output": "机关办件数", "return_notice": "退回通知", "receipt": "网站回执",
        "campaign_return": "专项行动填报", "campaign_return_decision": "填报审核", "campaign_report": "专项行动报告",
    },
    "audit_actor": dict.fromkeys([*Step, "notify"], "系统"),
    "release_check": {
        "manifest": "清单", "signature": "签名", "completeness": "是否齐全", "files": "文件", "chain": "与上期衔接",
    },
    "outcome": {"applied": "已公示", "refused": "退回"},
    "campaign_state": RETURN_STATES | {"sent_back": "已退回"},
    "decision": {"approve": "同意", "reject": "退回"},
    "finding_kind": FINDING_KINDS,
    "finding_field": FIELD_NAMES,
    "finding_link": LINK_NAMES | {"": "无须关联"},
    "finding_state": {
        "open": "待处理", "sent_for_correction": "已请企业更正", "to_inspection": "已移送执法检查",
        "confirmed": "已确认", "rejected": "不成立", "listing_proposed": "拟列异常待签批",
        "listing_signed": "拟列异常已签批", "listing_refused": "不列异常", "closed": "已消除",
    },
    "finding_event": {"opened": "发现", "changed": "有变化", "closed": "已消除"},
    "confidence": {"high": "0.9 以上", "middle": "0.7–0.9", "low": "0.7 以下"},
    "via": {"cli": "命令行", "airflow": "Airflow", "workbench": "工作台"},
    "row_state": {
        "published": "已公示", "withheld": "不公示",
        "review": "待复核", "returned": "已退回", "superseded": "已被更新",
        "duplicate": "重复", "waiting": "待处理", "unexplained": "未知", "accepted": "已接收",
    },
    "grade": {"certain": "确定", "review": "待定", "none": "无"},
    "method": {
        "uscc": "统一社会信用代码", "org_code": "组织机构代码", "regno": "工商注册号", "tax_no": "税务登记号",
        "name": "名称", "former_name": "曾用名", "none": "无", "natural_person": "自然人", "steward": "数据员",
    },
    "attach_reason": ATTACH_REASONS,
    "finding": FINDINGS,
    "failure_class": {"refused": "对方拒绝", "unavailable": "无法连接"},
    "circuit": {"closed": "正常", "open": "暂停访问", "half-open": "试探访问"},
    "event": {"withdrawn": "撤回", "reinstated": "恢复"},
    "number": {
        "rows": "本次行数", "added": "新增", "changed": "更正", "withdrawn": "撤回", "absent": "未再报送",
        "held": "库内现有", "declared_rows": "申报行数",
    },
}  # fmt: skip


def word(kind: str, code: str | None) -> str:
    """Return a code in Chinese, or as it is where nobody named it."""
    return "" if code is None else WORDS[kind].get(code, code)


@functools.cache
def site_names() -> dict[str, str]:
    """Return the names of the publicity sites by id, in the order of ids."""
    return {site: found.name for site, found in sorted(load_sites().items())}


def site_name(site: str) -> str:
    """Return the name of a publicity site."""
    return site_names().get(site, site)


@functools.cache
def _targets() -> dict[str, str]:
    return {column.code: column.target for definition in SHEETS.values() for column in definition.columns}


@functools.cache
def _labels() -> dict[tuple[str, str], str]:
    return {(kind.value, column.code): column.label for (kind, _), each in SHEETS.items() for column in each.columns}


def column_label(kind: str, code: str) -> str:
    """Return the label of a column of a sheet, or nothing where its code is no sheet's."""
    return _labels().get((kind, code), "")


@functools.cache
def _districts() -> dict[str, str]:
    return {code: each.name for each in sheets().districts for code in (each.code, *each.also)}


def district_name(code: str | None) -> str:
    """Return the name of a district of the city; a code of another place stays as it is."""
    return "" if code is None else _districts().get(code, code)


def target_of(code: str) -> str:
    """Return the standard column that a column code of a sheet fills; a standard column is its own."""
    return _targets().get(code, code)


def finding(text: str) -> str:
    """Return what exactly is wrong, its codes in Chinese."""
    return "、".join(WORDS["finding"].get(part, part) for part in text.split(";"))


def withholding(code: str) -> str:
    """Return why a record is not shown; a code of another list stays as it is."""
    found = withholdings().get(code)
    return found.reason if found else code
