"""Which licence a penalty says is revoked, however either writes the number (R28)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.revocations import names_licence, said_revoked

CLASS = "罚款;暂扣或者吊销许可证、暂扣或者吊销执照"


@pytest.mark.parametrize(
    ("said", "number", "named"),
    [
        ("食品经营许可证JY11100000000001", "JY11100000000001", True),
        ("食品经营许可证（ＪＹ11100000000001）", "jy 11100000000001", True),
        ("京食许字[2018]第00012号", "京食许字〔2018〕第00012号", True),
        ("食品经营许可证JY111000000000012", "JY11100000000001", False),
        ("食品经营许可证9911100000000001", "11100000000001", False),
        ("食品经营许可证JY1", "JY1", False),
        ("食品经营许可证", None, False),
    ],
)
def test_a_number_is_found_as_a_whole(said: str, number: str | None, named: bool) -> None:
    assert names_licence(said_revoked(CLASS, f"吊销{said}", said), number) is named


def test_what_is_only_suspended_or_not_said_is_not_revoked() -> None:
    assert said_revoked(CLASS, "暂扣食品经营许可证三个月", "食品经营许可证JY11100000000001") == ""
    assert said_revoked("罚款", "吊销许可证", "JY11100000000001") == ""
    assert said_revoked(None, None, None) == ""


def test_without_a_column_for_it_the_text_tells_which() -> None:
    said = said_revoked(CLASS, "罚款2000元；吊销食品经营许可证JY11100000000001。当事人另持有JY99900000000009", None)
    assert names_licence(said, "JY11100000000001")
    assert not names_licence(said, "JY99900000000009")


@given(st.from_regex(r"[A-Z]{2}[0-9]{6,14}", fullmatch=True))
def test_a_penalty_names_the_licence_that_it_quotes(number: str) -> None:
    assert names_licence(said_revoked(CLASS, f"吊销许可证{number}。", None), number)
