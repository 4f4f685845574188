"""Plugin: the stewards' workbench inside Airflow, behind Airflow's login."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from workbench.in_airflow import VIEW, WorkbenchInAirflow


class WorkbenchPlugin(AirflowPlugin):
    """Mounts the workbench and names it in the navigation."""

    name = "workbench"
    fastapi_apps = [  # noqa: RUF012 - the type of the base class
        {"app": WorkbenchInAirflow(), "url_prefix": "/workbench", "name": "workbench"}
    ]
    external_views = [dict(VIEW)]  # noqa: RUF012 - the type of the base class
