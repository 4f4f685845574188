"""Until when a decision has to be reported: a dated table of working-day limits (domain 3.1)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.columns import Kind
from transforms.policy import PolicyInvalid, refuse_other_keys
from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).with_name("clocks.yaml")


@dataclass(frozen=True, slots=True)
class Clock:
    """One limit: a decision of these kinds made from ``counts_from`` to ``to`` is due so many working days later."""

    id: str
    kinds: tuple[Kind, ...]
    workdays: int
    counts_from: dt.date
    to: dt.date | None
    source: str


@cache
def clocks_of(kind: Kind) -> tuple[Clock, ...]:
    """Return the limits that records of a kind have, in the order of the table."""
    return tuple(clock for clock in read_clocks(_TABLE.read_text(encoding="utf-8")) if kind in clock.kinds)


def read_clocks(text: str) -> tuple[Clock, ...]:
    """Read a table. Raises ``PolicyInvalid`` for a row that cannot be used, with its id."""
    return tuple(map(_clock, read_yaml(text)["clocks"]))


def _clock(row: dict[str, Any]) -> Clock:
    refuse_other_keys(row, {"id", "kinds", "workdays", "counts_from", "to", "source"})
    if not isinstance(row["workdays"], int) or row["workdays"] < 1:
        raise PolicyInvalid(f"{row['id']}: workdays must be a whole number, at least 1")
    kinds = tuple(map(Kind, row["kinds"]))
    return Clock(row["id"], kinds, row["workdays"], row["counts_from"], row["to"], row["source"])
