"""Names of people in running text are shortened; what is no name stays as the decision says it."""

from __future__ import annotations

import pytest

from transforms.personal_names import may_name_someone, shorten_names


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("当事人法定代表人王小明在网店销售假货", "当事人法定代表人王某某在网店销售假货"),
        ("举报人李四电话不详", "举报人李某某电话不详"),
        ("经营者：欧阳娜娜，女", "经营者：欧阳某某，女"),
        ("张三丰先生于八月购买", "张某某先生于八月购买"),
        ("委托代理人为赵六（律师）", "委托代理人为赵某某（律师）"),
        ("仿真王在网站发布广告", "仿某某在网站发布广告"),
    ],
)
def test_a_name_becomes_surname_and_moumou(text: str, shown: str) -> None:
    assert shorten_names(text, ["仿真王"]) == shown
    assert not may_name_someone(shorten_names(text, ["仿真王"]))


@pytest.mark.parametrize(
    "text",
    [
        "消费者在网站购买商品",
        "投诉人陈述",
        "员工应当培训",
        "消费者权益保护法",
        "销售王老吉牌饮料",
        "仿某在网站发布广告",
        "",
    ],
)
def test_what_is_no_name_stays(text: str) -> None:
    assert shorten_names(text, ["仿某", "", "X"]) == text


@pytest.mark.parametrize("text", ["举报人李四反映网店售假", "负责人为王五六七", "用户向平台投诉"])
def test_what_may_be_a_name_is_doubtful_rather_than_shown(text: str) -> None:
    assert may_name_someone(shorten_names(text))
