"""``disclosure source``: descriptors listed, checked with and without a sample, and begun."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from connectors.descriptor import agency_ids, load_agency
from connectors.descriptor.schema import FILE_NAME, agency_schema, schema_text
from pipeline.cli import app
from tests.cli.conftest import Answer
from tests.connectors.conformance import own_row, write_sample

ROOT = Path(__file__).resolve().parents[2]
AGENCIES = ROOT / "connectors/agencies"
DAY = ("--as-of", "2018-08-21")


@dataclass
class Samples:
    """Writes what ``drc`` delivers, whole or spoilt, and has it checked."""

    folder: Path

    def check(self, *more: str, drop: str = "", **changed: str) -> Answer:
        agency = load_agency("drc")
        row = own_row(agency, agency.streams[0]) | changed
        row.pop(drop, None)
        sample = self.folder / "sample.csv"
        write_sample(agency.streams[0], sample, [row, row])
        return run("check", AGENCIES / "drc.yaml", "--sample", sample, *DAY, *more)


def run(*words: object) -> Answer:
    result = CliRunner().invoke(app, ["source", *(str(word) for word in words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return Samples(tmp_path)


def test_every_agency_is_listed() -> None:
    listed = run("list", "--json").json
    assert [each["id"] for each in listed] == list(agency_ids())
    assert all(name in run("list").out for name in agency_ids())


def test_a_sound_sample_is_understood_and_accepted(samples: Samples) -> None:
    answer = samples.check()
    assert answer.code == 0
    assert "当事人" in answer.out and "CF_XDR_MC 行政相对人名称" in answer.out
    assert "every row would be accepted" in answer.out
    report = samples.check("--json").json
    assert (report["stream"], report["rows"], report["unknown"], report["failures"]) == ("penalty", 2, [], [])


def test_what_is_not_understood_is_named(samples: Samples) -> None:
    answer = samples.check("--json", 种类="9", 事实="", 新列="x")
    assert answer.code == 1
    report = answer.json
    assert report["unknown"] == ["新列"]
    assert report["untranslated"] == {"种类": {"9": 2}}
    failed = {each["expectation"]: (each["severity"], each["rows"]) for each in report["failures"]}
    assert failed["R14.category"][1] == failed["R01.facts"][1] == 2
    told = samples.check(种类="9", 事实="", 新列="x")
    assert all(text in told.out for text in ("新列", "R14.category", "there is something to mend"))


def test_a_sample_without_a_required_column_is_refused(samples: Samples) -> None:
    answer = samples.check(drop="事实")
    assert answer.code == 3
    assert "CF_SY" in answer.err


def test_a_sample_in_another_shape_than_agreed_differs(samples: Samples) -> None:
    agency = load_agency("drc")
    sample = samples.folder / "sample.csv"
    stream = agency.streams[0].model_copy(
        update={"format": agency.streams[0].format.model_copy(update={"encoding": "gb18030"})}
    )
    write_sample(stream, sample, [own_row(agency, stream)])
    answer = run("check", AGENCIES / "drc.yaml", "--sample", sample, *DAY, "--json")
    assert (answer.code, answer.json["differs"]) == (1, ["encoding is gb18030, the descriptor says utf-8"])


def test_a_descriptor_with_a_mistake_is_told_by_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "drc.yaml"
    text = (AGENCIES / "drc.yaml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    assert run("check", file).code == 0
    file.write_text(text.replace("freshness_hours", "fresh"), encoding="utf-8")
    answer = run("check", file)
    assert answer.code == 2
    assert "drc.yaml line" in answer.err and "streams[0].fresh: is not a key" in answer.err


def test_the_schema_for_editors_is_current_and_takes_every_descriptor() -> None:
    assert (AGENCIES / FILE_NAME).read_text(encoding="utf-8") == schema_text(), "disclosure source schema > it"
    assert run("schema").out == schema_text()
    validator = jsonschema.Draft202012Validator(agency_schema(), format_checker=None)
    for agency_id in agency_ids():
        content = json.loads(json.dumps(_written(agency_id), default=str))  # a day is text for an editor
        assert list(validator.iter_errors(content)) == []
    assert not validator.is_valid({**content, "colour": "red"})


def _written(agency_id: str) -> Any:
    return yaml.safe_load((AGENCIES / f"{agency_id}.yaml").read_text(encoding="utf-8"))


def test_what_is_begun_is_sound_at_once(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tests = []
    for agency_id, more in (("water", ()), ("garden", ("--like", "drc"))):
        words = ("new", agency_id, "--name", "北京市水务局", "--transport", "drop_folder", "--kind", "penalty", *more)
        begun = run(*words, "--root", tmp_path, "--json")
        assert begun.code == 0
        assert (ROOT / begun.json["suite"]).is_file()
        assert run("check", tmp_path / f"connectors/agencies/{agency_id}.yaml").code == 0
        tests += [path for path in begun.json["written"] if path.endswith(".py")]
        again = run(*words, "--root", tmp_path)
        assert again.code == 2 and "there already" in again.err
    for command in (
        ["ruff", "check", "--no-cache", *tests],
        ["ruff", "format", "--no-cache", "--check", *tests],
        ["pytest", "-q", "-p", "no:cacheprovider", *tests],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("../water", "drop_folder", "penalty"), "small letters"),
        (("water", "pigeon", "penalty"), "these are used: "),
        (("water", "drop_folder", "penalty", "--like", "aic"), "aic has no stream of penalty by drop_folder"),
        (("water", "drop_folder", "penalty", "--like", "nobody"), "known are: "),
    ],
)
def test_nothing_is_begun_where_it_cannot_be(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    agency_id, transport, kind, *more = words
    answer = run(
        "new", agency_id, "--name", "北京市水务局", "--transport", transport, "--kind", kind, "--root", tmp_path, *more
    )
    assert answer.code == 2
    assert reason in answer.err
    assert list(tmp_path.iterdir()) == []
