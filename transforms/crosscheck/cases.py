"""The decision table as data (``cases.yaml``): what each case is, and the thresholds between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from transforms.yaml_text import read_yaml

FindingKind = Literal["concealed", "omitted", "misreported", "not_reported", "base_gap", "lead"]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the decision table (domain 5.5). ``lists``: it may end in 经营异常名录, cause 3."""

    number: int
    name: str
    kind: FindingKind
    confidence: float
    title: str
    clears: str
    lists: bool = False


@dataclass(frozen=True)
class Rules:
    """The whole table."""

    cases: dict[int, Case]
    windows: tuple[tuple[dt.date, str], ...]
    unreadable_kinds: tuple[str, ...]
    comparable_kinds: tuple[str, ...]
    links: dict[str, float]
    link_threshold: float
    dead_states: tuple[str, ...]
    no_report_states: tuple[str, ...]
    empty_words: tuple[str, ...]
    name_similarity: float
    types: dict[str, tuple[str, ...]]
    letter_basis: str

    def correction_until(self, year: int) -> dt.date:
        """Return the last day on which the report of a year may be filed and corrected; ValueError before any rule."""
        begins = dt.date(year + 1, 1, 1)
        held = [month_day for since, month_day in self.windows if since <= begins]
        if not held:
            raise ValueError(f"no rule says until when the report of {year} may be filed")
        return dt.date.fromisoformat(f"{year + 1}-{held[-1]}")

    @property
    def trusted(self) -> tuple[str, ...]:
        """Links that make a finding."""
        return tuple(link for link, trust in self.links.items() if trust >= self.link_threshold)


@cache
def rules() -> Rules:
    """Read the table."""
    content: dict[str, Any] = read_yaml(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
    return Rules(
        cases={number: Case(number, **row) for number, row in content["cases"].items()},
        windows=tuple((row["from"], row["month_day"]) for row in content["correction_until"]),
        unreadable_kinds=tuple(content["unreadable_kinds"]),
        comparable_kinds=tuple(content["comparable_kinds"]),
        links=content["links"],
        link_threshold=content["link_threshold"],
        dead_states=tuple(content["dead_states"]),
        no_report_states=tuple(content["no_report_states"]),
        empty_words=tuple(sorted(content["empty_words"], key=len, reverse=True)),
        name_similarity=content["name_similarity"],
        types={name: tuple(of) for name, of in content["types"].items()},
        letter_basis=content["letter_basis"]["text"],
    )
