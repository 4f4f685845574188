"""The sheets that simulated agencies return are whole, and the silent ones are missed by name."""

from __future__ import annotations

from pipeline.campaign.making import make_report
from pipeline.campaign.report import CampaignReport
from pipeline.office import Office
from simulator.business_days import DEMO_DAYS
from simulator.returned_sheets import ACTION, SILENT, submit_returns


def test_every_agency_but_the_silent_ones_returns_a_whole_sheet(office: Office) -> None:
    assert submit_returns(office, "2018-07", DEMO_DAYS[0]) == 13 - len(SILENT)
    kept = make_report(office, ACTION, as_of=DEMO_DAYS[-1], person="demo")
    report = CampaignReport.model_validate_json(kept.content)
    assert {each.agency: each.state for each in report.returns if each.state not in ("submitted", "not_due")} == (
        dict.fromkeys(SILENT, "missing")
    )
    assert set(report.missing) == {"北京海关", "北京市邮政管理局", "北京市新闻出版广电局"}
    checks = report.line("checks_online").spans["2018-07"]
    assert checks.unassigned == 0 and len(checks.districts) == 17
    assert {(each.rule, each.agency) for each in report.contradictions} >= {("cases_agree", "aic")}
