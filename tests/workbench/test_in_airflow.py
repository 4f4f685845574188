"""Mounted in Airflow: Airflow's guard stands before every route, and what cannot be guarded is closed."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.api_fastapi.core_api import security
from browsing import Browser
from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from pipeline import accounts
from pipeline.office import Office
from store.accounts import Role
from workbench import in_airflow
from workbench.in_airflow import WorkbenchInAirflow

PLUGIN = Path(__file__).parents[2] / "dags" / "plugins" / "workbench_view.py"


@dataclass
class AirflowUser:
    name: str

    def get_name(self) -> str:
        return self.name


@pytest.fixture
def workbench(office: Office) -> WorkbenchInAirflow:
    return WorkbenchInAirflow(lambda: office)


@pytest.fixture
def browser(workbench: WorkbenchInAirflow) -> Iterator[Browser]:
    airflow = FastAPI()
    airflow.mount("/workbench", workbench)
    yield Browser(TestClient(airflow, follow_redirects=False))


@pytest.fixture
def let_in(workbench: WorkbenchInAirflow, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let Airflow know a user, and say which views that user may see."""

    class Manager:
        views: tuple[str, ...] = ("PLUGINS",)

        def is_authorized_view(self, *, access_view: Any, user: AirflowUser) -> bool:
            return access_view.name in self.views

    manager = Manager()

    def let(name: str, *views: str) -> None:
        manager.views = views or ("PLUGINS",)
        monkeypatch.setattr(security, "get_auth_manager", lambda: manager)
        workbench.ready().dependency_overrides[security.get_user] = lambda: AirflowUser(name)

    return let


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        assert isinstance(route, APIRoute)
        path = route.path
        for part in route.param_convertors:
            path = path.replace(f"{{{part}:path}}", "1").replace(f"{{{part}}}", "1")
        for method in sorted(route.methods):
            yield method, f"/workbench{path}"


def test_no_mounted_route_answers_anybody_whom_airflow_does_not_know(
    workbench: WorkbenchInAirflow, browser: Browser
) -> None:
    asked = list(routes(workbench.ready()))
    assert len(asked) > 10
    for method, path in asked:
        assert browser.client.request(method, path).status_code == 401, path


def test_a_user_who_may_not_see_plugins_sees_no_route(
    workbench: WorkbenchInAirflow, browser: Browser, let_in: Any, office: Office
) -> None:
    accounts.add_account(office, "王平台", role=Role.PLATFORM, airflow_user="wang")
    let_in("wang", "WEBSITE")
    for method, path in routes(workbench.ready()):
        assert browser.client.request(method, path).status_code == 403, path


def test_an_airflow_user_without_an_account_here_sees_no_page(
    workbench: WorkbenchInAirflow, browser: Browser, let_in: Any, office: Office
) -> None:
    accounts.add_account(office, "王平台", role=Role.PLATFORM, airflow_user="wang")
    let_in("somebody")
    for method, path in routes(workbench.ready()):
        answer = browser.client.request(method, path)
        assert answer.status_code == 403 or "/static/" in path or path.endswith("/health"), path


def test_the_account_gives_name_role_and_agency(browser: Browser, let_in: Any, office: Office) -> None:
    accounts.add_account(office, "钱工商", role=Role.AGENCY, agency="aic", airflow_user="qian")
    let_in("qian")
    page = browser.get("/workbench/")
    assert page.status_code == 200
    assert "钱工商" in page.text and "机关数据员" in page.text and "退出登录" not in page.text
    assert 'href="/workbench/holds"' in page.text and "/workbench/static/workbench.css" in page.text
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert page.headers["set-cookie"].endswith("Path=/workbench; SameSite=lax")
    assert browser.get("/workbench/releases").status_code == 403


def test_a_form_needs_its_token_here_too_and_the_session_is_the_users_own(
    browser: Browser, let_in: Any, office: Office
) -> None:
    for name, user in (("李审批", "li"), ("王平台", "wang")):
        accounts.add_account(office, name, role=Role.APPROVER, airflow_user=user)
    let_in("li")
    assert browser.client.post("/workbench/holds/1", data={"decision": "approve"}).status_code == 403
    browser.get("/workbench/")
    first = browser.client.cookies["disclosure_session"]
    assert browser.get("/workbench/holds").headers.get("set-cookie") is None
    let_in("wang")
    assert "王平台" in browser.get("/workbench/").text
    assert browser.client.cookies["disclosure_session"] != first


def test_without_airflows_guards_everything_is_closed(
    workbench: WorkbenchInAirflow, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = {path for _, path in routes(workbench.ready())}
    monkeypatch.setattr(workbench, "_app", None)
    monkeypatch.setitem(sys.modules, "airflow.api_fastapi.core_api.security", None)
    assert {browser.client.get(path).status_code for path in paths} == {503}


def test_an_api_server_that_does_not_know_the_database_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert TestClient(WorkbenchInAirflow()).get("/").status_code == 503


def test_a_guard_that_refuses_is_not_taken_for_a_failure(workbench: WorkbenchInAirflow, browser: Browser) -> None:
    def refuse() -> None:
        raise HTTPException(401)

    workbench.ready().dependency_overrides[security.get_user] = refuse
    assert browser.get("/workbench/").status_code == 401


def test_a_process_that_only_loads_plugins_imports_nothing_of_the_workbench() -> None:
    program = "import sys, dags.plugins.workbench_view; print(sorted({'pandas', 'workbench.app'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("database", [None, "postgresql://nowhere.invalid/x"])
def test_an_airflow_that_knows_no_system_of_record_offers_no_workbench(
    database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if database:
        monkeypatch.setenv("DATABASE_URL", database)
    plugin = runpy.run_path(str(PLUGIN))["WorkbenchPlugin"]
    assert len(plugin.fastapi_apps) == len(plugin.external_views) == (1 if database else 0)


def test_the_view_leads_to_where_it_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.invalid/x")
    [mounted] = runpy.run_path(str(PLUGIN))["WorkbenchPlugin"].fastapi_apps
    assert in_airflow.VIEW["href"] == f"{mounted['url_prefix']}/"
