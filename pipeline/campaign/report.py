"""What a summary report of a special action says: kept as JSON, shown as workbook and page.

Amounts are 万元 as summed, with six decimals: they are rounded once, when they are written. For every line and span
districts + 未分区 = city.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from transforms.campaign.plausible import WHOLE_ACTION, Implausible
from transforms.campaign.sheets import Origin

UNASSIGNED: Final = "未分区"
NOT_TOLD: Final = "—"
"""Stands for a figure that nobody told, and for one of a month that has not begun; a number would be invented."""
RETURN_STATES: Final = {
    "accepted": "已采纳", "submitted": "已报", "incomplete": "缺项", "overdue": "逾期未报", "missing": "未报",
    "not_due": "未到期",
}  # fmt: skip
ReturnState = Literal["accepted", "submitted", "incomplete", "overdue", "missing", "not_due"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """One line in one span. ``city`` is null where nobody told anything; ``unassigned`` is what has no district."""

    city: Decimal | None
    districts: dict[str, Decimal]
    unassigned: Decimal | None


class Line(_Part):
    """One item of the sheets. ``spans``: by month, and ``action``. ``agencies``: the action by agency."""

    code: str
    title: str
    unit: str
    decimals: int
    origin: Origin
    spans: dict[str, Place]
    agencies: dict[str, Decimal]

    def written(self, value: Decimal | None) -> str:
        """Return a figure as it is shown: rounded half up, once."""
        return NOT_TOLD if value is None else f"{rounded(value, self.decimals):,}"


class ReturnOf(_Part):
    """How an agency's return of a month stands. ``lacking``: titles of required items that it does not tell."""

    agency: str
    month: str
    due: dt.date | None
    state: ReturnState
    version: int | None
    lacking: tuple[str, ...]


class TypicalCase(_Part):
    """One decision as its document says it, personal data cut; ``why`` it was chosen. Amounts are 万元."""

    document_no: str
    agency: str
    authority_name: str
    subject_name: str
    uscc: str
    decision_date: dt.date
    district: str | None
    heaviest: str
    amount: Decimal
    why: str
    texts: dict[str, str]
    source: str


class CampaignReport(_Part):
    """A whole report. ``agencies`` and ``districts``: names by id and code, in the order in which they are shown.

    An agency has the name that it bore when the plan was issued: three of them merged under one name since.
    """

    action: str
    title: str
    as_of: dt.date
    first_day: dt.date
    last_day: dt.date
    months: tuple[str, ...]
    begun: tuple[str, ...]
    due_dates: tuple[tuple[dt.date, str], ...]
    districts: dict[str, str]
    agencies: dict[str, str]
    lines: tuple[Line, ...]
    kinds: tuple[str, ...]
    cases_by_kind: dict[str, dict[str, int]]
    contradictions: tuple[Implausible, ...]
    returns: tuple[ReturnOf, ...]
    cases: tuple[TypicalCase, ...]
    least_cases: int
    notes: tuple[str, ...]
    sheets_as_of: dt.date
    counting_as_of: dt.date

    def line(self, code: str) -> Line:
        """Return the line of an item. Raises ``StopIteration`` for an unknown one."""
        return next(each for each in self.lines if each.code == code)

    @property
    def missing(self) -> dict[str, list[ReturnOf]]:
        """The returns that are wanting by name of the agency: not in though the month is over, or lacking items."""
        found: dict[str, list[ReturnOf]] = {}
        for each in self.returns:
            if each.state in ("missing", "overdue", "incomplete"):
                found.setdefault(self.agencies[each.agency], []).append(each)
        return found


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Round half up (四舍五入)."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def span_title(span: str) -> str:
    """Return how a span is called: a month, or the whole of the action."""
    return "合计" if span == WHOLE_ACTION else f"{int(span[5:])}月"
