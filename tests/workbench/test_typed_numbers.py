"""A number of a person that is typed into a form is refused in words, and is not repeated by the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
import sqlalchemy as sa
from browsing import Browser
from delivering import SOMEONE, Company, penalty

from pipeline.office import Office

TELEPHONE: Final = "13812345678"
WHAT: Final = {SOMEONE: "居民身份证号", TELEPHONE: "电话号码"}
WRONG: Final = {"CF_XDR_SHXYM": "91110105MA0000000X"}
FORMS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "notice": ("/returns/new/aic", {"remark": ""}),
    "remark": ("/reviews/{review}/comment", {"reason": ""}),
    "many items": ("/worklist/act", {"action": "claim", "review": "{review}:", "reason": ""}),
    "correction": ("/records/{record}/correct", {"cell.CF_JDRQ": "2018/08/15", "reason": ""}),
    "corrected text": ("/records/{record}/correct", {"cell.CF_SY": "", "reason": "对照决定书"}),
    "sending back": ("/records/{record}/correct", {"act": "send_back", "reason": ""}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [SOMEONE, TELEPHONE])
def test_a_form_says_what_it_refuses_and_does_not_repeat_the_number(
    platform: Browser, office: Office, deliver: Callable[..., int], form: str, number: str
) -> None:
    deliver([penalty(1, Company(1), **WRONG)])
    with office.engine.connect() as connection:
        [item] = connection.execute(sa.text("SELECT review_id AS review, record_id AS record FROM review")).mappings()
    path, fields = FORMS[form]
    said = {name: (value or f"张三 {number}").format(**item) for name, value in fields.items()}
    answer = platform.post(path.format(**item), **said)
    assert answer.status_code == 422
    assert f"含疑似{WHAT[number]}, 没有记入: 请删去号码后重新提交" in answer.text
    assert number not in answer.text
    with office.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM review WHERE assignee IS NOT NULL")) == 0
        assert connection.scalar(sa.text("SELECT count(*) FROM ruling")) == 0
        assert connection.scalar(sa.text("SELECT count(*) FROM return_notice")) == 0
        told = connection.scalars(sa.text("SELECT details FROM audit_event")).all()
    assert number not in "".join(told)


def test_what_the_author_typed_is_kept_in_the_form_without_the_number(
    platform: Browser, deliver: Callable[..., int]
) -> None:
    deliver([penalty(1, Company(1), **WRONG)])
    [record] = re.findall(r'href="/records/(\d+)"', platform.get("/worklist/items").text)[:1]
    answer = platform.post(
        f"/records/{record}/correct", **{"cell.CF_JDRQ": "2018/08/15"}, reason=f"与张三({TELEPHONE})核对"
    )
    assert "与张三(〔电话略〕)核对" in answer.text and 'value="2018/08/15"' in answer.text
