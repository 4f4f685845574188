"""Each plausibility rule finds what contradicts it, tells both numbers, and changes nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from transforms.campaign.plausible import Evidence, Implausible, Told, implausible, whole_city
from transforms.campaign.sheets import sheets

ACTION = sheets().action("wj2018")
CITY = sheets().whole_city


def told(item: str, value: str, *, agency: str = "aic", month: str = "2018-08", district: str = CITY) -> Told:
    return Told(agency, month, district, item, Decimal(value))


def held(
    returned: Sequence[Told],
    *,
    cases: Mapping[tuple[str, str], str] | None = None,
    fines: Mapping[tuple[str, str], str] | None = None,
    notices: Mapping[tuple[str, str, str], int] | None = None,
) -> list[Implausible]:
    derived = {("cases", *key): Decimal(value) for key, value in (cases or {}).items()}
    derived |= {("fines", *key): Decimal(value) for key, value in (fines or {}).items()}
    return implausible(Evidence(derived, returned, notices or {}), ACTION, sheets())


def rules(found: Sequence[Implausible]) -> list[tuple[str, str]]:
    return [(each.rule, each.span) for each in found]


def test_more_transfers_than_cases_is_told_for_the_month_and_for_the_action() -> None:
    cases = {("2018-08", "aic"): "3", ("2018-09", "fda"): "4"}
    found = held([told("to_police", "5"), told("to_police", "2", month="2018-09")], cases=cases)
    assert rules(found) == [("police_within_cases", "2018-08")]
    assert (found[0].left, found[0].right) == ("移送公安机关 5 件", "查处涉网违法案件 3 件")
    assert found[0].remedy
    assert rules(held([told("to_police", "8")], cases=cases))[1:] == [("police_within_cases", "action")]
    assert held([told("to_police", "3")], cases=cases) == []


def test_closures_are_held_against_rectifications_and_cases_together() -> None:
    returned = [told("closed", "10"), told("rectified", "4")]
    assert held(returned, cases={("2018-10", "aic"): "6"}) == []
    [found] = held(returned, cases={("2018-10", "aic"): "5"})
    assert (found.rule, found.left, found.right) == (
        "closed_within_handled", "提请关闭网站 10 个次", "责令整改网站、查处涉网违法案件 9 个次",
    )  # fmt: skip


def test_what_an_agency_counts_itself_is_compared_month_by_month_and_never_added() -> None:
    cases = {("2018-08", "aic"): "3", ("2018-09", "aic"): "5"}
    own = [told("cases", "5"), told("cases", "3", month="2018-09")]
    [found] = held(own, cases=cases)
    assert (found.rule, found.agency) == ("cases_agree", "aic"), "the sums agree, the months do not"
    assert (found.left, found.right) == ("自报查处涉网违法案件（8月、9月） 8 件", "归集 8 件")
    assert held([told("cases", "3")], cases=cases) == [], "a month that it did not tell is not compared"
    fines = {("2018-08", "aic"): "1.234567"}
    assert held([told("fines", "1.23")], fines=fines) == []
    assert rules(held([told("fines", "1.25")], fines=fines)) == [("fines_agree", "action")]


def test_a_return_below_the_notices_held_is_told() -> None:
    notices = {("aic", "2018-08", "责令整改"): 7, ("fda", "2018-08", "责令整改"): 9}
    [found] = held([told("rectified", "6")], notices=notices)
    assert (found.rule, found.left, found.right) == (
        "notices_within_return", "自报责令整改网站 6 个次", "已归集同类文书 7 件",
    )  # fmt: skip
    assert held([told("rectified", "7")], notices=notices) == []


def test_a_count_is_a_whole_number_and_nothing_is_negative() -> None:
    wrong = [told("deletions", "3.50"), told("deletions", "-1", agency="fda"), told("case_value", "2.25")]
    assert [(each.rule, each.agency) for each in held(wrong)] == [("decimals", "aic"), ("decimals", "fda")]


def test_districts_beyond_the_city_are_told_and_those_below_are_not() -> None:
    apart = [told("deletions", "6", district="110101"), told("deletions", "5", district="110102")]
    [found] = held([*apart, told("deletions", "10")])
    assert (found.rule, found.left, found.right) == (
        "districts_within_city", "删除违法商品信息各区之和 11 条", "全市数 10 条",
    )  # fmt: skip
    assert held([*apart, told("deletions", "12")]) == []
    assert held(apart) == []


def test_magnitudes_and_slips_of_units_warn() -> None:
    found = held([told("checks_online", "500000"), told("case_value", "2000")], cases={("2018-08", "aic"): "10"})
    assert {(each.rule, each.severity) for each in found} == {
        ("checks_online_magnitude", "warn"), ("value_per_case", "warn"),
    }  # fmt: skip


FIGURES = st.lists(
    st.builds(
        told,
        st.sampled_from([item.code for item in sheets().items if item.asked != "no"]),
        st.integers(-5, 10**6).map(lambda number: str(Decimal(number) / 4)),
        agency=st.sampled_from(["aic", "fda", "cac"]),
        month=st.sampled_from(ACTION.months),
        district=st.sampled_from([CITY, "110101", "110108"]),
    ),
    unique_by=lambda each: (each.agency, each.month, each.district, each.item),
    max_size=25,
)


@given(FIGURES, st.randoms(use_true_random=False))
def test_the_order_of_the_figures_says_nothing_and_each_finding_is_whole(
    figures: list[Told], rng: random.Random
) -> None:
    cases = {(month, "aic"): "3" for month in ACTION.months}
    shuffled = list(figures)
    rng.shuffle(shuffled)
    found = held(figures, cases=cases)
    assert found == held(shuffled, cases=cases)
    for each in found:
        assert each.sentence and each.remedy and each.left and each.right
        assert each.span in (*ACTION.months, "action")


@given(FIGURES)
def test_the_citys_figure_is_its_own_where_it_was_told_else_the_sum(figures: list[Told]) -> None:
    own = [each.value for each in figures if each.district == CITY]
    assert whole_city(figures, CITY) == (sum(own) if own else sum(each.value for each in figures))
