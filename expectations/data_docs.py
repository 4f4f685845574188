"""Data Docs: what Great Expectations counted over one delivery, drawn by its own renderers as one page of HTML.

Great Expectations' own page loads scripts and styles from other hosts. Here its sections stand in a frame of ours, with
a style sheet beside it: the page works in a closed network and as a file. It holds counts and never a value.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from expectations.runner import great_expectations
from expectations.suite import SEVERITY_NAMES, Expectation, Suite

_TEMPLATES: Final = Path(__file__).with_name("templates")
_BLOCK_ID: Final = re.compile(r' id="(?:section|content-block)-[^"]*"')
"""Ids that its blocks count anew in every section: on a page of many sections each would stand many times."""
_BLOCK_HEADING: Final = re.compile(r"(</?)h5\b")
"""Its headings, which stand below our second level."""
STYLE_SHEET: Final = _TEMPLATES / "data_docs.css"
"""What a page looks for beside itself."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One expectation over a whole delivery: rows looked at, and rows that Great Expectations counted as failing."""

    evaluated: int
    unexpected: int


@dataclass(frozen=True, slots=True)
class OtherCount:
    """A rule that the pipeline counts itself, since no column can be asked about it, as a row that cannot be read."""

    rule: str
    title: str
    unexpected: int


def data_docs(
    suite: Suite,
    counts: Mapping[str, Counted],
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    others: Sequence[OtherCount] = (),
) -> str:
    """Return the page of one delivery; the same counts give the same text.

    ``counts`` by expectation id: what was asked of the delivery. ``facts``: name and text of each line of the head.
    """
    asked = [expectation for expectation in suite.expectations if expectation.id in counts]
    told = defaultdict(list)
    for expectation in asked:
        told[expectation.column].append(expectation)
    failing = [expectation for expectation in asked if counts[expectation.id].unexpected]
    failed = {expectation.column for expectation in failing}
    document = _renderer().render(_validation(suite, [_result(each, counts[each.id]) for each in asked]))
    shown = {
        "title": title, "facts": facts, "others": others, "told": told, "counts": counts, "failed": failed,
        "failures": len(failing), "judged": len(asked), "severities": SEVERITY_NAMES, "suite_name": suite.name,
    }  # fmt: skip
    page = _BLOCK_ID.sub("", _view().render(document, template="data_docs.j2", **shown))
    return _BLOCK_HEADING.sub(r"\1h3", page)


def _result(expectation: Expectation, counted: Counted) -> Any:
    from great_expectations.core import ExpectationValidationResult  # noqa: PLC0415 (seconds to import)
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: PLC0415

    return ExpectationValidationResult(
        success=not counted.unexpected,
        expectation_config=ExpectationConfiguration(type=expectation.type, kwargs=dict(expectation.kwargs)),
        result={
            "element_count": counted.evaluated,
            "unexpected_count": counted.unexpected,
            "unexpected_percent": 100 * counted.unexpected / counted.evaluated if counted.evaluated else 0.0,
            "partial_unexpected_list": [],
        },
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _validation(suite: Suite, results: Sequence[Any]) -> Any:
    from great_expectations.core import ExpectationSuiteValidationResult  # noqa: PLC0415

    passed = sum(result.success for result in results)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=list(results),
        suite_name=suite.label,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results) if results else None,
        },
        meta={},
    )


@cache
def _renderer() -> Any:
    great_expectations().get_context(mode="ephemeral")  # its renderers ask the context of the process
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415

    return ValidationResultsPageRenderer(run_info_at_end=True)


@cache
def _view() -> Any:
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    return DefaultJinjaPageView(custom_views_directory=os.fspath(_TEMPLATES))
