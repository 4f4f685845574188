"""The whole system on one machine, left running for a person: embedded PostgreSQL, Airflow with its UI, workbench."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import requests

from connectors.descriptor import agency_ids
from connectors.endpoint import EndpointError, endpoint_from_environment
from pipeline import airflow_runtime
from pipeline.office import open_office
from pipeline.settings import Settings
from store import embedded
from store.database import libpq_url

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent
WORKBENCH_PORT: Final = 8070
WORKBENCH_PATIENCE: Final = 60.0
"""Seconds until it must answer: it imports the engines first."""


def pools(sites: tuple[str, ...]) -> dict[str, int]:
    """Return the Airflow pools: one slot per agency host and per site."""
    return {f"agency_{agency}": 1 for agency in agency_ids()} | {f"site_{site}": 1 for site in sites}


def dag_ids(sites: tuple[str, ...]) -> set[str]:
    """Return the ids of all DAGs."""
    return {
        "refresh_register",
        "attach_records",
        *(f"collect__{agency}" for agency in agency_ids()),
        *(f"publish__{site}" for site in sites),
    }


def up(sites: tuple[str, ...], progress: Callable[[str], object]) -> airflow_runtime.AirflowInstance:
    """Start what is not running yet and wait until it is healthy; the schedules follow the clock.

    Agencies with an address in the environment get their Airflow connection; the others' runs say what is missing.
    """
    settings = Settings()
    office = open_office(settings, keep_database_running=True)
    database_url = libpq_url(office.engine)
    endpoints = {}
    for agency in agency_ids():
        try:
            endpoints[agency] = endpoint_from_environment(agency)
        except EndpointError as error:
            progress(str(error))
    named = {name: value for name, value in os.environ.items() if name.startswith("DISCLOSURE_")}
    instance = airflow_runtime.start(
        airflow_runtime.AirflowSettings(
            home=settings.state / "airflow",
            database_url=database_url,
            project_root=PROJECT_ROOT,
            endpoints=endpoints,
            variables=named | {"DISCLOSURE_HOME": str(settings.state), "DATABASE_URL": database_url},
            follow_clock=True,
        ),
        progress,
    )
    airflow_runtime.wait_healthy(instance, dag_ids(sites), pools(sites), timeout=180, progress=progress)
    return instance


def start_workbench(port: int = WORKBENCH_PORT) -> airflow_runtime.AirflowInstance:
    """Start the workbench beside Airflow and wait until it answers; one that an earlier call left is ended first.

    Raises ``AirflowFailedError`` when another program has the port, or the workbench ends or stays silent.
    """
    settings = Settings()
    office = open_office(settings, keep_database_running=True)
    home = settings.state / "workbench"
    airflow_runtime.stop_from_pidfile(home)
    _require_free(port)
    instance = airflow_runtime.AirflowInstance(home, f"http://127.0.0.1:{port}", ())
    log = instance.log_file("workbench")
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    variables = {"DISCLOSURE_HOME": str(settings.state), "DATABASE_URL": libpq_url(office.engine)}
    search = os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]))
    component = airflow_runtime.launch(
        "workbench",
        ("workbench", "--port", str(port)),
        os.environ | variables | {"PYTHONPATH": search},
        log.parent,
        Path.cwd(),  # paths in the variables may be relative
    )
    instance = replace(instance, components=(component,))
    airflow_runtime.record(instance)
    _wait_for_answer(instance)
    return instance


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            msg = f"port {port} is taken by another program: end it, then start again"
            raise airflow_runtime.AirflowFailedError(msg)


def _wait_for_answer(instance: airflow_runtime.AirflowInstance) -> None:
    limit = time.monotonic() + WORKBENCH_PATIENCE
    with requests.Session() as session:
        session.trust_env = False
        while True:
            instance.check_alive()
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                if session.get(f"{instance.url}/health", timeout=5).ok:
                    return
            if time.monotonic() > limit:
                log = instance.log_file("workbench")
                msg = f"the workbench does not answer after {WORKBENCH_PATIENCE:.0f} s, its log is {log}"
                raise airflow_runtime.AirflowFailedError(msg)
            time.sleep(0.2)


def down() -> list[str]:
    """Stop the workbench, Airflow and the embedded server; return what was stopped."""
    settings = Settings()
    stopped = []
    if airflow_runtime.stop_from_pidfile(settings.state / "workbench"):
        stopped.append("workbench")
    if airflow_runtime.stop_from_pidfile(settings.state / "airflow"):
        stopped.append("airflow")
    if settings.database_url is None and embedded.stop(settings.postgres_data):
        stopped.append("postgresql")
    return stopped
