"""Suites are reviewed files: an id means one thing, a failure tells a steward what to do, a finding is judged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from delivering import legacy_penalty, licence, penalty
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations import runner
from expectations.messages import PLACES, places_of, say
from expectations.suite import SUITES, Expectation, Suite, SuiteInvalid, load_suite, read_suite
from expectations.versions import digest, every_suite, recorded
from pipeline.storing import REPEATS
from transforms.authority import Authority
from transforms.columns import DUAL_PUBLICITY, STANDARD_COLUMNS, Kind, Sheet, record_schema
from transforms.findings import rule_findings
from transforms.sheets import SHEETS, recognise
from transforms.standardise import standardise

PAIRS = list(SHEETS)
EVERYWHERE = {
    "R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09", "R10", "R11", "R14", "R22", "R23", "R24", "R26",
    "R29",
}  # fmt: skip
"""Rules that every kind and sheet has."""
_DUAL = {(kind, sheet) for kind in DUAL_PUBLICITY for sheet in Sheet}
_STANDARD = {pair for pair in SHEETS if pair[1] is Sheet.STANDARD}
_LICENCES = {(Kind.LICENCE, sheet) for sheet in Sheet}
_PENALTIES = {(Kind.PENALTY, sheet) for sheet in Sheet}
_LEGACY = {(kind, Sheet.LEGACY) for kind in DUAL_PUBLICITY}
SOMEWHERE = {
    "R12": set(SHEETS) - {(Kind.INSPECTION, Sheet.STANDARD)},  # an inspection has one day
    "R16": _PENALTIES, "R17": {(Kind.PENALTY, Sheet.STANDARD)}, "R18": _PENALTIES,  # amounts
    "R19": _STANDARD,  # the old sheet has no codes of authorities
    "R20": _LICENCES | _LEGACY,  # the other sheets have no column for a state
    "R21": _LEGACY | {(Kind.BASIC_INFO, Sheet.STANDARD)},  # only they have a region
    "R25": _DUAL | {
        (kind, Sheet.STANDARD) for kind in (Kind.INSPECTION, Kind.ABNORMAL_OPERATION, Kind.SERIOUS_VIOLATION)
    },  # no clock is known for measures and observations
    "R27": _LICENCES,
    "R28": _PENALTIES | {(Kind.LICENCE, Sheet.STANDARD)},  # old licences have no 许可编号
}  # fmt: skip
"""Rules that need a column or a clock that not every kind and sheet has. R13 and R15 normalise and judge nothing."""
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


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_a_suite_has_every_rule_of_the_catalogue_that_its_sheet_can_break(kind: Kind, sheet: Sheet) -> None:
    here = {rule for rule, pairs in SOMEWHERE.items() if (kind, sheet) in pairs}
    assert {expectation.rule for expectation in load_suite(kind, sheet).expectations} == EVERYWHERE | here


def test_every_rule_of_the_catalogue_is_somewhere() -> None:
    assert {f"R{number:02}" for number in range(1, 30)} - {"R13", "R15"} == EVERYWHERE | SOMEWHERE.keys()


def test_a_version_means_one_content_for_ever() -> None:
    changed = {suite.label for suite in every_suite() if recorded().get(suite.label) != digest(suite)}
    assert not changed, "give a changed suite a new version, then: python -m expectations.versions"


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_a_message_has_places_for_what_the_row_holds(kind: Kind, sheet: Sheet) -> None:
    held = {*STANDARD_COLUMNS[kind], *PLACES}
    labels = {column.target: column.label for column in SHEETS[kind, sheet].columns}
    for expectation in load_suite(kind, sheet).expectations:
        assert expectation.message, expectation.id
        assert places_of(expectation.message) <= held, expectation.id
        assert expectation.owner in ("agency", "platform")
        verdict = {"value": "某值", "finding": expectation.field or "subject_name"}
        said = say(expectation, dict.fromkeys(STANDARD_COLUMNS[kind]), verdict, labels)
        assert said.endswith("。"), expectation.id
        assert "{" not in said, expectation.id


@pytest.mark.parametrize(("kind", "sheet"), PAIRS)
def test_every_finding_is_judged_and_every_column_is_found(kind: Kind, sheet: Sheet) -> None:
    across = {expectation.column for expectation in load_suite(kind, sheet).of_scope("across").expectations}
    found = set(_findings(kind, sheet)) | {REPEATS} | across
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


PRESENCE = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")


@settings(max_examples=15)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=2, max_size=5))
def test_each_of_many_columns_is_judged_by_its_own_cells(filled: list[list[bool]]) -> None:
    """Some of them empty, some equal: whatever questions are put together, each answer is that of its column."""
    columns = {f"c{n}": pa.array(["x" if cell else None for cell in cells]) for n, cells in enumerate(filled)}
    asked = [(f"{name}.{kind}", kind, name) for name in columns for kind in PRESENCE]
    suite = Suite(
        "tried", "1", tuple(Expectation(i, kind, {"column": name}, "hold", "t", "r", "s") for i, kind, name in asked)
    )
    outcomes = runner.judge(columns, suite)
    assert list(outcomes) == [i for i, _, _ in asked]
    for i, kind, name in asked:
        wanted = kind == PRESENCE[0]
        failing = [row for row, cell in enumerate(columns[name].to_pylist()) if (cell is not None) is wanted]
        assert (outcomes[i].evaluated, outcomes[i].unexpected, outcomes[i].positions.tolist()) == (
            4, len(failing), failing,
        )  # fmt: skip


def test_no_verdict_is_better_than_a_silent_pass() -> None:
    texts = {"a": pa.array(["x"])}
    with pytest.raises(runner.SuiteFailed, match=r"tried@1 X\.a"):
        runner.judge(texts, _one("expect_column_values_to_be_between", column="a", min_value=1))


def test_a_column_that_is_missing_stops_the_run() -> None:
    with pytest.raises((KeyError, runner.SuiteFailed)):
        runner.judge({"b": pa.array(["x"])}, _one("expect_column_values_to_be_null", column="a"))
