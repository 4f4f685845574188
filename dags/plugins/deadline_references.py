"""Plugin: makes the project's deadline reference known to every Airflow process."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from dags.deadlines import RunDue


class DeadlineReferencesPlugin(AirflowPlugin):
    """Registers the reference that ``dags.deadlines`` counts from."""

    name = "deadline_references"
    deadline_references = [RunDue]  # noqa: RUF012 - the type of the base class
