"""Lists, checks and measures beside licences and penalties: what their rules see, what makes two rows one record."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from sheet_rows import (
    ADULT,
    AGENCY_CODE,
    AS_OF,
    AUTHORITY,
    NEWER_KINDS,
    OTHER_USCC,
    REGNO,
    USCC,
    findings_of,
    read_rows,
    record_of,
    sound,
)

from expectations.runner import judge
from expectations.suite import load_suite
from simulator.codes import resident_id
from transforms.categories import CODED
from transforms.columns import STANDARD_COLUMNS, Kind, Sheet
from transforms.findings import rule_findings
from transforms.natural_keys import NATURAL_KEYS
from transforms.sheets import SHEETS

NEW = Sheet.STANDARD
C, A, S, N, B = NEWER_KINDS  # check, abnormal operation, serious violation, notice, basic information


def row_with(kind: Kind, **targets: str) -> dict[str, str]:
    """The sound row with the cells behind some standard columns changed."""
    return sound(kind, NEW, **{SHEETS[kind, NEW].code_of(target): text for target, text in targets.items()})


# --- rules --------------------------------------------------------------------------------------------------------

_NO_CODE = dict.fromkeys(("uscc", "regno", "org_code", "tax_no"), "")
_PERSON = {"subject_category": "自然人", "uscc": ""}
TWELVE = resident_id("110105", dt.date(2006, 3, 7), 8)
"""The number of nobody known, twelve years old when the checks are made."""
_OF_ALL: list[tuple[dict[str, str], set[str]]] = [
    ({}, set()),
    ({"subject_name": ""}, {"R01.subject_name"}),
    ({"subject_name": "无"}, {"R01.subject_name", "R24.placeholder"}),
    ({"decision_date": ""}, {"R01.decision_date"}),
    ({"decision_date": "2018/13/45"}, {"R10.decision_date"}),
    ({"decision_date": "2018/08/22"}, {"R11.decision_date"}),
    ({"updated_at": "昨天"}, {"R10.updated_at"}),
    ({"updated_at": "2099/01/01 00:00:00"}, {"R11.updated_at"}),
    (_NO_CODE, {"R01.uscc_expected", "R02.subject_code"}),
    (_NO_CODE | {"regno": REGNO}, {"R01.uscc_expected"}),
    ({"uscc": USCC[:-1] + "A"}, {"R03.uscc"}),
    ({"uscc": ADULT}, {"R03.uscc", "R09.personal_id"}),
    ({"org_code": OTHER_USCC[8:17]}, {"R05.org_code_agrees"}),
    ({"uscc": "", "org_code": "802100434"}, {"R01.uscc_expected", "R05.org_code_form"}),
    ({"regno": "330212000198320"}, {"R06.regno"}),
    ({"tax_no": "1"}, {"R07.tax_no"}),
    ({"subject_category": "甲"}, {"R01.subject_category_known"}),
    (_PERSON, {"R01.by_category", "R26.natural_person"}),
    (_PERSON | {"id_type": "身份证", "id_no": ADULT}, {"R26.natural_person"}),
    (_PERSON | {"id_type": "身份证", "id_no": ADULT[:-1] + "5"}, {"R08.id_no", "R26.natural_person"}),
    (_PERSON | {"id_type": "身份证", "id_no": TWELVE}, {"R26.natural_person", "R26.under_age"}),
    (_NO_CODE | {"subject_name": "王小明"}, {"R01.uscc_expected", "R02.subject_code", "R26.personal_name"}),
    ({"remarks": "涉及商业秘密"}, {"R26.secret"}),
    ({"remarks": "当事人系未成年人"}, {"R26.minor"}),
    ({"remarks": "家庭住址在朝阳区"}, {"R26.personal_detail"}),
    ({"remarks": "长" * 6000}, {"R29.length"}),
    ({"subject_name": "张某13812345678"}, {"R09.telephone"}),
    ({"subject_name": "甲公司\u200b"}, {"R23.subject_name"}),
    ({"remarks": f"联系人{ADULT}"}, {"R09.personal_id"}),
    ({"authority_code": USCC}, {"R19.authority_code"}),
    ({"authority_code": AGENCY_CODE[:-1] + "0"}, {"R19.authority_code"}),
    ({"source_code": USCC}, {"R19.source_code"}),
]
_OWN: dict[Kind, list[tuple[dict[str, str], set[str]]]] = {
    C: [
        ({"check_type": ""}, {"R01.check_type"}),
        ({"check_type": "不详"}, {"R01.check_type", "R24.placeholder"}),
        ({"check_type": "3"}, {"R14.check_type"}),
        ({"result": ""}, {"R01.result"}),
        ({"result": "其他"}, {"R14.result"}),
        ({"result": "其他-已迁往外省"}, set()),
        ({"result": "未公示年报；无法联系"}, set()),
        ({"authority_name": ""}, {"R01.authority_name"}),
    ],
    A: [
        ({"listing_cause": ""}, {"R01.listing_cause"}),
        ({"listing_cause": "4"}, {"R14.listing_cause"}),
        ({"listing_cause": "隐瞒真实情况、弄虚作假"}, set()),
        ({"authority_name": ""}, {"R01.authority_name"}),
        ({"removal_date": "2018/08/21", "removal_reason": "已补报"}, set()),
        ({"removal_date": "2018/08/19", "removal_reason": "已补报"}, {"R12.date_order"}),
        ({"removal_date": "2018/08/22", "removal_reason": "已补报"}, {"R11.removal_date"}),
        ({"removal_date": "明天", "removal_reason": "已补报"}, {"R10.removal_date"}),
        ({"removal_date": "2018/08/21"}, {"R01.removal_reason"}),
        ({"removal_reason": "已补报"}, {"R01.removal_date"}),
        ({"removal_date": "2018/08/21", "removal_reason": "1"}, {"R14.removal_reason"}),
        ({"removal_date": "2018/08/21", "removal_reason": "注（吊）销"}, set()),
    ],
    S: [
        ({"listing_cause": ""}, {"R01.listing_cause"}),
        ({"listing_cause": "不讲信用"}, {"R14.listing_cause"}),
        ({"authority_name": ""}, {"R01.authority_name"}),
        ({"document_no": ""}, set()),
        ({"removal_date": "2018/08/19", "removal_reason": "届满"}, {"R12.date_order"}),
        ({"removal_date": "2018/08/22", "removal_reason": "届满"}, {"R11.removal_date"}),
        ({"removal_date": "无此日", "removal_reason": "届满"}, {"R10.removal_date"}),
        ({"removal_date": "2018/08/21"}, {"R01.removal_reason"}),
        ({"removal_authority": "北京市工商行政管理局"}, {"R01.removal_date"}),
        ({"removal_date": "2018/08/21", "removal_reason": "9"}, {"R14.removal_reason"}),
    ],
    N: [
        ({"measure": ""}, {"R01.measure"}),
        ({"measure": "谈话"}, {"R14.measure"}),
        ({"measure": "责令改正"}, set()),
        ({"facts": ""}, {"R01.facts"}),
        ({"authority_name": ""}, {"R01.authority_name"}),
        ({"due_date": "2018/08/19"}, {"R12.date_order"}),
        ({"due_date": "尽快"}, {"R10.due_date"}),
        ({"document_no": ""}, set()),
    ],
    B: [
        ({"site_type": ""}, {"R01.site_type"}),
        ({"district_code": "999999"}, {"R21.district_code"}),
        ({"site_type": "2"}, {"R14.site_type"}),
        ({"site_name": ""}, {"R01.site_name"}),
        ({"site_address": ""}, {"R01.site"}),
        ({"site_address": "", "platform_name": "某平台", "shop_id": "10086"}, set()),
        ({"licence_shown": "看不清"}, {"R14.licence_shown"}),
        ({"self_operated": "也许"}, {"R14.self_operated"}),
        ({"site_state": "不稳"}, {"R14.site_state"}),
        ({"first_seen": "2018/08/20"}, {"R12.date_order"}),
        ({"first_seen": "从前"}, {"R10.first_seen"}),
        ({"last_seen": "昨日"}, {"R10.last_seen"}),
        ({"authority_name": ""}, set()),
    ],
}


@pytest.mark.parametrize("kind", NEWER_KINDS)
def test_each_rule_fails_its_faulty_row_and_no_other(kind: Kind) -> None:
    cases = [*_OF_ALL, *_OWN[kind]]
    standardised, recognition = read_rows(kind, [row_with(kind, **cells) for cells, _ in cases])
    found = rule_findings(standardised, recognition.definition, delivering=AUTHORITY, as_of=AS_OF)
    outcomes = judge(found | {"R22.same_document": pa.nulls(len(cases), pa.string())}, load_suite(kind, NEW))
    for position, (cells, expected) in enumerate(cases):
        failed = {name for name, outcome in outcomes.items() if position in outcome.positions}
        assert failed == expected, cells
    tried = {name for _, expected in cases for name in expected}
    hardly = {"R04.uscc_inner", "R22.same_document"}  # tried by the sheets of 790号, and over whole deliveries
    elsewhere = {"R25.gsxt", "R26.trade_name"}  # tried in test_timeliness and test_withholding
    delegated = {f"R19.{name}" for name in ("authority_code_delegated", "source_code_delegated")}
    own = {"R19.own_code", "R19.own_code_unverified"}
    ids = {e.id for e in load_suite(kind, NEW).expectations}
    assert ids - tried - elsewhere == hardly | delegated | own


@pytest.mark.parametrize("kind", NEWER_KINDS)
def test_only_what_the_law_fixes_sends_a_row_back(kind: Kind) -> None:
    severities = {e.id: e.severity for e in load_suite(kind, NEW).expectations}
    assert severities["R03.uscc"] == severities["R10.decision_date"] == "reject"
    assert severities["R19.authority_code"] == "warn", "the code of an organ is no required item of these sheets"
    unconfirmed = kind in (N, B)
    assert {severities[f"R14.{name}"] for name in CODED[kind]} == {"warn" if unconfirmed else "hold"}


# --- code and text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "code", "target"),
    [
        (C, "INSTYPE_CN", "INSTYPE", "check_type"), (C, "INSRES_CN", "INSRES", "result"),
        (A, "SPECAUSE_CN", "SPECAUSE", "listing_cause"), (A, "REMEXCPRES_CN", "REMEXCPRES", "removal_reason"),
    ],
)  # fmt: skip
def test_of_a_code_and_its_text_the_text_counts_and_either_column_will_do(
    kind: Kind, text: str, code: str, target: str
) -> None:
    word = {"removal_reason": "已补报", "listing_cause": "未按期公示年度报告"}.get(target, "其他-甲")
    assert record_of(kind, sound(kind, NEW, **{text: word, code: "1"}))[target] == word
    assert record_of(kind, sound(kind, NEW, **{text: "", code: word}))[target] == word
    without = {cell: value for cell, value in sound(kind, NEW, **{code: word}).items() if cell != text}
    assert record_of(kind, without)[target] == word
    assert record_of(kind, {cell: without[cell] for cell in reversed(without)} | {text: "其他-乙"})[target] == "其他-乙"


# --- natural keys -------------------------------------------------------------------------------------------------


def key_of(kind: Kind, **targets: str) -> str | None:
    key: str | None = record_of(kind, row_with(kind, **targets))["record_key"]
    return key


@pytest.mark.parametrize("kind", list(Kind))
def test_every_key_is_made_of_columns_of_its_kind(kind: Kind) -> None:
    key = NATURAL_KEYS[kind]
    assert key.columns | set(key.dated_by) <= STANDARD_COLUMNS[kind].keys()
    field = next(e.field for e in load_suite(kind, NEW).expectations if e.id == "R22.same_document")
    assert field in key.columns, "a contradiction is shown by what makes the rows one record"


@pytest.mark.parametrize(
    ("kind", "same", "other"),
    [
        (C, {"result": "无法联系", "content": "另写"}, [{"check_type": "抽查"}, {"decision_date": "2018/08/19"}]),
        (C, {}, [{"authority_name": "北京市海淀区工商局"}, {"entry_no": "J-1"}]),
        (A, {"removal_date": "2018/08/21", "removal_reason": "已补报"}, [{"listing_cause": "未按期公示年度报告"}]),
        (A, {"legal_rep": "王某", "pripid": "9"}, [{"decision_date": "2018/08/19"}, {"entry_no": "Y1"}]),
        (
            S,
            {"removal_date": "2018/08/21", "decision_date": "2018/08/19"},
            [{"document_no": "京工商严列字〔2018〕第2号"}],
        ),
        (S, {"document_no": "京工商严列字[2018]第1号 "}, [{"document_no": ""}]),
        (N, {"measure": "责令整改", "result": "已整改"}, [{"document_no": "京网信约〔2018〕2号"}]),
        (N, {"authority_name": "北京市网信办"}, [{"subject_name": "甲公司"}]),
        (B, {"decision_date": "2018/08/13", "site_state": "无法访问"}, [{"site_address": "https://www.example.cn/a"}]),
        (B, {"site_address": "HTTP://WWW.Example.cn"}, [{"subject_name": "甲公司"}]),
    ],
)
def test_what_makes_two_rows_one_record(kind: Kind, same: dict[str, str], other: list[dict[str, str]]) -> None:
    assert key_of(kind, **same) == key_of(kind) is not None
    for targets in other:
        assert key_of(kind, **targets) not in (key_of(kind), None), targets


def test_an_own_number_keeps_a_record_together_when_its_day_or_cause_is_mended() -> None:
    mended = {"decision_date": "2018/08/01", "listing_cause": "未按期公示年度报告"}
    assert key_of(A, entry_no="Y-1") == key_of(A, entry_no="y-1".upper(), **mended)
    assert key_of(S, document_no="", entry_no="L1") == key_of(S, document_no="", entry_no="L1", **mended)
    assert key_of(C, entry_no="J1") != key_of(C, entry_no="J1", authority_name="北京市海淀区工商局")


def test_a_row_without_what_would_identify_it_has_no_key() -> None:
    assert key_of(C, check_type="") is None
    assert key_of(N, document_no="", measure="") is None
    assert key_of(B, site_address="", platform_name="某平台") is None
    assert key_of(A, subject_name="") is None


def test_two_kinds_never_share_a_record() -> None:
    assert key_of(A, entry_no="1", listing_cause="其他-甲") != key_of(S, document_no="", entry_no="1")


# --- order of versions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [A, S])
def test_a_removal_is_later_than_the_listing_it_ends(kind: Kind) -> None:
    listed, removed = record_of(kind, row_with(kind)), record_of(kind, row_with(kind, removal_date="2018/08/21"))
    assert (listed["updated_at"], removed["updated_at"]) == ("2018-08-20T00:00:00", "2018-08-21T00:00:00")
    assert "updated_at_from_days" in removed["flags"]
    assert listed["content_hash"] != removed["content_hash"]


def test_the_time_that_the_source_gives_counts_before_any_day() -> None:
    record = record_of(A, row_with(A, removal_date="2018/08/21", updated_at="2018/08/20 09:30:00"))
    assert (record["updated_at"], record["flags"]) == ("2018-08-20T09:30:00", None)
    assert record_of(C, row_with(C))["updated_at"] is record_of(N, row_with(N))["updated_at"] is None
    assert record_of(B, row_with(B))["updated_at"] == "2018-08-20T00:00:00"


def test_a_natural_person_is_told_from_an_enterprise_without_a_column_for_it() -> None:
    row = {cell: text for cell, text in sound(A, NEW, UNISCID="", XDR_ZJHM=ADULT).items() if cell != "XDR_LB"}
    record = record_of(A, row)
    assert record["subject_category"] == "自然人"
    assert ADULT not in str(record)
    assert record_of(A, row | {"XDR_ZJHM": "", "UNISCID": USCC})["subject_category"] == "法人及非法人组织"
    assert "R02.subject_code" in findings_of(A, row | {"XDR_ZJHM": ""})
    assert dt.date(2018, 8, 20) == record["decision_date"]
