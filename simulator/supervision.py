"""What is neither licence nor penalty: inspections, the two lists, notices, and who trades on the net.

Each function adds to the facts that every record has; ``document_no`` is the number of the document or entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from simulator.offices import Office
from simulator.population import Enterprise
from simulator.templates import Facts
from transforms.columns import Kind

ABNORMAL_CAUSES: Final = {
    "未按期公示年度报告": "已补报",
    "未按责令期限公示即时信息": "已履行公示义务",
    "隐瞒真实情况、弄虚作假": "已更正",
    "登记住所无法联系": "已重新取得联系",
}
"""Why an enterprise is listed 列入经营异常名录, and what takes it off the list 移出 (domain 6)."""

SERIOUS_CAUSES: Final = {
    "被列入经营异常名录届满3年仍未履行相关义务": "已更正",
    "因商标侵权行为五年内受到两次以上行政处罚": "届满",
    "因发布虚假广告两年内受到三次以上行政处罚": "届满",
}

_RESULTS: Final = {"正常": 70, "未发现问题": 10, "责令已改正": 10, "无法联系": 6, "不予配合": 4}
_PRODUCT_RESULTS: Final = {"合格": 9, "不合格": 1}
_PLATFORMS: Final = ("拟淘网", "仿东商城", "虚购网")
_SITE_STATES: Final = {"正常": 90, "无法访问": 7, "已关闭": 3}


@dataclass(frozen=True, slots=True)
class Case:
    """What a record is made from: who writes about whom, which number, decided when, days in which form."""

    office: Office
    subject: Enterprise
    number: int
    decided: date
    form: str


def inspection(rng: Random, case: Case) -> Facts:
    """抽查检查: type, what was looked at, result."""
    check_type = rng.choice(case.office.inspections)
    result = _drawn(rng, _PRODUCT_RESULTS if "产品" in check_type else _RESULTS)
    return {"check_type": check_type, "content": "网上经营活动与登记事项的一致性", "result": result}


def abnormal_operation(rng: Random, _: Case) -> Facts:
    """经营异常名录: listed and not yet taken off."""
    return {"cause": rng.choice(tuple(ABNORMAL_CAUSES))}


def serious_violation(rng: Random, case: Case) -> Facts:
    """严重违法失信名单: listed by a decision."""
    return {"cause": rng.choice(tuple(SERIOUS_CAUSES)), "entry_no": f"YZ{case.number:08d}"}


def enforcement_notice(rng: Random, case: Case) -> Facts:
    """约谈、责令整改、提请关闭网站: what was ordered, why, until when."""
    measure = rng.choice(case.office.measures)
    return {
        "measure": measure.measure,
        "facts": measure.reason,
        "basis": "《网络交易管理办法》",
        "content": f"{measure.content}。",
        "site_name": f"{case.subject.name[2:6]}网",
        "site_address": f"http://www.te{case.number:06d}.example/{case.office.agency}",
        "due": (case.decided + timedelta(days=15)).strftime(case.form),
    }


def basic_info(rng: Random, case: Case) -> Facts:
    """网络经营者基础信息: one site or shop of an enterprise."""
    is_shop, number = rng.random() < 0.6, case.number
    facts = {
        "site_type": "平台内网店" if is_shop else "独立网站",
        "site_name": f"{case.subject.name[2:6]}{'旗舰店' if is_shop else '网'}",
        "site_address": f"http://{'shop' if is_shop else 'www.'}{number:06d}.{case.office.agency}.example/",
        "icp_no": f"京ICP备{number:08d}号-1",
        "icp_holder": case.subject.name,
        "licence_shown": _drawn(rng, {"亮照": 8, "未亮照": 2}),
        "self_operated": rng.choice(("自营", "非自营")),
        "site_state": _drawn(rng, _SITE_STATES),
    }
    return facts | ({"platform_name": rng.choice(_PLATFORMS), "shop_id": f"{number:08d}"} if is_shop else {})


def _drawn(rng: Random, weights: Mapping[str, int]) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


DETAILS: Final[Mapping[Kind, Callable[[Random, Case], Facts]]] = {
    Kind.INSPECTION: inspection,
    Kind.ABNORMAL_OPERATION: abnormal_operation,
    Kind.SERIOUS_VIOLATION: serious_violation,
    Kind.ENFORCEMENT_NOTICE: enforcement_notice,
    Kind.BASIC_INFO: basic_info,
}
