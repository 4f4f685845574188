"""A file is matched to its sheet by what its columns are called, whatever their order, number or spelling."""

from __future__ import annotations

import random

import pytest
from sheet_rows import EVERY_SHEET, REGNO, SOUND, USCC, record_of, sound

from transforms.columns import DUAL_PUBLICITY, STANDARD_COLUMNS, Kind, Sheet
from transforms.problems import DeliveryRefused
from transforms.sheets import SHEETS, recognise, unknown_column_problems


def refusal(header: list[str], kind: Kind) -> str:
    with pytest.raises(DeliveryRefused) as refused:
        recognise(header, kind, file="t.csv")
    assert refused.value.problem.remedy
    return refused.value.problem.rule


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_codes_in_any_order_name_their_sheet(kind: Kind, sheet: Sheet) -> None:
    header = list(SOUND[kind, sheet])
    random.Random(7).shuffle(header)  # noqa: S311
    recognition = recognise(header, kind, file="t.csv")
    assert (recognition.definition.kind, recognition.definition.sheet, recognition.unknown) == (kind, sheet, ())


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_labels_are_as_good_as_codes_however_they_are_written(kind: Kind, sheet: Sheet) -> None:
    definition = SHEETS[kind, sheet]
    spellings = [
        lambda label: label,
        lambda label: f"\ufeff {label.replace('(', '（').replace(')', '）')}　",
        lambda label: f"'*{label[:2]} {label[2:]}\u200b",
    ]
    for spell in spellings:
        recognition = recognise([spell(column.label) for column in definition.columns], kind, file="t.csv")
        assert recognition.definition is definition
        assert [column.code for column in recognition.columns.values()] == [c.code for c in definition.columns]
        assert not recognition.unknown


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_every_column_of_a_sheet_fills_a_column_of_the_record(kind: Kind, sheet: Sheet) -> None:
    targets = {column.target for column in SHEETS[kind, sheet].columns} - {"penalty_category_2"}
    assert targets <= STANDARD_COLUMNS[kind].keys()


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_numbered_code_is_told_by_its_label_and_not_by_its_number(number: int) -> None:
    row = sound(Kind.PENALTY, Sheet.STANDARD)
    for label, code in (("工商注册号", "CF_XDR_GSZC"), ("组织机构代码", "CF_XDR_ZZJG")):
        cells = {f"行政相对人代码_{number}（{label}）" if cell == code else cell: text for cell, text in row.items()}
        cells[f"行政相对人代码_{number}（{label}）"] = REGNO if code == "CF_XDR_GSZC" else USCC[8:17]
        record = record_of(Kind.PENALTY, cells)
        assert record["regno" if code == "CF_XDR_GSZC" else "org_code"] in (REGNO, USCC[8:17])
        assert record["org_code" if code == "CF_XDR_GSZC" else "regno"] is None


def test_code_5_of_the_old_sheet_is_an_id_number_and_of_the_new_one_a_certificate() -> None:
    old = sound(Kind.PENALTY, Sheet.LEGACY)
    old = {("代码_5(居民身份证号)" if cell == "CF_XDR_SFZ" else cell): text for cell, text in old.items()}
    new = sound(Kind.PENALTY, Sheet.STANDARD)
    new = {("代码_5(事业单位证书号)" if cell == "CF_XDR_SYDW" else cell): text for cell, text in new.items()}
    old["代码_5(居民身份证号)"], new["代码_5(事业单位证书号)"] = "110101199003070134", "111000000123"
    assert record_of(Kind.PENALTY, old)["id_no"].startswith("1****")
    assert record_of(Kind.PENALTY, new)["institution_no"] == "111000000123"
    assert record_of(Kind.PENALTY, new)["id_no"] is None


def test_a_code_number_alone_is_refused() -> None:
    row = sound(Kind.PENALTY, Sheet.STANDARD)
    header = ["行政相对人代码_2" if cell == "CF_XDR_GSZC" else cell for cell in row]
    assert refusal(header, Kind.PENALTY) == "S04"


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_a_missing_required_column_is_refused_and_a_missing_optional_one_is_not(kind: Kind, sheet: Sheet) -> None:
    definition = SHEETS[kind, sheet]
    own = [c for c in definition.columns if c.required]
    for column in own:
        alike = {c.code for c in definition.columns if c.target == column.target}
        header = [cell for cell in SOUND[kind, sheet] if cell not in alike]
        if column.may_be_absent:
            assert recognise(header, kind, file="t.csv").definition is definition
        else:
            assert refusal(header, kind) in ("S03", "S02")
    required = [column.code for column in own]
    assert recognise(required, kind, file="t.csv").definition is definition


@pytest.mark.parametrize("kind", DUAL_PUBLICITY)
def test_a_header_that_mixes_both_sheets_is_refused(kind: Kind) -> None:
    assert refusal(list(SOUND[kind, Sheet.STANDARD] | SOUND[kind, Sheet.LEGACY]), kind) == "S02"


@pytest.mark.parametrize(("kind", "sheet"), EVERY_SHEET)
def test_a_header_of_the_other_kind_is_refused(kind: Kind, sheet: Sheet) -> None:
    for other in set(Kind) - {kind}:
        assert refusal(list(SOUND[kind, sheet]), other) == "S01"


def test_one_column_under_two_names_is_refused() -> None:
    assert refusal([*SOUND[Kind.PENALTY, Sheet.STANDARD], "处罚决定日期"], Kind.PENALTY) == "S05"


def test_an_unknown_column_is_kept_named_and_warned_about() -> None:
    recognition = recognise([*SOUND[Kind.PENALTY, Sheet.STANDARD], "承办人"], Kind.PENALTY, file="t.csv")
    [problem] = unknown_column_problems(recognition, file="t.csv")
    assert recognition.unknown == ("承办人",)
    assert (problem.rule, problem.severity, problem.field) == ("S06", "warn", "承办人")
