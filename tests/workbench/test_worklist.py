"""待办: groups, claims, actions on many at once, and whose items are whose."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from browsing import Browser
from delivering import SOMEONE, Company, penalty

from pipeline.office import Office
from store.accounts import Role
from store.schema import review

SAID = "处罚决定日期“2018/13/01”不能作为日期: "
BAD_DATE = {"CF_JDRQ": "2018/13/01"}


def bad_code(serial: int) -> dict[str, str]:
    right = Company(serial).uscc
    return {"CF_XDR_SHXYM": right[:17] + ("0" if right[17] != "0" else "1")}


@pytest.fixture
def waiting(deliver: Callable[..., int]) -> None:
    """Two items of one rule, one of another."""
    deliver([penalty(1, **BAD_DATE), penalty(2, **BAD_DATE), penalty(3, **bad_code(3)), penalty(4)])


def assignees(office: Office) -> dict[int, str | None]:
    query = sa.select(review.c.review_id, review.c.assignee).order_by(review.c.review_id)
    with office.engine.connect() as connection:
        return {row.review_id: row.assignee for row in connection.execute(query)}


def previewed(page: str) -> list[str]:
    return re.findall(r'name="review" value="([^"]+)"', page)


@pytest.mark.usefixtures("waiting")
def test_items_are_grouped_by_rule_with_samples(platform: Browser) -> None:
    page = platform.get("/worklist").text
    assert page.index("R10.decision_date") < page.index("R03.uscc")
    assert "处罚决定日期不是有效日期" in page and "第1号" in page and "第4号" not in page
    assert "3 项" in page
    assert f"{SAID}不是真实存在的日期" in page or f"{SAID}其中的日期不存在" in page


def test_an_item_and_its_record_say_in_a_sentence_what_is_wrong_with_their_own_values(
    platform: Browser, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, **BAD_DATE), penalty(2, CF_NR=f"罚款人民币30000元, 身份证{SOMEONE}")])
    items = platform.get("/worklist/items").text
    assert SAID in items
    assert "罚款金额填2万元, 处罚内容却写“罚款人民币30000元, 身份证110105********" in items
    number = re.findall(r'href="/records/(\d+)"', items)
    pages = "".join(platform.get(f"/records/{each}").text for each in number)
    assert SAID in pages and "罚款金额填2万元, 处罚内容却写“罚款人民币30000元" in pages
    assert SOMEONE not in items + pages


@pytest.mark.usefixtures("waiting")
def test_an_agency_steward_sees_and_moves_only_items_of_the_agency(
    log_in: Callable[..., Browser], office: Office
) -> None:
    stranger = log_in("孙食药", Role.AGENCY, "fda")
    own = log_in("钱工商", Role.AGENCY, "aic")
    assert "0 项" in stranger.get("/worklist", agency="aic").text
    assert "第1号" not in stranger.get("/worklist/items", agency="aic").text
    number = next(iter(assignees(office)))
    for path in (f"/reviews/{number}/claim", f"/reviews/{number}/comment"):
        assert stranger.post(path, reason="x").status_code == 404
    assert stranger.post("/worklist/preview", action="claim", review=str(number)).status_code == 404
    assert stranger.post("/worklist/act", action="claim", review=f"{number}:").status_code == 404
    assert set(assignees(office).values()) == {None}
    assert own.post(f"/reviews/{number}/claim").status_code == 303
    assert assignees(office)[number] == "钱工商"


@pytest.mark.usefixtures("waiting")
def test_what_the_preview_shows_is_what_changes(platform: Browser, office: Office) -> None:
    first, second, third = assignees(office)
    chosen = {"action": "claim", "review": [str(first), str(second)], "csrf": platform.csrf()}
    shown = platform.client.post("/worklist/preview", data=chosen).text
    assert set(assignees(office).values()) == {None}, "a preview changes nothing"
    assert previewed(shown) == [f"{first}:", f"{second}:"] and "将改动 2 项" in shown
    platform.client.post("/worklist/act", data=chosen | {"review": previewed(shown)})
    assert assignees(office) == {first: "王平台", second: "王平台", third: None}


@pytest.mark.usefixtures("waiting")
def test_where_another_was_quicker_nothing_is_changed(
    platform: Browser, log_in: Callable[..., Browser], office: Office
) -> None:
    first, second, _ = assignees(office)
    chosen = {"action": "claim", "review": [f"{first}:", f"{second}:"], "csrf": platform.csrf(), "reason": "本周办"}
    assert log_in("钱工商", Role.AGENCY, "aic").post(f"/reviews/{second}/claim").status_code == 303
    answer = platform.client.post("/worklist/act", data=chosen)
    assert answer.status_code == 409 and "没有任何改动" in answer.text
    assert assignees(office)[first] is None and assignees(office)[second] == "钱工商"
    assert previewed(answer.text) == [f"{first}:"], "the rest can be confirmed at once"
    assert 'name="reason" value="本周办"' in answer.text


@pytest.mark.usefixtures("waiting")
def test_what_another_has_is_not_claimed_but_may_be_assigned(
    platform: Browser, log_in: Callable[..., Browser], office: Office
) -> None:
    first, *_ = assignees(office)
    log_in("钱工商", Role.AGENCY, "aic").post(f"/reviews/{first}/claim")
    assert platform.post(f"/reviews/{first}/claim").status_code == 409
    assert previewed(platform.post("/worklist/preview", action="claim", review=str(first)).text) == []
    shown = platform.post("/worklist/preview", action="assign", to="王平台", review=str(first)).text
    assert previewed(shown) == [f"{first}:钱工商"]
    platform.post("/worklist/act", action="assign", to="王平台", review=f"{first}:钱工商")
    assert assignees(office)[first] == "王平台"
    assert platform.post("/worklist/preview", action="assign", to="没有此人", review=str(first)).status_code == 422


@pytest.mark.usefixtures("waiting")
def test_an_action_never_leads_to_another_host(platform: Browser, office: Office) -> None:
    number = next(iter(assignees(office)))
    for back in ("//elsewhere.invalid", "https://elsewhere.invalid", "/\\elsewhere.invalid"):
        answer = platform.post("/worklist/act", action="release", review=f"{number}:", back=back)
        assert "elsewhere" not in answer.headers.get("location", "") + answer.text


@pytest.mark.usefixtures("waiting")
def test_the_overview_counts_what_waits(platform: Browser) -> None:
    page = platform.get("/").text
    assert "<b>3</b><span>待办</span>" in page and "各规则待办项数" in page
