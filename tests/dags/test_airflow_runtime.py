"""What an Airflow on this machine is started from, and that none of its processes outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.airflow_runtime import (
    AirflowFailedError,
    AirflowInstance,
    AirflowSettings,
    Component,
    environment,
    instance_secrets,
    record,
    running,
    start_time,
    stop_from_pidfile,
)

KEYS = {"fernet_key": "f", "jwt_secret": "j", "api_secret": "a"}

FAMILY = """
import os, signal, subprocess, sys, time
child = "import os, signal, time; os.setpgid(0, 0); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child])
print("ready", flush=True)
time.sleep(600)
"""
"""A component with a child in a process group of its own that does not listen to SIGTERM, as a task can be."""


def settings(home: Path, url: str = "postgresql://postgres:@/postgres?host=/tmp/pg dir") -> AirflowSettings:
    return AirflowSettings(home=home, database_url=url, project_root=Path("/project"))


@pytest.mark.parametrize(
    ("server", "host", "socket"),
    [
        ("postgresql://postgres:@/postgres?host=/tmp/pg", None, "/tmp/pg"),  # noqa: S108
        ("postgresql+psycopg://u:p%40ss@db.example:5433/credit", "db.example", None),
    ],
)
def test_the_metadata_lives_in_a_database_of_its_own_on_the_same_server(
    tmp_path: Path, server: str, host: str | None, socket: str | None
) -> None:
    found = environment(settings(tmp_path, server), 8080, KEYS)
    for name, driver in (("SQL_ALCHEMY_CONN", "psycopg2"), ("SQL_ALCHEMY_CONN_ASYNC", "asyncpg")):
        url = sa.make_url(found[f"AIRFLOW__DATABASE__{name}"])
        assert url.drivername == f"postgresql+{driver}"
        assert url.database == "airflow"
        assert (url.host, url.query.get("host")) == (host, socket)
        assert url.password == sa.make_url(server).password


def test_the_task_api_is_reached_at_the_chosen_port_and_past_any_proxy(tmp_path: Path) -> None:
    found = environment(settings(tmp_path), 12345, KEYS)
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:12345/execution/"
    assert found["AIRFLOW__API__PORT"] == "12345"
    assert "127.0.0.1" in found["NO_PROXY"].split(",")


def test_nothing_of_the_callers_own_airflow_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_AGENCY_AIC", "https://somewhere.else")
    found = environment(settings(tmp_path), 1, KEYS)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW_CONN_AGENCY_AIC" not in found


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    first = instance_secrets(tmp_path)
    password = AirflowInstance(tmp_path, "http://x", ()).password()
    assert instance_secrets(tmp_path) == first
    assert AirflowInstance(tmp_path, "http://x", ()).password() == password
    assert len(first["jwt_secret"]) >= 64
    for name in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[AirflowInstance]:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "scheduler.log").write_text("first line\nno such table: dag\n")
    process = subprocess.Popen([sys.executable, "-c", FAMILY], start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    component = Component("scheduler", process.pid, start_time(process.pid) or "")
    made = AirflowInstance(tmp_path, "http://127.0.0.1:1", (component,))
    record(made)
    yield made
    stop_from_pidfile(tmp_path, patience=0.2)
    process.stdout.close()
    process.wait()


def members(session: int) -> list[int]:
    """Return the live processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
                if alive and os.getsid(int(entry.name)) == session:
                    found.append(int(entry.name))
    return found


def test_ending_an_instance_ends_its_whole_family(instance: AirflowInstance) -> None:
    session = instance.components[0].pid
    assert len(members(session)) == 2
    assert running(instance.home) == instance
    started = time.monotonic()
    assert stop_from_pidfile(instance.home, patience=1)
    assert time.monotonic() - started < 8
    assert members(session) == []
    assert running(instance.home) is None
    assert not stop_from_pidfile(instance.home)


def test_a_crashed_component_is_reported_with_its_log_and_its_orphans_are_ended(instance: AirflowInstance) -> None:
    leader = instance.components[0].pid
    os.kill(leader, signal.SIGKILL)
    limit = time.monotonic() + 5
    while leader in members(leader) and time.monotonic() < limit:
        time.sleep(0.05)
    with pytest.raises(AirflowFailedError, match=r"(?s)scheduler ended.*no such table: dag"):
        instance.check_alive()
    assert len(members(leader)) == 1
    assert stop_from_pidfile(instance.home, patience=0.5)
    assert members(leader) == []


def test_a_stranger_that_got_the_process_id_is_left_alone(instance: AirflowInstance) -> None:
    component = instance.components[0]
    reused = AirflowInstance(instance.home, instance.url, (Component("scheduler", component.pid, "17"),))
    record(reused)
    assert stop_from_pidfile(instance.home)
    assert len(members(component.pid)) == 2
    record(instance)


def test_the_record_of_an_instance_is_readable_and_without_secrets(instance: AirflowInstance) -> None:
    content = json.loads((instance.home / "instance.json").read_text())
    assert set(content) == {"url", "components"}
    assert [each["name"] for each in content["components"]] == ["scheduler"]


def test_the_end_of_a_tasks_log_is_readable(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "dag_id=collect__aic" / "run_id=r1" / "task_id=collect"
    folder.mkdir(parents=True)
    refused = {"exc_type": "AgencyRefused", "exc_value": "401", "frames": [{"filename": "steps.py", "lineno": 7}]}
    lines = [{"level": "info", "event": "开始"}, {"level": "error", "event": "Task failed", "error_detail": [refused]}]
    (folder / "attempt=1.log").write_text("".join(json.dumps(line) + "\n" for line in lines) + "killed\n")
    instance = AirflowInstance(tmp_path, "http://x", ())
    assert instance.task_log_tail("collect__aic", "r1", "collect") == [
        "info: 开始",
        "error: Task failed; AgencyRefused: 401 (steps.py:7)",
        "killed",
    ]
    assert instance.task_log_tail("collect__aic", "r2", "collect") == ["no log was written"]
