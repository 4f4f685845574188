"""Suites are reviewed files: an id means one thing, a failure tells a steward what to do, a finding is judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from delivering import legacy_penalty, licence, penalty

from expectations import runner
from expectations.suite import SUITES, Expectation, Suite, SuiteInvalid, load_suite, read_suite
from pipeline.storing import REPEATS
from transforms.authority import Authority
from transforms.columns import DUAL_PUBLICITY, Kind, Sheet, record_schema
from transforms.findings import rule_findings
from transforms.sheets import SHEETS, recognise
from transforms.standardise import standardise

PAIRS = list(SHEETS)
CATALOGUE = {
    "R01", "R02", "R03", "R05", "R08", "R09", "R10", "R11", "R12", "R14", "R16", "R17", "R19", "R20", "R21", "R22",
    "R23", "R24",
}  # fmt: skip
"""Rules that judge; R13 and R15 of the plan normalise."""
CANNOT_SAY = {(Kind.LICENCE, Sheet.STANDARD): {"R20.disputed"}}
"""Findings about a value that the sheet has no code for."""


def _findings(kind: Kind, sheet: Sheet) -> dict[str, pa.Array]:
    rows: dict[tuple[Kind, Sheet], Any] = {
        (Kind.LICENCE, Sheet.STANDARD): licence(1),
        (Kind.PENALTY, Sheet.STANDARD): penalty(1),
        (Kind.PENALTY, Sheet.LEGACY): legacy_penalty(1),
    }
    row = dict(rows.get((kind, sheet), {column.code: "" for column in SHEETS[kind, sheet].columns}))
    recognition = recognise(list(row), kind, file="f.csv")
    assert recognition.definition.sheet is sheet
    batch = pa.RecordBatch.from_pylist([row | {"row_no": 2}])
    delivering = Authority("aic", ("北京市工商行政管理局",), ("11110000TE0000010U",), codes_verified=False)
    standardised = standardise(batch, recognition, delivering)
    return rule_findings(standardised, recognition.definition, delivering=delivering, as_of=dt.date(2018, 8, 21))


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_every_failure_tells_what_to_do(kind: Kind, sheet: Sheet) -> None:
    suite = load_suite(kind, sheet)
    assert suite.name == f"{kind}.{sheet}"
    for expectation in suite.expectations:
        assert expectation.rule[0] == "R"
        assert expectation.title
        assert len(expectation.remedy) >= 6, expectation.id
        assert expectation.source, expectation.id
        assert not any(mark in expectation.remedy for mark in ("R0", "R1", "R2", "_")), expectation.id


def test_one_id_means_one_thing_in_every_suite() -> None:
    meanings: dict[str, set[tuple[str, str]]] = {}
    for kind, sheet in PAIRS:
        for expectation in load_suite(kind, sheet).expectations:
            meanings.setdefault(expectation.id, set()).add((expectation.column, expectation.field))
    assert meanings.pop("R12.date_order") == {
        ("R12.date_order", name) for name in ("valid_to", "publicity_until", "removal_date", "due_date", "last_seen")
    }
    assert meanings.pop("R14.category") == {("R14.category", f"{kind}_category") for kind in DUAL_PUBLICITY}
    assert meanings.pop("R22.same_document") == {
        ("R22.same_document", name) for name in ("document_no", "entry_no", "site_address")
    }
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_the_rules_of_the_plan_are_there() -> None:
    judged = {expectation.rule for pair in PAIRS for expectation in load_suite(*pair).expectations}
    assert judged >= CATALOGUE
    for kind, sheet in PAIRS:
        rules = {expectation.rule for expectation in load_suite(kind, sheet).expectations}
        assert rules >= {"R01", "R02", "R03", "R05", "R08", "R09", "R10", "R11", "R14", "R22", "R23", "R24"}
        assert "R12" in rules or kind is Kind.INSPECTION


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_every_finding_is_judged_and_every_column_is_found(kind: Kind, sheet: Sheet) -> None:
    found = set(_findings(kind, sheet)) | {REPEATS}
    named = {expectation.column for expectation in load_suite(kind, sheet).expectations}
    standard = set(record_schema(kind).names)
    targets = {column.target for column in SHEETS[kind, sheet].columns}
    absent = {name for name in found if name.partition(".")[2] in standard - targets} | CANNOT_SAY.get(
        (kind, sheet), set()
    )
    assert {name for name in found if "." in name} - absent - named == set(), "a finding that nobody judges"
    assert named - found - standard == set(), "an expectation on a column that nobody makes"
    assert {name for name in named if "." not in name} <= found, "R01 judges the text as given, not as standardised"


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_a_steward_is_sent_to_a_column_that_the_sheet_has(kind: Kind, sheet: Sheet) -> None:
    targets = {column.target for column in SHEETS[kind, sheet].columns}
    fields = {expectation.field for expectation in load_suite(kind, sheet).expectations if expectation.field}
    assert fields <= targets


def test_every_suite_file_belongs_to_a_sheet() -> None:
    assert {path.name for path in SUITES.iterdir()} == {f"{kind}.{sheet}.yaml" for kind, sheet in PAIRS}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("severity: fatal", "severity"),
        ("severity: hold, colour: red", "colour"),
        ("severity: hold, id: X", "stands twice"),
    ],
)
def test_a_broken_suite_names_the_place(tmp_path: Any, wrong: str, said: str) -> None:
    meta = "{id: X, title: t, remedy: r, source: s, severity: hold}"
    spoilt = "{" + ("" if "id:" in wrong else "id: Y, ") + f"title: t, remedy: r, source: s, {wrong}}}"
    path = tmp_path / "bad.yaml"
    path.write_text(
        "name: bad\nversion: 1\nexpectations:\n"
        f"- {{type: expect_column_values_to_be_null, kwargs: {{column: a}}, meta: {meta}}}\n"
        f"- {{type: expect_column_values_to_be_null, kwargs: {{column: a}}, meta: {spoilt}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SuiteInvalid, match=f"bad.yaml, expectation 2: .*{said}"):
        read_suite(path)


def _one(kind: str, **kwargs: Any) -> Suite:
    expectation = Expectation("X.a", kind, kwargs, "hold", "t", "r", "s", "a")
    return Suite("tried", "1", (expectation,))


def test_the_runner_lists_every_failing_row_however_many() -> None:
    column = pa.array(["wrong" if n % 2 else None for n in range(3000)], pa.string())
    outcome = runner.judge({"a": column}, _one("expect_column_values_to_be_null", column="a"))["X.a"]
    assert (outcome.evaluated, outcome.unexpected) == (3000, 1500)
    assert outcome.positions.tolist() == list(range(1, 3000, 2))


def test_no_verdict_is_better_than_a_silent_pass() -> None:
    texts = {"a": pa.array(["x"])}
    with pytest.raises(runner.SuiteFailed, match=r"tried@1 X\.a"):
        runner.judge(texts, _one("expect_column_values_to_be_between", column="a", min_value=1))


def test_a_column_that_is_missing_stops_the_run() -> None:
    with pytest.raises((KeyError, runner.SuiteFailed)):
        runner.judge({"b": pa.array(["x"])}, _one("expect_column_values_to_be_null", column="a"))
