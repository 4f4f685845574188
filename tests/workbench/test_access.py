"""Every route, walked: nobody without a session, no role that the table does not name, no form without its token."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browsing import Browser
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from store.accounts import Role
from workbench.access import MAY, PUBLIC

Enter = Callable[..., Browser]

AGENCIES = {Role.AGENCY: "aic"}


def routes(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Name, method and an address of every route."""
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is no route that the guard knows"
        path = route.path
        for part in route.param_convertors:
            path = path.replace(f"{{{part}:path}}", "1").replace(f"{{{part}}}", "1")
        for method in sorted(route.methods):
            yield route.name, method, path


def test_the_table_names_every_route_once_and_no_other(app: FastAPI) -> None:
    found = [name for name, _, _ in routes(app)]
    assert len(found) == len(set(found)) > 10
    assert set(found) == set(MAY) | PUBLIC
    assert not set(MAY) & PUBLIC


def test_no_route_answers_without_a_session(app: FastAPI, anonymous: Browser) -> None:
    for name, method, path in routes(app):
        if name in PUBLIC:
            continue
        asked = anonymous.client.request(method, path)
        assert asked.status_code == 401, name
        assert len(asked.content) < 200, name
        if method == "GET":
            page = anonymous.client.get(path, headers={"accept": "text/html"})
            assert page.status_code == 303, name
            assert page.headers["location"].startswith("/login"), name


def test_a_made_up_token_opens_nothing(app: FastAPI) -> None:
    client = TestClient(app, cookies={"disclosure_session": "made up"}, follow_redirects=False)
    for name, method, path in routes(app):
        assert name in PUBLIC or client.request(method, path).status_code == 401, name


@pytest.mark.parametrize("role", Role)
def test_a_role_uses_what_the_table_gives_it_and_nothing_else(app: FastAPI, log_in: Enter, role: Role) -> None:
    browser = log_in("某人", role, AGENCIES.get(role))
    csrf = browser.csrf()
    for name, method, path in routes(app):
        if name in PUBLIC or name == "log_out":
            continue
        answer = browser.client.request(method, path, data={"csrf": csrf} if method == "POST" else None)
        assert (answer.status_code == 403) == (role not in MAY[name]), (name, answer.status_code)


@pytest.mark.parametrize("role", Role)
def test_a_form_without_the_token_of_its_session_is_refused(app: FastAPI, log_in: Enter, role: Role) -> None:
    browser, other = log_in("某人", role, AGENCIES.get(role)), log_in("别人", Role.PLATFORM)
    for name, method, path in routes(app):
        if method == "POST" and name not in PUBLIC:
            for form in ({}, {"csrf": ""}, {"csrf": "汉字"}, {"csrf": other.csrf()}):
                assert browser.client.post(path, data=form).status_code == 403, name
    assert browser.get("/").status_code == 200


def test_an_auditor_changes_nothing(app: FastAPI) -> None:
    methods = {name: method for name, method, _ in routes(app)}
    assert {name for name, roles in MAY.items() if Role.AUDITOR in roles and methods[name] != "GET"} == {"log_out"}


def test_a_form_of_another_site_is_refused_even_at_the_login(app: FastAPI, anonymous: Browser) -> None:
    for name, method, path in routes(app):
        if method == "POST":
            answer = anonymous.client.post(path, headers={"sec-fetch-site": "cross-site"})
            assert answer.status_code == 403, name


def test_every_answer_forbids_other_hosts_frames_and_caches(app: FastAPI, platform: Browser) -> None:
    for _, method, path in [*routes(app), ("", "GET", "/nowhere")]:
        answer = platform.client.request(method, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"] or path.startswith("/static/") or path == "/logout"


def test_there_is_no_page_that_describes_the_routes(platform: Browser) -> None:
    assert {platform.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}
