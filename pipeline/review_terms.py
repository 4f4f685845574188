"""Until when a steward has to act on an open item: working days by severity, from a dated table."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from transforms.workdays import CalendarMissing, add_workdays
from transforms.yaml_text import read_yaml

SEVERITIES: Final = ("reject", "hold", "review", "batch")


class Term(BaseModel):
    """One row of the table: from a day on, an item of a severity is due after so many working days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: dt.date = Field(alias="from")
    severity: str
    workdays: int = Field(ge=0)
    source: str


class _Terms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[Term, ...]


@cache
def _terms() -> tuple[Term, ...]:
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return _Terms.model_validate(read_yaml(text)).terms


@cache
def due_dates(opened: dt.date) -> dict[str, dt.date | None]:
    """Return per severity the last day to act on what came up on a day.

    Null where no row is in force or the working days of the year are not published yet: an unknown calendar must not
    stop a delivery.
    """
    found: dict[str, dt.date | None] = dict.fromkeys(SEVERITIES)
    for term in sorted(_terms(), key=lambda term: term.from_):
        if term.from_ <= opened:
            found[term.severity] = _after(opened, term.workdays)
    return found


def _after(day: dt.date, workdays: int) -> dt.date | None:
    try:
        return add_workdays(day, workdays)
    except CalendarMissing:
        return None
