"""What a person is told about one failed row: the message of its expectation, filled with the values of the row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any, Final

from expectations.suite import Expectation

FINDINGS: Final = {
    "AFTER_BUSINESS_DATE": "晚于业务日", "CALENDAR_MISSING": "（该年工作日历尚未公布, 天数待定）",
    "CHARSET": "含不允许的字符", "CHECK": "末位校验码不符", "CONTROL": "控制字符", "DATE": "其中的日期不存在",
    "DEPT_CATEGORY": "登记管理部门或机构类别不对", "DIFFERENT_CONTENT": "内容不同",
    "EXCEL_DAMAGE": "被 Excel 改成了科学计数形式", "HTML": "网页标记", "LENGTH": "长度不对",
    "LOOKS_LIKE_A_PERSON": "像是自然人姓名", "NAME_OF_OPERATOR": "经营者姓名", "NATURAL_PERSON": "自然人",
    "NEGATIVE": "不得为负数", "NOT_AN_AUTHORITY": "不是机关单位的代码", "NOT_AN_ORGAN": "不是行政机关的代码",
    "NOT_AS_IN_TEXT": "与文中所写不一致", "NOT_A_DAY": "不是真实存在的日期", "NO_ADDRESS": "没有网址",
    "NO_CODE": "没有代码", "NO_REASON": "没有原因", "NO_REMOVAL_DATE": "没有移出日期",
    "NO_REMOVAL_REASON": "没有移出原因", "NO_SUM_IN_TEXT": "文中读不出一个金额", "NO_USCC": "没有统一社会信用代码",
    "OF_ANOTHER_AUTHORITY": "属于其他机关", "ORG_CHECK": "组织机构代码校验位不符",
    "ORG_CODE_NOT_IN_TAX_NO": "其中的组织机构代码与本主体不符",
    "ORG_CODE_NOT_IN_USCC": "与统一社会信用代码不一致", "OTHER_WITHOUT_TEXT": "“其他”没有注明",
    "OUT_OF_RANGE": "年份不在1900至2099之间", "PLACEHOLDER": "占位内容", "REGION": "行政区划不对",
    "SPECIAL": "特殊符号", "SUM_WITHOUT_CLASS": "有金额而无类别", "TEN_THOUSAND_TIMES_TEXT": "恰为文中所写金额的一万倍",
    "TOO_LARGE": "数值过大", "TOO_MANY_DECIMALS": "小数超过6位", "UNDER_AGE": "不满十八周岁",
    "UNIT_IN_TEXT": "带有单位或货币符号", "UNKNOWN": "不在代码表内", "UNREADABLE": "无法识别",
    "VERY_LARGE": "超过1000万元", "ZERO_WIDTH": "不可见字符", "disputed": "异议", "other": "其他",
}  # fmt: skip
"""What a finding says, in Chinese. Names of columns, days and numbers in a finding stand for themselves."""

PLACES: Final = ("value", "finding", "label", "fields", "as_of")
"""Places of a message beside the standard columns of the row."""

_EXCERPT: Final = 60
"""Characters of a text that a message quotes."""
_WORD: Final = re.compile(r"[A-Za-z_]+")


def places_of(message: str) -> set[str]:
    """Return the names of the places that a message has."""
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def finding_in_words(finding: str, labels: Mapping[str, str]) -> str:
    """Return a finding in Chinese: its codes by ``FINDINGS``, standard columns by the labels of the template."""
    said = _WORD.sub(lambda word: FINDINGS.get(word[0]) or labels.get(word[0], word[0]), finding)
    return said.replace(";", "、").replace(" <= ", "不晚于").replace(" < ", "早于").replace(" > ", "晚于")


def say(expectation: Expectation, row: Mapping[str, Any], verdict: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return the message about one failed row.

    ``row``: standard columns as stored (and as_of), ID numbers masked; ``verdict``: its value and finding; ``labels``:
    label in the template by standard column. What is missing is said to be 空.
    """
    finding = verdict["finding"] or ""
    listed = finding.split(";") if not expectation.field else [expectation.field]
    told = {
        "value": verdict["value"],
        "finding": finding_in_words(finding, labels),
        "label": labels.get(expectation.field, expectation.field),
        "fields": "、".join(labels.get(name, name) for name in listed),
    }
    values = {**row, **told}
    return expectation.message.format_map(
        {place: _quoted(values.get(place)) for place in places_of(expectation.message)}
    )


def _quoted(value: Any) -> str:
    if value is None or value == "":
        return "空"
    text = str(value)
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
