"""What is told to a person about bad input: file, row, field, rule, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a delivery, in the words of a steward.

    ``row`` counts as a spreadsheet does: the header is row 1, the first data row is row 2. ``message`` and
    ``remedy`` are Chinese, because the people who act on them are. ``text`` is the damaged row as received, where
    the row could not be split into fields.
    """

    rule: str
    severity: Literal["refuse", "reject", "hold", "warn"]
    message: str
    remedy: str
    file: str = ""
    row: int | None = None
    field: str = ""
    value: str = ""
    text: str = ""

    def __str__(self) -> str:
        """One line for a log or a terminal."""
        place = [self.file] if self.file else []
        if self.row is not None:
            place.append(f"第 {self.row} 行")
        if self.field:
            place.append(f"字段 {self.field}")
        shown = f"(值: {self.value})" if self.value else ""
        return f"[{self.rule}] {' '.join(place)}: {self.message}{shown} 处理办法: {self.remedy}"


class DeliveryRefused(Exception):
    """A delivery that cannot be read as a whole; nothing of it was taken in, its bytes stay in the archive."""

    def __init__(self, problem: Problem) -> None:
        """Carry the problem that stopped the delivery."""
        super().__init__(str(problem))
        self.problem = problem
