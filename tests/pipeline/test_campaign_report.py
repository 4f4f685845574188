"""The summary report: figures that add up, what is missing by name, cases without anybody's data, kept as made."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, document_no, penalty
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from connectors.descriptor import load_agency
from pipeline.campaign.files import write_files
from pipeline.campaign.making import added_up, make_report, read_report
from pipeline.campaign.missing import due_notices
from pipeline.campaign.report import CampaignReport
from store import campaign_returns
from store.campaign_reports import KeptReport, ReportUnknown
from transforms.campaign.plausible import WHOLE_ACTION, Told
from transforms.campaign.sheets import ActionUnknown, sheets

ACTION: Final = "wj2018"
LATER: Final = dt.date(2018, 9, 3)
PHONE: Final = "13812345678"
NET: Final = {"CF_SY": "当事人在网店销售侵权商品"}


def of_agency(agency: str) -> dict[str, str]:
    """The columns that say that an agency decided."""
    facts = load_agency(agency)
    return {"CF_CFJG": facts.name_on(DAY), "CF_CFJGDM": facts.codes[0].code}


def told(desk: Any, agency: str, month: str, day: dt.date, **figures: str) -> None:
    """Submit a return; an item may be told for a district: deletions__110101."""
    values = {}
    for name, value in figures.items():
        item, _, district = name.partition("__")
        values[district or "110000", item] = Decimal(value)
    with desk.office.engine.begin() as connection:
        newest = campaign_returns.versions(connection, ACTION, agency=agency, period=month)
        campaign_returns.submit(
            connection, action=ACTION, agency=agency, period=month, seen=len(newest), figures=values, warnings=[],
            person="报送员", reason="", as_of=day,
        )  # fmt: skip


def made(desk: Any, day: dt.date = LATER) -> tuple[KeptReport, CampaignReport]:
    kept = make_report(desk.office, ACTION, as_of=day, person="甲")
    return kept, CampaignReport.model_validate_json(kept.content)


@pytest.fixture
def at_work(known: Any) -> Any:
    """Online cases of several agencies and kinds, published, and some returns."""
    known.ingest(
        [
            penalty(1, **NET, CF_NR_FK="1.005", CF_NR="处以罚款"),
            penalty(2, **NET, CF_NR_FK="1.005", CF_NR="处以罚款"),
            penalty(3, CF_SY=f"当事人法定代表人王小明在网店售假, 电话{PHONE}", CF_FRDB="王小明",
                    CF_CFLB="吊销许可证件", CF_NR="吊销许可证", CF_NR_FK="", CF_NR_ZKDX="许可证1号"),
            penalty(4, CF_SY="举报人李四反映当事人在网店售假", CF_NR_FK="90", CF_NR="处以罚款"),
            penalty(5, CF_XDR_LB="个体工商户", **NET, CF_NR_FK="80", CF_NR="处以罚款"),
            penalty(6, Company(99), **NET, CF_NR_FK="70", CF_NR="处以罚款"),
            penalty(7, **NET, CF_GSJZQ="2018/07/01"),
            penalty(8) | {"CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_MC": "赵七", "CF_FRDB": "",
                          "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": SOMEONE} | NET,
        ]
    )  # fmt: skip
    known.ingest([penalty(11, **NET, CF_CFLB="警告", CF_NR="警告", CF_NR_FK="") | of_agency("fda")], agency="fda")
    known.ingest([penalty(12, **NET, CF_CFLB="责令停产停业", CF_NR="责令停产停业", CF_NR_FK="") | of_agency("ipo")],
                 agency="ipo")  # fmt: skip
    known.attach()
    known.publish(DAY, "creditbj")
    told(known, "aic", "2018-07", NEXT_DAY, **{each.code: "4" for each in sheets().required_of("aic")})
    told(known, "cac", "2018-07", NEXT_DAY, info_cleared__110101="5", info_cleared__110108="2", info_cleared="10")
    return known


def test_the_figures_are_those_of_the_records_and_of_the_returns(at_work: Any) -> None:
    _, report = made(at_work)
    assert report.begun == ("2018-07", "2018-08", "2018-09")
    cases = report.line("cases")
    assert cases.spans["2018-08"].city == 9, "natural persons' cases count, what waits does not"
    assert cases.spans["2018-07"].city == 0
    assert report.line("fines").written(report.line("fines").spans[WHOLE_ACTION].city) == "244.01"
    assert any("1 件涉网处罚决定" in note for note in report.notes)
    cleared = report.line("info_cleared").spans["2018-07"]
    assert (cleared.city, cleared.unassigned) == (10, 3)
    assert report.line("info_cleared").spans["2018-08"].city is None, "what nobody told is not zero"
    for line in report.lines:
        for place in line.spans.values():
            if place.city is not None and place.unassigned is not None:
                assert sum(place.districts.values(), place.unassigned) == place.city
    kinds = report.cases_by_kind["2018-08"]
    assert sum(kinds.values()) == 9
    assert (kinds["吊销"], kinds["责令停产停业"], kinds["警告"]) == (1, 1, 1)


def test_what_is_missing_is_listed_by_name_and_what_is_lacking_by_item(at_work: Any) -> None:
    _, report = made(at_work)
    assert "北京市工商行政管理局" in report.missing, "August is over"
    assert [each.month for each in report.missing["北京市工商行政管理局"]] == ["2018-08"]
    july, august = report.missing["北京市互联网信息办公室"]
    assert (july.state, july.lacking) == ("incomplete", ("案值", "移送公安机关", "约谈平台", "处置账号"))
    assert (august.state, august.due) == ("missing", dt.date(2018, 9, 7))
    assert len(report.missing) == 13
    assert {each.state for each in report.returns if each.month == "2018-09"} == {"not_due"}
    assert {each.state for each in report.returns if each.month == "2018-07"} == {"submitted", "incomplete", "overdue"}


def test_typical_cases_differ_in_agency_and_kind_and_name_nobody(at_work: Any) -> None:
    _, report = made(at_work)
    assert [(case.agency, case.heaviest) for case in report.cases[:3]] == [
        ("aic", "吊销"), ("ipo", "责令停产停业"), ("fda", "警告"),
    ]  # fmt: skip
    numbers = {case.document_no for case in report.cases}
    assert document_no(3) in numbers and document_no(1) in numbers
    for left_out in (4, 5, 6, 7, 8):
        assert document_no(left_out) not in numbers
    assert report.cases[0].texts["违法事实"] == "当事人法定代表人王某某在网店售假, 电话〔电话略〕"
    assert all(case.why and case.source for case in report.cases)


def test_a_case_is_cut_as_feeds_are(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule R26 leaves such a case out today; what it does not mark one day is cut all the same."""
    monkeypatch.setattr("pipeline.campaign.cases.withheld_findings", lambda *_: {})
    told = "当事人在网店售假，货款汇入银行卡4000 0000 0000 0002，以京A12345号货车运送"
    known.ingest(
        [penalty(1, CF_SY=told, CF_CFLB="吊销许可证件", CF_NR="吊销许可证", CF_NR_FK="", CF_NR_ZKDX="许可证1号")]
    )
    known.attach()
    known.publish(DAY, "creditbj")
    _, report = made(known)
    facts = report.cases[0].texts["违法事实"]
    assert facts == "当事人在网店售假，货款汇入银行卡〔卡号略〕，以〔车牌略〕号货车运送"


