"""Imports go one way, and every room says what lives in it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
CONFIGURATION = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = CONFIGURATION["tool"]["importlinter"]["root_packages"]


def test_the_import_contract_is_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-logo"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_contract_names_every_room() -> None:
    layers = CONFIGURATION["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {room.strip() for layer in layers for room in layer.split("|")}
    found = {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests", "bench", "tools", "docs"}
    assert placed == set(ROOMS)
    assert found <= placed


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_lives_there(room: str) -> None:
    docstring = ast.get_docstring(ast.parse((PROJECT / room / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring) > 30


def test_transforms_do_no_input_or_output() -> None:
    banned = {"requests", "sqlalchemy", "psycopg", "duckdb", "socket", "subprocess", "great_expectations"}
    for path in sorted((PROJECT / "transforms").rglob("*.py")):
        imported = {
            name.partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not imported & banned, path.name
