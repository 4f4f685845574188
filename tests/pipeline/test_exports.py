"""Tables as CSV: no text of them runs as a formula, and what quotes a cell holds no number of a person."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from delivering import SOMEONE, penalty

from feeds.row_text import GUARDED
from pipeline.exports import REVIEWS, export

TELEPHONE = "13812345678"


def exported(desk: Any, query: str) -> list[dict[str, str]]:
    path: Path = desk.folder / "out.csv"
    rows = export(desk.office, query, path)
    with path.open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines))
    assert rows == len(found)
    return found


@pytest.mark.parametrize("first", GUARDED)
def test_a_text_that_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(desk: Any, first: str) -> None:
    said = first + 'cmd|" /C calc"!A0, 二'
    query = (
        "SELECT * FROM (VALUES (CAST(2 AS int), CAST(:said AS text), CAST(-1.5 AS numeric), DATE '2018-08-21'),"
        " (1, '平常', 7, NULL), (3, NULL, NULL, NULL)) told (number, said, amount, day) ORDER BY number DESC"
    ).replace(":said", "'" + said.replace("'", "''") + "'")
    assert exported(desk, query) == [
        {"number": "3", "said": "", "amount": "", "day": ""},
        {"number": "2", "said": f"'{said}", "amount": "-1.5", "day": "2018-08-21"},
        {"number": "1", "said": "平常", "amount": "7", "day": ""},
    ]


def test_a_cell_that_is_quoted_is_shown_without_numbers_of_persons(known: Any) -> None:
    known.ingest(
        [
            penalty(1, CF_JDRQ=f"2018/13/01 手机{TELEPHONE}"),
            penalty(2, CF_JDRQ="=2018/13/01"),
            penalty(3, CF_JDRQ=f"2018/13/01 {SOMEONE}"),
        ]
    )
    values = {row["document_no"][-2]: row["value"] for row in exported(known, REVIEWS) if row["field"] == "CF_JDRQ"}
    assert values["1"] == "2018/13/01 手机〔电话略〕"
    assert values["2"] == "'=2018/13/01"
    assert values["3"].startswith("2018/13/01 ") and SOMEONE not in values["3"]


def test_the_order_of_an_export_is_that_of_its_query(known: Any) -> None:
    known.ingest([penalty(serial, CF_JDRQ="2018/13/01") for serial in range(1, 40)])
    ordered = known.query(f"SELECT told.document_no FROM ({REVIEWS}) told")
    assert [row["document_no"] for row in exported(known, REVIEWS)] == [row["document_no"] for row in ordered]
