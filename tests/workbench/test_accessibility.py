"""Every page, looked at as somebody with a screen reader, a keyboard or weak eyes would have to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from delivering import DAY, NEXT_DAY, Company, as_csv, document_no, penalty, registered, write
from fastapi import FastAPI
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect
from reporting import YEAR, report, subject

from pipeline.attach import attach
from pipeline.crosscheck import crosscheck
from pipeline.data_docs import build_data_docs
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register import load_register
from pipeline.returning import make_notice
from pipeline.rulings import propose
from store import campaign_returns
from store.accounts import Role
from transforms.columns import Reference

AXE = Axe()
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
CHECK = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")

PAGES = (
    "/", "/worklist", "/worklist/items", "/worklist/items?rule=R03.uscc", "/records", "/deliveries", "/deliveries/1",
    "/records?delivery_id=1", "/holds", "/holds/1", "/rulings", "/returns", "/returns/new/aic", "/returns/1",
    "/releases", "/releases/creditchina/1", "/releases/creditchina/1/verify", "/scorecards", "/audit", "/audit/verify",
    "/findings", "/campaign", "/campaign/wj2018/aic/2018-07", "/campaign/wj2018/aic/2018-08",
    "/campaign/wj2018/aic/2018-07?version=1", "/data-docs/1", "/nowhere",
)  # fmt: skip


NO_PAGES = ("/health", "/findings/base-gaps", "/findings/packet", "/data-docs/data_docs.css")
"""Answers that are no page: a word, files, a style sheet."""


@pytest.fixture
def everything(office: Office, deliver: Callable[..., int], tmp_path: Path) -> list[str]:
    """An office with something on every page; the pages of single records."""
    known = [registered(Company(serial)) for serial in range(1, 7)]
    load_register(office, write(tmp_path, "register.csv", as_csv(known)), as_of=DAY, mode="full")
    deliver(
        [
            penalty(1, CF_JDRQ="2018/13/01"), penalty(2, CF_XDR_SHXYM="91110105MA0000000X"),
            penalty(3, CF_XDR_MC=Company(4).name), penalty(4), penalty(5, CF_NR_FK="20000"),
        ]
    )  # fmt: skip
    deliver([penalty(serial) for serial in range(11, 14)], agency="psb")
    attach(office, as_of=DAY)
    publish(office, ["creditchina"], as_of=DAY)
    with office.engine.begin() as connection:
        campaign_returns.submit(
            connection, action="wj2018", agency="aic", period="2018-07", seen=0, warnings=["required"], person="钱工商",
            reason="其余待核", as_of=DAY,
            figures={("110000", "checks_online"): Decimal(120), ("110105", "checks_online"): Decimal(9)},
        )  # fmt: skip
    make_notice(office, "aic", person="王平台", as_of=DAY)
    with office.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT document_no, record_id FROM penalty WHERE agency = 'aic'")
        numbers = {row[0]: row[1] for row in found}
    wrong, uncertain, good = (numbers[document_no(serial)] for serial in (1, 3, 4))
    ruled = propose(office, good, cells={"CF_NR_FK": "3"}, person="李平台", reason="核对", as_of=NEXT_DAY)
    deliver([report(Company(1))], kind=Reference.ANNUAL_REPORT)
    deliver([subject(Company(1), address="www.a-b.com")], kind=Reference.ONLINE_SUBJECT)
    crosscheck(office, year=YEAR, as_of=NEXT_DAY)
    assert len(list(build_data_docs(office, as_of=DAY))) > 1
    with office.engine.connect() as connection:
        [finding_key] = connection.exec_driver_sql("SELECT finding_key FROM finding").scalars()
    return [
        f"/findings/{finding_key}", f"/records/{wrong}", f"/records/{wrong}/correct", f"/records/{uncertain}/attach",
        f"/rulings/{ruled.ruling.ruling_id}",
    ]  # fmt: skip


def test_every_page_that_needs_no_number_is_looked_at(app: FastAPI) -> None:
    lists = {
        route.path
        for route in app.routes
        if isinstance(route, APIRoute) and "GET" in route.methods and not route.param_convertors
    }
    assert lists - {path.partition("?")[0] for path in PAGES} == {"/login", *NO_PAGES}


def faults_of(page: Page) -> list[str]:
    """Whatever axe-core and our own look at the charts find wrong with a page, with the element."""
    answer = AXE.run(page, options={"runOnly": STANDARDS, "resultTypes": ["violations"]}).response
    return page.evaluate(CHECK) + [
        f"{each['id']}: {node['html'][:140]} {node['failureSummary']}"
        for each in answer["violations"]
        for node in each["nodes"]
    ]


def test_no_page_lacks_names_headings_landmarks_or_contrast(
    enter: Callable[..., Page], everything: list[str], address: str
) -> None:
    page = enter("王平台", Role.PLATFORM)
    faults = []
    for path in (*PAGES, *everything):
        answer = page.goto(address + path)
        assert answer is not None and answer.status == (404 if path == "/nowhere" else 200), path
        faults += [f"{path}: {fault}" for fault in faults_of(page)]
    page.goto(address + "/worklist/items")
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("button", name="认领勾选的").click()
    expect(page.get_by_role("button", name="确认")).to_be_visible()
    faults += [f"what an action would change: {fault}" for fault in faults_of(page)]
    assert not faults, "\n".join(faults)


def test_the_keyboard_alone_reaches_the_text_and_shows_where_it_is(enter: Callable[..., Page], address: str) -> None:
    page = enter("王平台", Role.PLATFORM)
    page.goto(address + "/worklist")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="跳到正文")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), "past the navigation at once"
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2")


def test_the_login_is_named_too(address: str, chromium: object) -> None:
    context = chromium.new_context(locale="zh-CN")  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(address)
    assert faults_of(page) == []
    context.close()
