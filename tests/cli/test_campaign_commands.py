"""``disclosure campaign`` as a person runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from delivering import Company, as_csv, penalty, registered


def test_the_report_is_written_told_and_written_again(terminal: Any, tmp_path: Path) -> None:
    register = terminal.folder / "register.csv"
    register.write_bytes(as_csv([registered(Company(1))]))
    terminal.run("register", "load", register, "--as-of", "2018-08-21")
    terminal.ingest("p.csv", as_csv([penalty(1, CF_SY="当事人在网店售假")]))
    terminal.run("attach", "--as-of", "2018-08-21")
    asked = ("campaign", "report", "--action", "wj2018", "--as-of", "2018-08-22", "--to", tmp_path)
    made = terminal.run(*asked, "--json")
    assert made.code == 0
    assert (made.json["version"], made.json["new"], made.json["figures"]["cases"]) == (1, True, "1")
    assert made.json["missing"]["北京海关"] == ["2018-07"]
    workbook, page = map(Path, made.json["files"])
    assert (workbook.name, page.name) == ("campaign_wj2018_20180822_v1.xlsx", "campaign_wj2018_20180822_v1.html")
    assert workbook.read_bytes()[:2] == b"PK" and "查处涉网违法案件" in page.read_text("utf-8")
    told = terminal.run(*asked)
    assert "as made before: nothing changed" in told.out and "未报 missing: 北京海关 2018-07" in told.out
    bytes_before = page.read_bytes()
    assert terminal.run(*asked, "--version", "1", "--json").json["sha256"] == made.json["sha256"]
    assert page.read_bytes() == bytes_before


def test_what_cannot_be_reported_ends_with_the_documented_code(terminal: Any, tmp_path: Path) -> None:
    def ends(*words: str) -> tuple[int, str]:
        answer = terminal.run("campaign", "report", *words, "--to", tmp_path)
        return answer.code, answer.err

    assert ends("--action", "wj1999", "--as-of", "2018-08-22") == (2, "no action 'wj1999': there are wj2018\n")
    assert ends("--as-of", "2018-06-01")[0] == 2
    assert ends("--as-of", "2018-08-22", "--version", "7")[0] == 1


def test_what_is_due_is_told_with_the_names_of_those_who_are_missing(terminal: Any) -> None:
    told = terminal.run("campaign", "due", "--as-of", "2018-12-13")
    assert told.code == 0
    assert "2018-12-13（今日到期）: 未报 13 个机关" in told.out
    assert [each["key"] for each in terminal.run("campaign", "due", "--as-of", "2018-12-13", "--json").json] == [
        "wj2018/2018-11", "wj2018/summary",
    ]  # fmt: skip
    assert "nothing is due" in terminal.run("campaign", "due", "--as-of", "2018-12-30").out