def test_nobodys_data_are_in_the_files_or_in_the_ledger(at_work: Any, tmp_path: Path) -> None:
    kept, _ = made(at_work)
    workbook, page = write_files(kept, tmp_path)
    book = load_workbook(io.BytesIO(workbook.read_bytes()))
    cells = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    for text in (kept.content, page.read_text("utf-8"), cells):
        for private in (SOMEONE, SOMEONE[:6] + "*", PHONE, "王小明", "李四", "赵七", "仿某"):
            assert private not in text
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", text)


def test_without_enough_cases_the_report_says_so(known: Any, tmp_path: Path) -> None:
    known.ingest([penalty(1, **NET)])
    known.attach()
    kept, report = made(known)
    assert report.cases == (), "nothing was published yet"
    _, page = write_files(kept, tmp_path)
    assert "不足 3 件" in page.read_text("utf-8")


def test_a_case_under_review_or_taken_back_is_not_typical(at_work: Any) -> None:
    at_work.ingest([penalty(3, CF_SY="当事人在网店售假", CF_GSJZQ="2018/07/01")], NEXT_DAY)
    _, report = made(at_work)
    assert document_no(3) not in {case.document_no for case in report.cases}


def test_a_report_is_kept_as_it_was_made_and_made_again_only_when_it_says_something_new(
    at_work: Any, tmp_path: Path
) -> None:
    first, _ = made(at_work)
    again, _ = made(at_work)
    assert (first.version, first.new, again.version, again.new) == (1, True, 1, False)
    files = {path.name: path.read_bytes() for path in write_files(first, tmp_path / "one")}
    told(at_work, "fda", "2018-07", LATER, deletions="7")
    second, _ = made(at_work)
    assert (second.version, second.new) == (2, True)
    kept = read_report(at_work.office, ACTION, as_of=LATER, version=1)
    assert {path.name: path.read_bytes() for path in write_files(kept, tmp_path / "two")} == files
    actions = [
        row["action"] for row in at_work.query("SELECT action FROM audit_event WHERE object ~ '^campaign_report'")
    ]
    assert actions == ["campaign_report"] * 2
    with pytest.raises(ReportUnknown, match="no version 9 of the report of wj2018 as of 2018-09-03"):
        read_report(at_work.office, ACTION, as_of=LATER, version=9)


def test_the_report_of_an_earlier_day_does_not_know_later_returns(at_work: Any) -> None:
    told(at_work, "fda", "2018-07", LATER, deletions="7")
    _, before = made(at_work, DAY)
    assert before.line("deletions").spans["2018-07"].city is None
    assert before.begun == ("2018-07", "2018-08")


