"""Until when an agency has to report a decision: working days by kind of record, from a dated table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from transforms.columns import Kind
from transforms.workdays import CalendarMissing, add_workdays


class ReportingTerm(BaseModel):
    """One row: of decisions from a day on, a kind is to be reported within so many working days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: dt.date = Field(alias="from")
    kind: Kind
    workdays: int = Field(ge=0)
    source: str


class _Terms(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[ReportingTerm, ...]


@cache
def reporting_terms() -> tuple[ReportingTerm, ...]:
    """Return the table, the oldest rows first."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return tuple(sorted(_Terms.model_validate(yaml.safe_load(text)).terms, key=lambda term: term.from_))


def last_days_on_time(kind: Kind, decided: Iterable[dt.date]) -> dict[dt.date, dt.date]:
    """Return the last day on which a decision is reported in time, by day of decision.

    A day is left out where no term is in force, or where the working days of a year are not known.
    """
    found: dict[dt.date, dt.date] = {}
    for day in sorted(set(decided)):
        terms = [term for term in reporting_terms() if term.kind is kind and term.from_ <= day]
        if terms and (last := _after(day, terms[-1].workdays)) is not None:
            found[day] = last
    return found


def _after(day: dt.date, workdays: int) -> dt.date | None:
    try:
        return add_workdays(day, workdays)
    except CalendarMissing:
        return None
