"""The system at work on simulated agencies: its own PostgreSQL, the simulator, a real Airflow, in one folder.

Layout of a home::

    demo.json    marks the folder as one that may be removed by the next run; process id and start time of the demo
    postgres/    data of the embedded server: databases disclosure, exchange, airflow
    agencies/    what the simulator serves, and the truth about each row
    register/    inbox of the register
    archive/ feeds/ keys/ work/   as in any home of the system
    airflow/     home of Airflow: logs, and the password of its web page
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from connectors.descriptor import agency_ids
from feeds.sites import load_sites
from pipeline import airflow_runtime
from pipeline.airflow_client import AirflowClient, Run
from pipeline.office import DATABASE, Office, open_office
from pipeline.settings import Settings
from simulator.agencies import Simulator
from simulator.plan import SERVED
from store import embedded
from store.database import create_database

ROOT: Final = Path(__file__).resolve().parent.parent
MARK: Final = "demo.json"
AIRFLOW: Final = "airflow"

STARTED_BY_HAND: Final = ("refresh_register", *(f"collect__{agency}" for agency in agency_ids()))
STARTED_BY_ASSETS: Final = (
    "attach_records",
    "crosscheck_annual_reports",
    *(f"publish__{site}" for site in load_sites()),
)
DAG_IDS: Final = (*STARTED_BY_HAND, *STARTED_BY_ASSETS)
WITHOUT_ADDRESS: Final = frozenset(f"collect__{agency}" for agency in agency_ids() if agency not in SERVED)
"""These runs fail because their agency is nowhere to be reached; they close their part of the day all the same."""


class HomeInUseError(Exception):
    """The folder holds something else than an ended demo; the message says what to do."""


@dataclass(frozen=True)
class RunningSystem:
    """Everything that runs for a home, ready for a business day."""

    office: Office
    simulator: Simulator
    airflow: airflow_runtime.AirflowInstance
    client: AirflowClient

    def run_day(self, day: date, timeout: float, progress: Callable[[Run], object] = str) -> list[Run]:
        """Put the day's data in place, start its runs, wait until every DAG has ended, return the runs.

        Raises ``RunsMissingError``, with the end of the log of each failed task, when one did not end well.
        """
        self.simulator.publish_day(day)
        for dag_id in STARTED_BY_HAND:
            self.client.trigger(dag_id, day)
        return self.client.wait_for_runs(dict.fromkeys(DAG_IDS, 1), day, timeout, progress, may_fail=WITHOUT_ADDRESS)


def settings_of(home: Path) -> Settings:
    """Return the settings of a home on its embedded server, whatever the environment says."""
    return Settings(
        home=home,
        database_url=None,
        feeds_dir=home / "feeds",
        archive_dir=home / "archive",
        register_drop=home / "register",
    )


def clear_home(home: Path) -> None:
    """End what an earlier demo left running in ``home`` and remove it; make it anew.

    Raises ``HomeInUseError`` when another demo works there, or when the folder is not one of a demo.
    """
    mark = home / MARK
    if mark.exists():
        maker = json.loads(mark.read_text(encoding="utf-8"))
        if airflow_runtime.start_time(maker["pid"]) == maker["started"] and maker["pid"] != os.getpid():
            msg = f"a demo is running in {home} (process {maker['pid']}): end it with Ctrl-C, or choose another --home"
            raise HomeInUseError(msg)
        stop_processes(home)
        shutil.rmtree(home)
    elif home.exists() and any(home.iterdir()):
        msg = f"{home} is not empty and was not made by a demo: nothing was touched; choose another --home"
        raise HomeInUseError(msg)
    home.mkdir(parents=True, exist_ok=True)
    owner = {"pid": os.getpid(), "started": airflow_runtime.start_time(os.getpid())}
    mark.write_text(json.dumps(owner) + "\n", encoding="utf-8")


def stop_processes(home: Path) -> None:
    """End Airflow and PostgreSQL of a home, whoever started them."""
    airflow_runtime.stop_from_pidfile(home / AIRFLOW)
    embedded.stop(settings_of(home).postgres_data)


@contextmanager
def running_system(
    home: Path, *, enterprises: int = 3_000, scale: float = 1.0, progress: Callable[[str], object] = str
) -> Iterator[RunningSystem]:
    """Start everything in a fresh ``home``; on leaving, however, end every process and keep the files.

    Raises ``HomeInUseError`` and ``AirflowFailedError``.
    """
    clear_home(home)
    with ExitStack() as cleanup:
        cleanup.callback(stop_processes, home)
        cleanup.callback(progress, "stopping Airflow, the simulator and PostgreSQL")
        progress("PostgreSQL: starting the embedded server")
        office = open_office(settings_of(home), keep_database_running=True)
        cleanup.callback(office.engine.dispose)
        server = office.bulk_url
        progress(f"Simulator: making {enterprises} enterprises and the records of {len(SERVED)} agencies")
        simulator = Simulator(
            home / "agencies", create_database(server, "exchange"), enterprises=enterprises, scale=scale
        )
        cleanup.enter_context(simulator)
        progress("Simulator: APIs, a SOAP service and a web site over HTTPS, SFTP, drop folders, exchange databases")
        instance = airflow_runtime.start(_airflow_settings(home, office, simulator), progress)
        client = airflow_runtime.wait_healthy(instance, DAG_IDS, _pools(), progress=progress)
        yield RunningSystem(office, simulator, instance, client)


def _airflow_settings(home: Path, office: Office, simulator: Simulator) -> airflow_runtime.AirflowSettings:
    settings = office.settings
    return airflow_runtime.AirflowSettings(
        home=home / AIRFLOW,
        database_url=office.bulk_url,
        project_root=ROOT,
        endpoints=simulator.endpoints(),
        variables={
            "DISCLOSURE_HOME": str(home),
            "DATABASE_URL": create_database(office.bulk_url, DATABASE),
            "DISCLOSURE_FEEDS_DIR": str(settings.feeds),
            "DISCLOSURE_ARCHIVE_DIR": str(settings.archive),
            "DISCLOSURE_REGISTER_DROP": str(settings.register_inbox),
        },
    )


def _pools() -> Mapping[str, int]:
    return {**{f"agency_{agency}": 1 for agency in agency_ids()}, **{f"site_{site}": 1 for site in load_sites()}}
