"""Words after which a person must look at a decision before it is shown: a dated table (domain 3.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.policy import PolicyInvalid, refuse_other_keys
from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).with_name("content_marks.yaml")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: regular expressions of RE2; ``not_in`` is taken out of a text before it is looked at."""

    id: str
    from_: dt.date
    to: dt.date | None
    any_of: str
    not_in: str
    source: str


@cache
def content_marks() -> tuple[Mark, ...]:
    """Return every mark of the table in the package, whatever its day."""
    return read_marks(_TABLE.read_text(encoding="utf-8"))


def read_marks(text: str) -> tuple[Mark, ...]:
    """Read a table. Raises ``PolicyInvalid`` for a row that cannot be used, with its id."""
    return tuple(map(_mark, read_yaml(text)["marks"]))


def _mark(row: dict[str, Any]) -> Mark:
    refuse_other_keys(row, {"id", "from", "to", "any_of", "not_in", "source"})
    if not row["any_of"]:
        raise PolicyInvalid(f"{row['id']}: any_of is empty")
    return Mark(row["id"], row["from"], row["to"], _either(row["any_of"]), _either(row["not_in"]), row["source"])


def _either(patterns: list[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)
