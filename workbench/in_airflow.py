"""The workbench behind Airflow's login: the one module that knows Airflow's guards, and answers nobody without them.

Airflow mounts ``WorkbenchInAirflow`` (``dags/plugins/workbench_view.py``). Nothing is opened or imported before the
first request, so that the processes which only parse or run DAGs pay nothing. Where Airflow's guards cannot be
imported, where the office cannot be opened or ``DATABASE_URL`` is not set, every request is answered with 503.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from pipeline.office import Office

_DATABASE: Final = "DATABASE_URL"
_log: Final = logging.getLogger(__name__)


class NoDatabase(RuntimeError):
    """The api-server does not know the system of record, and must not start one of its own."""


def guards() -> list[Any]:
    """Return the dependencies that stand before every route: logged in, may see plugins, and who it is.

    Raises ``ImportError`` where Airflow moved them.
    """
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView  # noqa: PLC0415
    from airflow.api_fastapi.core_api.security import get_user, requires_access_view  # noqa: PLC0415
    from fastapi import Depends  # noqa: PLC0415

    from workbench.door import remember_airflow_user  # noqa: PLC0415

    return [Depends(requires_access_view(AccessView.PLUGINS)), Depends(remember_airflow_user(get_user))]


def _office_of_environment() -> Office:
    if not os.environ.get(_DATABASE):
        raise NoDatabase(f"set {_DATABASE} for the api-server")
    from pipeline.office import open_office  # noqa: PLC0415

    return open_office()


class WorkbenchInAirflow:
    """An ASGI application that becomes the workbench with the first request."""

    def __init__(self, offices: Callable[[], Office] = _office_of_environment) -> None:
        """Take the way to the office; it is not gone yet."""
        self._offices = offices
        self._lock = threading.Lock()
        self._app: FastAPI | None = None

    def ready(self) -> FastAPI:
        """Return the workbench, made once."""
        with self._lock:
            if self._app is None:
                from workbench.app import create_app  # noqa: PLC0415
                from workbench.door import AirflowDoor  # noqa: PLC0415

                before = guards()
                self._app = create_app(self._offices(), door=AirflowDoor(), before=before)
            return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; 503 to everybody where the workbench cannot be guarded or opened."""
        if scope["type"] != "http":
            return
        from starlette.concurrency import run_in_threadpool  # noqa: PLC0415
        from starlette.responses import PlainTextResponse  # noqa: PLC0415

        try:
            app = await run_in_threadpool(self.ready)
        except Exception:
            _log.exception("the workbench is closed: its guards or its office are missing")
            await PlainTextResponse("503: 工作台暂不可用\n", 503)(scope, receive, send)
            return
        await app(scope, receive, send)


VIEW: Final[Mapping[str, str]] = {
    "name": "数据员工作台",
    "href": "/workbench/",
    "destination": "nav",
    "url_route": "workbench",
}
"""The entry in Airflow's navigation."""
