"""Suites as reviewed files: what each expectation means to a person, beside what Great Expectations runs."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from transforms.columns import Kind, Reference, Sheet
from transforms.policy import in_force
from transforms.yaml_text import read_yaml

SUITES = Path(__file__).parent / "suites"
REFERENCE_SUITES = Path(__file__).parent / "references"
RECEIVER_SUITES = Path(__file__).parent / "receivers"
Severity = Literal["reject", "hold", "warn", "withhold"]
Scope = Literal["row", "delivery", "across"]
Owner = Literal["agency", "platform"]
RuleSet = Literal["legal", "receiver"]
SCOPES: Final[tuple[Scope, ...]] = ("row", "delivery", "across")
_SEVERITIES: Final[dict[RuleSet, tuple[Severity, ...]]] = {
    "legal": ("reject", "hold", "warn"),
    "receiver": ("withhold", "warn"),
}
"""A receiver's rule says nothing about the row: it may keep it from one site."""
SEVERITY_NAMES: Final[dict[str, str]] = {
    "reject": "退回",
    "hold": "待复核",
    "warn": "提示",
    "withhold": "不送该网站",
}


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """One expectation of a suite.

    ``id`` is stable for ever (``R03.uscc``); its part before the dot is the rule of the catalogue. ``field`` is the
    standard column that a steward would mend, or empty where the finding itself lists the columns. ``message`` is what
    a person is told, with places for the values of the row (``expectations.messages``); ``owner`` is who acts on it.
    ``scope`` says what must be known to judge it: the row, the whole delivery, or records of another kind as well.
    ``since`` and ``until`` are the first and last business day on which it is asked; null for ever.
    """

    id: str
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    title: str
    remedy: str
    source: str
    message: str = ""
    owner: Owner = "agency"
    field: str = ""
    scope: Scope = "row"
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def rule(self) -> str:
        """The rule of the catalogue that this expectation belongs to."""
        return self.id.partition(".")[0]

    @property
    def column(self) -> str:
        """The column that Great Expectations reads."""
        return str(self.kwargs["column"])


@dataclass(frozen=True, eq=False)
class Suite:
    """The expectations for one kind and sheet, or for what one site takes of a kind; a verdict names ``label``.

    ``set`` tells whether they say what is right by law and standard, or what a receiver takes.
    """

    name: str
    version: str
    expectations: tuple[Expectation, ...]
    set: RuleSet = "legal"

    @property
    def label(self) -> str:
        """Name and version, as verdicts carry it."""
        return f"{self.name}@{self.version}"

    def asks_as(self, other: Suite) -> bool:
        """Tell whether another suite has the same expectations to the letter; suites themselves compare as objects."""
        return [astuple(each) for each in self.expectations] == [astuple(each) for each in other.expectations]

    @functools.cached_property
    def by_id(self) -> dict[str, Expectation]:
        """Its expectations by id."""
        return {each.id: each for each in self.expectations}

    def of_scope(self, scope: Scope) -> Suite:
        """Return the part of this suite that can be judged knowing so much: rows, the delivery, records beyond it."""
        return self._parts[scope]

    def on(self, day: dt.date) -> Suite:
        """Return the part of this suite that is asked on a business day."""
        return self.part(each.id for each in self.expectations if in_force(day, each.since, each.until))

    def part(self, ids: Iterable[str]) -> Suite:
        """Return the part of this suite with these ids; itself where that is all of it."""
        wanted = frozenset(ids)
        if len(wanted) == len(self.expectations):
            return self
        return _part(self, wanted)

    @functools.cached_property
    def _parts(self) -> dict[Scope, Suite]:
        return {
            scope: Suite(self.name, self.version, tuple(e for e in self.expectations if e.scope == scope), self.set)
            for scope in SCOPES
        }


@functools.lru_cache(maxsize=64)
def _part(suite: Suite, ids: frozenset[str]) -> Suite:
    """Parts are kept: batches of one delivery mostly ask the same, and a judge keeps what it made of a suite."""
    return Suite(suite.name, suite.version, tuple(e for e in suite.expectations if e.id in ids), suite.set)


class SuiteInvalid(ValueError):
    """A suite file that cannot be used; names the file and the expectation."""


@functools.cache
def load_suite(kind: Kind, sheet: Sheet) -> Suite:
    """Read the suite of a kind and sheet from ``expectations/suites``."""
    return read_suite(SUITES / f"{kind}.{sheet}.yaml")


@functools.cache
def load_reference_suite(reference: Reference) -> Suite:
    """Read the suite of annual reports or online subjects from ``expectations/references``."""
    return read_suite(REFERENCE_SUITES / f"{reference}.yaml")


@functools.cache
def load_receiver_suite(site: str, kind: Kind) -> Suite | None:
    """Read what a site takes of a kind from ``expectations/receivers``; null where nobody said."""
    path = RECEIVER_SUITES / f"{site}.{kind}.yaml"
    return read_suite(path) if path.exists() else None


def read_suite(path: Path) -> Suite:
    """Read one suite file. With ``takes: NAME`` it has the expectations of the file of that name beside it.

    Raises ``SuiteInvalid`` for a missing or unknown key, a severity that its set does not know, or an id that stands
    twice.
    """
    content = read_yaml(path.read_text(encoding="utf-8"))
    of_set: RuleSet = content.get("set", "legal")
    if of_set not in _SEVERITIES:
        raise SuiteInvalid(f"{path.name}: set {of_set!r} is none of {', '.join(_SEVERITIES)}")
    if "takes" in content:
        lender = path.with_name(f"{content['takes']}.yaml")
        if not lender.exists():
            raise SuiteInvalid(f"{path.name}: takes {content['takes']}, which is not there")
        return Suite(content["name"], str(content["version"]), _read_beside(lender).expectations, of_set)
    expectations: dict[str, Expectation] = {}
    for position, entry in enumerate(content["expectations"], start=1):
        place = f"{path.name}, expectation {position}"
        try:
            expectation = Expectation(type=entry["type"], kwargs=entry["kwargs"], **entry["meta"])
        except (KeyError, TypeError) as error:
            raise SuiteInvalid(f"{place}: {error}") from error
        if expectation.severity not in _SEVERITIES[of_set]:
            allowed = ", ".join(_SEVERITIES[of_set])
            raise SuiteInvalid(f"{place}: severity {expectation.severity!r} is none of {allowed}")
        if expectation.id in expectations:
            raise SuiteInvalid(f"{place}: id {expectation.id} stands twice")
        expectations[expectation.id] = expectation
    return Suite(content["name"], str(content["version"]), tuple(expectations.values()), of_set)


@functools.cache
def _read_beside(path: Path) -> Suite:
    """Read a suite that others take over once: theirs are its very expectations."""
    return read_suite(path)
