"""比对: what the list shows and to whom, what is decided there, what leaves as a file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import Browser
from delivering import DAY, Company, as_csv, registered, write
from openpyxl import load_workbook
from reporting import YEAR, report, subject

from pipeline.crosscheck import crosscheck
from pipeline.office import Office
from pipeline.register import load_register
from store import finding_list
from store.accounts import Role
from store.discrepancies import Finding
from store.finding_list import Filters
from transforms.columns import Reference

Enter = Callable[..., Browser]


def findings(office: Office, **filters: str | None) -> list[Finding]:
    with office.engine.connect() as connection:
        return finding_list.list_findings(connection, Filters(**{"state": None} | filters), after=None, limit=99)  # type: ignore[arg-type]


@pytest.fixture
def compared(office: Office, deliver: Callable[..., int], tmp_path: Path) -> None:
    """1 conceals a site in 110108, 2 forgets one in 110105, 3 reports one that the base does not have."""
    companies = [Company(serial) for serial in (1, 2, 3)]
    load_register(office, write(tmp_path, "register.csv", as_csv([registered(c) for c in companies])), as_of=DAY)
    one, two, three = companies
    deliver(
        [report(one), report(two, address="www.b.com"), report(three, address="www.x.com")],
        kind=Reference.ANNUAL_REPORT,
    )
    deliver(
        [
            subject(one, address="www.a-b.com", DISTRICT="110108", SITE_NAME="<script>alert(1)</script>"),
            subject(two, address="www.b.com"), subject(two, address="www.c-d.com", number=1),
        ],
        kind=Reference.ONLINE_SUBJECT,
    )  # fmt: skip
    crosscheck(office, year=YEAR, as_of=DAY)


@pytest.mark.usefixtures("compared")
def test_the_list_is_narrowed_by_links(platform: Browser) -> None:
    page = platform.get("/findings").text
    assert all(name in page for name in ("仿真第1号", "仿真第2号", "仿真第3号"))
    assert "海淀区 1" in page and "110108 1" not in page
    narrowed = platform.get("/findings", district="110108", kind="concealed", confidence="high").text
    assert "仿真第1号" in narrowed and "仿真第2号" not in narrowed
    assert "没有符合条件" in platform.get("/findings", confidence="low").text
    assert platform.get("/findings", after="x_y").status_code == 422
    assert {platform.get(path).status_code for path in ("/findings/none", "/findings/none/listing")} <= {404, 405}


@pytest.mark.usefixtures("compared")
def test_a_finding_shows_both_sides_and_what_would_clear_it(platform: Browser, office: Office) -> None:
    [found] = findings(office, kind="concealed")
    page = platform.get(f"/findings/{found.finding_key}").text
    assert found.evidence["snapshot_hash"] in page
    for told in ("www.a-b.com", "S00000100", "更正年报并填报该网站或网店", "亮照信用代码", "2018-06-30"):
        assert told in page
    assert "<script>alert" not in page


@pytest.mark.usefixtures("compared")
def test_stewards_of_other_agencies_do_not_see_findings(log_in: Enter, office: Office) -> None:
    [found] = findings(office, kind="concealed")
    stranger = log_in("孙公安", Role.AGENCY, "psb")
    for path in ("/findings", f"/findings/{found.finding_key}", "/findings/packet?district=110108"):
        assert stranger.get(path).status_code == 403
    assert "/findings" not in stranger.get("/").text
    assert log_in("检查员甲", Role.AGENCY, "aic").get("/findings").status_code == 200


@pytest.mark.usefixtures("compared")
def test_a_listing_is_signed_by_somebody_else(log_in: Enter, platform: Browser, office: Office) -> None:
    [found] = findings(office, kind="concealed")
    path, seen = f"/findings/{found.finding_key}", found.content_hash
    assert platform.post(path, decision="confirmed", seen=seen).status_code == 422
    assert platform.post(path, decision="confirmed", seen="other", reason="已查").status_code == 409
    assert platform.post(path, decision="confirmed", seen=seen, reason="已查").status_code == 303
    assert platform.post(path, decision="listing_proposed", seen=seen, reason="拒不更正").status_code == 303
    assert "须由另一人签批" in platform.get(path).text
    listing = {"decision": "listing_signed", "seen": seen, "reason": "同意"}
    assert platform.post(f"{path}/listing", **listing).status_code == 409
    inspector = log_in("检查员甲", Role.AGENCY, "aic")
    assert inspector.post(f"{path}/listing", **listing).status_code == 403
    assert log_in("李审批", Role.APPROVER).post(f"{path}/listing", **listing).status_code == 303
    assert findings(office, kind="concealed")[0].state == "listing_signed"
    assert "李审批" in platform.get("/audit").text


@pytest.mark.usefixtures("compared")
def test_a_districts_findings_are_handed_over_as_a_packet(platform: Browser, office: Office) -> None:
    [found] = findings(office, kind="concealed")
    ticked = f"{found.finding_key}:{found.content_hash}"
    assert platform.post("/findings", decision="to_inspection", reason="请查").status_code == 422
    assert platform.post("/findings", decision="to_inspection", finding=ticked).status_code == 422
    assert platform.post("/findings", decision="to_inspection", reason="请查", finding=ticked).status_code == 303
    assert platform.post("/findings", decision="rejected", reason="误", finding="none:x").status_code == 404
    assert "执法检查清单" in platform.get("/findings", state="to_inspection", district="110108").text
    packet = platform.get("/findings/packet", district="110108")
    assert packet.headers["content-disposition"] == 'attachment; filename="inspection-110108-20180821.xlsx"'
    [sheet] = load_workbook(io.BytesIO(packet.content)).worksheets
    assert sheet.max_row == 2 and sheet["C2"].value == Company(1).uscc
    gaps = platform.get("/findings/base-gaps")
    assert gaps.headers["content-type"].startswith("text/csv") and Company(3).uscc in gaps.text


def test_codes_of_a_finding_are_told_in_words_on_its_pages_in_the_letter_and_in_the_packet(
    platform: Browser, office: Office, deliver: Callable[..., int], tmp_path: Path
) -> None:
    load_register(office, write(tmp_path, "register.csv", as_csv([registered(Company(1))])), as_of=DAY)
    deliver([report(Company(1), address="www.a-b.com", ISWEB="0")], kind=Reference.ANNUAL_REPORT)
    deliver([subject(Company(1), address="www.a-b.com")], kind=Reference.ONLINE_SUBJECT)
    crosscheck(office, year=YEAR, as_of=DAY)
    [found] = [each for each in findings(office) if "has_site" in each.fields]
    assert found.fields["has_site"] == ["no", "rows"]
    path, district = f"/findings/{found.finding_key}", found.district or ""
    assert "否 → 填有网站或网店" in platform.get("/findings").text
    for decision in ("sent_for_correction", "to_inspection"):
        sent = {"decision": decision, "seen": found.content_hash, "reason": "请查"}
        if decision == "to_inspection":
            assert "填有网站或网店" in platform.get(f"{path}/letter").text
        assert platform.post(path, **sent).status_code == 303
    assert "填有网站或网店" in platform.get(path).text
    packet = platform.get("/findings/packet", district=district)
    [sheet] = load_workbook(io.BytesIO(packet.content)).worksheets
    told = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {"是否有网站或网店: 否", "是否有网站或网店: 填有网站或网店"} <= told


@pytest.mark.usefixtures("compared")
def test_a_refused_decision_about_many_keeps_the_filters_the_ticks_and_the_reason(
    platform: Browser, office: Office
) -> None:
    one, two = findings(office, kind="concealed") + findings(office, kind="omitted")
    ticked = [f"{one.finding_key}:{one.content_hash}", f"{two.finding_key}:something else"]
    given = {"decision": "to_inspection", "year": str(YEAR), "state": "open", "csrf": platform.csrf()}
    answer = platform.client.post("/findings", data=given | {"finding": ticked, "reason": "请查"})
    assert answer.status_code == 409
    assert re.findall(r'value="([^"]+)" checked', answer.text) == [ticked[0]]
    assert answer.text.count("内容已变化") == 1
    assert 'name="reason" value="请查"' in answer.text
    assert f'<input type="hidden" name="year" value="{YEAR}">' in answer.text
    assert {each.state for each in findings(office)} == {"open"}, "all or none"


@pytest.mark.usefixtures("compared")
def test_the_letter_to_the_enterprise_tells_both_sides_the_remedy_and_the_term(
    platform: Browser, log_in: Enter, office: Office
) -> None:
    [found] = findings(office, kind="concealed")
    path = f"/findings/{found.finding_key}"
    assert platform.get(f"{path}/letter").status_code == 409
    assert "下载致企业的更正通知" not in platform.get(path).text
    sent = {"decision": "sent_for_correction", "seen": found.content_hash, "reason": "内部理由"}
    assert platform.post(path, **sent).status_code == 303
    assert f"{path}/letter" in platform.get(path).text
    letter = platform.get(f"{path}/letter")
    assert letter.headers["content-disposition"] == (
        f'attachment; filename="correction-{found.uscc}-{YEAR}-{found.finding_key[:8]}.html"'
    )
    told = (
        "仿真第1号", found.uscc, "网址", "www.a-b.com", "(空)", found.clears, "2018年6月30日", "届满",
        "第九条", "北京市工商行政管理局", "2018年8月21日",
    )  # fmt: skip
    assert [each for each in told if each not in letter.text] == []
    assert "<script>alert" not in letter.text and "王平台" not in letter.text and "内部理由" not in letter.text
    assert platform.get(f"{path}/letter").content == letter.content
    assert log_in("孙公安", Role.AGENCY, "psb").get(f"{path}/letter").status_code == 403
    assert platform.get("/findings/none/letter").status_code == 404


def test_a_letter_leaves_without_id_numbers_and_telephones_and_not_about_the_base(
    platform: Browser, office: Office, deliver: Callable[..., int], tmp_path: Path
) -> None:
    one, two = companies = [Company(serial) for serial in (1, 2)]
    load_register(office, write(tmp_path, "register.csv", as_csv([registered(each) for each in companies])), as_of=DAY)
    deliver(
        [report(one, address="www.a-b.com", WEBSITNAME="百货总店"), report(two, address="www.x.com")],
        kind=Reference.ANNUAL_REPORT,
    )
    named = "张三 11010519491231002X 13800138000"
    deliver([subject(one, address="www.a-b.com", SITE_NAME=named)], kind=Reference.ONLINE_SUBJECT)
    crosscheck(office, year=YEAR, as_of=DAY)
    assert {each.kind for each in findings(office)} == {"misreported", "base_gap"}
    for found in findings(office):
        path = f"/findings/{found.finding_key}"
        sent = platform.post(path, decision="sent_for_correction", seen=found.content_hash, reason="请核")
        assert sent.status_code == 303
        letter = platform.get(f"{path}/letter")
        assert letter.status_code == (409 if found.kind == "base_gap" else 200)
        assert "11010519491231002X" not in letter.text and "13800138000" not in letter.text
        assert found.kind == "base_gap" or ("百货总店" in letter.text and "〔电话略〕" in letter.text)
