"""A small client of Airflow's REST API: start runs for a business date, wait for them, say what became of them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

FINISHED = frozenset({"success", "failed"})

_PAGE = 100
_POLL_SECONDS = 0.5
_QUIET_SECONDS = 15.0


class AirflowApiError(Exception):
    """The API answered with an error; the message holds its status and text."""


def partition_key(dag_id: str, business_date: date) -> str:
    """Return the key that a run of a DAG carries: an agency's collections name the agency too (dags/business_date)."""
    stage, _, agency = dag_id.partition("__")
    return f"{agency}|{business_date}" if stage == "collect" else business_date.isoformat()


class Instance(Protocol):
    """A running Airflow, as far as its client has to know it."""

    @property
    def url(self) -> str:
        """Root of the web server."""

    @property
    def user(self) -> str:
        """Name of the administrator."""

    def password(self) -> str:
        """Return the administrator's password."""

    def check_alive(self) -> None:
        """Raise when a component has ended."""

    def task_log_tail(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Return the last lines of the newest attempt of a task."""


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run for one business date."""

    dag_id: str
    run_id: str
    business_date: str
    state: str
    seconds: float | None


class RunsMissingError(Exception):
    """Runs that were waited for did not come or did not end; ``runs`` holds those that there are."""

    def __init__(self, message: str, runs: list[Run]) -> None:
        """Carry the message and the runs of that business date."""
        super().__init__(message)
        self.runs = runs


class AirflowClient:
    """Talks to one instance as its administrator; the token is fetched with the first call."""

    def __init__(self, instance: Instance) -> None:
        """Take the address and the password file from the instance."""
        self._instance = instance
        self._session = requests.Session()
        self._session.trust_env = False

    def health(self) -> dict[str, str]:
        """Return the state per component (``healthy``, ``unhealthy``); empty while the server does not answer."""
        try:
            answer = self._session.get(f"{self._instance.url}/api/v2/monitor/health", timeout=5)
        except requests.ConnectionError:
            return {}
        except requests.Timeout:
            return {}
        if not answer.ok:
            return {}
        return {name: str(part.get("status")) for name, part in sorted(answer.json().items())}

    def dag_ids(self) -> set[str]:
        """Return the ids of the DAGs that are parsed and active."""
        return {dag["dag_id"] for dag in self._call("GET", "/dags", params={"limit": _PAGE})["dags"]}

    def import_errors(self) -> dict[str, str]:
        """Return the traceback per DAG file that does not import."""
        found = self._call("GET", "/importErrors", params={"limit": _PAGE})["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in found}

    def set_pools(self, pools: Mapping[str, int]) -> None:
        """Create the pools or correct their slots; pools that are not named stay as they are."""
        held = {pool["name"]: pool["slots"] for pool in self._call("GET", "/pools", params={"limit": _PAGE})["pools"]}
        for name, slots in sorted(pools.items()):
            if name not in held:
                self._call("POST", "/pools", json={"name": name, "slots": slots})
            elif held[name] != slots:
                self._call("PATCH", f"/pools/{name}", params={"update_mask": "slots"}, json={"slots": slots})

    def trigger(self, dag_id: str, business_date: date) -> str:
        """Start a run of ``dag_id`` for the business date and return the run id."""
        body = {"logical_date": None, "partition_key": partition_key(dag_id, business_date)}
        return str(self._call("POST", f"/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def clear(self, run: Run) -> None:
        """Run all tasks of a finished run again (the repair of a failed collection)."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/clear"
        self._call("POST", path, json={"dry_run": False, "only_failed": False})

    def runs(self, business_date: date) -> list[Run]:
        """Return all runs for the business date, sorted by DAG id and then oldest first."""
        key = business_date.isoformat()
        found: list[Run] = []
        offset = 0
        while True:
            page = self._call(
                "GET", "/dags/~/dagRuns", params={"limit": _PAGE, "offset": offset, "order_by": "run_after"}
            )
            found += [
                Run(run["dag_id"], run["dag_run_id"], key, run["state"], run["duration"])
                for run in page["dag_runs"]
                if (run["partition_key"] or "").rpartition("|")[2] == key
            ]
            offset += _PAGE
            if offset >= page["total_entries"]:
                return sorted(found, key=lambda run: run.dag_id)

    def wait_for_runs(
        self,
        expected: Mapping[str, int],
        business_date: date,
        timeout: float,
        progress: Callable[[Run], object] = str,
        *,
        may_fail: Collection[str] = (),
        earlier: Collection[Run] = (),
    ) -> list[Run]:
        """Wait until every DAG of ``expected`` has that many finished runs for the business date; return all its runs.

        ``progress`` is told each change of a run's state, once. ``earlier`` are the runs that a date had before it is
        run again: they do not count. Raises ``RunsMissingError``, with the state of all runs and the end of the log of
        each failed task, when a run of a DAG outside ``may_fail`` failed and nothing else is on its way, when nothing
        has moved for a while though runs are missing, or after ``timeout`` seconds.
        """
        before = {(run.dag_id, run.run_id) for run in earlier}
        told: dict[tuple[str, str], str] = {}
        started = moved = time.monotonic()
        while True:
            self._instance.check_alive()
            runs = [run for run in self.runs(business_date) if (run.dag_id, run.run_id) not in before]
            for run in runs:
                if told.get((run.dag_id, run.run_id)) != run.state:
                    told[run.dag_id, run.run_id] = run.state
                    moved = time.monotonic()
                    progress(run)
            finished = Counter(run.dag_id for run in runs if run.state in FINISHED)
            missing = sorted(dag_id for dag_id, count in expected.items() if finished[dag_id] < count)
            active = any(run.state not in FINISHED for run in runs)
            broken = any(run.state == "failed" and run.dag_id not in may_fail for run in runs)
            if not (active or missing or broken):
                return runs
            now = time.monotonic()
            stuck = not active and (not missing or now - moved > _QUIET_SECONDS)
            if stuck or now - started > timeout:
                raise RunsMissingError(self._account(runs, missing, business_date), runs)
            time.sleep(_POLL_SECONDS)

    def _account(self, runs: list[Run], missing: list[str], business_date: date) -> str:
        failed = [run.dag_id for run in runs if run.state == "failed"]
        lines = [
            f"Airflow did not finish business date {business_date}: "
            f"failed {', '.join(failed) or 'none'}, missing {', '.join(missing) or 'none'}"
        ]
        lines += [f"  {run.dag_id}: {run.state} ({run.run_id})" for run in runs]
        for run in runs:
            if run.state != "failed":
                continue
            tasks = self._call("GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")["task_instances"]
            for task in sorted(tasks, key=lambda each: each["task_id"]):
                if task["state"] == "failed":
                    lines.append(f"  log of {run.dag_id}.{task['task_id']}, attempt {task['try_number']}:")
                    tail = self._instance.task_log_tail(run.dag_id, run.run_id, task["task_id"])
                    lines += [f"    {line}" for line in tail]
        return "\n".join(lines)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if "Authorization" not in self._session.headers:
            self._log_in()
        answer = self._session.request(method, f"{self._instance.url}/api/v2{path}", timeout=30, **arguments)
        if answer.status_code == requests.codes.unauthorized:
            self._log_in()
            answer = self._session.request(method, f"{self._instance.url}/api/v2{path}", timeout=30, **arguments)
        if not answer.ok:
            msg = f"{method} {path} was answered with {answer.status_code}: {answer.text[:500]}"
            raise AirflowApiError(msg)
        return answer.json()

    def _log_in(self) -> None:
        body = {"username": self._instance.user, "password": self._instance.password()}
        answer = self._session.post(f"{self._instance.url}/auth/token", json=body, timeout=30)
        if not answer.ok:
            msg = f"log-in as {self._instance.user} was answered with {answer.status_code}"
            raise AirflowApiError(msg)
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
