"""A real Airflow on this machine: database, secrets, its processes, and a sure way to end all of them.

Layout of an Airflow home (mode 0700)::

    secrets.json     Fernet key, JWT secret, API secret; made once, mode 0600
    passwords.json   user and password of the web page, made once, mode 0600: this is where a person finds them
    instance.json    what runs now: address, and process id and start time per component
    judge.sock       where Great Expectations is asked
    config/          the cluster policy that takes the DAGs off the clock, when asked for
    logs/            one file per component, and one folder per DAG, run and task

The metadata is a database of its own (``airflow``) on the server of the given URL. Processes: the API server (which
is also the task execution API), the scheduler with the LocalExecutor, the DAG processor, and the judge that tasks ask
(``expectations.judge_server``). No triggerer: nothing of ours defers, and deadline callbacks are synchronous ones that
run in the executor. Each component is the leader of a
session; ending an instance ends every process in those sessions, after a crash too.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from cryptography.fernet import Fernet

from expectations.judging import SOCKET_VARIABLE
from pipeline.airflow_client import AirflowClient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from connectors.endpoint import Endpoint

DATABASE = "airflow"
USER = "admin"
RUN_ID_PATTERN = "^[A-Za-z0-9_.~:+|-]+$"
"""What Airflow allows by default, and the bar of a partition key: ids of scheduled and of back-filled runs hold it."""
COMPONENTS: dict[str, tuple[str, ...]] = {
    "judge": ("expectations.judge_server",),
    "api-server": ("airflow", "api-server"),
    "dag-processor": ("pipeline.airflow_component", "dag-processor"),
    "scheduler": ("pipeline.airflow_component", "scheduler", "--skip-serve-logs"),
}
"""The module that each process runs, and its arguments."""

_TAIL_LINES = 25

_OFF_THE_CLOCK = '''"""Cluster policy: runs start only when somebody asks for a business date, never by the clock."""

from airflow.sdk import CronPartitionTimetable, PartitionedAtRuntime


def dag_policy(dag):
    """Take a DAG off the clock."""
    if isinstance(dag.timetable, CronPartitionTimetable):
        dag.timetable = PartitionedAtRuntime()
'''


class AirflowFailedError(Exception):
    """Airflow, or what stands beside it, did not start or stay up; the message ends with the last lines of the log."""


@dataclass(frozen=True)
class AirflowSettings:
    """What an instance is started from.

    ``database_url`` names the PostgreSQL server in any SQLAlchemy or libpq spelling, unix sockets too; the database
    in it is only used to create ours. ``project_root`` is the folder that holds ``dags`` and ``pipeline``.
    ``endpoints`` (per agency id) become the connections of the tasks; ``variables`` are added to the environment of
    every process, and so of every task. ``follow_clock`` lets the DAGs start by their timetables; without it they run
    only when triggered. ``port`` 0 takes a free one.
    """

    home: Path
    database_url: str
    project_root: Path
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    follow_clock: bool = False
    port: int = 0


@dataclass(frozen=True, slots=True)
class Component:
    """A running component: its process id, which is its session id too, and the start time that makes it unique."""

    name: str
    pid: int
    started: str


@dataclass(frozen=True)
class AirflowInstance:
    """A started instance, as it is written to ``instance.json``."""

    home: Path
    url: str
    components: tuple[Component, ...]

    user = USER

    @property
    def password_file(self) -> Path:
        """The file in which a person finds the password of the web page."""
        return self.home / "passwords.json"

    def password(self) -> str:
        """Return the administrator's password."""
        return str(json.loads(self.password_file.read_text())[USER])

    def log_file(self, component: str) -> Path:
        """Return the log of one component."""
        return self.home / "logs" / f"{component}.log"

    def check_alive(self) -> None:
        """Raise ``AirflowFailedError`` with the end of its log when a component has ended."""
        for component in self.components:
            if not _is_running(component):
                tail = "\n".join(_tail(self.log_file(component.name)))
                msg = f"{component.name} ended. Last lines of {self.log_file(component.name)}:\n{tail}"
                raise AirflowFailedError(msg)

    def task_log_tail(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Return the last lines of the newest attempt of a task."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        attempts = sorted(folder.glob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
        return [_readable(line) for line in _tail(attempts[-1])] if attempts else ["no log was written"]


def start(settings: AirflowSettings, progress: Callable[[str], object] = str) -> AirflowInstance:
    """Start an instance and return it, before it is healthy; what an earlier one left running is ended first.

    Creates the home, its secrets and the metadata database when they are missing, and brings the database to the
    installed version. Raises ``AirflowFailedError`` when that fails or a component ends at once.
    """
    stop_from_pidfile(settings.home)
    logs = settings.home / "logs"
    for folder in (settings.home, logs):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = settings.port or _free_port()
    variables = environment(settings, port, instance_secrets(settings.home))
    _write_policy(settings)
    progress("Airflow: preparing its database")
    _create_database(settings.database_url)
    _migrate(variables, logs / "migrate.log")
    progress("Airflow: starting " + ", ".join(COMPONENTS))
    instance = AirflowInstance(settings.home, f"http://127.0.0.1:{port}", ())
    for name, arguments in COMPONENTS.items():
        started = launch(name, arguments, variables, logs, Path(variables["AIRFLOW_HOME"]))
        instance = replace(instance, components=(*instance.components, started))
        record(instance)
    return instance


def wait_healthy(
    instance: AirflowInstance,
    dags: Collection[str],
    pools: Mapping[str, int],
    timeout: float = 120,
    progress: Callable[[str], object] = str,
) -> AirflowClient:
    """Wait until all components are healthy and all ``dags`` are parsed, set the pools, return a client.

    Raises ``AirflowFailedError`` when a component ended, a DAG file does not import, or after ``timeout`` seconds.
    """
    client = AirflowClient(instance)
    limit = time.monotonic() + timeout
    needed = ("metadatabase", "scheduler", "dag_processor")
    told: set[str] = set()
    while True:
        instance.check_alive()
        health = client.health()
        waiting = [part for part in needed if health.get(part) != "healthy"] if health else ["api-server"]
        for part in sorted(set(needed) - set(waiting) - told) if health else ():
            told.add(part)
            progress(f"Airflow: {part} is healthy")
        if not waiting:
            if errors := client.import_errors():
                msg = "DAG files do not import:\n" + "\n".join(f"{name}: {text}" for name, text in errors.items())
                raise AirflowFailedError(msg)
            waiting = sorted(set(dags) - client.dag_ids())
            if not waiting:
                client.set_pools(pools)
                progress(f"Airflow: {len(dags)} DAGs are ready")
                return client
        if time.monotonic() > limit:
            tails = [f"{each.name}:\n" + "\n".join(_tail(instance.log_file(each.name))) for each in instance.components]
            msg = f"Airflow is not ready after {timeout:.0f} s, waiting for {', '.join(waiting)}\n" + "\n".join(tails)
            raise AirflowFailedError(msg)
        time.sleep(0.3)


def launch(name: str, arguments: tuple[str, ...], variables: Mapping[str, str], logs: Path, folder: Path) -> Component:
    """Start a Python module in ``folder``, with these variables alone and a session of its own; log it in ``logs``."""
    with (logs / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and fixed arguments
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Component(name, process.pid, start_time(process.pid) or "")


def running(home: Path) -> AirflowInstance | None:
    """Return the instance of a home when at least one of its components runs."""
    instance = _recorded(home)
    return instance if instance and any(_session_members(each) for each in instance.components) else None


def stop(instance: AirflowInstance, patience: float = 10) -> None:
    """End every process of the instance: politely first, after ``patience`` seconds for good.

    A component that runs ends its own children; the children of one that has crashed are told themselves.
    """
    for component in instance.components:
        for pid in [component.pid] if _is_running(component) else sorted(_session_members(component)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + patience
    while (left := _members(instance)) and time.monotonic() < limit:
        time.sleep(0.1)
    while left:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        left = _members(instance)
    for component in instance.components:
        with contextlib.suppress(ChildProcessError):  # another process started it
            os.waitpid(component.pid, os.WNOHANG)
    _pidfile(instance.home).unlink(missing_ok=True)


def stop_from_pidfile(home: Path, patience: float = 10) -> bool:
    """End the instance of a home that another process started or left behind; return whether there was one."""
    instance = _recorded(home)
    if instance is None:
        return False
    stop(instance, patience)
    return True


# --- environment ------------------------------------------------------------------------------------------------


def environment(settings: AirflowSettings, port: int, keys: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of every process; ``keys`` are fernet_key, jwt_secret and api_secret."""
    url = f"http://127.0.0.1:{port}"

    dags = settings.project_root / "dags"
    bundle = {
        "name": "disclosure",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(dags)},
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    search = [str(settings.project_root), *filter(None, [settings.variables.get("PYTHONPATH", "")])]
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]))
    options = {
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.home / "passwords.json"),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__PLUGINS_FOLDER": str(dags / "plugins"),
        "CORE__FERNET_KEY": keys["fernet_key"],
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": _database_url(settings.database_url, "psycopg2"),
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": _database_url(settings.database_url, "asyncpg"),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API__BASE_URL": url,
        "API__SECRET_KEY": keys["api_secret"],
        "API_AUTH__JWT_SECRET": keys["jwt_secret"],
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "SCHEDULER__ALLOWED_RUN_ID_PATTERN": RUN_ID_PATTERN,
        "LOGGING__BASE_LOG_FOLDER": str(settings.home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(settings.home / "logs" / "dag_processor"),
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
    }
    return {
        **inherited,
        **settings.variables,
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
        **{f"AIRFLOW_CONN_AGENCY_{agency.upper()}": _connection(each) for agency, each in settings.endpoints.items()},
        "AIRFLOW_HOME": str(settings.home),
        SOCKET_VARIABLE: str(settings.home / "judge.sock"),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PYTHONPATH": os.pathsep.join(search),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _connection(endpoint: Endpoint) -> str:
    """Write an endpoint as the connection that ``dags.endpoints`` reads."""
    told = {"ca_file": endpoint.ca_file, "host_key": endpoint.host_key}
    extra = {name: str(value) for name, value in told.items() if value}
    return json.dumps({"conn_type": "generic", "host": endpoint.url, "password": endpoint.secret, "extra": extra})


def _database_url(server: str, driver: str) -> str:
    url = sa.make_url(server).set(drivername=f"postgresql+{driver}", database=DATABASE)
    return url.render_as_string(hide_password=False)


def _create_database(server: str) -> None:
    url = sa.make_url(server).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")


def instance_secrets(home: Path) -> dict[str, str]:
    """Return fernet_key, jwt_secret and api_secret of a home; made with the password when they are missing."""
    path = home / "secrets.json"
    if not path.exists():
        keys = {
            "fernet_key": Fernet.generate_key().decode(),
            "jwt_secret": secrets.token_urlsafe(96),
            "api_secret": secrets.token_urlsafe(48),
        }
        _write_private(path, keys)
    if not (home / "passwords.json").exists():
        _write_private(home / "passwords.json", {USER: secrets.token_urlsafe(12)})
    return dict(json.loads(path.read_text()))


def _write_private(path: Path, content: Mapping[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(content) + "\n")


def _write_policy(settings: AirflowSettings) -> None:
    policy = settings.home / "config" / "airflow_local_settings.py"
    if settings.follow_clock:
        policy.unlink(missing_ok=True)
        return
    policy.parent.mkdir(exist_ok=True)
    policy.write_text(_OFF_THE_CLOCK)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- processes --------------------------------------------------------------------------------------------------


def _migrate(variables: Mapping[str, str], log: Path) -> None:
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            cwd=variables["AIRFLOW_HOME"],
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        msg = f"Airflow's database could not be prepared. Last lines of {log}:\n" + "\n".join(_tail(log))
        raise AirflowFailedError(msg)


def _tail(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    except FileNotFoundError:
        return [f"(there is no {path})"]


def _readable(line: str) -> str:
    """Return a task's log line, which Airflow writes as JSON, as level, text and exceptions."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    raised = [
        f"{each['exc_type']}: {each['exc_value']} ({each['frames'][-1]['filename']}:{each['frames'][-1]['lineno']})"
        for each in entry.get("error_detail", [])
        if each["frames"]
    ]
    return "; ".join([f"{entry.get('level', '')}: {entry.get('event', '')}", *raised])


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/<pid>/stat`` after the command name; the first is the state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def start_time(pid: int) -> str | None:
    """Return when a process was started, in clock ticks since boot; null when there is none."""
    fields = _stat(pid)
    return fields[19] if fields else None


def _is_running(component: Component) -> bool:
    fields = _stat(component.pid)
    return fields is not None and fields[0] != "Z" and fields[19] == component.started


def _session_members(component: Component) -> set[int]:
    """Return the live processes of a component's session; none when its id now belongs to a stranger."""
    started = start_time(component.pid)
    if started is not None and started != component.started:
        return set()
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields and fields[0] != "Z" and int(fields[3]) == component.pid:
                members.add(int(entry.name))
    return members


def _members(instance: AirflowInstance) -> set[int]:
    for component in instance.components:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(component.pid, os.WNOHANG)
    return set().union(*(_session_members(component) for component in instance.components))


def _pidfile(home: Path) -> Path:
    return home / "instance.json"


def record(instance: AirflowInstance) -> None:
    """Write down what runs, so that another process can end it."""
    content = {
        "url": instance.url,
        "components": [{"name": c.name, "pid": c.pid, "started": c.started} for c in instance.components],
    }
    beside = _pidfile(instance.home).with_suffix(".new")
    beside.write_text(json.dumps(content, indent=2) + "\n")
    beside.replace(_pidfile(instance.home))


def _recorded(home: Path) -> AirflowInstance | None:
    try:
        content = json.loads(_pidfile(home).read_text())
    except FileNotFoundError:
        return None
    return AirflowInstance(home, content["url"], tuple(Component(**each) for each in content["components"]))
