"""Write the table of rules in ``docs/stewards.md`` from the suites: ``python -m docs.rules_table``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from expectations.suite import load_suite
from transforms.columns import Kind, Sheet

PAGE: Final = Path(__file__).parent / "stewards.md"
BEGIN: Final = "<!-- rules: written by python -m docs.rules_table -->\n"
END: Final = "<!-- /rules -->\n"

_SUITES: Final = {
    "许可": (Kind("licence"), Sheet("standard")),
    "许可旧": (Kind("licence"), Sheet("legacy")),
    "处罚": (Kind("penalty"), Sheet("standard")),
    "处罚旧": (Kind("penalty"), Sheet("legacy")),
}
_SEVERITY: Final = {"reject": "reject 退回", "hold": "hold 待复核", "warn": "warn 提示"}


def rules_table() -> str:
    """Return the table: one line per expectation and wording, with the suites that hold it."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for suite_name, (kind, sheet) in _SUITES.items():
        for each in load_suite(kind, sheet).expectations:
            found.setdefault((each.id, _SEVERITY[each.severity], each.title, each.remedy), []).append(suite_name)
    lines = ["| id | severity | 表样 | 问题 | 处理办法 |", "|---|---|---|---|---|"]
    for (rule, severity, title, remedy), suites in sorted(found.items()):
        where = "全部" if len(suites) == len(_SUITES) else "、".join(suites)
        lines.append(f"| {rule} | {severity} | {where} | {_cell(title)} | {_cell(remedy)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def with_table(page: str) -> str:
    """Return the page with the table between its two marks as it is now. Raises ``ValueError`` without the marks."""
    before, mark, rest = page.partition(BEGIN)
    _, closing, after = rest.partition(END)
    if not mark or not closing:
        raise ValueError(f"{PAGE.name} has no place for the table of rules")
    return before + BEGIN + rules_table() + END + after


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
