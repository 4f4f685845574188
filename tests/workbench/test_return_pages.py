"""退回: who may make a notice, who sees it, and what is downloaded is what was issued."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from browsing import Browser
from delivering import Company, penalty

from store.accounts import Role

WRONG = {"CF_XDR_SHXYM": "91110105MA0000000X"}


def test_a_notice_is_made_from_a_page_and_seen_by_its_agency_alone(
    platform: Browser, log_in: Callable[..., Browser], deliver: Callable[..., int]
) -> None:
    deliver([penalty(serial, Company(serial), **WRONG) for serial in range(1, 4)])
    assert "制作退回通知" in platform.get("/returns").text
    form = platform.get("/returns/new/aic").text
    assert "R03.uscc" in form and "3 条尚未通知" in form
    made = platform.post("/returns/new/aic", remark="请尽快")
    assert made.status_code == 303
    page = platform.get(made.headers["location"]).text
    assert "信用退〔2018〕1号" in page and "待改正" in page
    assert platform.post("/returns/new/aic").status_code == 409
    assert platform.get("/returns/new/none").status_code == 404

    own, other = log_in("钱工商", Role.AGENCY, "aic"), log_in("孙食药", Role.AGENCY, "fda")
    assert "信用退〔2018〕1号" in own.get("/returns").text
    assert "制作退回通知" not in own.get("/returns").text
    book = own.get("/returns/1/workbook")
    assert hashlib.sha256(book.content).hexdigest() in re.findall(r"[0-9a-f]{64}", page)
    assert "attachment" in own.get("/returns/1/cover").headers["content-disposition"]
    for path in ("/returns/1", "/returns/1/workbook", "/returns/1/cover", "/returns/2"):
        assert other.get(path).status_code == 404
    assert "信用退" not in other.get("/returns").text
    assert other.post("/returns/new/fda").status_code == 403
