"""Whatever is delivered: a clear message with file, row, field, rule and remedy, and nothing half-written."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from delivering import SOMEONE, as_csv, licence, penalty

from store.database import sqlalchemy_url


def _workbook(*rows: dict[str, Any]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_workbook(penalty(1)))) as whole, zipfile.ZipFile(content, "w") as bomb:
        for name in whole.namelist():
            data = whole.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b"<sheetData>", b"<sheetData>" + b" " * (40 << 20))
            bomb.writestr(name, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _xml(*rows: dict[str, str], prolog: str = "") -> str:
    cells = ("".join(f"<{code}>{text}</{code}>" for code, text in row.items()) for row in rows)
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>{prolog}<ROWDATA>{''.join(f'<ROW>{c}</ROW>' for c in cells)}</ROWDATA>"
    )


def _without(row: dict[str, str], *codes: str) -> dict[str, str]:
    return {code: text for code, text in row.items() if code not in codes}


_HEADER = as_csv([penalty(1)]).splitlines()[0]

REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "another encoding": ("d.csv", as_csv([penalty(1)]).decode().encode("utf-16"), "F04", ""),
    "an error page": ("d.csv", b"<!DOCTYPE html><html><body>Please log in</body></html>", "F02", ""),
    "a zip bomb": ("d.xlsx", _bomb(), "F08", ""),
    "a PDF": ("d.csv", b"%PDF-1.4 something", "F03", ""),
    "an XML that stops": ("d.xml", _xml(penalty(1)).encode()[:-40], "F09", ""),
    "an XML with entities": ("d.xml", _xml(penalty(1), prolog='<!DOCTYPE x [<!ENTITY a "b">]>').encode(), "F10", ""),
    "a JSON that stops": ("d.json", b'[{"CF_WSH": "1"}, {"CF_', "F11", ""),
    "a missing column": ("d.csv", as_csv([_without(penalty(1), "CF_WSH")]), "S03", "CF_WSH"),
    "a column twice": ("d.csv", _HEADER + b",BZ\n", "F06", "BZ"),
    "an empty file": ("d.csv", b"", "F01", ""),
    "licences as penalties": ("d.csv", as_csv([licence(1)]), "S", ""),
    "numbered codes": ("d.csv", _HEADER.replace(b"CF_XDR_SHXYM", "代码_2".encode()) + b"\n", "S04", "代码_2"),
    "no header": ("d.csv", "\n".join(as_csv([penalty(1, BZ=SOMEONE)] * 3).decode().splitlines()[1:]).encode(), "", ""),
}


def _rows_held(terminal: Any) -> dict[str, int]:
    engine = sa.create_engine(sqlalchemy_url(terminal.database_url))
    with engine.connect() as connection:
        held = {
            table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))
            for table in ("penalty", "licence", "verdict", "check_result")
        }
    engine.dispose()
    return held


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_whole(terminal: Any, case: str) -> None:
    name, content, rule, named = REFUSED[case]
    before = _rows_held(terminal)
    answer = terminal.ingest(name, content)
    assert answer.code == 3
    told = answer.out.replace("\n", "")
    assert "refused" in told
    assert f"[{rule}" in told
    assert name in told
    assert named in told
    assert "处理办法: " in told
    assert SOMEONE not in answer.text
    assert _rows_held(terminal) == before
    [problem] = terminal.ingest(name, content, "--json").json["problems"]
    assert problem["severity"] == "refuse"
    assert all(problem[key] for key in ("rule", "file", "message", "remedy"))
    assert not [*terminal.home.glob("work/*")]


_FORMULA = penalty(21) | {"CF_NR_FK": "=1+1"}
_FLOAT_CODE = penalty(22) | {"CF_XDR_SHXYM": 9.11101052345e17}

DAMAGED: dict[str, tuple[str, bytes, str, int, str]] = {
    "a formula": ("f.xlsx", _workbook(penalty(11), _FORMULA, penalty(12)), "F17", 3, "CF_NR_FK"),
    "a long code as a number": ("g.xlsx", _workbook(penalty(13), _FLOAT_CODE), "F18", 3, "CF_XDR_SHXYM"),
    "ten megabytes in a cell": ("h.csv", as_csv([penalty(14), penalty(23, BZ="长" * 3_500_000)]), "F16", 3, ""),
    "a row cut off": ("i.csv", as_csv([penalty(15)], extra_lines=[f"仿某,{SOMEONE}"]), "F13", 3, ""),
    "an ID number at the cut": ("j.csv", as_csv([penalty(16)], extra_lines=["仿" * 488 + SOMEONE]), "F13", 3, ""),
    "bytes of another encoding": ("k.csv", as_csv([penalty(17)] * 40) + b"\xff\xfe\xfa,x\n", "F14", 42, ""),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_row_is_returned_and_the_others_go_on(terminal: Any, case: str) -> None:
    name, content, rule, row, column = DAMAGED[case]
    answer = terminal.ingest(name, content, "--json")
    assert answer.code == 0
    taken = answer.json
    assert taken["row_states"]["accepted"] >= 1
    assert taken["row_states"]["returned"] == 1
    assert sum(taken["row_states"].values()) == taken["rows"]
    [problem] = [problem for problem in taken["problems"] if problem["severity"] == "reject"]
    assert (problem["rule"], problem["row"], problem["file"]) == (rule, row, name)
    assert column in problem["field"]
    assert problem["remedy"]
    assert SOMEONE not in answer.text
    assert SOMEONE[:12] not in answer.text


def test_an_unknown_column_is_told_and_not_used(terminal: Any) -> None:
    answer = terminal.ingest("u.csv", as_csv([penalty(31) | {"电话": "13800138000"}]), "--json")
    assert answer.code == 0
    [problem] = answer.json["problems"]
    assert "电话" in problem["field"] + problem["message"]
    assert problem["severity"] == "warn"
    assert answer.json["row_states"] == {"accepted": 1}


def test_a_day_without_decisions_is_normal_and_said(terminal: Any) -> None:
    answer = terminal.ingest("v.csv", _HEADER + b"\n")
    assert answer.code == 0
    assert "[F21]" in answer.out
    assert "0 rows" in answer.out


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "nowhere.csv", "--agency", "aic", "--kind", "penalty", "--as-of", "2018-08-21"),
        ("ingest", __file__, "--agency", "nobody", "--kind", "penalty", "--as-of", "2018-08-21"),
        ("ingest", __file__, "--agency", "aic", "--kind", "fine", "--as-of", "2018-08-21"),
        ("ingest", __file__, "--agency", "aic", "--kind", "penalty", "--as-of", "21.08.2018"),
        ("ingest", __file__, "--agency", "../aic", "--kind", "penalty", "--as-of", "2018-08-21"),
        ("publish", "--as-of", "2018-08-21", "--site", "elsewhere"),
        ("diagnose", "nobody"),
    ],
)
def test_wrong_usage_ends_with_two(terminal: Any, words: tuple[str, ...]) -> None:
    answer = terminal.run(*words)
    assert answer.code == 2
    assert answer.err
    assert "Traceback" not in answer.text


def test_a_register_that_cannot_be_read_ends_with_three(terminal: Any) -> None:
    path = terminal.folder / "r.csv"
    path.write_bytes(b"<html></html>")
    answer = terminal.run("register", "load", path)
    assert answer.code == 3
    assert "[F02]" in answer.err


def test_every_row_is_accounted_for_after_all_that(terminal: Any) -> None:
    assert terminal.run("reconcile").code == 0
