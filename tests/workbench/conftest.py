"""A workbench over a fresh office, people of every role, and a browser without a window for each of them."""

from __future__ import annotations

import datetime as dt
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn
from browsing import PASSWORD, Browser, Clock, arrived
from delivering import AGENCY, DAY, Row, as_csv, write
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from pipeline import accounts
from pipeline.ingest import ingest_file
from pipeline.office import Office
from store.accounts import Role
from store.schema import delivery
from transforms.columns import Kind
from workbench.app import create_app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(office: Office, clock: Clock) -> FastAPI:
    return create_app(office, clock=clock)


@pytest.fixture
def anonymous(app: FastAPI) -> Browser:
    return Browser(TestClient(app, follow_redirects=False))


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashing is dear on purpose; here it need not be."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "_COST", 2**6)
        yield


@pytest.fixture(scope="session")
def kept_password() -> str:
    """The password as it is kept."""
    return accounts.hash_password(PASSWORD)


@pytest.fixture
def log_in(app: FastAPI, office: Office) -> Callable[..., Browser]:
    """Enter a person and log in."""

    def enter(name: str, role: Role, agency: str | None = None) -> Browser:
        accounts.add_account(office, name, role=role, agency=agency, password=PASSWORD)
        client = TestClient(app, follow_redirects=False)
        assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        return Browser(client)

    return enter


@pytest.fixture
def platform(log_in: Callable[..., Browser]) -> Browser:
    return log_in("王平台", Role.PLATFORM)


@pytest.fixture
def deliver(office: Office, tmp_path: Path) -> Callable[..., int]:
    """Take in a delivery and return its number."""
    numbers = itertools.count(1)

    def take_in(rows: Sequence[Row], day: dt.date = DAY, kind: Kind = Kind.PENALTY, agency: str = AGENCY) -> int:
        path = write(tmp_path, f"delivery_{next(numbers)}.csv", as_csv(rows))
        return ingest_file(office, path, agency=agency, kind=kind, as_of=day).delivery_id

    return take_in


@pytest.fixture
def state_of(office: Office) -> Callable[[int], str]:
    """Tell the state of a delivery."""

    def state(delivery_id: int) -> str:
        with office.engine.connect() as connection:
            query = sa.select(delivery.c.state).where(delivery.c.delivery_id == delivery_id)
            return str(connection.scalar(query))

    return state


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The workbench on a socket."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{own.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def enter(address: str, chromium: Chromium, office: Office) -> Iterator[Callable[..., Page]]:
    """Enter a person, and log in at a browser of the person's own, with the keyboard. Scripts may not fail."""
    contexts, complaints = [], []

    def log_in(name: str, role: Role, agency: str | None = None) -> Page:
        accounts.add_account(office, name, role=role, agency=agency, password=PASSWORD)
        context = chromium.new_context(locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else 0)
        page.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))
        page.goto(address)
        expect(page.get_by_label("姓名")).to_be_focused()  # the field takes the focus by itself, a moment after loading
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        arrived(page.get_by_role("heading", name="总览"))
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert complaints == []
