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
def _titles() -> dict[tuple[str, str, str], str]:
    """Titles by kind, sheet and rule; under no sheet those of the newer one first, under no kind those of penalties."""
    order = sorted(
        SHEETS, key=lambda key: (key[0] is not Kind.PENALTY, key[0] is not Kind.LICENCE, key[1] is Sheet.LEGACY, key)
    )
    found: dict[tuple[str, str, str], str] = {}
    for kind, sheet in order:
        for each in load_suite(kind, sheet).expectations:
            found[kind.value, sheet.value, each.id] = each.title
            found.setdefault((kind.value, "", each.id), each.title)
            found.setdefault(("", "", each.id), each.title)
    return found


def rule_title(rule: str, *kinds: str, sheet: str | None = None) -> str:
    """Return what a failed rule of records of some kinds, a reason of attachment or the reasons of a hold say.

    Kinds that word a rule differently are all told; ``sheet`` tells the wording of one sheet where it is known. What
    nobody knows is returned as it is.
    """
    found = _titles()
    worded = dict.fromkeys(
        title for kind in kinds if (title := found.get((kind, sheet or "", rule)) or found.get((kind, "", rule)))
    )
    if worded:
        return " / ".join(worded)
    if title := found.get(("", "", rule)):
        return title
    return "、".join(_OWN.get(part, part) for part in rule.split(";"))
