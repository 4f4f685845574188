"""Write the tables of ``docs/stewards.md`` from the files that decide: ``python -m docs.rules_table``.

A table stands between ``<!-- table NAME -->`` and ``<!-- /table -->``; names are the keys of ``TABLES``.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from connectors.formats import rules as format_rules
from expectations.suite import load_suite
from transforms.columns import Kind, Sheet
from transforms.policy import withholdings

PAGE: Final = Path(__file__).parent / "stewards.md"
MIGRATION: Final = PAGE.parent.parent / "sql" / "versions" / "0001_system_of_record.py"

_SUITES: Final = {
    "许可": (Kind.LICENCE, Sheet.STANDARD),
    "许可旧": (Kind.LICENCE, Sheet.LEGACY),
    "处罚": (Kind.PENALTY, Sheet.STANDARD),
    "处罚旧": (Kind.PENALTY, Sheet.LEGACY),
    "检查": (Kind.INSPECTION, Sheet.STANDARD),
    "异常": (Kind.ABNORMAL_OPERATION, Sheet.STANDARD),
    "严重": (Kind.SERIOUS_VIOLATION, Sheet.STANDARD),
    "措施": (Kind.ENFORCEMENT_NOTICE, Sheet.STANDARD),
    "主体": (Kind.BASIC_INFO, Sheet.STANDARD),
}
_OWNER: Final = {"agency": "机关", "platform": "平台"}
_SEVERITY: Final = {"refuse": "refuse 拒收", "reject": "reject 退回", "hold": "hold 待复核", "warn": "warn 提示"}


def rules() -> str:
    """Expectations of all suites: one line per expectation and wording, with the sheets it is asked of."""
    found: dict[tuple[str, str, str, str, str], list[str]] = {}
    for sheet_name, (kind, sheet) in _SUITES.items():
        for each in load_suite(kind, sheet).expectations:
            told = (each.id, _SEVERITY[each.severity], _OWNER[each.owner], each.title, each.remedy)
            found.setdefault(told, []).append(sheet_name)
    return _table(
        ("id", "severity", "表样", "责任", "问题", "处理办法"),
        (
            (rule, severity, "全部" if len(sheets) == len(_SUITES) else "、".join(sheets), owner, title, remedy)
            for (rule, severity, owner, title, remedy), sheets in sorted(found.items())
        ),
    )


def files() -> str:
    """Rules about a file as a file, before anyone asks what its columns mean."""
    found = {rule.id: rule for rule in vars(format_rules).values() if isinstance(rule, format_rules.FormatRule)}
    return _table(
        ("id", "severity", "问题", "处理办法"),
        ((rule.id, _SEVERITY[rule.severity], rule.title, rule.remedy) for _, rule in sorted(found.items())),
    )


def attachment_reasons() -> str:
    """Why a record is not attached with certainty, as the database tells it to stewards."""
    remedies: dict[str, str] = runpy.run_path(str(MIGRATION))["ATTACH_REMEDIES"]
    return _table(("reason", "处理办法"), sorted(remedies.items()))


def withholding_reasons() -> str:
    """Why a record is not shown, as tombstones tell it to sites."""
    return _table(
        ("reason", "原因", "依据"),
        ((code, each.reason, each.legal_basis) for code, each in sorted(withholdings().items())),
    )


TABLES: Final[dict[str, Callable[[], str]]] = {
    "rules": rules,
    "files": files,
    "attachment reasons": attachment_reasons,
    "withholding reasons": withholding_reasons,
}


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def with_tables(page: str) -> str:
    """Return the page with every table as it is now. Raises ``KeyError`` for a table that nobody writes."""
    return re.sub(
        r"(<!-- table (?P<name>[a-z ]+) -->\n).*?(<!-- /table -->\n)",
        lambda match: match[1] + TABLES[match["name"]]() + match[3],
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
