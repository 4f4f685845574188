"""``disclosure campaign form`` and ``return``: an agency's monthly figures go out as a form and come back as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import load_workbook

POST = ("--agency", "post", "--period", "2018-07", "--as-of", "2018-08-22")
HEADER = "机关,月份,项目编码,项目,计量单位,全市,朝阳区\n"


def submit(terminal: Any, path: Path, *more: str) -> Any:
    return terminal.run("campaign", "return", path, *POST, "--as", "邮政员甲", *more)


def csv(folder: Path, *rows: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "七月.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n", encoding=encoding)
    return path


def test_the_form_is_written_filled_and_taken_in(terminal: Any, tmp_path: Path) -> None:
    form = tmp_path / "form.xlsx"
    assert terminal.run("campaign", "form", form, *POST).code == 0
    book = load_workbook(form)
    for row in book.active.iter_rows(min_row=2):
        row[5].value = "0" if row[2].value != "post_checked" else "1,240"
    book.save(form)
    answer = submit(terminal, form, "--json")
    assert (answer.code, answer.json) == (0, {"version": 1, "figures": 6, "warnings": []})
    again = submit(terminal, form)
    assert again.code == 1 and "is at version 1, not 0" in again.err
    assert submit(terminal, form, "--after", "1").code == 3, "the same figures make no version"
    august = terminal.run("campaign", "form", form, "--agency", "post", "--period", "2018-08", "--as-of", "2018-09-03")
    assert august.code == 0
    assert [row[-1].value for row in load_workbook(form).active.iter_rows() if row[2].value == "post_checked"] == [
        "1240"
    ]


def test_what_is_wrong_names_file_row_field_rule_and_remedy_and_nothing_is_entered(
    terminal: Any, tmp_path: Path
) -> None:
    wrong = csv(tmp_path, "post,2018-07,post_checked,,,40家,", "post,2018-07,to_police,,,0.5,", encoding="gb18030")
    answer = submit(terminal, wrong, "--after", "1", "--reason", "其余待核")
    assert answer.code == 3
    assert (
        "[number] 七月.csv 第 2 行 字段 全市: 检查寄递企业“40家”不是可以填报的数(值: 40家) 处理办法: 只填阿拉伯数字"
        in answer.err
    )
    assert "[decimals] 七月.csv 第 3 行 字段 全市: " in answer.err and "计数项目应为整数" in answer.err
    other = submit(terminal, csv(tmp_path, "post,2018-08,post_checked,,,40,"), "--after", "1")
    assert other.code == 3 and "[month] 七月.csv 第 2 行 字段 月份" in other.err
    unread = tmp_path / "x.csv"
    unread.write_bytes(b"<html>")
    assert submit(terminal, unread).code == 3


def test_a_warning_is_entered_with_a_reason(terminal: Any, tmp_path: Path) -> None:
    partly = csv(tmp_path, "post,2018-07,post_checked,,,41,40")
    refused = submit(terminal, partly, "--after", "1")
    assert refused.code == 3 and "[required]" in refused.err and "须说明" in refused.err
    taken = submit(terminal, partly, "--after", "1", "--reason", "其余待核")
    assert taken.code == 0 and "post 2018-07: version 2, 2 figures, 3 warnings" in taken.out


def test_what_nobody_is_asked_for_is_wrong_usage(terminal: Any, tmp_path: Path) -> None:
    path = csv(tmp_path, "post,2018-07,post_checked,,,41,")
    for agency, period, action in (
        ("none", "2018-07", "wj2018"),
        ("post", "2018-06", "wj2018"),
        ("post", "2018-07", "x"),
    ):
        asked = ("--agency", agency, "--period", period, "--action", action, "--as-of", "2018-08-22")
        assert terminal.run("campaign", "return", path, *asked, "--as", "甲").code == 2
        assert terminal.run("campaign", "form", tmp_path / "f.xlsx", *asked).code == 2
    early = ("--agency", "post", "--period", "2018-08", "--as-of", "2018-08-22", "--as", "甲")
    august = csv(tmp_path, "post,2018-08,post_checked,,,41,")
    assert terminal.run("campaign", "return", august, *early).code == 2
