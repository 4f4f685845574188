"""The pages say what is there: links, commands, targets, files, settings and tables."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer.main

from connectors.descriptor import Agency, RecordStream, ReferenceStream, agency_ids, load_agency
from docs import rules_table
from feeds import server
from pipeline.cli import app
from pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
PLACES = "bench|connectors|dags|deploy|docs|expectations|feeds|pipeline|simulator|sql|store|tests|tools|transforms"


@pytest.fixture(params=PAGES, ids=IDS)
def page(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / unquote(target.partition("#")[0])).exists(), target


def test_every_picture_of_the_workbench_is_shown_once_and_is_small() -> None:
    shown = re.findall(r"\]\(workbench/([^)]+)\)", (ROOT / "docs" / "stewards.md").read_text(encoding="utf-8"))
    kept = {each.name: each.stat().st_size for each in (ROOT / "docs" / "workbench").iterdir()}
    assert sorted(shown) == sorted(kept)
    assert max(kept.values()) < 150_000


def test_commands_shown_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"(?:`|\$ |^|bin/|worker )disclosure((?: [a-z][a-z-]*)+)", text, re.MULTILINE):
        commands = _commands(typer.main.get_command(app))
        for word in words.split():
            if not commands:
                break
            assert word in commands, f"disclosure{words}"
            commands = _commands(commands[word])


def test_options_shown_exist(page: Path) -> None:
    known = set(_options(typer.main.get_command(app)))
    for line in re.findall(r"^(?:\$ )?disclosure .*$", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert set(re.findall(r"(?<=[\s\[])--[a-z-]+", line)) <= known, line


def test_the_command_has_the_subcommands_that_these_tests_look_for() -> None:
    assert {"ingest", "publish", "explain"} <= set(_commands(typer.main.get_command(app)))


def _commands(command: Any) -> dict[str, Any]:
    return dict(getattr(command, "commands", {}))


def _options(command: Any) -> list[str]:
    own = [option for parameter in command.params for option in parameter.opts]
    return own + [option for each in _commands(command).values() for option in _options(each)]


def test_make_targets_shown_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)) <= targets


def test_files_named_exist(page: Path) -> None:
    for name in re.findall(rf"`((?:{PLACES})/[\w./-]*)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or (ROOT / name).with_suffix(".py").exists(), name


def test_the_stewards_tables_are_those_of_the_files_that_decide() -> None:
    page = rules_table.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- table ([a-z ]+) -->", page)) == set(rules_table.TABLES)
    assert page == rules_table.with_tables(page), "run: python -m docs.rules_table"


def test_operators_find_every_setting() -> None:
    page = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    known |= {server.DIRECTORY_VARIABLE, server.HOST_VARIABLE, server.PORT_VARIABLE, f"{server.SITE_VARIABLE}<SITE>"}
    example = (ROOT / "deploy/env.example").read_text(encoding="utf-8")
    agencies = "|".join(agency_ids()).upper()
    named = set(re.findall(r"^(?:# )?([A-Z0-9_]+)=", example, re.MULTILINE))
    known |= {name for name in named if not re.match(rf"DISCLOSURE_({agencies})_[A-Z_]+$|.*_TOKEN_", name)}
    assert not {name for name in known if f"`{name}`" not in page}


def test_sources_tell_every_agency_with_its_transport_and_every_key() -> None:
    page = (ROOT / "docs/sources.md").read_text(encoding="utf-8")
    for agency in map(load_agency, agency_ids()):
        [line] = [line for line in page.splitlines() if line.startswith(f"| `{agency.id}` |")]
        assert f"`{agency.streams[0].transport.type}`" in line
        assert ("**held**" in line) == bool(agency.default_hold)
    for model in (Agency, RecordStream, ReferenceStream):
        assert not {name for name in model.model_fields if f"`{name}`" not in page}


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    decisions = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert f"({path.name})" in listed
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences", "Alternatives")), (
            path.name
        )


def test_the_picture_can_be_drawn() -> None:
    picture = ET.parse(ROOT / "docs/picture.svg").getroot()  # noqa: S314 (our own picture)
    assert picture.tag.endswith("svg") and picture.get("aria-label")
