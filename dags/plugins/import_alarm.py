"""Plugin: a DAG file that does not import raises an alarm instead of quietly dropping out of the schedule."""

from __future__ import annotations

import sys

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from dags.alarms import import_failed


@hookimpl
def on_new_dag_import_error(filename: str, stacktrace: str) -> None:
    """Raise the alarm when a file breaks."""
    import_failed(filename, stacktrace)


@hookimpl
def on_existing_dag_import_error(filename: str, stacktrace: str) -> None:
    """Raise the alarm again for as long as the file stays broken."""
    import_failed(filename, stacktrace)


class ImportAlarmPlugin(AirflowPlugin):
    """Registers this module as a listener."""

    name = "import_alarm"
    listeners = [sys.modules[__name__]]  # noqa: RUF012 - the type of the base class
