"""Every row of the period table on the first and last day of its force and of the display that it allows."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import ibis
import pytest

from feeds.sites import load_sites
from transforms.columns import Kind
from transforms.disclose import disclose
from transforms.policy import _period_table, periods_on, withholdings

D = dt.date
DUCKDB = ibis.duckdb.connect()
DECIDED = D(2018, 8, 20)
TYPES = {
    "record_id": "int64", "record_key": "string", "withdrawal": "string",
    "subject_category": "string", "status": "string",
    "usage_scope": "string", "decision_date": "date", "penalty_category": "string", "licence_category": "string",
    "publicity_until": "date", "publicity_period": "string",
}  # fmt: skip
_EARLIER = {"record_key": "string", "first_shown": "date", "ended_id": "int64", "ended": "date"}
SITES = ("creditchina", "creditbj", "gsxt", "qyxy")


def decide(
    as_of: dt.date,
    site: str = "creditchina",
    kind: Kind = Kind.PENALTY,
    first_shown: dt.date | None = None,
    ended: tuple[int, dt.date] | None = None,
    **record: Any,
) -> dict[str, Any]:
    row = dict.fromkeys(TYPES) | {
        "record_id": 1, "record_key": "k", "subject_category": "法人及非法人组织", "status": "valid",
        "decision_date": DECIDED, "penalty_category": "罚款", "licence_category": "登记",
    }  # fmt: skip
    ended_id, last_day = ended or (None, None)
    before = {"record_key": "k", "first_shown": first_shown, "ended_id": ended_id, "ended": last_day}
    earlier = [] if first_shown is None else [before]
    expression = disclose(
        ibis.memtable([row | record], schema=TYPES),
        ibis.memtable(earlier, schema=_EARLIER),
        site=site,
        kind=kind,
        as_of=as_of,
    )
    [answer] = DUCKDB.to_pyarrow(expression).to_pylist()
    assert isinstance(answer, dict)
    return answer


class Rule(NamedTuple):
    """A row of the period table as domain 3.3 has it; ``months`` of display by ``clock``."""

    site: str
    category: str
    id: str
    first: dt.date
    last: dt.date | None
    months: int
    clock: str

    @property
    def some_last_day(self) -> dt.date:
        return self.last or D(2040, 1, 31)


_SHOWING = [
    Rule("creditchina", "罚款", "credit.penalty.2015", D(2015, 1, 1), D(2019, 6, 30), 12, "decision"),
    Rule(
        "creditchina", "吊销许可证件;罚款", "credit.penalty.2019.special", D(2019, 7, 1), D(2023, 4, 30), 36, "decision"
    ),
    Rule("creditchina", "罚款", "credit.penalty.2019.general", D(2019, 7, 1), D(2023, 4, 30), 12, "decision"),
    Rule("creditchina", "警告;罚款", "credit.penalty.2023", D(2023, 5, 1), D(2026, 3, 31), 36, "decision"),
    Rule("creditchina", "责令停产停业", "credit.penalty.2026.serious", D(2026, 4, 1), None, 36, "decision"),
    Rule("creditchina", "罚款", "credit.penalty.2026.general", D(2026, 4, 1), None, 12, "decision"),
    Rule("gsxt", "警告", "gsxt.penalty.2014", D(2014, 10, 1), D(2021, 8, 31), 60, "publicity"),
    Rule("gsxt", "通报批评", "gsxt.penalty.2021.notice", D(2021, 9, 1), None, 3, "publicity"),
    Rule("gsxt", "罚款;警告", "gsxt.penalty.2021", D(2021, 9, 1), None, 36, "publicity"),
]


def _months_from(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    return day.replace(year=day.year + years, month=month + 1)


@pytest.mark.parametrize("rule", _SHOWING, ids=lambda rule: rule.id)
def test_a_rule_decides_from_its_first_day_to_its_last(rule: Rule) -> None:
    def on(day: dt.date) -> str:
        return str(decide(day, rule.site, penalty_category=rule.category, decision_date=day)["reason"])

    assert on(rule.first) == on(rule.some_last_day) == rule.id
    assert on(rule.first - dt.timedelta(days=1)) != rule.id
    if rule.last is not None:
        assert on(rule.last + dt.timedelta(days=1)) != rule.id


@pytest.mark.parametrize("rule", _SHOWING, ids=lambda rule: rule.id)
def test_a_record_is_shown_on_the_last_day_of_its_period_and_not_after(rule: Rule) -> None:
    until = rule.some_last_day.replace(day=15)
    start = _months_from(until, -rule.months)
    dates = {"decision_date": start} if rule.clock == "decision" else {"first_shown": start}
    for day, shown in ((until, True), (until + dt.timedelta(days=1), False)):
        answer = decide(day, rule.site, penalty_category=rule.category, **dates)
        assert (answer["shown"], answer["until"]) == (shown, until)
        assert answer["reason"] == (rule.id if shown else "expired")


@pytest.mark.parametrize(
    ("site", "category", "rule", "first", "last"),
    [
        ("creditchina", "警告", "credit.penalty.2023.minor", D(2023, 5, 1), D(2026, 3, 31)),
        ("creditchina", "警告;通报批评", "credit.penalty.2023.minor", D(2023, 5, 1), D(2026, 3, 31)),
        ("creditbj", "通报批评", "credit.penalty.2026.minor", D(2026, 4, 1), None),
        ("gsxt", "警告", "gsxt.penalty.2021.warning", D(2021, 9, 1), None),
        ("qyxy", "警告", "gsxt.penalty.2021.warning", D(2021, 9, 1), None),
    ],
)
def test_a_class_that_is_not_shown_is_withheld_while_its_rule_holds(
    site: str, category: str, rule: str, first: dt.date, last: dt.date | None
) -> None:
    for day in (first, last or D(2031, 1, 1)):
        answer = decide(day, site, penalty_category=category, decision_date=day)
        assert (answer["shown"], answer["reason"], answer["first_shown"]) == (False, "policy_not_shown", None)
    before = decide(first - dt.timedelta(days=1), site, penalty_category=category, decision_date=first)
    assert before["shown"] is (rule != "credit.penalty.2026.minor")
    assert rule in {period.id for period in _period_table()[1]}


def test_every_row_of_the_period_table_is_tried_here() -> None:
    tried = {rule.id for rule in _SHOWING} | {
        "credit.licence", "gsxt.licence", "credit.penalty.2023.minor", "credit.penalty.2026.minor",
        "gsxt.penalty.2021.warning",
    } | {rule for _, _, rule in _OF_NEWER_KINDS}  # fmt: skip
    assert tried == {period.id for period in _period_table()[1]}


@pytest.mark.parametrize("site", SITES)
def test_every_kind_has_a_rule_on_every_day_of_the_plan(site: str) -> None:
    for kind in Kind:
        for day in (D(2015, 1, 1), D(2018, 8, 21), D(2019, 6, 30), D(2019, 7, 1), D(2023, 5, 1), D(2026, 4, 1)):
            assert periods_on(day, site=site, kind=kind)[-1].any_of == ()


@pytest.mark.parametrize("site", SITES)
def test_a_licence_is_shown_without_end_until_it_turns_invalid(site: str) -> None:
    answer = decide(D(2018, 8, 21), site, Kind.LICENCE)
    assert (answer["shown"], answer["until"]) == (True, None)
    assert decide(D(2018, 8, 21), site, Kind.LICENCE, status="invalid")["reason"] == "invalid"


def test_a_run_of_2018_uses_the_rule_of_2018_and_a_run_of_2026_the_new_one() -> None:
    assert decide(D(2018, 8, 21))["reason"] == "credit.penalty.2015"
    late = decide(D(2026, 4, 1), penalty_category="吊销许可证件", decision_date=D(2026, 3, 1))
    assert late["reason"] == "credit.penalty.2026.serious"
    assert decide(D(2014, 1, 1))["reason"] == "no_policy"


def test_the_end_that_the_agency_gave_counts_as_given_until_2019_and_is_clamped_after() -> None:
    day = D(2018, 8, 21)
    assert decide(day, publicity_until=D(2021, 8, 20))["until"] == D(2021, 8, 20)
    assert decide(day, publicity_until=D(2099, 12, 31))["until"] == D(2099, 12, 31)
    for text, until in (
        ("1年", D(2019, 8, 20)),
        ("3年", D(2021, 8, 20)),
        ("三年", D(2021, 8, 20)),
        ("若干", D(2019, 8, 20)),
    ):
        assert decide(day, publicity_period=text)["until"] == until
    assert decide(day, publicity_until=D(2018, 12, 1), publicity_period="3年")["until"] == D(2018, 12, 1)
    assert decide(day, publicity_until=D(2018, 8, 21))["shown"]
    assert decide(D(2018, 8, 22), publicity_until=D(2018, 8, 21))["reason"] == "expired"
    new, decided = D(2019, 8, 1), {"decision_date": D(2019, 7, 15)}
    assert decide(new, **decided, publicity_until=D(2019, 8, 2))["until"] == D(2019, 10, 15)
    assert decide(new, **decided, publicity_until=D(2020, 1, 2))["until"] == D(2020, 1, 2)
    assert decide(new, **decided, publicity_until=D(2099, 12, 31))["until"] == D(2020, 7, 15)
    serious = decided | {"penalty_category": "责令停产停业"}
    assert decide(new, **serious, publicity_until=D(2019, 8, 2))["until"] == D(2020, 1, 15)
    assert decide(new, **serious, publicity_until=D(2099, 12, 31))["until"] == D(2022, 7, 15)


def test_the_publicity_clock_starts_on_the_first_day_on_the_site_and_keeps_it() -> None:
    first = decide(D(2018, 8, 21), "gsxt", publicity_until=D(2019, 1, 1))
    assert (first["first_shown"], first["until"]) == (D(2018, 8, 21), D(2023, 8, 21))
    again = decide(D(2019, 3, 1), "gsxt", first_shown=D(2018, 8, 21))
    assert (again["first_shown"], again["until"]) == (D(2018, 8, 21), D(2023, 8, 21))
    withheld = decide(D(2019, 3, 1), "gsxt", first_shown=D(2018, 8, 21), status="withdrawn")
    assert (withheld["shown"], withheld["first_shown"]) == (False, D(2018, 8, 21))


_OF_NEWER_KINDS = [
    ("gsxt", Kind.INSPECTION, "gsxt.inspection"),
    ("qyxy", Kind.INSPECTION, "gsxt.inspection"),
    ("creditbj", Kind.INSPECTION, "creditbj.inspection"),
    ("creditchina", Kind.INSPECTION, "creditchina.inspection"),
    ("gsxt", Kind.ABNORMAL_OPERATION, "gsxt.abnormal_operation"),
    ("qyxy", Kind.ABNORMAL_OPERATION, "gsxt.abnormal_operation"),
    ("creditbj", Kind.ABNORMAL_OPERATION, "creditbj.abnormal_operation"),
    ("creditchina", Kind.ABNORMAL_OPERATION, "creditchina.abnormal_operation"),
    ("gsxt", Kind.SERIOUS_VIOLATION, "gsxt.serious_violation"),
    ("qyxy", Kind.SERIOUS_VIOLATION, "gsxt.serious_violation"),
    ("creditbj", Kind.SERIOUS_VIOLATION, "creditbj.serious_violation"),
    ("creditchina", Kind.SERIOUS_VIOLATION, "creditchina.serious_violation"),
    ("gsxt", Kind.ENFORCEMENT_NOTICE, "gsxt.enforcement_notice"),
    ("creditbj", Kind.ENFORCEMENT_NOTICE, "credit.enforcement_notice"),
    ("gsxt", Kind.BASIC_INFO, "gsxt.basic_info"),
    ("creditchina", Kind.BASIC_INFO, "credit.basic_info"),
]


@pytest.mark.parametrize(("site", "kind", "rule"), _OF_NEWER_KINDS)
def test_each_kind_is_shown_where_a_source_says_so_and_withheld_by_a_row_where_none_does(
    site: str, kind: Kind, rule: str
) -> None:
    offered = {table.kind for table in load_sites()[site].tables}
    answer = decide(D(2018, 8, 21), site, kind)
    assert answer["shown"] is (kind in offered)
    assert answer["reason"] == (rule if answer["shown"] else "policy_not_shown")
    assert rule in {period.id for period in periods_on(D(2018, 8, 21), site=site, kind=kind)}


@pytest.mark.parametrize("site", ["gsxt", "qyxy", "creditbj"])
def test_a_listing_is_shown_without_end_and_a_serious_one_for_three_years(site: str) -> None:
    assert decide(D(2031, 1, 1), site, Kind.ABNORMAL_OPERATION, decision_date=D(2018, 8, 20))["until"] is None
    serious = {"kind": Kind.SERIOUS_VIOLATION, "decision_date": D(2018, 8, 20)}
    assert decide(D(2021, 8, 20), site, **serious)["shown"]
    assert decide(D(2021, 8, 21), site, **serious)["reason"] == "expired"


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"subject_category": "自然人"}, "natural_person"),
        ({"status": "withdrawn"}, "withdrawn"),
        ({"status": "invalid"}, "invalid"),
        ({"usage_scope": "1"}, "not_public"),
        ({"usage_scope": "2"}, "not_public"),
        ({"usage_scope": "授权查询"}, "not_public"),
        ({"subject_category": "自然人", "status": "withdrawn"}, "natural_person"),
    ],
)
def test_what_the_law_keeps_out_is_withheld_on_every_site(
    site: str, kind: Kind, record: dict[str, str], reason: str
) -> None:
    answer = decide(D(2018, 8, 21), site, kind, **record)
    assert (answer["shown"], answer["reason"], answer["first_shown"]) == (False, reason, None)
    assert withholdings()[reason].legal_basis


def test_information_for_the_public_is_shown() -> None:
    assert decide(D(2018, 8, 21), usage_scope="0")["shown"]
    assert decide(D(2018, 8, 21), usage_scope=None)["shown"]


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("3 年", 36), ("３年", 36), ("三年", 36), ("三年期", 36), ("3年（自决定之日起）", 36), ("两年", 24),
        ("5年", 60), ("10年", 120), ("十年", 120), ("36个月", 36), ("３６个月", 36), ("三十六个月", 36),
        ("十二个月", 12), ("二十个月", 20), ("6个月", 6), ("六個月", 6), (" 半 年 ", 6), ("一年六个月", 18),
        ("1年零6个月", 18), ("1年半", 18), ("0年", 12), ("长期", 12), ("永久", 12), ("年", 12), ("6月", 12),
        ("3个月至1年", 12), ("三十", 12), ("", 12),
        (None, 12),
    ],
)  # fmt: skip
def test_the_period_that_the_agency_gave_is_read(text: str | None, months: int) -> None:
    answer = decide(D(2018, 8, 21), publicity_period=text)
    assert answer["until"] == _months_from(DECIDED, months)


def test_the_period_that_the_agency_gave_is_kept_within_those_of_the_policy() -> None:
    def until(text: str, day: dt.date, **other: Any) -> dt.date:
        return decide(day, decision_date=day, publicity_period=text, **other)["until"]

    general, special, gsxt = D(2019, 8, 1), {"penalty_category": "责令停产停业"}, {"site": "gsxt"}
    assert until("2个月", general) == D(2019, 11, 1)
    assert until("6个月", general) == D(2020, 2, 1)
    assert until("5年", general) == D(2020, 8, 1)
    assert until("3个月", general, **special) == D(2020, 2, 1)
    assert until("2年", general, **special) == D(2021, 8, 1)
    assert until("半年", general, **gsxt) == D(2024, 8, 1)


BOUNDARIES = sorted({(p.channel, p.from_) for p in _period_table()[1] if p.kind is Kind.PENALTY})
_SITE_OF = {"credit": "creditchina", "gsxt": "gsxt"}


@pytest.mark.parametrize("category", ["罚款", "警告", "通报批评", "吊销许可证件", "责令停产停业"])
@pytest.mark.parametrize(("channel", "first"), BOUNDARIES, ids=str)
def test_a_period_that_ended_stays_ended_when_another_rule_begins(channel: str, first: dt.date, category: str) -> None:
    site, last_day = _SITE_OF[channel], first - dt.timedelta(days=40)
    past = {"penalty_category": category, "decision_date": last_day - dt.timedelta(days=170), "ended": (1, last_day)}
    for day in (first - dt.timedelta(days=1), first, first + dt.timedelta(days=60)):
        answer = decide(day, site, first_shown=last_day - dt.timedelta(days=160), **past)
        assert (answer["shown"], answer["reason"], answer["until"]) == (False, "expired", last_day)
        assert answer["since"] == last_day + dt.timedelta(days=1)
    back = decide(first, site, first_shown=None, **(past | {"ended": None}))
    changed = decide(first, site, first_shown=first, record_id=2, **past)
    assert (changed["shown"], changed["reason"]) == (back["shown"], back["reason"]), "another version is decided anew"


def test_what_took_a_record_back_is_told_before_the_end_of_its_period() -> None:
    ended = {"first_shown": D(2018, 1, 2), "ended": (1, D(2018, 8, 1))}
    assert decide(D(2019, 8, 1), status="withdrawn", **ended)["reason"] == "withdrawn"
    assert decide(D(2019, 8, 1), withdrawal="replaced", **ended)["reason"] == "replaced"


def test_a_withholding_that_the_policy_dates_says_since_when() -> None:
    def since(day: dt.date, site: str, **other: Any) -> tuple[str, dt.date | None]:
        answer = decide(day, site, **other)
        return answer["reason"], answer["since"]

    warned = {"penalty_category": "警告"}
    assert since(D(2021, 9, 5), "gsxt", **warned) == ("policy_not_shown", D(2021, 9, 1))
    assert since(D(2023, 6, 1), "creditbj", **warned) == ("policy_not_shown", D(2023, 5, 1))
    assert since(D(2026, 4, 2), "creditbj", **warned) == ("policy_not_shown", D(2026, 4, 1))
    assert since(D(2014, 1, 1), "creditchina") == ("no_policy", None)
    assert since(D(2018, 8, 21), "gsxt", status="withdrawn") == ("withdrawn", None)
    assert since(D(2018, 8, 21), "gsxt") == ("gsxt.penalty.2014", None)


def test_where_no_rule_follows_one_that_ended_the_withholding_counts_from_the_day_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channels, periods = _period_table()
    kept = tuple(p for p in periods if p.id in {"credit.penalty.2015", "credit.penalty.2019.special"})
    monkeypatch.setattr("transforms.policy._period_table", lambda: (channels, kept))
    fined, closed = decide(D(2019, 8, 1)), decide(D(2024, 1, 1), penalty_category="责令停产停业")
    assert (fined["reason"], fined["since"]) == ("no_policy", D(2019, 7, 1))
    assert (closed["reason"], closed["since"]) == ("no_policy", D(2023, 5, 1))
