"""Details of persons that are cut from running text before it is shown: a dated table (domain 3.4)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.policy import PolicyInvalid, in_force, refuse_other_keys
from transforms.policy.patterns import read_words, spelled_out
from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).with_name("cuts.yaml")


@dataclass(frozen=True, slots=True)
class Cut:
    """One kind of detail: where to look (``pick``, RE2), what it is (``pattern``), what is written in its place."""

    id: str
    from_: dt.date
    to: dt.date | None
    pick: str
    pattern: re.Pattern[str]
    luhn: bool
    written: str
    source: str


def cuts_on(day: dt.date) -> tuple[Cut, ...]:
    """Return what is cut on a business day."""
    return tuple(cut for cut in _cuts() if in_force(day, cut.from_, cut.to))


def read_cuts(text: str) -> tuple[Cut, ...]:
    """Read a table. Raises ``PolicyInvalid`` for a row that cannot be used, with its id."""
    content = read_yaml(text)
    words = read_words(content.get("words", {}))
    return tuple(_cut(row, words) for row in content["cuts"])


@cache
def _cuts() -> tuple[Cut, ...]:
    return read_cuts(_TABLE.read_text(encoding="utf-8"))


def _cut(row: dict[str, Any], words: dict[str, str]) -> Cut:
    refuse_other_keys(row, {"id", "from", "to", "pick", "pattern", "luhn", "written", "source"})
    try:
        pattern = re.compile(spelled_out(row["pattern"], words, row["id"]))
    except re.error as error:
        raise PolicyInvalid(f"{row['id']}: {error}") from error
    if "cut" not in pattern.groupindex:
        raise PolicyInvalid(f"{row['id']}: its pattern has no group cut")
    return Cut(
        row["id"],
        row["from"],
        row["to"],
        spelled_out(row["pick"], words, row["id"]),
        pattern,
        bool(row["luhn"]),
        row["written"],
        row["source"],
    )
