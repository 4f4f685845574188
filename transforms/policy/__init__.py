"""Disclosure policy as dated tables: how long a record is shown on which channel, and why one is withheld.

Both tables are data with their sources (domain 3.3, 3.4); changing a rule is a row with a date, never a change of code.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from transforms.columns import Kind
from transforms.yaml_text import read_yaml

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Period:
    """One row of the period table. ``months`` None shows without end."""

    id: str
    channel: str
    kind: Kind
    from_: dt.date
    to: dt.date | None
    clock: Literal["decision", "publicity"]
    months: int | None
    min_months: int | None
    max_months: int | None
    shown: bool
    any_of: tuple[str, ...]
    only: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Withholding:
    """Why a record is not shown, as a site is told."""

    code: str
    reason: str
    legal_basis: str


class PolicyInvalid(ValueError):
    """A policy table that cannot be used; names the row."""


def in_force(day: dt.date, first: dt.date | None, last: dt.date | None) -> bool:
    """Tell whether a dated row counts on a day, its first and last day included; null is no bound."""
    return (first is None or first <= day) and (last is None or day <= last)


def refuse_other_keys(row: dict[str, Any], keys: set[str]) -> None:
    """Raise ``PolicyInvalid`` where a row has not exactly these keys."""
    if other := row.keys() ^ keys:
        raise PolicyInvalid(f"{row.get('id')}: missing or unknown key {', '.join(sorted(other))}")


def periods_on(day: dt.date, *, site: str, kind: Kind) -> tuple[Period, ...]:
    """Return the rows in force on a day for a site and kind, in the order in which they are tried."""
    channels, periods = _period_table()
    return tuple(
        period
        for period in periods
        if period.channel in channels[site] and period.kind is kind and in_force(day, period.from_, period.to)
    )


def periods_before(day: dt.date, *, site: str, kind: Kind) -> tuple[Period, ...]:
    """Return the rows that showed records of a site and kind and ended before a day, those that ended last first."""
    channels, periods = _period_table()
    ended = [
        (period.to, period)
        for period in periods
        if period.channel in channels[site] and period.kind is kind and period.shown and period.to and period.to < day
    ]
    return tuple(period for _, period in sorted(ended, key=lambda one: one[0], reverse=True))


@cache
def withholdings() -> dict[str, Withholding]:
    """Return the reasons for withholding by code."""
    content = read_yaml((_FOLDER / "withholding.yaml").read_text(encoding="utf-8"))
    return {code: Withholding(code, row["reason"], row["legal_basis"]) for code, row in content.items()}


@cache
def _period_table() -> tuple[dict[str, list[str]], tuple[Period, ...]]:
    content = read_yaml((_FOLDER / "periods.yaml").read_text(encoding="utf-8"))
    return content["channels"], tuple(_period(row) for row in content["periods"])


def _period(row: dict[str, Any]) -> Period:
    allowed = {
        "id", "channel", "kind", "from", "to", "class", "months", "min_months", "max_months", "clock", "shown",
        "source",
    }  # fmt: skip
    if unknown := row.keys() - allowed:
        raise PolicyInvalid(f"{row.get('id')}: unknown key {', '.join(sorted(unknown))}")
    of_class = row.get("class", {})
    if row.get("shown", True) and "months" not in row:
        raise PolicyInvalid(f"{row['id']}: says neither months nor shown: false")
    return Period(
        id=row["id"],
        channel=row["channel"],
        kind=Kind(row["kind"]),
        from_=row["from"],
        to=row.get("to"),
        clock=row["clock"],
        months=row.get("months"),
        min_months=row.get("min_months"),
        max_months=row.get("max_months"),
        shown=row.get("shown", True),
        any_of=tuple(of_class.get("any_of", ())),
        only=tuple(of_class.get("only", ())),
        source=row["source"],
    )
