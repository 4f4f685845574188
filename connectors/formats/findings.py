"""What a reader found wrong so far in one file: filled while its batches are consumed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from connectors.formats.limits import Limits
from connectors.formats.rules import TOO_MANY_DAMAGED, FormatRule
from connectors.quoting import LONGEST_NUMBER, quoted
from transforms.problems import Problem

EXCERPT_CHARS: Final = 500
"""How much of a damaged row is kept: enough to find it, too little to fill the memory."""
EXCERPT_BYTES: Final = 4 * (EXCERPT_CHARS + LONGEST_NUMBER + 1)
"""How much of a damaged row is enough for that, in any encoding."""
_CELL_CHARS: Final = 200
"""How much of one cell of it: the cells behind a long one are shown too."""


def row_text(cells: Iterable[str | None]) -> str:
    """Put the cells of a damaged row beside each other, of a long one its beginning."""
    texts = (cell or "" for cell in cells)
    return ",".join(text if len(text) <= _CELL_CHARS else quoted(text, _CELL_CHARS) for text in texts)


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
        self.problems.append(rule.problem(self.file, row, field, quoted(text, EXCERPT_CHARS), **values))

    def warn(self, rule: FormatRule, **values: Any) -> None:
        """Note something that stops nothing."""
        self.problems.append(rule.problem(self.file, **values))
