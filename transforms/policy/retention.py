"""How long raw deliveries are kept: a dated table, and the row states that keep an object however old it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from transforms.policy import PolicyInvalid, in_force
from transforms.yaml_text import read_yaml

REGISTER: Final = "register"
"""The kind of register files, beside the kinds of records."""

_TABLE: Final = Path(__file__).with_name("retention.yaml")
_UNDECIDED: Final = frozenset({"review", "waiting", "unexplained"})
"""States in which nobody has decided about a row: no table may let its bytes go."""


@dataclass(frozen=True, slots=True)
class Retention:
    """One row: deliveries of these kinds that came on these days are kept for so many years."""

    id: str
    kinds: tuple[str, ...]
    from_: dt.date
    to: dt.date | None
    years: int
    source: str

    def due(self, delivered: dt.date) -> dt.date:
        """Return the first day on which a delivery of that day may go; a leap day's is 1 March."""
        try:
            return delivered.replace(year=delivered.year + self.years)
        except ValueError:
            return dt.date(delivered.year + self.years, 3, 1)


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """The whole table."""

    needed_while: frozenset[str]
    rules: tuple[Retention, ...]

    def rule(self, kind: str, delivered: dt.date) -> Retention | None:
        """Return the row for a delivery, None where it is kept for ever."""
        for rule in self.rules:
            if kind in rule.kinds and in_force(delivered, rule.from_, rule.to):
                return rule
        return None


@cache
def retention_policy() -> RetentionPolicy:
    """Return the table that is in the package."""
    return read_policy(read_yaml(_TABLE.read_text(encoding="utf-8")))


def read_policy(content: dict[str, Any]) -> RetentionPolicy:
    """Read a table. Raises ``PolicyInvalid`` for a row that cannot be used, with its id."""
    needed = frozenset(content["needed_while"])
    if missing := _UNDECIDED - needed:
        raise PolicyInvalid(f"needed_while must name {', '.join(sorted(missing))}: nobody has decided about such rows")
    return RetentionPolicy(needed, tuple(_rule(row) for row in content["rules"]))


def _rule(row: dict[str, Any]) -> Retention:
    if unknown := row.keys() ^ (row.keys() & {"id", "kinds", "from", "to", "years", "source"}):
        raise PolicyInvalid(f"{row.get('id')}: unknown key {', '.join(sorted(unknown))}")
    if not isinstance(row["years"], int) or row["years"] < 1:
        raise PolicyInvalid(f"{row['id']}: years must be a whole number, at least 1")
    return Retention(row["id"], tuple(row["kinds"]), row["from"], row.get("to"), row["years"], row["source"])
