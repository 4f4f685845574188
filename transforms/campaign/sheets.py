"""The statistics sheets of a special action as typed facts (``sheets.yaml``), and what makes a table unusable."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from transforms.workdays import add_workdays, is_workday
from transforms.yaml_text import read_yaml

Origin = Literal["derived", "returned"]
Asked = Literal["required", "optional", "no"]
Severity = Literal["error", "warn"]
Span = Literal["month", "action"]
Form = Literal["at_most", "agree", "pooled", "decimals", "districts", "between", "per"]
Tag = Literal["plan", "found", "unverified", "our_reading"]

_TABLE: Final = Path(__file__).with_name("sheets.yaml")
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class CampaignInvalid(ValueError):
    """A table of the special action that cannot be used; names the row and the key."""


class ActionUnknown(ValueError):
    """No such special action is in the table."""


def _is_month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise ValueError(f"{text!r} is not a month: write it as YYYY-MM")
    return text


Month = Annotated[str, AfterValidator(_is_month)]


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tag: Tag
    source: str = ""


class District(_Fact):
    """A district of the sheets; ``also``: retired codes whose figures are its own."""

    code: str
    name: str
    also: tuple[str, ...] = ()


class DueDate(_Fact):
    """What has to be handed in by a day; on which working days before it people are reminded (0 = the day), and for how
    many after it they are told what is missing.
    """

    id: str
    day: dt.date
    what: str
    to: str
    warn_workdays: tuple[int, ...]
    overdue_workdays: int = Field(ge=0)


class MonthlyReturn(_Fact):
    """When the return of a month is due: so many working days after its last day; reminders as of a due date."""

    workdays: int = Field(ge=1)
    warn_workdays: tuple[int, ...]
    overdue_workdays: int = Field(ge=0)


class Action(_Fact):
    """One special action: its months, counted by decision date, and its due dates."""

    id: str
    title: str
    issued: dt.date
    first_month: Month
    last_month: Month
    monthly_return: MonthlyReturn
    due_dates: tuple[DueDate, ...]
    least_cases: int = Field(ge=1)
    most_cases: int = Field(ge=1)
    case_subjects: tuple[str, ...]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first_month > self.last_month:
            raise ValueError(f"first_month {self.first_month} is after last_month {self.last_month}")
        return self

    @property
    def months(self) -> tuple[str, ...]:
        """The months as YYYY-MM, the first one first."""
        first, last = (12 * int(text[:4]) + int(text[5:]) - 1 for text in (self.first_month, self.last_month))
        return tuple(f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1))

    @property
    def first_day(self) -> dt.date:
        """The first day of the action."""
        return dt.date.fromisoformat(f"{self.first_month}-01")

    @property
    def last_day(self) -> dt.date:
        """The last day of the action."""
        return last_day_of(self.last_month)

    def is_reported_on(self, day: dt.date) -> bool:
        """Tell whether reports are made on a day by themselves: from the first day on, to the last due date."""
        return self.first_day <= day <= max(self.last_day, *(each.day for each in self.due_dates))

    def return_due(self, month: str) -> dt.date:
        """Return the last day on time for the return of a month; raises ``workdays.CalendarMissing``.

        A month that was over before the plan was issued counts from that day.
        """
        return add_workdays(max(last_day_of(month), self.issued), self.monthly_return.workdays)

    def ended_months(self, day: dt.date) -> tuple[str, ...]:
        """Return the months of the action that are over on a day."""
        return tuple(month for month in self.months if last_day_of(month) < day)


class Item(_Fact):
    """One line of the sheets. ``agencies`` are those who return it, or whose records it is derived from."""

    code: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: str
    unit: str
    decimals: int = Field(default=0, ge=0, le=2)
    origin: Origin
    asked: Asked
    agencies: tuple[str, ...] = Field(min_length=1)
    notices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _asked_as_its_origin_needs(self) -> Self:
        if (self.origin == "returned") != (self.asked == "required"):
            raise ValueError(f"{self.code}: a returned item is required, a derived one is optional or not asked")
        if self.notices and self.origin == "derived":
            raise ValueError(f"{self.code}: notices are a lower bound of returned items only")
        return self


class Rule(_Fact):
    """What must hold between figures; ``left`` and ``right`` are codes of items, as ``form`` needs them."""

    id: str
    form: Form
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    over: tuple[Span, ...] = Field(min_length=1)
    least: Decimal | None = None
    most: Decimal | None = None
    tolerance: Decimal | None = None
    severity: Severity
    sentence: str
    remedy: str

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {
            "at_most": bool(self.left and self.right),
            "per": len(self.left) == len(self.right) == 1 and self.most is not None,
            "agree": len(self.left) == 1 and self.tolerance is not None,
            "between": len(self.left) == 1 and (self.least is not None or self.most is not None),
            "pooled": True, "decimals": True, "districts": True,
        }  # fmt: skip
        if not needed[self.form]:
            raise ValueError(f"{self.id}: a rule of the form {self.form} lacks left, right, least, most or tolerance")
        return self


class Sheets(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: dt.date
    whole_city: str
    districts: tuple[District, ...]
    actions: tuple[Action, ...]
    items: tuple[Item, ...]
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _once("district", [code for each in self.districts for code in (each.code, *each.also)])
        _once("action", [each.id for each in self.actions])
        _once("item", [each.code for each in self.items])
        _once("rule", [each.id for each in self.rules])
        codes = {each.code: each for each in self.items}
        for rule in self.rules:
            if unknown := {*rule.left, *rule.right} - codes.keys():
                raise ValueError(f"{rule.id}: unknown item {', '.join(sorted(unknown))}")
            if rule.form == "agree" and codes[rule.left[0]].asked != "optional":
                raise ValueError(f"{rule.id}: {rule.left[0]} is not both derived and asked for comparison")
        return self

    def action(self, action_id: str) -> Action:
        """Return an action. Raises ``ActionUnknown``."""
        for each in self.actions:
            if each.id == action_id:
                return each
        raise ActionUnknown(f"no action {action_id!r}: there are {', '.join(each.id for each in self.actions)}")

    def item(self, code: str) -> Item:
        """Return an item. Raises ``KeyError``."""
        return {each.code: each for each in self.items}[code]

    def asked_of(self, agency: str) -> tuple[Item, ...]:
        """Return the items that an agency's return asks for, required ones and those asked for comparison."""
        return tuple(each for each in self.items if agency in each.agencies and each.asked != "no")

    def required_of(self, agency: str) -> tuple[Item, ...]:
        """Return the items without which an agency's return of a month is incomplete."""
        return tuple(each for each in self.asked_of(agency) if each.asked == "required")

    @property
    def agencies(self) -> tuple[str, ...]:
        """The ids of the agencies that owe a return, in order."""
        return tuple(sorted({agency for each in self.items if each.asked == "required" for agency in each.agencies}))

    def district_of(self, code: str | None) -> District | None:
        """Return the district that a six-digit code stands for; nothing for the whole city or an unknown code."""
        return next((each for each in self.districts if code in (each.code, *each.also)), None)


