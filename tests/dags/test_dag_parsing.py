"""Parsing the DAG folder: cheap, quiet, without network, and the same every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.descriptor import agency_ids

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def parse(folder: Path, hash_seed: str) -> dict[str, Any]:
    report = folder / f"report-{hash_seed}.json"
    done = subprocess.run(
        [sys.executable, str(HERE / "parse_report.py"), str(report)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(report.read_text()))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return parse(tmp_path_factory.mktemp("parse"), "1")


def test_every_file_imports(report: dict[str, Any]) -> None:
    assert report["import_errors"] == {}
    assert {f"collect__{agency}" for agency in agency_ids()} < set(report["dag_ids"])


def test_nothing_deprecated_is_used(report: dict[str, Any]) -> None:
    assert report["warnings"] == []
    assert report["deprecations_of_airflow"] == []


def test_parsing_imports_nothing_heavy_and_takes_little_time(report: dict[str, Any]) -> None:
    assert report["heavy_modules"] == []
    assert report["cpu_seconds"] < 3


def test_serialisation_does_not_depend_on_the_hash_seed(report: dict[str, Any], tmp_path: Path) -> None:
    assert parse(tmp_path, "4711")["serialized"] == report["serialized"]
