"""What each rule says in Chinese, whatever kind it is failed by."""

from __future__ import annotations

import functools
from typing import Final

from expectations.suite import load_suite
from pipeline.rereading import SENT_BACK
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS

OWN: Final = {
    "C01.source_changed": "更正之后来源又改动了该项",
    SENT_BACK: "数据员退回",
    "ambiguous_name": "同名企业不止一家",
    "code_and_name_disagree": "代码与名称不符",
    "keys_disagree": "各代码指向不同企业",
    "not_in_register": "登记库中查无此主体",
    "mass_change": "大批量变动",
    "declared_total": "行数不符",
    "default_hold": "默认待批",
}
"""Rules and reasons that no suite holds."""


@functools.cache
def titles_of(kind: Kind, sheet: Sheet) -> dict[str, str]:
    """Return the titles of a suite's expectations by id, and of the rules that no suite holds."""
    return {each.id: each.title for each in load_suite(kind, sheet).expectations} | OWN


@functools.cache
def rule_title(rule: str) -> str:
    """Return the title of a rule in the first suite that has it, penalties before others; the id of an unknown one."""
    order = sorted(SHEETS, key=lambda key: (key[0] is not Kind.PENALTY, key[0] is not Kind.LICENCE, key))
    for kind, sheet in order:
        if title := titles_of(kind, sheet).get(rule):
            return title
    return rule
