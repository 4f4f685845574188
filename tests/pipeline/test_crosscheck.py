"""The cross-check end to end: one test per case of the decision table, what closes a finding, what is never said."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from delivering import Company, Row, registered
from reporting import YEAR, report, subject

from pipeline.crosscheck import crosscheck
from pipeline.exports import DISCREPANCIES, export
from pipeline.findings import decide
from pipeline.register_faults import NoRegister
from store.discrepancies import LaterRunExists
from transforms.columns import Reference

DAY = dt.date(2018, 8, 21)
ONE, OTHER = Company(1), Company(2)
SHOP = {"SITE_TYPE": "2", "PLATFORM_NAME": "淘宝网", "SITE_NAME": "仿真小店"}


class Findings:
    """Reports and subjects of one test, compared."""

    def __init__(self, desk: Any, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.day = DAY

    def of(self, reports: list[Row], subjects: list[Row], day: dt.date = DAY) -> list[dict[str, str]]:
        if reports:
            assert self.desk.ingest(reports, day=day, kind=Reference.ANNUAL_REPORT).state == "checked"
        if subjects:
            assert self.desk.ingest(subjects, day=day, kind=Reference.ONLINE_SUBJECT).state == "checked"
        crosscheck(self.desk.office, year=YEAR, as_of=day)
        return self.exported()

    def exported(self) -> list[dict[str, str]]:
        path = self.folder / "discrepancies.csv"
        export(self.desk.office, DISCREPANCIES, path)
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def findings(known: Any, tmp_path: Path) -> Findings:
    return Findings(known, tmp_path)


def brief(found: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(row["kind"], row["case_no"], row["uscc"]) for row in found]


def test_no_register_no_comparison(desk: Any) -> None:
    with pytest.raises(NoRegister):
        crosscheck(desk.office, year=YEAR, as_of=DAY)


def test_nothing_is_found_where_report_and_base_agree(findings: Findings) -> None:
    assert findings.of(
        [
            report(ONE, address="WWW.A-b.com/index.html"),
            report(ONE, address="https://shop55.taobao.com/?spm=a", TYPOFWEB="2", WEBSITNAME="仿真小店"),
            report(OTHER),
        ],
        [
            subject(ONE, address="http://www.a-b.com"),
            subject(ONE, address="https://shop55.taobao.com", number=1, **SHOP),
        ],
    ) == []  # fmt: skip


def test_case_1_no_report_by_the_last_day(findings: Findings) -> None:
    seen = [subject(ONE, address="www.a-b.com"), subject(ONE, address="www.c-d.com", number=1)]
    [found] = findings.of([report(OTHER)], seen)
    assert brief([found]) == [("not_reported", "1", ONE.uscc)]
    assert (found["subject_id"], found["state"]) == ("S00000100", "open")


def test_case_1_is_not_said_before_the_last_day(findings: Findings) -> None:
    assert findings.of([report(OTHER)], [subject(ONE, address="a-b.com", SNAPSHOT_DATE="2018-03-01",
                                                 LAST_SEEN="2018-03-01")], dt.date(2018, 6, 30)) == []  # fmt: skip


def test_case_1_is_not_said_of_an_enterprise_that_owes_no_report(desk: Any, tmp_path: Path) -> None:
    desk.register([registered(ONE, ESTDATE="2018-01-05"), registered(OTHER, REGSTATE="注销")])
    seen = [subject(ONE, address="www.a-b.com"), subject(OTHER, address="www.c-d.com")]
    assert Findings(desk, tmp_path).of([], seen) == []


def test_case_2_says_no_and_has_a_site(findings: Findings) -> None:
    [found] = findings.of([report(ONE)], [subject(ONE, address="www.a-b.com")])
    assert brief([found]) == [("concealed", "2", ONE.uscc)]
    assert (found["site_url"], found["report_id"]) == ("www.a-b.com", "A00000001")


def test_case_3_leaves_a_site_out(findings: Findings) -> None:
    seen = [subject(ONE, address="www.a-b.com"), subject(ONE, address="shop55.taobao.com", number=1, **SHOP)]
    [found] = findings.of([report(ONE, address="www.a-b.com")], seen)
    assert brief([found]) == [("omitted", "3", ONE.uscc)]
    assert found["subject_id"] == "S00000101"


def test_case_4_names_the_fields_with_both_values(findings: Findings) -> None:
    [found] = findings.of(
        [report(ONE, address="www.a-b.com", TYPOFWEB="2", WEBSITNAME='别的名字 "引号"')],
        [subject(ONE, address="a-b.com")],
    )
    assert brief([found]) == [("misreported", "4", ONE.uscc)]
    assert json.loads(found["fields"]) == {
        "site_type": ["shop", "site"], "site_name": ['别的名字 "引号"', "仿真1官网"],
    }  # fmt: skip


def test_case_5_another_enterprise_operates_it(findings: Findings) -> None:
    found = findings.of(
        [report(ONE, address="www.a-b.com"), report(OTHER, address="www.a-b.com")], [subject(OTHER, address="a-b.com")]
    )
    assert brief(found) == [("misreported", "5", ONE.uscc)]
    assert json.loads(found[0]["fields"]) == {"operator": [ONE.uscc, OTHER.uscc]}


def test_case_5_on_the_domain_alone_is_a_lead(findings: Findings) -> None:
    found = findings.of(
        [report(ONE, address="one.a-b.com"), report(OTHER, address="www.a-b.com")], [subject(OTHER, address="a-b.com")]
    )
    assert brief(found) == [("lead", "10", ONE.uscc)]


def test_case_6_the_base_does_not_know_it(findings: Findings) -> None:
    found = findings.of(
        [report(ONE, address="www.a-b.com")],
        [
            subject(OTHER, address="www.c-d.com"),
        ],
    )
    assert ("base_gap", "6", ONE.uscc) in brief(found)
    assert all(row["uscc"] != ONE.uscc or row["kind"] == "base_gap" for row in found)


def test_case_7_closed_before_the_year(findings: Findings) -> None:
    dead = subject(ONE, address="www.a-b.com", SITE_STATE="已关闭", LAST_SEEN="2016-11-30")
    assert brief(findings.of([report(ONE, address="www.a-b.com")], [dead])) == [("misreported", "7", ONE.uscc)]


@pytest.mark.parametrize(("is_web", "address"), [("1", ""), ("1", "无"), ("0", "www.a-b.com")])
def test_case_8_contradicts_itself(findings: Findings, is_web: str, address: str) -> None:
    row = report(ONE, address=address, ISWEB=is_web, WEBSITNAME="")
    assert brief(findings.of([row], [subject(ONE, address="a-b.com")])) == [("misreported", "8", ONE.uscc)]


@pytest.mark.parametrize("address", ["www.taobao.com", "仿真小店", "x@a-b.com", "abcshop", "淘宝店：仿真小店"])
def test_case_9_no_site_can_be_found_by_it(findings: Findings, address: str) -> None:
    row = report(ONE, address=address, TYPOFWEB="2", WEBSITNAME="仿真小店")
    [found] = findings.of([row], [subject(ONE, address="shop55.taobao.com", **SHOP)])
    assert brief([found]) == [("misreported", "9", ONE.uscc)]
    assert found["subject_id"] == "S00000100"


@pytest.mark.parametrize("reports", [[], [report(ONE)], [report(ONE, address="www.c-d.com")]])
def test_case_10_a_name_alone_is_a_lead(findings: Findings, reports: list[Row]) -> None:
    named = subject(ONE, address="www.a-b.com", OPERATOR_USCC="", OPERATOR_REGNO="", ICP_NO="")
    found = [row for row in findings.of(reports, [named]) if row["kind"] != "base_gap"]
    assert brief(found) == [("lead", "10", ONE.uscc)]


def test_a_filing_number_tells_whose_site_it_is(findings: Findings) -> None:
    nameless = {"OPERATOR_USCC": "", "OPERATOR_REGNO": "", "OPERATOR_NAME": "", "ICP_NO": "京ICP备00000001号-2"}
    seen = [subject(ONE, address="www.a-b.com"), subject(ONE, address="www.c-d.com", number=1, **nameless)]
    [found] = findings.of([report(ONE, address="www.a-b.com")], seen)
    assert brief([found]) == [("omitted", "3", ONE.uscc)]
    assert found["site_url"] == "www.c-d.com"


def test_a_short_link_may_be_the_site_that_is_missed(findings: Findings) -> None:
    found = findings.of(
        [report(ONE, address="https://dwz.cn/abc")], [subject(ONE, address="www.a-b.com", SITE_NAME="")]
    )
    assert brief(found) == [("lead", "10", ONE.uscc)]


ACCOUNT = {"SITE_TYPE": "5", "ICP_NO": ""}
NOBODY = {"OPERATOR_NAME": "", "OPERATOR_USCC": "", "OPERATOR_REGNO": "", "ICP_NO": ""}
PAGE = {"SITE_TYPE": "2", "PLATFORM_NAME": "某商城"}


def test_an_account_and_an_app_beside_an_address_are_reported(findings: Findings) -> None:
    reported = report(ONE, address="https://www.a-b.com", WECHATPUBLICNO="甲乙商城", APPNAMES="丁丁购")
    seen = [
        subject(ONE, address="www.a-b.com"),
        subject(ONE, address="微信公众号:甲乙商城", number=1, SITE_NAME="甲乙商城", **ACCOUNT),
        subject(ONE, address="APP:丁丁购", number=2, SITE_NAME="丁丁购", **(ACCOUNT | {"SITE_TYPE": "4"})),
    ]
    assert findings.of([reported], seen) == []


def test_an_account_that_stands_alone_in_a_row_is_reported(findings: Findings) -> None:
    reported = report(ONE, ISWEB="1", TYPOFWEB="1", WEBSITNAME="甲乙商城", WECHATPUBLICNO="甲乙商城", APPNAMES="")
    assert findings.of([reported], [subject(ONE, address="公众号:甲乙商城", **ACCOUNT)]) == []


def test_an_account_without_a_name_is_nobodys(findings: Findings) -> None:
    reported = [report(ONE, address="公众号 http://www.a-b.com"), report(OTHER, address="公众号 http://www.c-d.com")]
    seen = [subject(ONE, address="www.a-b.com"), subject(OTHER, address="公众号 http://www.c-d.com")]
    assert findings.of(reported, seen) == []


def test_the_account_of_another_enterprise_is_a_lead(findings: Findings) -> None:
    reported = [report(each, address="www.a-b.com", WECHATPUBLICNO="甲乙", APPNAMES="") for each in (ONE, OTHER)]
    seen = [subject(OTHER, address="公众号:甲乙", **ACCOUNT)]
    found = [row for row in findings.of(reported, seen) if row["kind"] != "base_gap"]
    assert brief(found) == [("lead", "10", ONE.uscc)]


def test_an_account_known_by_its_id_may_be_the_one_that_is_missed(findings: Findings) -> None:
    reported = report(ONE, address="www.a-b.com", WECHATPUBLICNO="jiayi_2017", APPNAMES="")
    seen = [subject(ONE, address="www.a-b.com"), subject(ONE, address="公众号:甲乙商城", number=1, **ACCOUNT)]
    assert sorted(row["kind"] for row in findings.of([reported], seen)) == ["base_gap", "lead"]


def test_a_domain_with_han_letters_is_not_the_one_within(findings: Findings) -> None:
    seen = [subject(OTHER, address="www.abc.com")]
    reported = [report(ONE, address="www.北京abc.com"), report(OTHER, address="www.abc.com")]
    assert brief(findings.of(reported, seen)) == [("base_gap", "6", ONE.uscc)]


def test_a_domain_after_han_letters_accuses_nobody(findings: Findings) -> None:
    seen = [subject(OTHER, address="www.abc.com"), subject(ONE, address="www.小米abc.com", number=1)]
    reported = [report(ONE, address="小米abc.com"), report(OTHER, address="www.abc.com")]
    assert {row["kind"] for row in findings.of(reported, seen)} == {"lead"}


@pytest.mark.parametrize(
    ("reported", "base"),
    [
        ("https://www.x-y.com/#/shop/123", "https://www.x-y.com/#/shop/456"),
        ("https://www.x-y.com/?sid=111", "https://www.x-y.com/?sid=222"),
        ("https://z.jd.com/project/1.html", "https://z.jd.com/project/2.html"),
    ],
)
def test_another_page_is_not_another_enterprises(findings: Findings, reported: str, base: str) -> None:
    rows = [report(each, address=page, TYPOFWEB="2") for each, page in ((ONE, reported), (OTHER, base))]
    found = findings.of(rows, [subject(OTHER, address=base, **PAGE)])
    assert {row["kind"] for row in found} <= {"base_gap"}


def test_another_page_of_a_dead_site_of_nobody_is_a_lead(findings: Findings) -> None:
    dead = subject(OTHER, address="weibo.com/other", SITE_STATE="已关闭", LAST_SEEN="2016-11-30", **NOBODY)
    assert brief(findings.of([report(ONE, address="weibo.com/one")], [dead])) == [("lead", "10", ONE.uscc)]


def test_the_very_page_of_a_dead_site_of_nobody_is_stale(findings: Findings) -> None:
    dead = subject(OTHER, address="weibo.com/one", SITE_STATE="已关闭", LAST_SEEN="2016-11-30", **NOBODY)
    assert brief(findings.of([report(ONE, address="weibo.com/one")], [dead])) == [("misreported", "7", ONE.uscc)]


@pytest.mark.parametrize(
    ("reported", "base"),
    [
        ("https://shop36571234.taobao.com", "https://bahao.taobao.com"),
        ("https://bahao.jd.com", "https://mall.jd.com/index-1000004123.html"),
        ("https://www.x-y.com/#/shop/1", "https://www.x-y.com/s?id=1"),
    ],
)
@pytest.mark.parametrize(
    ("name", "kinds"), [("八号小店", []), ("", ["base_gap", "lead"]), ("茶叶", ["base_gap", "lead"])]
)
def test_one_shop_known_in_two_ways_is_not_called_omitted(
    findings: Findings, reported: str, base: str, name: str, kinds: list[str]
) -> None:
    row = report(ONE, address=reported, TYPOFWEB="2", WEBSITNAME=name)
    seen = subject(ONE, address=base, **(SHOP | {"SITE_NAME": "八号小店", "PLATFORM_NAME": ""}))
    assert sorted(found["kind"] for found in findings.of([row], [seen])) == kinds


@pytest.mark.parametrize(
    "base", ["https://shop999.taobao.com", "https://bahao.jd.com"], ids=["another number", "another platform"]
)
def test_a_shop_that_is_another_one_is_omitted(findings: Findings, base: str) -> None:
    row = report(ONE, address="https://shop36571234.taobao.com", TYPOFWEB="2", WEBSITNAME="八号小店")
    seen = subject(ONE, address=base, **(SHOP | {"SITE_NAME": "八号小店", "PLATFORM_NAME": ""}))
    assert sorted(found["kind"] for found in findings.of([row], [seen])) == ["base_gap", "omitted"]


@pytest.mark.parametrize(
    "when", [{"FIRST_SEEN": "2018-01-01"}, {"FIRST_SEEN": "2014-01-01", "LAST_SEEN": "2016-12-31"}]
)
def test_a_site_of_another_year_is_no_matter_of_this_one(findings: Findings, when: Row) -> None:
    assert findings.of([report(ONE)], [subject(ONE, address="www.a-b.com", **when)]) == []


def test_a_report_that_waits_for_a_steward_accuses_nobody(findings: Findings) -> None:
    assert findings.of([report(ONE, ISWEB="?")], [subject(ONE, address="www.a-b.com")]) == []


def test_a_later_report_and_a_later_snapshot_close_findings(findings: Findings) -> None:
    seen = [subject(ONE, address="www.a-b.com"), subject(OTHER, address="www.c-d.com")]
    assert len(findings.of([report(ONE), report(OTHER)], seen)) == 2
    later = dt.date(2018, 9, 3)
    corrected = report(ONE, address="www.a-b.com", ANCHEDATE="2018-09-01")
    moved = subject(Company(3), address="www.c-d.com") | {"SUBJECT_ID": "S00000200", "SNAPSHOT_DATE": "2018-09-01"}
    found = findings.of([corrected, report(Company(3), address="www.c-d.com", WEBSITNAME="")], [moved], later)
    assert [row["state"] for row in found] == ["closed", "closed"]
    events = findings.desk.query("SELECT event, count(*) AS n FROM discrepancy GROUP BY event ORDER BY event")
    assert [(row["event"], row["n"]) for row in events] == [("closed", 2), ("opened", 2)]
    with pytest.raises(LaterRunExists):
        crosscheck(findings.desk.office, year=YEAR, as_of=DAY)


def test_a_decision_of_a_person_is_kept_over_the_next_run(findings: Findings) -> None:
    findings.of([report(ONE)], [subject(ONE, address="www.a-b.com")])
    [seen] = findings.desk.query("SELECT finding_key, content_hash FROM finding")
    decide(
        findings.desk.office, [(seen["finding_key"], seen["content_hash"])], "confirmed",
        person="检查员甲", reason="已核实", as_of=DAY,
    )  # fmt: skip
    again = crosscheck(findings.desk.office, year=YEAR, as_of=DAY + dt.timedelta(days=1))
    assert again.events == {}
    assert [row["state"] for row in findings.exported()] == ["confirmed"]


def test_every_finding_names_rows_that_exist_and_says_what_would_clear_it(findings: Findings) -> None:
    findings.of([report(ONE), report(OTHER, address="x")], [subject(ONE, address="www.a-b.com")])
    for row in findings.desk.query("SELECT * FROM discrepancy"):
        assert row["clears"]
        assert row["confidence"] > 0
        if row["subject_id"]:
            assert row["evidence"]["snapshot_hash"]
            assert findings.desk.query("SELECT 1 FROM online_subject WHERE subject_id = :s", s=row["subject_id"])
        if row["report_id"]:
            assert findings.desk.query("SELECT 1 FROM annual_report WHERE report_id = :r", r=row["report_id"])
