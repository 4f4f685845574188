"""Codes as stewards read them."""

from __future__ import annotations

import functools
from typing import Final

from connectors.descriptor import DescriptorError, load_agency
from expectations.suite import load_suite
from feeds.sites import load_sites
from store.accounts import Role
from transforms.columns import KIND_NAMES
from transforms.policy import withholdings
from transforms.sheets import SHEETS

WORDS: Final[dict[str, dict[str, str]]] = {
    "role": {
        Role.AGENCY: "机关数据员", Role.PLATFORM: "平台数据员", Role.APPROVER: "审批人", Role.AUDITOR: "审计员",
    },
    "kind": {kind.value: name for kind, name in KIND_NAMES.items()},
    "sheet": {"standard": "790号表样", "legacy": "旧表样"},
    "severity": {
        "refuse": "拒收", "reject": "退回", "hold": "待复核", "warn": "提示", "review": "归属待定", "batch": "整批待批",
    },
    "delivery_state": {"archived": "已归档", "checked": "已入库", "refused": "已拒收", "held": "整批待批"},
    "hold_state": {"open": "待批", "released": "已放行", "rejected": "已退回"},
    "hold_reason": {"mass_change": "大批量变动", "declared_total": "行数不符", "default_hold": "默认待批"},
    "decision": {"approve": "同意", "reject": "退回"},
    "via": {"cli": "命令行", "airflow": "Airflow", "workbench": "工作台"},
    "row_state": {
        "published": "已公示", "withheld": "不公示", "review": "待复核", "returned": "已退回", "superseded": "已被更新",
        "duplicate": "重复", "waiting": "待处理", "unexplained": "未知", "accepted": "已接收",
    },
    "grade": {"certain": "确定", "review": "待定", "none": "无"},
    "method": {
        "uscc": "统一社会信用代码", "org_code": "组织机构代码", "regno": "工商注册号", "tax_no": "税务登记号",
        "name": "名称", "former_name": "曾用名", "none": "无", "natural_person": "自然人", "steward": "数据员",
    },
    "attach_reason": {
        "ambiguous_name": "同名企业不止一家", "ambiguous_org_code": "组织机构代码对应多家",
        "ambiguous_regno": "注册号对应多家", "ambiguous_tax_no": "税务登记号对应多家",
        "ambiguous_uscc": "信用代码对应多家",
        "code_and_name_disagree": "代码与名称不符", "keys_disagree": "各代码指向不同企业",
        "not_in_register": "登记库中查无此主体",
    },
    "finding": {
        "PLACEHOLDER": "占位内容", "LENGTH": "长度不对", "CHARSET": "含不允许的字符",
        "DEPT_CATEGORY": "登记管理部门或机构类别不对",
        "REGION": "行政区划不对", "DATE": "日期不对", "CHECK": "末位校验码不符", "ORG_CHECK": "组织机构代码校验位不符",
    },
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
def agency_name(agency: str) -> str:
    """Return the newest name of an agency, its id where it has no descriptor any more."""
    try:
        return load_agency(agency).names[0].name
    except DescriptorError:
        return agency


@functools.cache
def site_name(site: str) -> str:
    """Return the name of a publicity site."""
    found = load_sites().get(site)
    return found.name if found else site


@functools.cache
def _titles() -> dict[str, str]:
    return {
        expectation.id: expectation.title
        for kind, sheet in SHEETS
        for expectation in load_suite(kind, sheet).expectations
    }


def rule_title(rule: str) -> str:
    """Return what a failed rule, a reason of attachment or the reasons of a hold say."""
    reasons = {**WORDS["attach_reason"], **WORDS["hold_reason"]}
    return _titles().get(rule) or "、".join(reasons.get(part, part) for part in rule.split(";"))


def finding(text: str) -> str:
    """Return what exactly is wrong, its codes in Chinese."""
    return "、".join(WORDS["finding"].get(part, part) for part in text.split(";"))


def withholding(code: str) -> str:
    """Return why a record is not shown; a code of another list stays as it is."""
    found = withholdings().get(code)
    return found.reason if found else code
