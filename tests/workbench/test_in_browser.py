"""What only a browser shows: keys, focus, scripts under the content policy, two people one after the other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from delivering import DAY, penalty
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect, sync_playwright

from pipeline import accounts
from pipeline.office import Office
from store.accounts import Role

PASSWORD = "long enough for anybody"


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


@pytest.fixture(scope="module")
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
        expect(page.get_by_role("heading", name="总览")).to_be_visible()
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def held(deliver: Callable[..., int]) -> int:
    """A delivery of an agency whose deliveries all wait for two people."""
    return deliver([penalty(serial) for serial in range(1, 6)], DAY, agency="psb")


def test_two_people_release_a_held_delivery_by_keyboard(
    enter: Callable[..., Page], held: int, state_of: Callable[[int], str]
) -> None:
    for name in ("李审批", "周审批"):
        assert state_of(held) == "held"
        page = enter(name, Role.APPROVER)
        page.keyboard.press("g")
        page.keyboard.press("h")
        expect(page.get_by_role("heading", name="放行")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="为何待批")).to_be_visible()
        page.keyboard.press("a")
        page.keyboard.type("已与报送机关核对")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".said", has_text=name)).to_contain_text("同意")
    expect(page.get_by_role("status")).to_contain_text("已放行")
    limit = time.monotonic() + 60
    while state_of(held) != "checked" and time.monotonic() < limit:
        time.sleep(0.1)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("已放行并入库")


def test_a_review_is_worked_off_by_keyboard(enter: Callable[..., Page], deliver: Callable[..., int]) -> None:
    deliver([penalty(1, CF_JDRQ="2018/13/01"), penalty(2)])
    page = enter("王平台", Role.PLATFORM)
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="待办")).to_be_visible()
    page.keyboard.press("j")
    page.get_by_role("link", name="处罚决定日期不是有效日期").press("Enter")
    expect(page.locator("tr[data-row] mark").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="数据项")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("王平台 认领")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="更正")).to_be_visible()
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("2018/14/01")
    expect(page.locator("#recheck")).to_contain_text("R10.decision_date", timeout=30_000)
    page.keyboard.press("Control+a")
    page.keyboard.type("2018/08/01")
    expect(page.locator("#recheck")).to_contain_text("各项规则均已通过", timeout=30_000)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.type("对照决定书")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="数据项")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.get_by_text("没有符合条件的待办")).to_be_visible()


def test_one_person_cannot_approve_twice(enter: Callable[..., Page], held: int) -> None:
    page = enter("李审批", Role.APPROVER)
    page.goto(page.url + "holds/1")
    page.get_by_label("理由").fill("同意")
    page.get_by_role("button", name="同意放行").click()
    expect(page.get_by_role("button", name="同意放行")).to_be_disabled()
    expect(page.get_by_text("须由另一人同意后放行")).to_be_visible()


def test_the_keys_are_told_on_request(enter: Callable[..., Page]) -> None:
    page = enter("赵审计", Role.AUDITOR)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="快捷键")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="记录")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("决定文书号")).to_be_focused()
