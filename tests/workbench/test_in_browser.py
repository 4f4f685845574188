"""What only a browser shows: keys, focus, scripts under the content policy, two people one after the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import arrived
from delivering import DAY, Company, as_csv, penalty, registered, write
from playwright.sync_api import Page, expect
from reporting import YEAR, report, subject

from pipeline.crosscheck import crosscheck
from pipeline.office import Office
from pipeline.register import load_register
from store.accounts import Role
from transforms.columns import Reference


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
        arrived(page.get_by_role("heading", name="放行"))
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        arrived(page.get_by_role("heading", name="为何待批"))
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
    arrived(page.get_by_role("heading", name="待办"))
    page.keyboard.press("j")
    page.get_by_role("link", name="处罚决定日期不是有效日期").press("Enter")
    arrived(page.locator("tr[data-row] mark").first)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    arrived(page.get_by_role("heading", name="数据项"))
    page.keyboard.press("c")
    arrived(page.get_by_text("王平台 认领"))
    page.keyboard.press("e")
    arrived(page.get_by_role("heading", name="更正"))
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("2018/14/01")
    expect(page.locator("#recheck")).to_contain_text("R10.decision_date", timeout=30_000)
    page.keyboard.press("Control+a")
    page.keyboard.type("2018/08/15")
    expect(page.locator("#recheck")).to_contain_text("各项规则均已通过", timeout=30_000)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.type("对照决定书")
    page.keyboard.press("Control+Enter")
    arrived(page.get_by_role("heading", name="数据项"))
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.get_by_text("没有符合条件的待办")).to_be_visible()


def test_findings_are_handed_to_inspection_by_keyboard(
    enter: Callable[..., Page], office: Office, deliver: Callable[..., int], tmp_path: Path
) -> None:
    register = write(tmp_path, "register.csv", as_csv([registered(Company(1))]))
    load_register(office, register, as_of=DAY)
    deliver([report(Company(1))], kind=Reference.ANNUAL_REPORT)
    deliver([subject(Company(1), address="www.a-b.com")], kind=Reference.ONLINE_SUBJECT)
    crosscheck(office, year=YEAR, as_of=DAY)
    page = enter("检查员甲", Role.AGENCY, "aic")
    page.keyboard.press("g")
    page.keyboard.press("f")
    arrived(page.get_by_role("heading", name="比对结果"))
    page.get_by_role("link", name="瞒报 1").click()
    page.wait_for_url("**kind=concealed**")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    page.keyboard.type("请实地核实")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    expect(page.get_by_role("link", name="已移送执法检查 1")).to_be_visible()
    page.get_by_role("link", name="朝阳区 1").click()
    with page.expect_download() as packet:
        page.get_by_role("link", name="执法检查清单").click()
    assert packet.value.suggested_filename == "inspection-110105-20180821.xlsx"


def test_what_another_took_is_left_out_and_the_ticks_of_the_rest_stay(
    enter: Callable[..., Page], deliver: Callable[..., int]
) -> None:
    deliver([penalty(serial, CF_JDRQ="2018/13/01") for serial in (1, 2, 3)])
    slow, quick = enter("王平台", Role.PLATFORM), enter("钱工商", Role.AGENCY, "aic")
    slow.goto(slow.url + "worklist/items?rule=R10.decision_date")
    slow.get_by_label("全选").check()
    slow.get_by_role("button", name="认领勾选的").click()
    slow.get_by_label("附言").fill("本周办")
    quick.goto(quick.url + "worklist/items?rule=R10.decision_date")
    quick.get_by_role("checkbox", name="选 2", exact=True).check()
    quick.get_by_role("button", name="认领勾选的").click()
    quick.get_by_role("button", name="确认").click()
    slow.get_by_role("button", name="确认").click()
    expect(slow.get_by_role("alert")).to_contain_text("有 1 项待办在此期间已被他人处理, 本次没有任何改动")
    expect(slow.get_by_text("将改动 2 项")).to_be_visible()
    expect(slow.get_by_label("附言")).to_have_value("本周办")
    slow.get_by_role("button", name="确认").click()
    expect(slow.get_by_role("heading", name="处罚决定日期不是有效日期")).to_be_visible()
    assert slow.locator("tbody tr").filter(has_text="王平台").count() == 2


def test_a_refused_decision_about_findings_keeps_their_ticks_and_a_letter_goes_to_the_enterprise(
    enter: Callable[..., Page], office: Office, deliver: Callable[..., int], tmp_path: Path
) -> None:
    companies = [Company(serial) for serial in (1, 2)]
    load_register(office, write(tmp_path, "register.csv", as_csv([registered(each) for each in companies])), as_of=DAY)
    deliver([report(each) for each in companies], kind=Reference.ANNUAL_REPORT)
    deliver([subject(each, address=f"www.a{each.serial}.com") for each in companies], kind=Reference.ONLINE_SUBJECT)
    crosscheck(office, year=YEAR, as_of=DAY)
    page = enter("王平台", Role.PLATFORM)
    page.goto(page.url + f"findings?year={YEAR}&kind=concealed")
    page.get_by_label("全选").check()
    page.get_by_label("理由").fill("见身份证 11010519491231002X")
    page.get_by_role("button", name="请企业更正").click()
    expect(page.get_by_role("alert")).to_contain_text("居民身份证号")
    expect(page.locator(".chip.on", has_text="瞒报")).to_be_visible()
    for number in (1, 2):
        expect(page.get_by_label(re.compile(f"选 仿真第{number}号"))).to_be_checked()
    page.get_by_label("理由").fill("请更正")
    page.get_by_role("button", name="请企业更正").click()
    page.get_by_role("link", name="仿真第1号").click()
    expect(page.get_by_role("heading", name=re.compile("仿真第1号"))).to_be_visible()
    with page.expect_download() as letter:
        page.keyboard.press("l")
    assert letter.value.suggested_filename.startswith(f"correction-{companies[0].uscc}-{YEAR}-")
    sheet = page.context.new_page()
    sheet.set_content(Path(letter.value.path()).read_text(encoding="utf-8"))
    expect(sheet.get_by_role("heading", name="年度报告核对更正通知")).to_be_visible()
    expect(sheet.get_by_role("row", name="网址")).to_contain_text("www.a1.com")


def test_a_return_is_filled_in_explained_and_accepted_by_keyboard(
    enter: Callable[..., Page], deliver: Callable[..., int]
) -> None:
    deliver([penalty(1)])
    page = enter("邮政员甲", Role.AGENCY, "post")
    page.get_by_role("link", name="2018-07").focus()
    page.keyboard.press("g")
    page.keyboard.press("t")
    arrived(page.get_by_role("heading", name="专项行动填报"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    arrived(page.get_by_role("heading", name="北京市邮政管理局 2018-07"))
    page.keyboard.press("e")
    for value in ("2", "1.5", "0", "1", "40", "3"):  # 案件, 案值, 罚没款, 移送, 检查, 查处
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    expect(page.locator("#recheck")).to_contain_text("须说明", timeout=30_000)
    expect(page.locator("[data-beside=cases]")).to_contain_text("归集 0 件")
    page.get_by_label("检查寄递企业", exact=True).fill("40家")
    expect(page.locator("[data-beside=post_checked]")).to_contain_text("只填阿拉伯数字", timeout=30_000)
    expect(page.locator("#recheck")).to_contain_text("1 处错误")
    page.get_by_label("检查寄递企业", exact=True).fill("40")
    expect(page.locator("[data-beside=post_checked]")).to_be_empty(timeout=30_000)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.type("决定书下周报送")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("第 1 版")
    platform = enter("王平台", Role.PLATFORM)
    platform.goto(page.url)
    platform.keyboard.press("v")
    platform.keyboard.type("已核")
    platform.keyboard.press("Control+Enter")
    expect(platform.locator(".said")).to_contain_text("已采纳 王平台")


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
    arrived(page.get_by_role("heading", name="记录"))
    page.keyboard.press("/")
    expect(page.get_by_label("决定文书号")).to_be_focused()
