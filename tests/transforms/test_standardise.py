"""What standardising makes of each sheet: values, flags, the text kept beside them, keys, and nothing personal."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheet_rows import (
    ADULT,
    AGENCY_CODE,
    AS_OF,
    AUTHORITY,
    EVERY_SHEET,
    NAME_CODE,
    OF_DUAL_PUBLICITY,
    REGNO,
    SOUND,
    USCC,
    findings_of,
    read_rows,
    record_of,
    sound,
)

from transforms.columns import DAY, STANDARD_COLUMNS, SUBJECT_CODES, Kind, Sheet, record_schema
from transforms.findings import rule_findings
from transforms.sheets import SHEETS

P, L = Kind.PENALTY, Kind.LICENCE
NEW, OLD = Sheet.STANDARD, Sheet.LEGACY


def source_of(kind: Kind, row: dict[str, str]) -> dict[str, str]:
    text = record_of(kind, row)["source_text"]
    return {} if text is None else json.loads(text)


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_records_have_the_schema_of_their_kind_whatever_the_sheet(kind: Kind, sheet: Sheet) -> None:
    standardised, _ = read_rows(kind, [sound(kind, sheet)])
    assert standardised.records.schema == record_schema(kind)
    assert read_rows(kind, [sound(kind, sheet)])[0].records.slice(0, 0).schema == record_schema(kind)


def test_status_1_means_the_opposite_in_the_two_sheets() -> None:
    assert record_of(L, sound(L, NEW, XK_ZT="1"))["status"] == "valid"
    assert record_of(L, sound(L, OLD, XK_ZT="1"))["status"] == "withdrawn"
    assert record_of(L, sound(L, NEW, XK_ZT="2"))["status"] == "invalid"
    assert record_of(P, sound(P, OLD, CF_ZT="1"))["status"] == "withdrawn"
    assert record_of(P, sound(P, OLD, CF_ZT="0"))["status"] == "valid"
    assert record_of(P, sound(P, NEW))["status"] == "valid"


def test_the_old_penalty_sheet_maps_to_the_new_columns_and_names_its_gaps() -> None:
    record = record_of(
        P,
        sound(
            P, OLD, CF_XDR_ZDM="80210043-3", CF_XDR_GSDJ=REGNO, CF_FR="梁某", CF_CFLB1="罚款", CF_CFLB2="没收",
            CF_JG="罚款人民币贰仟元，没收违法所得15000元。", CF_GSJZQ="2019-8-20", CF_QX="1年",
        ),
    )  # fmt: skip
    assert (record["org_code"], record["regno"], record["legal_rep"]) == ("802100433", REGNO, "梁某")
    assert record["penalty_category"] == "罚款;没收违法所得、没收非法财物"
    assert (record["fine_amount"], record["confiscated_amount"]) == (Decimal("0.2"), Decimal("1.5"))
    assert (record["facts"], record["case_name"]) == ("发布虚假广告", "虚假广告案")
    assert (record["publicity_until"], record["publicity_period"]) == (dt.date(2019, 8, 20), "1年")
    assert (record["authority_name"], record["authority_code"]) == ("北京市工商行政管理局", AGENCY_CODE)
    assert [record[gap] for gap in ("violation_type", "valid_to", "revoked_certificate", "source_name")] == [None] * 4
    flags = record["flags"].split(";")
    assert {"fine_amount_from_text", "confiscated_amount_from_text", "authority_code_from_registry"} <= set(flags)
    assert "upgrade_gap:violation_type,valid_to,revoked_certificate,source_name,source_code" in flags


def test_the_old_licence_sheet_maps_to_the_new_columns_and_flags_what_it_implies() -> None:
    record = record_of(L, sound(L, OLD, XK_SPLB="登记"))
    assert record["document_name"] == record["project_name"] == "广告发布登记"
    assert record["valid_from"] == record["decision_date"] == dt.date(2018, 8, 20)
    assert record["valid_to"] == dt.date(2020, 8, 19)
    assert {"document_name_from_project_name", "valid_from_from_decision_date"} <= set(record["flags"].split(";"))


def test_an_authority_that_is_not_the_delivering_one_gets_no_code_from_the_registry() -> None:
    record = record_of(P, sound(P, OLD, CF_XZJG="北京市公安局"))
    assert record["authority_code"] is None
    assert "authority_code_from_registry" not in record["flags"]


@pytest.mark.parametrize("text", ["长期", "永久", "9999-9-9", "9999-12-31", "2099-12-31", "2099/12/31"])
@pytest.mark.parametrize(("kind", "sheet", "code"), [(L, NEW, "XK_YXQZI"), (L, OLD, "XK_JZQ"), (P, NEW, "CF_YXQ")])
def test_permanent_marks_become_the_one_permanent_date(kind: Kind, sheet: Sheet, code: str, text: str) -> None:
    assert record_of(kind, sound(kind, sheet, **{code: text}))["valid_to"] == dt.date(2099, 12, 31)


def test_a_blank_end_is_permanent_in_the_old_licence_sheet_only_and_flagged() -> None:
    for blank in ("", " ", "无"):
        record = record_of(L, sound(L, OLD, XK_JZQ=blank))
        assert record["valid_to"] == dt.date(2099, 12, 31)
        assert "valid_to_blank_read_as_open_ended" in record["flags"]
        assert not findings_of(L, sound(L, OLD, XK_JZQ=blank))
    assert record_of(L, sound(L, NEW, XK_YXQZI=""))["valid_to"] is None
    assert record_of(L, sound(L, OLD, XK_JZQ="2018/13/45"))["valid_to"] is None


@pytest.mark.parametrize(
    "text",
    [
        "2018/8/20",
        "2018-08-20",
        "2018.8.20",
        "20180820",
        "2018年8月20日",
        "2018-08-20 10:30:00",
        "43332",
        "２０１８/8/20",
    ],
)
@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_a_day_is_read_in_every_form(kind: Kind, sheet: Sheet, text: str) -> None:
    code = SHEETS[kind, sheet].code_of("decision_date")
    row = sound(kind, sheet, **{code: text})
    assert record_of(kind, row)["decision_date"] == dt.date(2018, 8, 20)
    assert source_of(kind, row)[code] == text


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.2", "0.2"), ("0.200000", "0.2"), ("1,234.5", "1234.5"), ("0", "0"), ("0.000001", "0.000001")],
)
def test_amounts_are_exact_ten_thousands_of_yuan(text: str, amount: str) -> None:
    assert record_of(P, sound(P, NEW, CF_NR_FK=text))["fine_amount"] == Decimal(amount)


@pytest.mark.parametrize("text", ["2000元", "0.2万元", "￥0.2", "-1", "0.0000001", "两千", "1e3"])
def test_an_amount_that_is_not_a_plain_number_is_not_guessed(text: str) -> None:
    assert record_of(P, sound(P, NEW, CF_NR_FK=text))["fine_amount"] is None
    assert findings_of(P, sound(P, NEW, CF_NR_FK=text))["R17.fine_amount"]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("罚款，警告", "罚款;警告"),
        ("警告、罚款；没收违法所得、没收非法财物", "警告;罚款;没收违法所得、没收非法财物"),
        ("暂扣或者吊销许可证、暂扣或者吊销执照|罚款", "暂扣或者吊销许可证、暂扣或者吊销执照;罚款"),
        ("罚款/警告", "罚款;警告"),
        ("其他-责令改正", "其他-责令改正"),
    ],
)
def test_several_categories_are_joined_by_a_half_width_semicolon(text: str, category: str) -> None:
    assert record_of(P, sound(P, NEW, CF_CFLB=text))["penalty_category"] == category


def test_the_second_class_of_the_old_sheet_explains_a_bare_other() -> None:
    for other in ("其他", "其他(见处罚类别2)", "其他（见处罚类别2）"):
        row = sound(P, OLD, CF_CFLB1=other, CF_CFLB2="责令改正")
        assert record_of(P, row)["penalty_category"] == "其他-责令改正"
        assert "R14.category" not in findings_of(P, row)


def test_18_characters_in_the_regno_column_move_to_the_credit_code_when_they_are_one() -> None:
    record = record_of(P, sound(P, NEW, CF_XDR_SHXYM="", CF_XDR_GSZC=USCC.lower()))
    assert (record["uscc"], record["regno"], record["flags"]) == (USCC, None, "uscc_from_regno")
    wrong = USCC[:-1] + "A"
    record = record_of(P, sound(P, NEW, CF_XDR_SHXYM="", CF_XDR_GSZC=wrong))
    assert (record["uscc"], record["regno"]) == (None, wrong)


def test_a_licence_without_a_document_number_takes_its_licence_number_and_says_so() -> None:
    row = sound(L, NEW, XK_WSH="无", XK_XKBH="JY11101080000001")
    record = record_of(L, row)
    assert (record["document_no"], record["flags"]) == ("JY11101080000001", "document_no_from_certificate_no")
    assert not findings_of(L, row)


@pytest.mark.parametrize(
    "text",
    [
        f"{USCC[:8]} {USCC[8:]}",
        USCC.lower(),
        f"'{USCC}",
        f"\ufeff{USCC}　",
        "".join(chr(ord(c) + 0xFEE0) for c in USCC),
    ],
)
def test_a_code_is_read_however_it_is_typed(text: str) -> None:
    assert record_of(P, sound(P, NEW, CF_XDR_SHXYM=text))["uscc"] == USCC


@pytest.mark.parametrize("text", ["", " ", "　", "无", "暂无", "--", "NULL", "/", "N/A", "不详"])
@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_a_placeholder_is_a_missing_value(kind: Kind, sheet: Sheet, text: str) -> None:
    target = "content" if "content" in STANDARD_COLUMNS[kind] else "source_name"
    code = SHEETS[kind, sheet].code_of(target)
    assert record_of(kind, sound(kind, sheet, **{code: text}))[target] is None


# --- natural persons --------------------------------------------------------------------------------------------


def test_a_row_of_the_old_sheet_with_only_an_id_number_is_about_a_natural_person() -> None:
    for kind, prefix in ((P, "CF"), (L, "XK")):
        record = record_of(kind, sound(kind, OLD, **{f"{prefix}_XDR_SHXYM": "", f"{prefix}_XDR_SFZ": ADULT}))
        assert (record["subject_category"], record["id_type"]) == ("自然人", "身份证")
        both = record_of(kind, sound(kind, OLD, **{f"{prefix}_XDR_SFZ": ADULT}))
        assert both["subject_category"] == "法人及非法人组织"


def test_a_code_that_starts_with_92_is_a_sole_traders() -> None:
    assert record_of(P, sound(P, OLD, CF_XDR_SHXYM="92110105MA00000000"))["subject_category"] == "个体工商户"


# --- nothing personal -------------------------------------------------------------------------------------------

_HIDDEN = [ADULT, ADULT[:6] + " " + ADULT[6:14] + " " + ADULT[14:], f"{ADULT[:6]}–{ADULT[6:14]}–{ADULT[14:]}"]
_HIDDEN += [f"{ADULT[:6]}\u00a0{ADULT[6:]}", "".join(chr(ord(c) + 0xFEE0) for c in ADULT)]


def _digits(text: object) -> str:
    return "".join(c for c in str(text).translate(str.maketrans("０１２３４５６７８９", "0123456789")) if c.isdigit())


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_an_id_number_is_masked_wherever_it_hides_and_flagged_outside_its_own_column(kind: Kind, sheet: Sheet) -> None:
    first = {column.target: column for column in reversed(SHEETS[kind, sheet].columns)}
    cases = [(column, hidden) for column in first.values() for hidden in _HIDDEN]
    standardised, _ = read_rows(kind, [sound(kind, sheet, **{column.code: hidden}) for column, hidden in cases])
    flagged = standardised.reading["personal_id"].to_pylist()
    for (column, hidden), record, flags in zip(cases, standardised.records.to_pylist(), flagged, strict=True):
        assert not [name for name, value in record.items() if ADULT in _digits(value)], (column.code, hidden)
        own = column.target in ("id_no", "legal_rep_id_no")
        if record.get(column.target) is not None and not own and column.target not in ("updated_at", "status"):
            assert column.target in flags.split(";"), (column.code, hidden)


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_an_id_number_inside_other_text_is_masked_in_every_column(kind: Kind, sheet: Sheet) -> None:
    written = (f"身份证{ADULT}", f"号码:{ADULT}，经营", f"NO{ADULT}")
    cases = [(column, hidden) for column in SHEETS[kind, sheet].columns for hidden in written]
    rows = [sound(kind, sheet, **{column.code: hidden}, 备用=hidden) for column, hidden in cases]
    for (column, hidden), record in zip(cases, read_rows(kind, rows)[0].records.to_pylist(), strict=True):
        assert ADULT not in str(record), (column.code, hidden)


def test_an_id_number_with_a_suffix_is_masked_in_a_code() -> None:
    for kind, sheet in EVERY_SHEET:
        codes = [column for column in SHEETS[kind, sheet].columns if column.target in SUBJECT_CODES]
        rows = [sound(kind, sheet, **{column.code: f"{ADULT}01"}) for column in codes]
        for column, record in zip(codes, read_rows(kind, rows)[0].records.to_pylist(), strict=True):
            assert record[column.target].startswith(f"{ADULT[:6]}****"), column.code


@pytest.mark.parametrize("number", ["E12345678", "H0123456\n7", "123", "G1"])
def test_any_document_number_is_covered_in_the_value_and_in_the_text_kept(number: str) -> None:
    row = sound(P, NEW, CF_XDR_LB="自然人", CF_XDR_ZJLX="护照号", CF_XDR_ZJHM=f" {number}")
    record = record_of(P, row)
    assert record["id_no"] == f"{number[0]}********"
    assert number[1:] not in (record["source_text"] or "")


def test_a_telephone_number_in_a_name_is_held() -> None:
    for kind, sheet in EVERY_SHEET:
        row = sound(kind, sheet, **{NAME_CODE[kind, sheet]: "张某13812345678"})
        assert findings_of(kind, row)["R09.telephone"] == "subject_name"


# --- what is kept beside the values -----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_source_text_keeps_what_changed_and_nothing_else(kind: Kind, sheet: Sheet) -> None:
    mapped = {"XK_ZT", "CF_ZT", "SJC"}
    assert source_of(kind, sound(kind, sheet)).keys() <= mapped
    row = sound(kind, sheet, 承办人="王五", 空列="", **{NAME_CODE[kind, sheet]: " 北京百度网讯科技有限公司 "})
    kept = source_of(kind, row)
    assert kept.keys() - mapped == {"承办人", NAME_CODE[kind, sheet]}
    assert kept["承办人"] == "王五"
    assert kept[NAME_CODE[kind, sheet]] == " 北京百度网讯科技有限公司 "


@settings(max_examples=40)
@given(st.text(max_size=30))
def test_source_text_is_json_that_gives_the_text_back(text: str) -> None:
    row = sound(P, NEW, **{'备"注\\': f"甲{text}"})
    record = record_of(P, row)
    if not any(ord(character) < 32 for character in text) and "R09.personal_id" not in findings_of(P, row):
        assert json.loads(record["source_text"])['备"注\\'] == f"甲{text}"
    json.loads(record["source_text"])


# --- keys and hashes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sheet"), OF_DUAL_PUBLICITY)
def test_the_record_key_does_not_depend_on_how_a_number_or_name_is_written(kind: Kind, sheet: Sheet) -> None:
    name = NAME_CODE[kind, sheet]
    number = "CF_WSH" if kind is P else "XK_WSH"
    first = record_of(kind, sound(kind, sheet, **{name: "北京（中国）Ａ公司", number: "京许〔2018〕1号"}))
    for written_name, written_number in [
        ("北京(中国)A公司", "京许[2018]1号"),
        ("北京 （中国） a公司　", " 京许(2018) 1号"),
        ("\u200b北京(中国)Ａ公司", "京许（２０１８）１号"),
        ("北京【中国】A公司", "京许【2018】1号"),
    ]:
        other = record_of(kind, sound(kind, sheet, **{name: written_name, number: written_number}))
        assert other["record_key"] == first["record_key"]
    for changed in ({name: "北京（中国）B公司"}, {number: "京许〔2018〕2号"}):
        base = {name: "北京（中国）Ａ公司", number: "京许〔2018〕1号"}
        assert record_of(kind, sound(kind, sheet, **base | changed))["record_key"] != first["record_key"]


def test_a_person_and_an_organisation_of_one_name_have_different_records() -> None:
    person = sound(P, NEW, CF_XDR_LB="自然人", CF_XDR_SHXYM="", CF_XDR_ZJLX="身份证", CF_XDR_ZJHM=ADULT)
    assert record_of(P, person)["record_key"] != record_of(P, sound(P, NEW))["record_key"]


def test_licences_and_penalties_never_share_a_record() -> None:
    penalty = record_of(P, sound(P, NEW, CF_WSH="同号"))
    assert penalty["record_key"] != record_of(L, sound(L, NEW, XK_WSH="同号"))["record_key"]


def test_both_sheets_give_one_decision_one_key() -> None:
    assert record_of(P, sound(P, NEW))["record_key"] == record_of(P, sound(P, OLD))["record_key"]


def test_a_row_without_number_or_name_has_no_key() -> None:
    assert record_of(P, sound(P, NEW, CF_WSH=""))["record_key"] is None
    assert record_of(P, sound(P, NEW, CF_XDR_MC="无"))["record_key"] is None


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_the_content_hash_sees_every_value_but_the_update_time(kind: Kind, sheet: Sheet) -> None:
    base = record_of(kind, sound(kind, sheet))["content_hash"]
    days = {name for name, column_type in STANDARD_COLUMNS[kind].items() if column_type == DAY}
    for column in {column.target: column for column in reversed(SHEETS[kind, sheet].columns)}.values():
        if column.code not in SOUND[kind, sheet]:
            continue
        text = "2018/08/19" if column.target in days else "7"
        text = {"last_seen": "2018/08/18", "status": "2", "updated_at": "2018/08/20 11:00:00"}.get(column.target, text)
        same = record_of(kind, sound(kind, sheet, **{column.code: text}))["content_hash"] == base
        assert same is (column.target == "updated_at"), column.code


# --- speed ------------------------------------------------------------------------------------------------------


def test_rows_are_read_by_columns_and_not_one_by_one() -> None:
    """200,000 rows take about 4 s of CPU; 20,000 must stay far below what a loop over rows and cells would take."""
    rows = [sound(P, NEW, CF_WSH=f"京工商处字〔2018〕第{n}号", CF_SY=f"发布虚假广告的事实{n}") for n in range(20_000)]
    header = list(rows[0])
    batch = pa.RecordBatch.from_pydict(
        {"row_no": pa.array(range(len(rows)), pa.int64())}
        | {cell: pa.array([row[cell] for row in rows], pa.string()) for cell in header}
    )
    from transforms.sheets import recognise
    from transforms.standardise import standardise

    recognition = recognise(header, P, file="t.csv")
    started = time.process_time()
    found = rule_findings(
        standardise(batch, recognition, AUTHORITY), recognition.definition, delivering=AUTHORITY, as_of=AS_OF
    )
    assert time.process_time() - started < 2.5
    assert pc.all(pc.is_null(found["R03.uscc"])).as_py()
