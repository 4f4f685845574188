"""机关成绩单: everybody sees the cards that concern them, unknown denominators say so."""

from __future__ import annotations

from collections.abc import Callable

from browsing import Browser
from delivering import penalty

from store.accounts import Role


def test_an_agency_sees_its_own_card_and_the_office_all(
    platform: Browser, log_in: Callable[..., Browser], deliver: Callable[..., int]
) -> None:
    deliver([penalty(1), penalty(2, CF_GSJZQ="2018/07/01")])
    page = platform.get("/scorecards").text
    assert "分母未知" in page and "北京市工商行政管理局" in page and "食品药品" in page
    assert "50.0%" in page and "R12.date_order" in page
    own = log_in("孙食药", Role.AGENCY, "fda")
    assert "北京市工商行政管理局" not in own.get("/scorecards", month="2018-08").text
    assert [each["agency"] for each in own.get("/scorecards/2018-08.json").json()["agencies"]] == ["fda"]
    assert platform.get("/scorecards/2018-08.csv").text.count("\n") > 13
    assert platform.get("/scorecards", month="2018-13").status_code == 422
    assert platform.get("/scorecards/2018-13.csv").status_code == 422
