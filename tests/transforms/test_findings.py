"""Each rule of the catalogue sees its fault in a sound row of every sheet that it applies to, and nothing else does."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from sheet_rows import (
    ADULT,
    AGENCY_CODE,
    AS_OF,
    AUTHORITY,
    EVERY_SHEET,
    NAME_CODE,
    OF_DUAL_PUBLICITY,
    OTHER_USCC,
    REGNO,
    SOUND,
    USCC,
    findings_of,
    read_rows,
    sound,
)

from expectations.runner import judge
from expectations.suite import load_suite
from transforms.authority import Authority
from transforms.columns import DUAL_PUBLICITY, Kind, Sheet
from transforms.findings import rule_findings
from transforms.sheets import SHEETS

P, L = Kind.PENALTY, Kind.LICENCE
NEW, OLD = Sheet.STANDARD, Sheet.LEGACY
PREFIX = {P: "CF", L: "XK"}


def row_with(kind: Kind, sheet: Sheet, **targets: str) -> dict[str, str]:
    """The sound row with the cells behind some standard columns changed."""
    return sound(kind, sheet, **{SHEETS[kind, sheet].code_of(target): text for target, text in targets.items()})


def found(kind: Kind, sheet: Sheet, **targets: str) -> dict[str, str]:
    return findings_of(kind, row_with(kind, sheet, **targets))


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_nothing_is_wrong_with_a_sound_row(kind: Kind, sheet: Sheet) -> None:
    assert findings_of(kind, sound(kind, sheet)) == {}


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_what_is_wrong_with_a_code_is_found_in_every_sheet(kind: Kind, sheet: Sheet) -> None:
    no_code = dict.fromkeys(("uscc", "regno", "org_code", "tax_no"), "")
    missing = {"R01.uscc_expected": "NO_USCC"} if sheet is NEW else {}
    for targets, expected in [
        (no_code, missing | {"R02.subject_code": "NO_CODE"}),
        (no_code | {"regno": REGNO}, missing),
        ({"uscc": USCC[:-1] + "A"}, {"R03.uscc": "CHECK"}),
        ({"uscc": USCC[:-1]}, {"R03.uscc": "LENGTH"}),
        ({"uscc": "0" * 18}, {"R03.uscc": "PLACEHOLDER"}),
        ({"uscc": "9.11E+17"}, missing | {"R03.uscc": "EXCEL_DAMAGE"}),
        ({"regno": "1.10108E+14"}, {"R06.regno": "EXCEL_DAMAGE"}),
        ({"org_code": "802100433"}, {}),
        ({"org_code": "80210043-3"}, {}),
        ({"org_code": OTHER_USCC[8:17]}, {"R05.org_code_agrees": "ORG_CODE_NOT_IN_USCC"}),
        ({"uscc": "", "org_code": "802100434"}, missing | {"R05.org_code": "CHECK"}),
        ({"regno": REGNO}, {}),
        ({"regno": "330212000198320"}, {"R06.regno": "CHECK"}),
        ({"regno": "1101052123456"}, {}),
        ({"regno": "12345"}, {"R06.regno": "LENGTH"}),
        ({"tax_no": "110108802100433"}, {}),
        ({"tax_no": USCC}, {}),
        ({"tax_no": "110108" + OTHER_USCC[8:17]}, {"R07.tax_no": "ORG_CODE_NOT_IN_TAX_NO"}),
        ({"tax_no": "1101088021"}, {"R07.tax_no": "LENGTH"}),
    ]:
        assert found(kind, sheet, **targets) == expected, targets


def test_an_inner_organisation_code_that_fails_its_check_is_only_a_warning() -> None:
    from stdnum.cn import uscc as stdnum_uscc

    inner_wrong = next(code for code in (USCC[:16] + digit for digit in "0123456789") if code[16] != USCC[16])
    code = inner_wrong + stdnum_uscc.calc_check_digit(inner_wrong)
    assert found(P, NEW, uscc=code) == {"R04.uscc_inner": "ORG_CHECK"}


@pytest.mark.parametrize("kind", DUAL_PUBLICITY)
def test_what_a_subject_needs_depends_on_its_category(kind: Kind) -> None:
    person = {"subject_category": "自然人", "uscc": "", "legal_rep": ""}
    assert found(kind, NEW, legal_rep="") == {"R01.by_category": "legal_rep"}
    assert found(kind, NEW, legal_rep="", subject_category="个体工商户") == {"R01.by_category": "legal_rep"}
    counted = {"R26.natural_person": "NATURAL_PERSON"}
    assert found(kind, NEW, **person) == counted | {"R01.by_category": "id_type;id_no"}
    assert found(kind, NEW, **person, id_type="身份证", id_no=ADULT) == counted
    assert found(kind, NEW, **person, id_type="1", id_no=ADULT) == counted
    assert found(kind, NEW, **person, id_type="护照号", id_no="E12345678") == counted
    wrong_check = counted | {"R08.id_no": "CHECK"}
    assert found(kind, NEW, **person, id_type="身份证", id_no=ADULT[:-1] + "5") == wrong_check
    assert found(kind, NEW, **person, id_type="身份证", id_no="110101199002310134")["R08.id_no"].startswith("DATE")
    assert found(kind, NEW, subject_category="其它人") == {"R01.subject_category": "UNKNOWN"}
    assert found(kind, OLD, uscc="", id_no=ADULT[:-1] + "5") == wrong_check
    assert found(kind, OLD, uscc="", id_no=ADULT) == counted


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_days_that_are_none_or_lie_ahead_are_found(kind: Kind, sheet: Sheet) -> None:
    assert found(kind, sheet, decision_date="2018/13/45") == {"R10.decision_date": "NOT_A_DAY"}
    assert found(kind, sheet, decision_date="2018-02/03") == {"R10.decision_date": "UNREADABLE"}
    assert found(kind, sheet, decision_date="1899/12/31") == {"R10.decision_date": "OUT_OF_RANGE"}
    assert found(kind, sheet, decision_date="1900-01-01") == {}
    assert "R11.decision_date" not in found(kind, sheet, decision_date="2018/08/21")
    ahead = found(kind, sheet, decision_date="2018/08/22")
    assert ahead == {"R11.decision_date": "AFTER_BUSINESS_DATE"}
    later = findings_of(kind, row_with(kind, sheet, decision_date="2018/08/22"), as_of=AS_OF + dt.timedelta(days=1))
    assert later == {}


def test_days_in_the_wrong_order_are_found() -> None:
    assert found(L, NEW, valid_from="2018/08/20", valid_to="2018/08/19") == {"R12.date_order": "valid_from > valid_to"}
    assert found(L, NEW, valid_from="2018/08/20", valid_to="2018/08/20") == {}
    assert found(L, OLD, valid_to="2018/08/19") == {"R12.date_order": "valid_from > valid_to"}
    assert found(P, NEW, valid_to="2018/08/19") == {"R12.date_order": "valid_to < decision_date"}
    assert found(P, NEW, valid_to="2018/08/20") == {}
    for sheet in Sheet:
        until = {"publicity_until": "2018/08/20"}
        assert found(P, sheet, **until) == {"R12.date_order": "publicity_until <= decision_date"}
        assert found(P, sheet, publicity_until="2018/08/21") == {}


@pytest.mark.parametrize("kind", DUAL_PUBLICITY)
def test_an_update_time_must_be_one_and_not_lie_ahead(kind: Kind) -> None:
    assert found(kind, OLD, updated_at="昨天") == {"R10.updated_at": "UNREADABLE"}
    assert found(kind, OLD, updated_at="2018/08/22 03:00:00") == {}
    assert found(kind, OLD, updated_at="2099/12/31 00:00:00") == {"R11.updated_at": "AFTER_BUSINESS_DATE"}


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_a_category_must_be_known_and_other_explained(kind: Kind, sheet: Sheet) -> None:
    target = "penalty_category" if kind is P else "licence_category"
    assert found(kind, sheet, **{target: "特别处理"})["R14.category"] == "UNKNOWN"
    for text, remarks, finding in [
        ("其他", "", "OTHER_WITHOUT_TEXT"),
        ("其他-责令改正", "", None),
        ("其他", "责令改正", None),
        ("其他;特别处理", "责令改正", "UNKNOWN;OTHER_WITHOUT_TEXT"),
    ]:
        assert found(kind, sheet, **{target: text}, remarks=remarks).get("R14.category") == finding


def test_category_and_amounts_must_go_together() -> None:
    goods = {"penalty_category": "没收违法所得、没收非法财物", "fine_amount": "", "content": "没收违法所得。"}
    licence = {"penalty_category": "吊销许可证件", "fine_amount": "", "content": "吊销。"}
    for targets, expected in [
        ({"fine_amount": ""}, {"R16.category_amounts": "fine_amount"}),
        ({"fine_amount": "0", "content": "罚款。"}, {"R16.category_amounts": "fine_amount"}),
        (goods, {"R16.category_amounts": "confiscated_amount"}),
        (goods | {"confiscated_amount": "0"}, {}),
        (licence, {"R16.category_amounts": "revoked_certificate"}),
        (licence | {"revoked_certificate": "食品经营许可证JY1"}, {}),
        ({"penalty_category": "警告", "content": "警告。"}, {"R16.amount_without_category": "fine_amount"}),
        ({"confiscated_amount": "1"}, {"R16.amount_without_category": "confiscated_amount"}),
        ({"confiscated_amount": "0"}, {}),
        ({"fine_amount": "2000元"}, {"R17.fine_amount": "UNIT_IN_TEXT"}),
        (goods | {"confiscated_amount": "1万"}, {"R17.confiscated_amount": "UNIT_IN_TEXT"}),
        ({"fine_amount": "0.3"}, {"R17.fine_in_text": "NOT_AS_IN_TEXT"}),
        ({"fine_amount": "0.3", "content": "罚款叁仟元整。"}, {}),
        ({"fine_amount": "0.200001"}, {}),
        ({"fine_amount": "0.200002"}, {"R17.fine_in_text": "NOT_AS_IN_TEXT"}),
        ({"fine_amount": "1000", "content": "罚款。"}, {}),
        ({"fine_amount": "1000.1", "content": "罚款。"}, {"R18.unit_slip": "VERY_LARGE"}),
    ]:
        assert found(P, NEW, **targets) == expected, targets
    slip = found(P, NEW, fine_amount="2000")
    assert slip == {"R17.fine_in_text": "NOT_AS_IN_TEXT", "R18.unit_slip": "TEN_THOUSAND_TIMES_TEXT"}


@pytest.mark.parametrize("kind", DUAL_PUBLICITY)
def test_the_authority_of_the_new_sheet_is_a_state_organ_and_the_delivering_one(kind: Kind) -> None:
    assert found(kind, NEW, authority_code=USCC)["R19.authority_code"] == "NOT_AN_AUTHORITY"
    assert found(kind, NEW, source_code=USCC) == {"R19.source_code": "NOT_AN_AUTHORITY"}
    assert found(kind, NEW, authority_code=AGENCY_CODE[:-1] + "0") == {"R19.authority_code": "CHECK"}
    row = sound(kind, NEW)
    other = Authority("fda", ("北京市食品药品监督管理局",), ("11110000TE00000029",))
    assert findings_of(kind, row, delivering=other) == {"R19.own_code_unverified": "OF_ANOTHER_AUTHORITY"}
    verified = Authority(other.agency, other.names, other.codes, codes_verified=True)
    assert findings_of(kind, row, delivering=verified) == {"R19.own_code": "OF_ANOTHER_AUTHORITY"}


@pytest.mark.parametrize(
    ("kind", "sheet", "text", "expected"),
    [
        (L, NEW, "0", {"R20.status": "UNKNOWN"}),
        (L, NEW, "3", {"R20.status": "UNKNOWN"}),
        (L, NEW, "2", {"R27.reason": "NO_REASON"}),
        (L, OLD, "4", {"R20.status": "UNKNOWN"}),
        (L, OLD, "1", {"R27.reason": "NO_REASON"}),
        (L, OLD, "2", {"R20.disputed": "disputed"}),
        (P, OLD, "3", {"R20.disputed": "other"}),
        (P, OLD, "异议", {"R20.disputed": "disputed"}),
        (P, OLD, "9", {"R20.status": "UNKNOWN"}),
    ],
)
def test_a_status_is_read_by_the_table_of_its_own_sheet(
    kind: Kind, sheet: Sheet, text: str, expected: dict[str, str]
) -> None:
    assert found(kind, sheet, status=text) == expected


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_odd_characters_in_a_name_are_found(kind: Kind, sheet: Sheet) -> None:
    name = NAME_CODE[kind, sheet]
    for text, finding in [
        ("北京\u200b甲公司", "ZERO_WIDTH"), ("北京\x07甲公司", "CONTROL"), ("<b>甲公司</b>", "HTML"),
        ("甲公司#", "SPECIAL"),
    ]:  # fmt: skip
        assert findings_of(kind, sound(kind, sheet, **{name: text})) == {"R23.subject_name": finding}
    assert findings_of(kind, sound(kind, sheet, **{name: "甲(北京)公司"})) == {}


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_a_placeholder_in_a_required_column_is_found_and_in_an_optional_one_is_not(kind: Kind, sheet: Sheet) -> None:
    for column in SHEETS[kind, sheet].columns:
        if column.code not in SOUND[kind, sheet]:
            continue
        placeholders = findings_of(kind, sound(kind, sheet, **{column.code: "不详"})).get("R24.placeholder")
        filled_otherwise = (kind, sheet, column.target) == (L, OLD, "valid_to")
        assert placeholders == (column.target if column.required and not filled_otherwise else None)


# --- the suites, judged by Great Expectations ---------------------------------------------------------------------

_FAULTS: list[tuple[dict[str, str], set[str], set[str]]] = [
    # cells by standard column, expectations that must fail in the new sheet, in the old sheet
    ({}, set(), set()),
    ({"subject_name": ""}, {"R01.subject_name"}, {"R01.subject_name"}),
    ({"document_no": "无"}, {"R01.document_no", "R24.placeholder"}, {"R01.document_no", "R24.placeholder"}),
    ({"content": "--"}, {"R01.content", "R24.placeholder"}, {"R01.content", "R24.placeholder"}),
    ({"decision_date": "1970-01-01"}, {"R01.decision_date"}, {"R01.decision_date"}),
    ({"decision_date": "2018/13/45"}, {"R10.decision_date"}, {"R10.decision_date"}),
    ({"decision_date": "2018/12/01"}, {"R11.decision_date"}, {"R11.decision_date"}),
    ({"uscc": ""}, {"R01.uscc_expected", "R02.subject_code"}, {"R02.subject_code"}),
    ({"uscc": "9.11E+17"}, {"R01.uscc_expected", "R03.uscc"}, {"R03.uscc"}),
    ({"uscc": USCC[:-1] + "A"}, {"R03.uscc"}, {"R03.uscc"}),
    ({"uscc": ADULT}, {"R03.uscc", "R09.personal_id"}, {"R03.uscc", "R09.personal_id"}),
    ({"org_code": OTHER_USCC[8:17]}, {"R05.org_code_agrees"}, {"R05.org_code_agrees"}),
    ({"regno": "330212000198320"}, {"R06.regno"}, {"R06.regno"}),
    ({"tax_no": ADULT}, {"R09.personal_id"}, {"R09.personal_id"}),
    ({"tax_no": "1"}, {"R07.tax_no"}, {"R07.tax_no"}),
    ({"content": f"罚款2000元。身份证{ADULT}"}, {"R09.personal_id"}, {"R09.personal_id"}),
    ({"subject_name": "张某13812345678"}, {"R09.telephone"}, {"R09.telephone"}),
    ({"licence_category": "其他"}, {"R14.category"}, {"R14.category"}),
    (
        {"penalty_category": "其他"},
        {"R14.category", "R16.amount_without_category"},
        {"R14.category", "R16.text_without_category"},
    ),
    ({"status": "9"}, {"R20.status"}, {"R20.status"}),
    ({"status": ""}, {"R01.status"}, {"R01.status"}),
    ({"region_code": "310000"}, set(), {"R21.region_code"}),
    ({"updated_at": ""}, set(), {"R01.updated_at"}),
    ({"updated_at": "2099/01/01 00:00:00"}, set(), {"R11.updated_at"}),
    ({"subject_name": "甲公司\u200b"}, {"R23.subject_name"}, {"R23.subject_name"}),
    ({"legal_rep": ""}, {"R01.by_category"}, set()),
    ({"subject_category": "甲"}, {"R01.subject_category_known"}, set()),
    ({"authority_code": USCC}, {"R19.authority_code"}, set()),
]


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_great_expectations_fails_each_faulty_row_by_its_own_rules_and_no_other(kind: Kind, sheet: Sheet) -> None:
    definition = SHEETS[kind, sheet]
    targets_here = {column.target for column in definition.columns}
    faults = [(cells, new if sheet is NEW else old) for cells, new, old in _FAULTS if cells.keys() <= targets_here]
    rows = [row_with(kind, sheet, **cells) for cells, _ in faults]
    standardised, recognition = read_rows(kind, rows)
    found_in = rule_findings(standardised, recognition.definition, delivering=AUTHORITY, as_of=AS_OF)
    suite = load_suite(kind, sheet)
    elsewhere = {e.column: pa.nulls(len(rows), pa.string()) for e in suite.expectations if e.scope != "row"}
    outcomes = judge(found_in | elsewhere, suite)
    failed: list[set[str]] = [set() for _ in rows]
    for expectation_id, outcome in outcomes.items():
        assert outcome.unexpected == len(outcome.positions)
        for position in outcome.positions.tolist():
            failed[position].add(expectation_id)
    for (cells, expected), actual in zip(faults, failed, strict=True):
        assert actual == expected, cells


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_every_required_column_has_an_expectation_and_every_finding_is_judged(kind: Kind, sheet: Sheet) -> None:
    suite = load_suite(kind, sheet)
    judged = {expectation.column for expectation in suite.expectations}
    standardised, recognition = read_rows(kind, [sound(kind, sheet)])
    looked_for = rule_findings(standardised, recognition.definition, delivering=AUTHORITY, as_of=AS_OF)
    required = {column.target for column in SHEETS[kind, sheet].columns if column.required}
    assert required <= judged
    assert judged - looked_for.keys() == {e.column for e in suite.expectations if e.scope != "row"}
    unjudged = {name.rpartition(".")[2] for name in looked_for.keys() - judged} - {"disputed"}
    assert not unjudged & {column.target for column in SHEETS[kind, sheet].columns}


_SEVERITY = {
    "R01": "reject", "R02": "reject", "R03": "reject", "R04": "warn", "R05": "hold", "R06": "warn", "R07": "warn",
    "R08": "reject", "R09": "hold", "R10": "reject", "R11": "reject", "R12": "reject", "R14": "reject", "R16": "reject",
    "R17": "hold", "R18": "hold", "R19": "reject", "R20": "reject", "R21": "warn", "R22": "hold", "R23": "warn",
    "R24": "reject", "R25": "warn", "R26": "hold", "R27": "warn", "R28": "warn", "R29": "warn",
}  # fmt: skip
_MILDER = {
    "R01.uscc_expected": "warn", "R05.org_code_form": "warn", "R11.updated_at": "hold",
    "R16.amount_without_category": "hold", "R19.authority_code_delegated": "warn", "R19.source_code_delegated": "warn",
    "R19.own_code": "hold", "R19.own_code_unverified": "warn", "R20.disputed": "hold", "R16.fine_not_in_text": "warn",
    "R16.text_without_category": "warn", "R17.confiscated_in_text": "warn", "R26.natural_person": "warn",
    "R26.personal_detail": "warn", "R26.trade_name": "warn",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_severities_are_those_of_the_catalogue_and_remedies_are_chinese(kind: Kind, sheet: Sheet) -> None:
    for expectation in load_suite(kind, sheet).expectations:
        assert expectation.severity == _MILDER.get(expectation.id, _SEVERITY[expectation.rule]), expectation.id
        assert any("\u4e00" <= character <= "\u9fff" for character in expectation.remedy + expectation.title)
