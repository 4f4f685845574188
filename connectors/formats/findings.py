"""What a reader found wrong so far in one file: filled while its batches are consumed."""

from __future__ import annotations

from typing import Any, Final

from connectors.formats.limits import Limits
from connectors.formats.rules import TOO_MANY_DAMAGED, FormatRule
from transforms.problems import Problem

EXCERPT_CHARS: Final = 500
"""How much of a damaged row is kept: enough to find it, too little to fill the memory."""


def excerpt(text: str) -> str:
    """Cut the text of a damaged row to ``EXCERPT_CHARS``, NUL and lone surrogates (which no database takes) escaped."""
    shown = text[:EXCERPT_CHARS].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
    return shown if len(text) <= EXCERPT_CHARS else f"{shown}…"


class Findings:
    """Problems, and the counts that conservation is checked against.

    ``good`` and ``damaged`` count rows received; each damaged row has exactly one problem of severity ``reject``.
    ``blank`` rows are no rows received.
    """

    def __init__(self, file: str, limits: Limits) -> None:
        """Start with nothing found in ``file``."""
        self.file: Final = file
        self.limits: Final = limits
        self.problems: list[Problem] = []
        self.good = 0
        self.damaged = 0
        self.blank = 0

    def reject(self, rule: FormatRule, row: int, text: str, field: str = "", **values: Any) -> None:
        """Note a damaged row; raises DeliveryRefused (F12) when there are more than a steward could handle."""
        self.damaged += 1
        if self.damaged > self.limits.damaged_rows:
            raise TOO_MANY_DAMAGED.refusal(self.file, limit=self.limits.damaged_rows)
        self.problems.append(rule.problem(self.file, row, field, excerpt(text), **values))

    def warn(self, rule: FormatRule, **values: Any) -> None:
        """Note something that stops nothing."""
        self.problems.append(rule.problem(self.file, **values))
