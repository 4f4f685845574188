"""What a steward who never saw the system can do in six clicks from 总览."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from delivering import DAY, Company, as_csv, penalty, registered, write
from playwright.sync_api import Locator, Page, expect

from pipeline.attach import attach
from pipeline.office import Office
from pipeline.register import load_register
from store.accounts import Role

Deliver = Callable[..., int]
Enter = Callable[..., Page]


class Hand:
    """A hand at a mouse that counts its clicks."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()


@pytest.fixture
def seeded(office: Office, deliver: Deliver, tmp_path: Path) -> None:
    """A date in another form, a code with one wrong character, and a name that two keys disagree about."""
    known = [registered(Company(serial)) for serial in range(1, 7)]
    load_register(office, write(tmp_path, "register.csv", as_csv(known)), as_of=DAY, mode="full")
    code = Company(2).uscc
    wrong = code[:10] + ("1" if code[10] != "1" else "2") + code[11:]
    deliver(
        [
            penalty(1, CF_JDRQ="01/08/2018"), penalty(2, CF_XDR_SHXYM=wrong), penalty(3, CF_XDR_MC=Company(4).name),
            penalty(5), penalty(6),
        ]
    )  # fmt: skip
    attach(office, as_of=DAY)


@pytest.mark.usefixtures("seeded")
def test_three_seeded_failures_are_fixed_in_six_clicks_each(enter: Enter, address: str) -> None:
    page = enter("新来的", Role.PLATFORM)
    for rule, suggested in (
        ("处罚决定日期不是有效日期", "2018/08/01"),
        ("统一社会信用代码不正确", Company(2).uscc),
    ):
        page.goto(address)
        hand = Hand()
        hand.click(page.locator("svg.chart a", has_text=rule).first)
        hand.click(page.locator("tr[data-row] a").first)
        hand.click(page.get_by_role("link", name="更正或退回"))
        hand.click(page.get_by_role("button", name=suggested).first)
        expect(page.locator("#recheck")).to_contain_text("改后为 已接收", timeout=30_000)
        hand.click(page.get_by_label("理由"))
        page.keyboard.type("对照决定书")
        hand.click(page.get_by_role("button", name="提交更正"))
        expect(page.get_by_role("heading", name="更正", exact=True)).to_be_hidden()
        assert hand.clicks <= 6
    expect(page.locator(".tag", has_text="待签批")).to_be_visible()  # the code of a penalty: another person signs
    page.goto(address)
    hand = Hand()
    hand.click(page.locator("svg.chart a", has_text="代码与名称不符").first)
    hand.click(page.locator("tr[data-row] a").first)
    hand.click(page.get_by_role("link", name="归属复核"))
    hand.click(page.get_by_role("radio").first)
    hand.click(page.get_by_label("理由"))
    page.keyboard.type("决定书写明")
    hand.click(page.get_by_role("button", name="提出归属"))
    expect(page.locator(".tag", has_text="待签批")).to_be_visible()
    assert hand.clicks <= 6
