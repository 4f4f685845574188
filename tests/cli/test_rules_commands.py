"""The rules as a person reads them, and a changed suite tried on the archive before it is switched on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import as_csv, penalty

from expectations.suite import SUITES

CURRENT = SUITES / "penalty.standard.yaml"


def changed(folder: Path, *replacements: tuple[str, str]) -> Path:
    text = CURRENT.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "changed.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_rule_is_listed_and_one_is_shown_in_full(terminal: Any) -> None:
    listed = terminal.run("rules", "list", "--kind", "penalty", "--sheet", "standard", "--json").json
    assert {"R03.uscc", "R22.same_document", "R28.licence_still_valid"} <= {each["id"] for each in listed}
    assert {each["set"] for each in listed} == {"legal"}
    [shown] = terminal.run("rules", "show", "R18.unit_slip", "--json").json
    assert {"message", "remedy", "source", "owner", "severity", "title"} <= shown.keys()
    assert "R18.unit_slip in penalty.standard@" in terminal.run("rules", "show", "R18").out
    assert terminal.run("rules", "show", "R99").code == 2


def test_a_suite_is_tried_without_a_trace(terminal: Any, tmp_path: Path) -> None:
    rows = [penalty(1), penalty(2, CF_XDR_SHXYM="0" * 18), penalty(3, CF_NR="罚款人民币30000元")]
    terminal.ingest("tried.csv", as_csv(rows))
    unchanged = terminal.run("rules", "try", CURRENT, "--json").json
    assert (unchanged["changes"], unchanged["rows_changed"]) == ([], 0)
    assert unchanged["rows"] >= 3

    milder = changed(
        tmp_path,
        ("id: R17.fine_in_text\n      severity: hold", "id: R17.fine_in_text\n      severity: reject"),
        ("id: R03.uscc\n      severity: reject", "id: R03.uscc\n      severity: warn"),
        ('version: "', 'version: "next-'),
    )
    before = _everything(terminal)
    trial = terminal.run("rules", "try", milder, "--json").json
    told = {(c["expectation"], c["before"], c["after"]): c["rows"] for c in trial["changes"]}
    assert told == {("R03.uscc", "reject", "warn"): 1, ("R17.fine_in_text", "hold", "reject"): 1}
    assert trial["states"] == {"returned -> accepted": 1, "review -> returned": 1}
    samples = [sample for change in trial["changes"] for sample in change["samples"]]
    assert [(s["file"], s["row_no"], s["document_no"]) for s in samples] == [
        ("tried.csv", 3, rows[1]["CF_WSH"]),
        ("tried.csv", 4, rows[2]["CF_WSH"]),
    ]
    assert trial["suite"].startswith("penalty.standard@next-")
    assert _everything(terminal) == before, "nothing is written"
    assert "R17.fine_in_text" in terminal.run("rules", "try", milder).out


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("name: penalty.standard", "name: penalty.future", 2),
        ("      severity: reject", "      severity: fatal", 2),
        ("{column: R03.uscc}", "{column: R99.nobody}", 1),
    ],
)
def test_a_suite_that_cannot_be_used_is_said(terminal: Any, tmp_path: Path, old: str, new: str, code: int) -> None:
    terminal.ingest("tried.csv", as_csv([penalty(1)]))
    answered = terminal.run("rules", "try", changed(tmp_path, (old, new)), "--json")
    assert answered.code == code
    assert answered.err


def _everything(terminal: Any) -> list[Any]:
    tables = ("verdict", "penalty", "delivery", "check_result", "step_run", "audit_entry")
    engine = sa.create_engine(terminal.database_url)
    with engine.connect() as connection:
        present = [t for t in tables if sa.inspect(connection).has_table(t)]
        return [sorted(map(str, connection.execute(sa.text(f"SELECT * FROM {t}")))) for t in present]
