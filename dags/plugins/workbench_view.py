"""Plugin: the stewards' workbench inside Airflow, behind Airflow's login.

An Airflow that is not told where the system of record is (``DATABASE_URL``) offers none.
"""

from __future__ import annotations

import os

from airflow.plugins_manager import AirflowPlugin

from workbench.in_airflow import VIEW, WorkbenchInAirflow

_OFFERED = "DATABASE_URL" in os.environ


class WorkbenchPlugin(AirflowPlugin):
    """Mounts the workbench and names it in the navigation."""

    name = "workbench"
    fastapi_apps = [{"app": WorkbenchInAirflow(), "url_prefix": "/workbench", "name": "workbench"}] if _OFFERED else []
    external_views = [dict(VIEW)] if _OFFERED else []
