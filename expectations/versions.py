"""Which content each version of each suite has: a verdict that names a version must mean one thing for ever.

``versions.yaml`` lists every version that ever judged with the hash of its content. A suite that is changed gets a new
version, and the version its line: ``python -m expectations.versions`` adds what is missing and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from expectations.suite import RECEIVER_SUITES, REFERENCE_SUITES, SUITES, Expectation, Suite, read_suite
from transforms.yaml_text import read_yaml

RECORDED: Final = Path(__file__).with_name("versions.yaml")
_HEAD: Final = (
    "# Content of every suite version that ever judged (expectations/versions.py). Lines are added, never changed.\n"
)


def digest(suite: Suite) -> str:
    """Return the first 16 hex digits of the SHA-256 of what a suite says."""
    said = json.dumps([_said(each) for each in suite.expectations], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{suite.label} {suite.set} {said}".encode()).hexdigest()[:16]


def _said(expectation: Expectation) -> dict[str, Any]:
    """What an expectation says; days only where it has some, as before any had."""
    days = {name: day.isoformat() for name in ("since", "until") if (day := getattr(expectation, name)) is not None}
    return {name: told for name, told in asdict(expectation).items() if name not in ("since", "until")} | days


def recorded() -> dict[str, str]:
    """Return the hashes by label."""
    return dict(read_yaml(RECORDED.read_text(encoding="utf-8")) or {})


def every_suite() -> list[Suite]:
    """Return every suite of the package, by path."""
    folders = (SUITES, REFERENCE_SUITES, RECEIVER_SUITES)
    return [read_suite(path) for folder in folders for path in sorted(folder.glob("*.yaml"))]


def record_new() -> list[str]:
    """Add a line for every version that has none; return the labels added."""
    known = recorded()
    new = {suite.label: digest(suite) for suite in every_suite() if suite.label not in known}
    listed = {**known, **new}
    RECORDED.write_text(_HEAD + "".join(f"{label}: {listed[label]}\n" for label in sorted(listed)), encoding="utf-8")
    return sorted(new)


if __name__ == "__main__":
    record_new()
