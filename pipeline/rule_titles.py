"""What each rule, reason of attachment and reason of a hold says in Chinese."""

from __future__ import annotations

import functools
from typing import Final

from expectations.suite import load_suite
from pipeline.rereading import SENT_BACK
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS

ATTACH_REASONS: Final = {
    "ambiguous_name": "同名企业不止一家",
    "ambiguous_org_code": "组织机构代码对应多家",
    "ambiguous_regno": "注册号对应多家",
    "ambiguous_tax_no": "税务登记号对应多家",
    "ambiguous_uscc": "信用代码对应多家",
    "code_and_name_disagree": "代码与名称不符",
    "keys_disagree": "各代码指向不同企业",
    "not_in_register": "登记库中查无此主体",
}
HOLD_REASONS: Final = {"mass_change": "大批量变动", "declared_total": "行数不符", "default_hold": "默认待批"}
_OWN: Final = {
    "C01.source_changed": "更正之后来源又改动了该项",
    SENT_BACK: "数据员退回",
    **ATTACH_REASONS,
    **HOLD_REASONS,
}
"""Rules and reasons that no suite holds."""


@functools.cache
def titles_of(kind: Kind, sheet: Sheet) -> dict[str, str]:
    """Return the titles of a suite's expectations by id, and of the rules that no suite holds."""
    return {each.id: each.title for each in load_suite(kind, sheet).expectations} | _OWN


@functools.cache
def _titles() -> dict[tuple[str, str], str]:
    """Titles by kind and rule; under no kind, those of penalties before those of others."""
    order = sorted(SHEETS, key=lambda key: (key[0] is not Kind.PENALTY, key[0] is not Kind.LICENCE, key))
    found: dict[tuple[str, str], str] = {}
    for kind, sheet in order:
        for each in load_suite(kind, sheet).expectations:
            found.setdefault((kind.value, each.id), each.title)
            found.setdefault(("", each.id), each.title)
    return found


def rule_title(rule: str, kind: str = "") -> str:
    """Return what a failed rule (of a kind of record), a reason of attachment or the reasons of a hold say.

    What nobody knows is returned as it is.
    """
    if title := _titles().get((kind, rule)) or _titles().get(("", rule)):
        return title
    return "、".join(_OWN.get(part, part) for part in rule.split(";"))
