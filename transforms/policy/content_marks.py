"""Words after which a person must look at a decision before it is shown: a dated table (domain 3.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.policy import PolicyInvalid, refuse_other_keys
from transforms.policy.patterns import read_words, spelled_out
from transforms.yaml_text import read_yaml

_TABLE: Final = Path(__file__).with_name("content_marks.yaml")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: regular expressions of RE2. ``pick`` says where to look, wider than ``any_of``, which tells the mark.

    ``not_in`` is taken out of a text before it is looked at; empty where a row has none.
    """

    id: str
    from_: dt.date
    to: dt.date | None
    pick: str
    any_of: str
    not_in: str
    source: str


@cache
def content_marks() -> tuple[Mark, ...]:
    """Return every mark of the table in the package, whatever its day."""
    return read_marks(_TABLE.read_text(encoding="utf-8"))


def read_marks(text: str) -> tuple[Mark, ...]:
    """Read a table. Raises ``PolicyInvalid`` for a row that cannot be used, with its id."""
    content = read_yaml(text)
    words = read_words(content.get("words", {}))
    return tuple(_mark(row, words) for row in content["marks"])


def _mark(row: dict[str, Any], words: dict[str, str]) -> Mark:
    refuse_other_keys(row, {"id", "from", "to", "pick", "any_of", "not_in", "source"})
    if not row["any_of"]:
        raise PolicyInvalid(f"{row['id']}: any_of is empty")
    pick, any_of, not_in = (
        "|".join(f"(?:{spelled_out(pattern, words, row['id'])})" for pattern in patterns)
        for patterns in ([row["pick"]], row["any_of"], row["not_in"])
    )
    return Mark(row["id"], row["from"], row["to"], pick, any_of, not_in, row["source"])
