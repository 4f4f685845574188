"""Suites as reviewed files: what each expectation means to a person, beside what Great Expectations runs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transforms.columns import Kind, Reference, Sheet
from transforms.yaml_text import read_yaml

SUITES = Path(__file__).parent / "suites"
REFERENCE_SUITES = Path(__file__).parent / "references"
Severity = Literal["reject", "hold", "warn"]
Scope = Literal["row", "delivery"]


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """One expectation of a suite.

    ``id`` is stable for ever (``R03.uscc``); its part before the dot is the rule of the catalogue. ``field`` is the
    standard column that a steward would mend, or empty where the finding itself lists the columns. ``scope`` says what
    must be known to judge it: the row, or the whole delivery.
    """

    id: str
    type: str
    kwargs: dict[str, Any]
    severity: Severity
    title: str
    remedy: str
    source: str
    field: str = ""
    scope: Scope = "row"

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
    """The expectations for one kind and sheet; a verdict names ``label``."""

    name: str
    version: str
    expectations: tuple[Expectation, ...]

    @property
    def label(self) -> str:
        """Name and version, as verdicts carry it."""
        return f"{self.name}@{self.version}"

    def of_scope(self, scope: Scope) -> Suite:
        """Return the part of this suite that can be judged on a batch of rows, or on the whole delivery only."""
        return self._parts[scope]

    @functools.cached_property
    def _parts(self) -> dict[Scope, Suite]:
        scopes: tuple[Scope, ...] = ("row", "delivery")
        return {
            scope: Suite(self.name, self.version, tuple(e for e in self.expectations if e.scope == scope))
            for scope in scopes
        }


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


def read_suite(path: Path) -> Suite:
    """Read one suite file.

    Raises ``SuiteInvalid`` for a missing or unknown key, an unknown severity, or an id that stands twice.
    """
    content = read_yaml(path.read_text(encoding="utf-8"))
    expectations: dict[str, Expectation] = {}
    for position, entry in enumerate(content["expectations"], start=1):
        place = f"{path.name}, expectation {position}"
        try:
            expectation = Expectation(type=entry["type"], kwargs=entry["kwargs"], **entry["meta"])
        except (KeyError, TypeError) as error:
            raise SuiteInvalid(f"{place}: {error}") from error
        if expectation.severity not in ("reject", "hold", "warn"):
            raise SuiteInvalid(f"{place}: severity {expectation.severity!r} is none of reject, hold, warn")
        if expectation.id in expectations:
            raise SuiteInvalid(f"{place}: id {expectation.id} stands twice")
        expectations[expectation.id] = expectation
    return Suite(content["name"], str(content["version"]), tuple(expectations.values()))
