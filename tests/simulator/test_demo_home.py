"""A demo removes what an earlier demo left, and nothing else; a second one at the same place is turned away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.airflow_runtime import start_time
from simulator.demo_run import MARK, HomeInUseError, clear_home, settings_of


def test_a_missing_or_empty_folder_becomes_a_home(tmp_path: Path) -> None:
    clear_home(tmp_path)
    clear_home(tmp_path / "deep" / "home")
    assert (tmp_path / "deep" / "home" / MARK).exists()


def test_what_an_ended_demo_left_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "feeds").mkdir(parents=True)
    (home / MARK).write_text(json.dumps({"pid": 1, "started": "another process had this number"}))
    clear_home(home)
    assert [path.name for path in home.iterdir()] == [MARK]
    assert json.loads((home / MARK).read_text())["pid"] == os.getpid()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("years of work")
    with pytest.raises(HomeInUseError, match="choose another --home"):
        clear_home(tmp_path)
    assert kept.read_text() == "years of work"


def test_a_demo_that_runs_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / MARK).write_text(json.dumps({"pid": other.pid, "started": start_time(other.pid)}))
        with pytest.raises(HomeInUseError, match=f"process {other.pid}"):
            clear_home(tmp_path)
        other.terminate()
    clear_home(tmp_path)


def test_the_environment_does_not_lead_a_demo_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCLOSURE_HOME", "DISCLOSURE_FEEDS_DIR", "DISCLOSURE_ARCHIVE_DIR", "DISCLOSURE_REGISTER_DROP"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql://production/disclosure")
    settings = settings_of(tmp_path)
    assert settings.database_url is None
    places = (settings.state, settings.feeds, settings.archive, settings.register_inbox, settings.postgres_data)
    assert all(place.is_relative_to(tmp_path) for place in places)