@cache
def sheets() -> Sheets:
    """Return the table that is in the package."""
    return read_sheets(_TABLE.read_text(encoding="utf-8"))


def read_sheets(text: str) -> Sheets:
    """Read a table. Raises ``CampaignInvalid``, which names every row and key that cannot be used."""
    content = read_yaml(text)
    try:
        return Sheets.model_validate(content)
    except ValidationError as error:
        raise CampaignInvalid("; ".join(_told(content, each["loc"], each["msg"]) for each in error.errors())) from None


def last_day_of(month: str) -> dt.date:
    """Return the last day of a month that is written as YYYY-MM."""
    first = dt.date.fromisoformat(f"{month}-01")
    return (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def workdays_before(day: dt.date, number: int) -> dt.date:
    """Return the working day that lies ``number`` working days before ``day``; for 0 the last one not after it.

    Raises ``workdays.CalendarMissing`` for a year whose working days are not known.
    """
    while not is_workday(day):
        day -= dt.timedelta(days=1)
    for _ in range(number):
        day -= dt.timedelta(days=1)
        while not is_workday(day):
            day -= dt.timedelta(days=1)
    return day


def _once(what: str, names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} given twice: {', '.join(twice)}")


def _told(content: Any, place: Iterable[str | int], message: str) -> str:
    """Name a place by the ids of its rows instead of their numbers."""
    at: Any = content
    names: list[str] = []
    for step in place:
        try:
            at = at[step]
        except (KeyError, IndexError, TypeError):
            at = None
        named = at.get("id") or at.get("code") if isinstance(step, int) and isinstance(at, dict) else None
        names.append(str(named or step))
    return f"sheets.yaml {'.'.join(names)}: {message}" if names else f"sheets.yaml: {message}"
