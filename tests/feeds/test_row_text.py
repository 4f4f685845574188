"""The SQL that writes a row and the Python that reads one agree on every text; no formula gets out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.line_stream import write_rows
from feeds.row_text import (
    GUARDED,
    ILLEGAL_IN_XML,
    PLAIN,
    Line,
    clean_text,
    csv_line,
    csv_text,
    is_plain,
    json_line,
    json_text,
    published_value,
    xml_line,
    xml_text,
)
from feeds.sites import Column, Site, load_sites

COLUMNS = (
    Column(code="K", label="k", source=("record_key",), type="key"),
    Column(code="A", label="a", source=("facts",), type="text"),
    Column(code="B", label="b", source=("content",), type="code"),
)
CODES = ["K", "A", "B"]
TEXTS = st.text(
    st.one_of(st.sampled_from(list(GUARDED + '"&<>\\,\x01\x02\x07\x1f\ufffe\uffff')), st.characters(codec="utf-8"))
)
SITE = load_sites()["creditchina"]
DATABASE = duckdb.connect(config={"threads": 1})


LINES = (csv_line(COLUMNS), json_line(COLUMNS), xml_line(COLUMNS, SITE))


def _lines(facts: str | None, content: str | None) -> tuple[list[str | None], str, str, str]:
    cells = f"SELECT 'k1' AS K, {clean_text('$a')} AS A, {clean_text('$b')} AS B"
    lines = ", ".join(f"CASE WHEN {is_plain(COLUMNS)} THEN {line.plain} ELSE {line.escaped} END" for line in LINES)
    row = DATABASE.execute(f"SELECT K, A, B, {lines} FROM ({cells})", {"a": facts, "b": content}).fetchone()
    assert row is not None
    return list(row[:3]), row[3], row[4], row[5]


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_plain_row_reads_as_it_would_escaped(facts: str, content: str) -> None:
    alike = " AND ".join(f"({line.plain}) = ({line.escaped})" for line in LINES)
    cells = f"SELECT 'k1' AS K, {clean_text('$a')} AS A, {clean_text('$b')} AS B"
    query = f"SELECT {alike} FROM ({cells}) WHERE {is_plain(COLUMNS)}"
    assert DATABASE.execute(query, {"a": facts, "b": content}).fetchall() in ([], [(True,)])


@pytest.mark.parametrize("character", [*'"\\&<>\n\r\t', *(f"{guard}x" for guard in GUARDED)])
def test_a_row_with_a_character_to_escape_is_not_plain(character: str) -> None:
    asked = f"SELECT {is_plain(COLUMNS)} FROM (SELECT 'k1' AS K, $a AS A, 'x' AS B)"
    assert DATABASE.execute(asked, {"a": character}).fetchall() == [(False,)]
    assert DATABASE.execute(asked, {"a": "a=b, 'c' 1-2@d"}).fetchall() == [(True,)]


@given(st.none() | TEXTS, st.none() | TEXTS)
def test_sql_and_python_write_the_same_row(facts: str | None, content: str | None) -> None:
    values, csv_row, json_row, xml_row = _lines(facts, content)
    assert csv_row == csv_text(values)
    assert json_row == json_text(CODES, values) or json.loads(json_row) == dict(zip(CODES, values, strict=True))
    assert xml_row == xml_text("ROW", CODES, values)
    assert json_row.count("\n") == xml_row.count("\n") == 1


@given(st.none() | TEXTS)
def test_every_text_comes_back_from_all_three_formats(facts: str | None) -> None:
    values, csv_row, json_row, xml_row = _lines(facts, "x")
    (cells,) = csv.reader(io.StringIO(csv_row, newline=""))
    assert [cell.removeprefix("'") or None for cell in cells] == values
    assert list(json.loads(json_row).values()) == values
    found = etree.fromstring(xml_row).find("A")
    assert (None if found is None else found.text) == values[1]


@given(TEXTS)
def test_no_csv_cell_begins_like_a_formula(facts: str) -> None:
    _, csv_row, _, _ = _lines(facts, "x")
    (cells,) = csv.reader(io.StringIO(csv_row, newline=""))
    assert not cells[1].startswith(tuple("=+-@\t\r\n＝＋－＠"))


@given(TEXTS)
def test_only_characters_outside_xml_are_dropped(facts: str) -> None:
    dropped = [chr(c) for c in range(0x20) if chr(c) not in "\t\n\r"] + ["\ufffe", "\uffff"]
    values, *_ = _lines(facts, None)
    assert (values[1] or "") == "".join(character for character in facts if character not in dropped)
    assert ILLEGAL_IN_XML


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("警告", "1"),
        ("罚款;没收违法所得、没收非法财物", "2;3"),
        ("罚款;其他-责令公开更正", "2;9"),
        ("罚款;暂扣或者吊销许可证、暂扣或者吊销执照", None),
        (None, None),
    ],
)
def test_a_code_table_translates_every_kind_or_none(text: str | None, code: str | None) -> None:
    gsxt = load_sites()["gsxt"]
    column = next(column for column in gsxt.tables[1].columns if column.code == "PENTYPE")
    query = f"SELECT {published_value(column, gsxt)} FROM (SELECT ?::VARCHAR AS penalty_category)"
    assert DATABASE.execute(query, [text]).fetchone() == (code,)


@pytest.mark.parametrize(
    ("site_id", "day", "shown"),
    [
        ("creditchina", "2018-08-01", "2018/08/01"),
        ("creditchina", "9999-09-09", "2099/12/31"),
        ("gsxt", "2018-08-01", "20180801"),
        ("gsxt", "2099-12-31", "20991231"),
        ("gsxt", None, None),
    ],
)
def test_days_are_written_as_the_site_reads_them(site_id: str, day: str | None, shown: str | None) -> None:
    site: Site = load_sites()[site_id]
    column = Column(code="D", label="d", source=("decision_date",), type="date")
    query = f"SELECT {published_value(column, site)} FROM (SELECT ?::DATE AS decision_date)"
    assert DATABASE.execute(query, [day]).fetchone() == (shown,)


def test_amounts_keep_six_decimals_and_stay_text_in_json() -> None:
    column = Column(code="M", label="m", source=("fine_amount",), type="amount")
    query = f"SELECT {published_value(column, SITE)} FROM (SELECT 123456789012.000001::DECIMAL(18,6) AS fine_amount)"
    assert DATABASE.execute(query).fetchone() == ("123456789012.000001",)


def test_lines_come_in_the_order_of_the_files_and_their_rows(tmp_path: Path) -> None:
    files = []
    for number in range(12):
        files.append(tmp_path / f"{11 - number}.parquet")
        keys = pa.table(
            {
                "KEY": [f"{number:02d}{row:06d}" for row in range(3_000)],
                PLAIN: [number % 3 == 0 or (number % 3 == 1 and row % 7 != 0) for row in range(3_000)],
            }
        )
        pq.write_table(keys, files[-1], row_group_size=700)
    for attempt in range(3):
        target = tmp_path / f"lines{attempt}"
        count, _ = write_rows(files, Line("KEY || chr(10)", "KEY || 'e' || chr(10)"), target, b"", b"")
        lines = target.read_text(encoding="utf-8").split()
        assert (count, lines) == (36_000, sorted(lines))
        assert sum(line.endswith("e") for line in lines) == 4 * 3_000 + 4 * 429