def test_an_unknown_action_and_a_day_before_the_action_are_refused(known: Any) -> None:
    with pytest.raises(ActionUnknown):
        make_report(known.office, "wj2017", as_of=LATER, person="甲")
    with pytest.raises(ValueError, match="wj2018 begins on 2018-07-01"):
        make_report(known.office, ACTION, as_of=dt.date(2018, 6, 30), person="甲")


def test_contradictions_are_shown_with_both_numbers_and_nothing_is_corrected(at_work: Any, tmp_path: Path) -> None:
    told(at_work, "fda", "2018-08", LATER, to_police="50")
    kept, report = made(at_work)
    [found] = [each for each in report.contradictions if (each.rule, each.span) == ("police_within_cases", "2018-08")]
    assert (found.left, found.right) == ("移送公安机关 50 件", "查处涉网违法案件 9 件")
    assert report.line("to_police").spans["2018-08"].city == 50
    workbook, page = write_files(kept, tmp_path)
    assert "移送公安机关 50 件" in page.read_text("utf-8")
    rows = list(load_workbook(workbook)["核对"].iter_rows(values_only=True))
    assert ("须核实", "8月", "全市", found.sentence, found.left, found.right, found.remedy, found.rule) in rows


def test_the_workbook_holds_numbers_that_can_be_added(at_work: Any, tmp_path: Path) -> None:
    kept, report = made(at_work)
    workbook, _ = write_files(kept, tmp_path)
    book = load_workbook(workbook)
    assert book.sheetnames[:3] == ["逐月情况", "分区情况 合计", "分区情况 7月"]
    header, *rows = book["分区情况 合计"].iter_rows(values_only=True)
    [cases] = [row for row in rows if row[0] == "查处涉网违法案件（件）"]
    assert sum(cases[1:-1]) == cases[-1] == 9
    assert header[-2:] == ("未分区", "全市")
    assert len(header) == len(report.districts) + 3


RETURNED: Final = st.lists(
    st.builds(
        Told, st.sampled_from(["aic", "fda"]), st.sampled_from(["2018-07", "2018-08"]),
        st.sampled_from(["110000", "110101", "110103", "110108"]), st.just("deletions"),
        st.decimals(0, 1000, places=2),
    ),
    unique_by=lambda each: (each.agency, each.month, each.district), max_size=16,
)  # fmt: skip


@given(RETURNED, st.randoms(use_true_random=False))
def test_districts_and_what_has_none_are_the_city_for_returns_too(figures: list[Told], rng: Any) -> None:
    shuffled = list(figures)
    rng.shuffle(shuffled)
    place = added_up(figures, sheets())
    assert place == added_up(shuffled, sheets())
    if not figures:
        assert (place.city, place.unassigned) == (None, None)
        return
    assert sum(place.districts.values(), place.unassigned or Decimal()) == place.city
    assert "110103" not in place.districts, "崇文 is 东城 since 2010"


@pytest.mark.parametrize(
    ("day", "keys"),
    [
        (dt.date(2018, 8, 22), []),
        (dt.date(2018, 8, 23), ["wj2018/2018-07"]),  # three working days before 28 August
        (dt.date(2018, 8, 28), ["wj2018/2018-07"]),
        (dt.date(2018, 8, 29), ["wj2018/2018-07"]),  # overdue
        (dt.date(2018, 9, 1), []),  # a Saturday
        (dt.date(2018, 9, 12), ["wj2018/2018-08"]),  # July is no longer told
        (dt.date(2018, 11, 29), ["wj2018/summary"]),
        (dt.date(2018, 12, 13), ["wj2018/2018-11", "wj2018/summary"]),
        (dt.date(2018, 12, 27), ["wj2018/summary"]),
        (dt.date(2018, 12, 28), []),
        (dt.date(2026, 11, 27), []),
    ],
)
def test_people_are_told_on_the_working_days_that_the_table_names(known: Any, day: dt.date, keys: list[str]) -> None:
    assert [each.key for each in due_notices(known.office, day)] == keys


def test_a_notice_names_who_is_missing_and_ends_when_all_is_in(known: Any) -> None:
    for agency in sheets().agencies:
        if agency != "ipo":
            told(known, agency, "2018-07", NEXT_DAY, **{each.code: "1" for each in sheets().required_of(agency)})
    [notice] = due_notices(known.office, dt.date(2018, 8, 29))
    assert notice.told().endswith("7月统计表 2018-08-28（已逾期 1 日）: 未报 1 个机关: 北京市知识产权局 7月")
    told(known, "ipo", "2018-07", NEXT_DAY, case_value="1")
    [notice] = due_notices(known.office, dt.date(2018, 8, 28))
    assert notice.told().endswith("（今日到期）: 未报 1 个机关: 北京市知识产权局 7月（缺 移送公安机关）")
    told(known, "ipo", "2018-07", NEXT_DAY, case_value="1", to_police="0")
    assert due_notices(known.office, dt.date(2018, 8, 29)) == []
