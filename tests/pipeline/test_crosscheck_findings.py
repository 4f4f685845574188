"""What people decide about findings: in which order, about what they saw, who with whom; and what is handed on."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, SOMEONE, Company
from openpyxl import load_workbook
from reporting import YEAR, report, subject

from pipeline.crosscheck import crosscheck
from pipeline.exports import BASE_GAPS, export
from pipeline.findings import MAY_FOLLOW, FindingChanged, decide
from pipeline.inspection_packet import handed_over, write_packet
from pipeline.office import Office
from pipeline.replay import compare, past_runs, replay
from pipeline.scratch import scratch_office
from store import finding_list
from store.discrepancies import STATES, Finding, FindingRefused, FindingUnknown
from store.finding_list import Filters
from transforms.columns import Reference

LATER = DAY + dt.timedelta(days=1)


class Inspector:
    """Somebody who works through the findings of one office."""

    def __init__(self, desk: Any) -> None:
        self.desk: Any = desk
        self.office: Office = desk.office

    def findings(self, **filters: Any) -> list[Finding]:
        with self.office.engine.connect() as connection:
            asked = Filters(**{"state": None} | filters)
            return finding_list.list_findings(connection, asked, after=None, limit=100)

    def decide(self, found: Finding, decision: Any, person: str = "检查员甲", day: dt.date = DAY) -> Finding:
        [now] = decide(
            self.office, [(found.finding_key, found.content_hash)], decision, person=person, reason="已核实", as_of=day
        )
        return now


@pytest.fixture
def inspector(known: Any) -> Inspector:
    """1 conceals a site, 2 forgets one, 3 reports one that the base does not have."""
    reports = [report(Company(1)), report(Company(2), address="www.b.com"), report(Company(3), address="=cmd.com.cn")]
    seen = [
        subject(Company(1), address="www.a-b.com", DISTRICT="110108"),
        subject(Company(2), address="www.b.com"),
        subject(Company(2), address="www.c-d.com", number=1, SITE_NAME="=1+1"),
    ]
    assert known.ingest(reports, kind=Reference.ANNUAL_REPORT).state == "checked"
    assert known.ingest(seen, kind=Reference.ONLINE_SUBJECT).state == "checked"
    crosscheck(known.office, year=YEAR, as_of=DAY)
    return Inspector(known)


def test_a_listing_takes_two_people_and_a_confirmed_finding(inspector: Inspector) -> None:
    [found] = inspector.findings(kind="concealed")
    with pytest.raises(FindingRefused, match="cannot follow"):
        inspector.decide(found, "listing_proposed")
    inspector.decide(found, "confirmed")
    assert inspector.decide(found, "listing_proposed").state == "listing_proposed"
    with pytest.raises(FindingRefused, match="second person"):
        inspector.decide(found, "listing_signed", " 检查员甲 ")
    assert inspector.decide(found, "listing_refused", "李审批").state == "confirmed"
    inspector.decide(found, "listing_proposed")
    assert inspector.decide(found, "listing_signed", "李审批").state == "listing_signed"
    [gap] = inspector.findings(kind="base_gap")
    inspector.decide(gap, "confirmed")
    with pytest.raises(FindingRefused, match="弄虚作假"):
        inspector.decide(gap, "listing_proposed")
    with pytest.raises(FindingRefused, match="until 2018-06-30"):
        [other] = inspector.findings(kind="omitted")
        inspector.decide(other, "confirmed")
        inspector.decide(other, "listing_proposed", day=dt.date(2018, 6, 30))


def test_only_what_may_follow_follows(inspector: Inspector) -> None:
    """Random walks: a decision is taken exactly where the table says so, and the states are those that are listed."""
    [found, *_] = inspector.findings(kind="omitted")
    chance, state = random.Random(3), "open"  # noqa: S311 (an order of decisions)
    for step in range(40):
        decision = chance.choice(sorted(MAY_FOLLOW))
        person = f"检查员{step}"
        if state in MAY_FOLLOW[decision]:
            state = inspector.decide(found, decision, person).state
            assert state == ("confirmed" if decision == "listing_refused" else decision)
        else:
            with pytest.raises(FindingRefused):
                inspector.decide(found, decision, person)
        assert state in STATES


def test_a_decision_is_about_what_was_seen(inspector: Inspector) -> None:
    [concealed], [omitted] = inspector.findings(kind="concealed"), inspector.findings(kind="omitted")
    inspector.decide(concealed, "confirmed")
    inspector.decide(omitted, "sent_for_correction")
    inspector.desk.ingest(
        [subject(Company(1), address="www.a-b.com/shop", DISTRICT="110108", SNAPSHOT_DATE=LATER.isoformat())],
        day=LATER, kind=Reference.ONLINE_SUBJECT,
    )  # fmt: skip
    corrected = [
        report(Company(2), address=each, ANCHEDATE=LATER.isoformat(), WEBSITNAME="") for each in ("b.com", "c-d.com")
    ]
    inspector.desk.ingest(corrected, day=LATER, kind=Reference.ANNUAL_REPORT)
    crosscheck(inspector.office, year=YEAR, as_of=LATER)
    [now] = inspector.findings(kind="concealed")
    assert (now.state, now.outdated, now.closed) == ("confirmed", True, False)
    with pytest.raises(FindingChanged):
        inspector.decide(concealed, "rejected")
    with pytest.raises(FindingRefused, match="confirm it again"):
        inspector.decide(now, "listing_proposed")
    [gone] = inspector.findings(kind="omitted", state="closed")
    assert gone.state == "sent_for_correction"
    with pytest.raises(FindingChanged):
        inspector.decide(gone, "confirmed")
    with inspector.office.engine.connect() as connection:
        [of_none, by_code] = finding_list.precision(connection)
    assert (of_none.link, of_none.precision) == ("", None)
    assert (by_code.link, by_code.confirmed, by_code.corrected, by_code.precision) == ("uscc", 1, 1, 1.0)


def test_all_or_none_are_decided(inspector: Inspector) -> None:
    found = inspector.findings()
    chosen = [(each.finding_key, each.content_hash) for each in found]
    with pytest.raises(FindingUnknown):
        decide(inspector.office, [*chosen, ("x", "y")], "rejected", person="甲", reason="误", as_of=DAY)
    with pytest.raises(ValueError, match="身份证"):
        decide(inspector.office, chosen, "rejected", person="甲", reason=f"问 {SOMEONE}", as_of=DAY)
    with pytest.raises(ValueError, match="a name and a reason"):
        decide(inspector.office, chosen, "rejected", person=" ", reason="误", as_of=DAY)
    assert {each.state for each in inspector.findings()} == {"open"}
    decide(inspector.office, chosen, "rejected", person="甲", reason="误", as_of=DAY)
    assert {each.state for each in inspector.findings()} == {"rejected"}


def test_a_packet_holds_a_districts_findings_as_text(inspector: Inspector) -> None:
    for found in inspector.findings():
        inspector.decide(found, "to_inspection")
    packets = {
        district: write_packet(handed_over(inspector.office, district), district=district, as_of=DAY)
        for district in ("110108", "110105")
    }
    assert packets["110105"] == write_packet(handed_over(inspector.office, "110105"), district="110105", as_of=DAY)
    sheet = load_workbook(io.BytesIO(packets["110108"])).active
    assert sheet is not None
    head, only = list(sheet.iter_rows(values_only=True))
    told = dict(zip(head, only, strict=True))
    assert (told["种类"], told["统一社会信用代码"], told["网址"]) == ("瞒报", Company(1).uscc, "www.a-b.com")
    assert told["快照哈希"] and told["消除条件"] and not told["检查结果"]
    [other] = load_workbook(io.BytesIO(packets["110105"])).worksheets
    assert "f" not in {cell.data_type for row in other.iter_rows() for cell in row}


def test_what_the_base_lacks_goes_back_to_it(inspector: Inspector, tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    assert export(inspector.office, BASE_GAPS, path) == 1
    [gap] = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert (gap["uscc"], gap["site_type"], gap["missing_since"]) == (Company(3).uscc, "site", DAY.isoformat())
    assert gap["site_url"].startswith("'="), "no spreadsheet takes it for a formula"
    assert (gap["year"], gap["compared_on"][:2]) == (str(YEAR), "20"), "numbers and days stay as they are"
    [found] = inspector.findings(kind="base_gap")
    inspector.decide(found, "rejected")
    assert export(inspector.office, BASE_GAPS, path) == 0


def test_findings_and_decisions_are_made_again_by_a_replay(inspector: Inspector) -> None:
    [found] = inspector.findings(kind="concealed")
    inspector.decide(found, "confirmed")
    inspector.decide(found, "listing_proposed")
    inspector.decide(found, "listing_signed", "李审批")
    with scratch_office(inspector.office) as target:
        done = replay(inspector.office, target, past_runs(inspector.office, "archive"))
        assert (done.gone, done.otherwise, done.steps["crosscheck"], done.steps["finding"]) == ([], [], 1, 3)
        assert compare(inspector.office, target, done).equal
        with target.engine.connect() as connection:
            again = finding_list.list_findings(connection, Filters(kind="concealed", state=None), after=None, limit=2)
    assert [each.state for each in again] == ["listing_signed"]
