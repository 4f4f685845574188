"""Lists, checks, measures and site data through every room: versions, attachment, sites, sums, explanation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from delivering import AUTHORITY, AUTHORITY_CODE, DAY, NEXT_DAY, SOMEONE, Company, Row, legacy_penalty, penalty

from feeds.verification import verify_release
from pipeline.explain import explain
from pipeline.reconcile import reconcile
from transforms.columns import Kind

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


def _subject(serial: int) -> Row:
    company = Company(serial)
    return {
        "ENTNAME": company.name, "UNISCID": company.uscc, "REGNO": "", "LEREP": "梁某", "XDR_ZJLX": "", "XDR_ZJHM": "",
    }  # fmt: skip


def listing(serial: int, **other: str) -> Row:
    """An entry of the list of abnormal operation."""
    return _subject(serial) | {
        "BUSEXCLIST": "", "SPECAUSE_CN": "登记住所无法联系", "ABNTIME": "2018/08/20", "DECORG_CN": AUTHORITY,
        "DECORG": AUTHORITY_CODE, "REMEXCPRES_CN": "", "REMDATE": "", "REDECORG_CN": "", "DATADEPT": AUTHORITY,
    } | other  # fmt: skip


REMOVED = {"REMEXCPRES_CN": "已重新取得联系", "REMDATE": "2018/08/21", "REDECORG_CN": AUTHORITY}


def serious(serial: int, **other: str) -> Row:
    return _subject(serial) | {
        "SERILLREA_CN": "被列入经营异常名录届满3年仍未履行相关义务", "ABNTIME": "2018/08/20", "DECORG_CN": AUTHORITY,
        "DEDOCNUM": f"京工商严列字〔2018〕第{serial}号", "PEMEXCPREXS_CN": "", "REMDATE": "", "RECORG_CN": "",
        "RECORGNUM": "",
    } | other  # fmt: skip


def inspection(serial: int, **other: str) -> Row:
    return _subject(serial) | {
        "INSID": "", "INSTYPE_CN": "年报不定向", "INSDATE": "2018/08/20", "INSRES_CN": "未发现问题",
        "INSAUTH_CN": AUTHORITY, "INSCONTENTS": "年度报告, 联系电话13812345678",
    } | other  # fmt: skip


def notice(serial: int, **other: str) -> Row:
    company = Company(serial)
    return {
        "ZF_XDR_MC": company.name, "ZF_XDR_SHXYM": company.uscc, "ZF_XDR_ZJHM": "", "ZF_WSH": "", "ZF_LB": "约谈",
        "ZF_SY": "平台内违法信息", "ZF_JDRQ": "2018/08/20", "ZF_JG": AUTHORITY,
    } | other  # fmt: skip


def site_data(serial: int, **other: str) -> Row:
    company = Company(serial)
    return {
        "OPERATOR_NAME": company.name, "OPERATOR_USCC": company.uscc, "SITE_TYPE": "独立网站", "SITE_NAME": "某网",
        "URL": f"www.shop{serial}.example.cn", "PLATFORM_NAME": "", "SHOP_ID": "",
        "SNAPSHOT_DATE": "2018/08/20", "SITE_STATE": "正常",
    } | other  # fmt: skip


def lines(feeds: Path, site: str, table: str, part: str = "full") -> list[dict[str, Any]]:
    text = (feeds / site / "current" / f"{table}.{part}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def states(desk: Any, kind: Kind) -> list[str]:
    return [row["state"] for row in desk.query(f"SELECT state FROM {kind} ORDER BY record_id")]


def test_a_removal_is_a_version_of_its_listing_and_both_are_shown_where_lists_are(known: Any) -> None:
    kind = Kind.ABNORMAL_OPERATION
    first = known.ingest([listing(1), listing(2), listing(2, SPECAUSE_CN="未按期公示年度报告")], DAY, kind)
    assert dict(first.row_states) == {"accepted": 3}
    known.attach()
    known.publish(DAY, *SITES)
    feeds = known.office.settings.feeds
    for site in ("creditbj", "gsxt", "qyxy"):
        rows = lines(feeds, site, "AO_OPA_DETAIL")
        assert [row.get("REMDATE") for row in rows] == [None] * 3
        assert {row["SPECAUSE"] for row in rows} == {"1", "4"}
    assert not (feeds / "creditchina" / "current" / "AO_OPA_DETAIL.full.jsonl").exists()

    known.ingest([listing(1, **REMOVED)], NEXT_DAY, kind)
    again = known.ingest([listing(1, LEREP="王某")], NEXT_DAY, kind)
    assert dict(again.row_states) == {"superseded": 1}, "an overlap does not list again what was removed"
    assert states(known, kind) == ["superseded", "accepted", "accepted", "accepted", "superseded"]
    known.attach(NEXT_DAY)
    known.publish(NEXT_DAY, *SITES)
    for site in ("creditbj", "gsxt", "qyxy"):
        [changed] = lines(feeds, site, "AO_OPA_DETAIL", "delta")
        day = "2018/08/21" if site == "creditbj" else "20180821"
        assert (changed["REMDATE"], changed["REMEXCPRES"], changed["REMEXCPRES_CN"]) == (day, "5", "已重新取得联系")
        assert not lines(feeds, site, "AO_OPA_DETAIL", "tombstones")
        assert len(lines(feeds, site, "AO_OPA_DETAIL")) == 3
        assert verify_release(feeds / site, deep=True).ok
    assert reconcile(known.office).ok


def test_listing_and_removal_in_one_file_are_no_contradiction_but_two_causes_of_one_number_are(known: Any) -> None:
    kind = Kind.ABNORMAL_OPERATION
    taken = known.ingest([listing(1, **REMOVED), listing(1)], DAY, kind)
    assert dict(taken.row_states) == {"accepted": 1, "superseded": 1}
    [holds] = known.query("SELECT removal_date, row_no FROM abnormal_operation WHERE state = 'accepted'")
    assert holds["row_no"] == 2
    numbered = [listing(2, BUSEXCLIST="Y7"), listing(2, BUSEXCLIST="Y7", SPECAUSE_CN="未按期公示年度报告")]
    taken = known.ingest(numbered, DAY, kind)
    assert (dict(taken.row_states), taken.failures["R22.same_document"]) == ({"review": 2}, 2)
    found = known.query("SELECT field, value FROM verdict WHERE rule = 'R22'")
    assert [(row["field"], row["value"]) for row in found] == [("BUSEXCLIST", "Y7")] * 2
    assert {row["document_no"] for row in known.query("SELECT document_no FROM open_review")} == {"Y7"}
    assert reconcile(known.office).ok


def test_every_kind_is_attached_decided_and_accounted_for(known: Any) -> None:
    person = {"UNISCID": "", "ENTNAME": "某某", "XDR_ZJLX": "身份证", "XDR_ZJHM": SOMEONE}
    known.ingest([inspection(1), inspection(2, INSRES_CN="无法联系"), inspection(3, **person)], DAY, Kind.INSPECTION)
    known.ingest([listing(1)], DAY, Kind.ABNORMAL_OPERATION)
    known.ingest([serious(1), serious(2, UNISCID="", REGNO=Company(2).regno)], DAY, Kind.SERIOUS_VIOLATION)
    known.ingest([notice(1), notice(2, ZF_LB="提请关闭网站")], DAY, Kind.ENFORCEMENT_NOTICE)
    known.ingest([site_data(1), site_data(2, URL="", PLATFORM_NAME="某平台", SHOP_ID="1")], DAY, Kind.BASIC_INFO)
    assert known.attach() == {"natural_person": 1, "regno": 1, "uscc": 8}
    known.publish(DAY, *SITES)
    feeds = known.office.settings.feeds
    shown = {
        site: {path.name.split(".")[0]: len(path.read_text(encoding="utf-8").splitlines()) for path in sorted(
            (feeds / site / "current").glob("*.full.jsonl"))}
        for site in SITES
    }  # fmt: skip
    lists = {"INSPECTION": 2, "AO_OPA_DETAIL": 1, "E_LI_ILLDISDETAIL": 2}
    assert shown == {
        "creditchina": {"XK": 0, "CF": 0},
        "creditbj": {"XK": 0, "CF": 0, **lists},
        "gsxt": {"E_OT_PERMIT": 0, "E_OT_CASE": 0, **lists},
        "qyxy": {"E_OT_PERMIT": 0, "E_OT_CASE": 0, **lists},
    }
    text = "".join(path.read_text(encoding="utf-8") for path in feeds.rglob("*.jsonl"))
    assert "13812345678" not in text
    assert SOMEONE not in text
    assert "约谈" not in text
    by_state = known.query("SELECT kind, state, count(*) AS n FROM row_state GROUP BY kind, state ORDER BY kind, state")
    assert [(row["kind"], row["state"], row["n"]) for row in by_state] == [
        ("abnormal_operation", "published", 1), ("basic_info", "withheld", 2), ("enforcement_notice", "withheld", 2),
        ("inspection", "published", 2), ("inspection", "withheld", 1), ("serious_violation", "published", 2),
    ]  # fmt: skip
    reasons = known.query("SELECT DISTINCT reason FROM disclosure WHERE kind IN ('basic_info', 'enforcement_notice')")
    assert reasons == [{"reason": "policy_not_shown"}]
    account = reconcile(known.office)
    assert account.ok, account.findings
    assert [sums.received for sums in account.deliveries] == [3, 1, 2, 2, 2]


def test_an_entry_is_explained_by_its_own_number_its_document_or_its_key(known: Any) -> None:
    known.ingest([listing(1, BUSEXCLIST="Y-2018-7")], DAY, Kind.ABNORMAL_OPERATION)
    known.ingest([serious(2)], DAY, Kind.SERIOUS_VIOLATION)
    known.ingest([notice(3)], DAY, Kind.ENFORCEMENT_NOTICE)
    [entry] = explain(known.office, "Y-2018-7")
    assert (entry["kind"], entry["values"]["entry_no"]["code"]) == ("abnormal_operation", "BUSEXCLIST")
    [decided] = explain(known.office, "京工商严列字[2018] 第2号")
    assert decided["kind"] == "serious_violation"
    [key] = known.query("SELECT record_key FROM enforcement_notice")
    [talk] = explain(known.office, key["record_key"])
    assert (talk["kind"], talk["values"]["measure"]["value"]) == ("enforcement_notice", "约谈")


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_recordings_of_a_site_the_newer_one_holds(known: Any, order: int) -> None:
    rows = [
        site_data(1, SNAPSHOT_DATE="2018/08/13"),
        site_data(1, SITE_STATE="无法访问", URL="http://WWW.shop1.example.cn/"),
    ]
    for row in rows[::order]:
        known.ingest([row], DAY, Kind.BASIC_INFO)
    assert known.query("SELECT site_state FROM basic_info WHERE state = 'accepted'") == [{"site_state": "无法访问"}]


# --- one decision from two agencies, in two sheets ------------------------------------------------------------------


def test_a_decision_that_a_ministry_passes_on_is_one_record(known: Any) -> None:
    passed_on = {"CF_SJLY": "国家邮政局"}
    known.ingest([penalty(1), penalty(2), penalty(3)], DAY, agency="post")
    again = known.ingest([penalty(1), penalty(2, **passed_on), penalty(3, CF_NR="罚款人民币3万元", CF_NR_FK="3")], DAY)
    assert dict(again.row_states) == {"duplicate": 2, "review": 1}
    assert again.failures["R22.same_document"] == 1
    assert known.query("SELECT count(DISTINCT record_key) AS n FROM penalty") == [{"n": 3}]
    held = known.query("SELECT document_no FROM open_review")
    assert held == [{"document_no": penalty(3)["CF_WSH"]}]
    known.attach()
    known.publish(DAY, "gsxt")
    assert {row["PENAM"] for row in lines(known.office.settings.feeds, "gsxt", "E_OT_CASE")} == {"2.000000"}
    assert reconcile(known.office).ok


def test_both_sheets_of_a_decision_meet_in_one_record_whatever_comes_first(known: Any) -> None:
    known.ingest([legacy_penalty(1)], DAY)
    known.ingest([penalty(1)], DAY)
    known.ingest([penalty(2)], DAY)
    known.ingest([legacy_penalty(2)], DAY)
    found = known.query("SELECT record_key, sheet, state FROM penalty ORDER BY record_id")
    assert [(row["sheet"], row["state"]) for row in found] == [
        ("legacy", "superseded"), ("standard", "accepted"), ("standard", "accepted"), ("legacy", "superseded"),
    ]  # fmt: skip
    assert len({row["record_key"] for row in found}) == 2
    withdrawn = known.ingest([legacy_penalty(2, CF_ZT="1", SJC="2018-08-22 09:00:00")], NEXT_DAY)
    assert dict(withdrawn.row_states) == {"accepted": 1}, "an event of the old sheet counts"
    assert reconcile(known.office).ok
