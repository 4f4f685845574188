"""Bad input: each damage is told with its row and rule, and the rest of the file goes on."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from tested_files import HEAD, read, workbook

from connectors.formats import delimited
from connectors.formats.limits import Limits
from connectors.formats.reader import TextTable, open_table
from connectors.formats.records import complete_until
from connectors.formats.rules import RULES
from transforms.problems import DeliveryRefused

SHEET = "xl/worksheets/sheet1.xml"
TEN_MB = "长" * (10 << 20)


def damage(table: TextTable) -> list[tuple[str, int | None]]:
    return [(problem.rule, problem.row) for problem in table.problems]


def refused(content: bytes, limits: Limits = Limits(), rows_at: str | None = None) -> str:  # noqa: B008
    with pytest.raises(DeliveryRefused) as caught:
        for _ in open_table(io.BytesIO(content), file="cf.csv", limits=limits, rows_at=rows_at).batches():
            pass
    problem = caught.value.problem
    assert problem.severity == "refuse"
    assert problem.file == "cf.csv"
    assert problem.message
    assert problem.remedy
    return problem.rule


def replaced(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part == name:
                assert old in data
                data = data.replace(old, new, 1)
            target.writestr(part, data)
    return packed.getvalue()


SMALL = workbook(["甲", "乙", "丙"], ["1", "2", "3"])


def test_rules_have_distinct_numbers_and_speak_to_stewards() -> None:
    assert [rule.id for rule in RULES] == [f"F{number:02d}" for number in range(1, len(RULES) + 1)]
    for rule in RULES:
        assert rule.title
        assert rule.message
        assert rule.remedy
        assert rule.why


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("F01", b""),
        ("F01", b"\xef\xbb\xbf"),
        ("F01", b" \r\n\t\n" * 5000),
        ("F02", b"<!DOCTYPE html><html><body>login</body></html>"),
        ("F02", b"\n\n<HTML><head><title>502</title></head></HTML>"),
        ("F02", b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html xmlns="z"/>'),
        ("F03", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("F03", b"%PDF-1.4\n1,2,3\n"),
        ("F03", SMALL[: len(SMALL) // 2]),
        ("F04", (HEAD + "1,2,3\n").encode("utf-16")),
        ("F04", (HEAD + "1,2,3\n").encode("utf-16-le")),
        ("F04", b"CF_WSH,\xff\xff,CF_NR\n1,\xff,3\n"),
        ("F04", '<?xml version="1.0" encoding="Big5"?><ROWDATA/>'.encode("big5")),
        ("F05", b"CF_WSH;CF_NR;BZ\n1;2;3\n"),
        ("F05", b"no table at all"),
        ("F05", workbook(["title"], [1, 2, 3])),
        ("F05", b'{"code": 0, "page": {"n": 1}}'),
        ("F05", b"<R><HEAD/><ROW><A>1</A></ROW></R>"),
        ("F06", b"A,B, A \n1,2,3\n"),
        ("F06", b"row_no,B,C\n1,2,3\n"),
        ("F06", workbook(["A", "B", "A"])),
        ("F07", ",".join(f"C{number}" for number in range(1200)).encode()),
        ("F09", b"<ROWDATA>\n<ROW><A>1</A></ROW>\n<ROW><A>2"),
        ("F09", b"<ROWDATA><ROW><A>1 & 2</A></ROW></ROWDATA>"),
        ("F09", replaced(SMALL, SHEET, b"</sheetData>", b"<row")),
        ("F09", replaced(SMALL, SHEET, b'<row r="2"', b'<row r="1"')),
        ("F09", replaced(SMALL, SHEET, b'r="B2"', b'r="A2"')),
        ("F10", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ROWDATA><ROW><A>&x;</A></ROW></ROWDATA>'),
        ("F10", replaced(SMALL, SHEET, b"<worksheet", b'<!DOCTYPE a [<!ENTITY x "y">]><worksheet')),
        ("F11", b'[{"A": "1"}, {"A": '),
        ("F11", b'{"rows": [{"A": "1"}]} trailing'),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(rule: str, content: bytes) -> None:
    assert refused(content) == rule


def test_refusals_name_the_place() -> None:
    with pytest.raises(DeliveryRefused, match="第 3 行"):
        open_table(io.BytesIO(b"<ROWDATA>\n<ROW><A>1</A></ROW>\n<ROW><A>2"), file="cf.xml")
    with pytest.raises(DeliveryRefused, match="第 2 行"):
        open_table(io.BytesIO(b'[{"A": "1"},\n {"A": '), file="cf.json")
    with pytest.raises(DeliveryRefused, match="列名重复:CF_NR"):
        open_table(io.BytesIO(b"CF_NR,B,CF_NR\n"), file="cf.csv")


@pytest.mark.parametrize("content", [b"A,B,C\n", b"A,B,C", workbook(["A", "B", "C"]), b"<ROWDATA/>", b"[]"])
def test_a_file_without_rows_makes_no_batch_and_one_note(content: bytes) -> None:
    table, rows = read(content)
    assert rows == {}
    assert [(problem.rule, problem.severity) for problem in table.problems] == [("F21", "warn")]


def test_a_zip_bomb_is_stopped_before_it_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", "<workbook/>")
        with bomb.open(SHEET, "w") as sheet:
            for _ in range(30):
                sheet.write(bytes(1 << 20))
    assert refused(packed.getvalue()) == "F08"
    assert refused(SMALL, Limits(unpacked_bytes=1000)) == "F08"


def test_a_zip_bomb_that_lies_about_its_size_is_not_unpacked_beyond_what_it_declares() -> None:
    content = bytearray(SMALL)
    with zipfile.ZipFile(io.BytesIO(SMALL)) as container:
        entry = container.getinfo(SHEET)
    place = content.rfind(SHEET.encode()) - 46 + 24  # uncompressed size in the central directory
    assert int.from_bytes(content[place : place + 4], "little") == entry.file_size
    content[place : place + 4] = (100).to_bytes(4, "little")
    assert refused(bytes(content)) in ("F03", "F09")


def test_size_limits_refuse_with_a_way_out() -> None:
    assert refused(b"A,B,C\n1,2,3\n", Limits(file_bytes=5)) == "F08"
    assert refused(b'[{"A": "1"}]', Limits(whole_json_bytes=5)) == "F08"


@pytest.mark.parametrize("block_bytes", [7, 64, delimited.BLOCK_BYTES])
def test_each_kind_of_damage_in_a_csv_file_stops_its_row_only(
    monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", block_bytes)
    lines = [
        HEAD.encode().rstrip(),
        b'1,"with ""quotes"" and\nline\nbreaks",x',  # 2
        b"too,few",  # 3
        b"2,,y",  # 4
        b"too,many,fields,here",  # 5
        b"",  # 6
        b"3,\xff\xfe,undecodable",  # 7
        b"4,nul\0here,x",  # 8
        b",,",  # 9
        b'5,"never closed,x',  # 10
        b'6,"closed",z',  # 11
        b'7,"text" after,z',  # 12
        b'8,in "the" middle,z',  # 13
        "9,京,最后".encode(),  # 14
    ]
    table, rows = read(b"\n".join(lines))
    assert rows == {
        2: ["1", 'with "quotes" and\nline\nbreaks', "x"],
        4: ["2", None, "y"],
        11: ["6", "closed", "z"],
        13: ["8", 'in "the" middle', "z"],
        14: ["9", "京", "最后"],
    }
    told = sorted(damage(table), key=lambda told: told[1] or 99)
    assert told == [("F13", 3), ("F13", 5), ("F14", 7), ("F15", 8), ("F20", 10), ("F20", 12), ("F22", None)]
    texts = {problem.row: problem.text for problem in table.problems}
    assert texts[3] == "too,few"
    assert texts[10] == '5,"never closed,x'
    assert "2 个空白行" in table.problems[-1].message


SOUND = ("a,b,c", '"q,""q""",b,', ",,x", '"line\nbreak\n",b,c', 'a,mid"dle,c', "京,罚,〔")
BROKEN = ("a,b", "a,b,c,d", "a,b\0,c", 'a,"x"y,c', "one")


@settings(max_examples=60)
@given(
    records=st.lists(st.sampled_from(SOUND + BROKEN), min_size=1, max_size=12),
    block_bytes=st.integers(1, 60),
    stretch=st.integers(1, 40),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
)
def test_row_numbers_are_those_of_a_spreadsheet_wherever_the_blocks_are_cut(
    records: list[str], block_bytes: int, stretch: int, line_end: str, encoding: str
) -> None:
    content = line_end.join(["甲,乙,丙", *records]) + line_end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK_BYTES", block_bytes)
        patch.setattr("connectors.formats.records._STRETCH", stretch)
        table, rows = read(content.encode(encoding))
    sound = [number for number, record in enumerate(records, start=2) if record in SOUND]
    broken = [number for number, record in enumerate(records, start=2) if record in BROKEN]
    assert list(rows) == sound
    assert sorted(problem.row or 0 for problem in table.problems if problem.severity == "reject") == broken


@given(records=st.lists(st.sampled_from(SOUND[:4]), min_size=1, max_size=8), stretch=st.integers(1, 40))
def test_well_quoted_records_are_passed_over_as_one_however_their_quotes_are_looked_for(
    records: list[str], stretch: int
) -> None:
    content = "".join(f"{record}\n" for record in records).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.formats.records._STRETCH", stretch)
        assert complete_until(content + b'a,"begun\n', b",") == len(content)


def test_a_record_without_end_is_given_up_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 100)
    long = "x" * 5000
    quoted = "y\n" * 3000
    table, rows = read(f'A,B,C\n1,{long},3\n4,5,6\n7,"8\n{quoted}'.encode(), Limits(record_bytes=1000))
    assert rows == {3: ["4", "5", "6"]}
    assert damage(table)[:2] == [("F16", 2), ("F20", 4)]


def test_rows_above_the_header_are_passed_over_and_counted() -> None:
    as_csv = "行政处罚信息公示表,,\n\n甲,乙,丙\n1,2,3\n".encode()
    as_workbook = workbook(["公示表"], [], ["甲", "乙", "丙"], [1, 2, 3])
    for content in (as_csv, as_workbook):
        table, rows = read(content)
        assert table.header == ("甲", "乙", "丙")
        assert rows == {4: ["1", "2", "3"]}


def test_column_names_lose_blanks_at_the_ends_only() -> None:
    table, rows = read("\ufeff　CF_WSH ,罚款 金额\u200b,\xa0BZ,\n1,2,3,\n1,2,3,stray\n".encode())
    assert table.header == ("CF_WSH", "罚款 金额", "BZ")
    assert rows == {2: ["1", "2", "3"]}
    assert damage(table) == [("F13", 3)]


def test_a_damaged_character_in_utf8_does_not_turn_the_file_into_gb18030() -> None:
    content = (HEAD + "1,公司名称,x\n2,?,y\n3,京,z\n").encode().replace(b"?", "京".encode()[:2])
    table, rows = read(content)
    assert table.encoding == "utf-8"
    assert rows == {2: ["1", "公司名称", "x"], 4: ["3", "京", "z"]}
    assert damage(table) == [("F14", 3)]


@pytest.mark.parametrize(
    "content",
    [
        f"A,B,C\n1,{TEN_MB},3\n4,5,6\n".encode(),
        f'A,B,C\n1,"{TEN_MB}\n",3\n4,5,6\n'.encode("gb18030"),
        f"<ROWDATA><ROW><A>1</A><B>{TEN_MB}</B></ROW><ROW><A>4</A><B>5</B></ROW></ROWDATA>".encode(),
        json.dumps([{"A": "1", "B": TEN_MB}, {"A": "4", "B": "5"}], ensure_ascii=False).encode(),
        (json.dumps({"A": "1", "B": TEN_MB}, ensure_ascii=False) + '\n{"A": "4", "B": "5"}\n').encode(),
        replaced(
            workbook(["A", "B", "C"], ["1", "here", "3"], ["4", "5", "6"]),
            SHEET,
            b"here",
            b"x" * (10 << 20),
        ),
    ],
    ids=["csv", "csv GB18030", "xml", "json", "jsonl", "xlsx"],
)
def test_ten_megabytes_in_one_cell_damage_one_row(content: bytes) -> None:
    table, rows = read(content, Limits(unpack_ratio=100_000))
    ((rule, row),) = damage(table)
    assert rule == "F16"
    assert table.problems[0].field == "B"
    assert len(table.problems[0].text) < 1000
    assert next(iter(rows.values()))[:2] == ["4", "5"]
    assert row is not None
    assert list(rows) == [row + 1]


def test_excel_cells_become_exact_text() -> None:
    table, rows = read(
        workbook(
            ["文号", "金额", "日期", "时刻", "标记"],
            ["0012", 20.5, dt.datetime(2018, 8, 21), dt.datetime(2018, 8, 21, 13, 5, 9), True],  # noqa: DTZ001
            [7, 0.1, dt.date(2018, 1, 2), 1e-7, 20.0],
        )
    )
    assert table.problems == []
    assert rows == {
        2: ["0012", "20.5", "2018-08-21", "2018-08-21 13:05:09", "true"],
        3: ["7", "0.1", "2018-01-02", "0.0000001", "20"],
    }


def test_formulas_errors_and_rounded_numbers_damage_their_row_of_a_workbook() -> None:
    table, rows = read(
        workbook(
            ["甲", "乙", "丙"],
            ["1", "=A1&B1", "x"],
            ["2", "#REF!", "x"],
            ["3", 110000000000000001, "x"],
            ["4", "sound", "x"],
            [],
            ["5", "more", "x", "cells"],
            ["6", "sound"],
        )
    )
    assert rows == {5: ["4", "sound", "x"], 8: ["6", "sound", None]}
    assert damage(table) == [("F17", 2), ("F18", 3), ("F18", 4), ("F13", 7)]
    assert [problem.field for problem in table.problems[:3]] == ["乙", "乙", "乙"]


def test_a_second_sheet_with_data_is_not_lost_in_silence() -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["说明"])
    for title in ("许可", "处罚"):
        sheet = book.create_sheet(title)
        sheet.append(["甲", "乙", "丙"])
        sheet.append([title, "2", "3"])
    hidden = book.create_sheet("隐藏")
    hidden.append(["甲", "乙", "丙"])
    hidden.sheet_state = "hidden"
    packed = io.BytesIO()
    book.save(packed)
    table, rows = read(packed.getvalue())
    assert rows == {2: ["许可", "2", "3"]}
    assert damage(table) == [("F23", None)]
    assert "处罚" in table.problems[0].message


def test_nested_repeated_and_broken_records_damage_their_row_only() -> None:
    table, rows = read(
        b"<DATAS><DATA><A>1</A><B>2</B></DATA><DATA><A><B>x</B></A></DATA><DATA><A>1</A><A>2</A></DATA>"
        b"<DATA A='1'/><DATA>loose<A>1</A></DATA><DATA/><DATA><B><![CDATA[a<b]]>&amp;</B></DATA></DATAS>"
    )
    assert rows == {1: ["1", "2"], 7: [None, "a<b&"]}
    assert damage(table) == [("F19", 2), ("F19", 3), ("F19", 4), ("F19", 5), ("F22", None)]

    table, rows = read(
        b'[{"A": "1"}, {"A": {"B": 1}}, {"A": 1, "A": 2}, 5, {"A": [1]},'
        b' {"A": "\\ud800"}, {"A": "6\\u0000"}, {"A": "7"}]'
    )
    assert rows == {1: ["1"], 8: ["7"]}
    assert sorted(damage(table), key=lambda told: told[1] or 0) == [
        ("F19", 2),
        ("F19", 3),
        ("F19", 4),
        ("F19", 5),
        ("F14", 6),
        ("F15", 7),
    ]

    table, rows = read(b'{"A": "1"}\n{"A": \n\n{"A": "\xe4"}\n{"A": {"B": 1}}\n[1]\n{"A": "\xe4\xba\xac\xe7\xbd\x9a"}')
    assert rows == {1: ["1"], 7: ["京罚"]}
    assert damage(table) == [("F20", 2), ("F14", 4), ("F19", 5), ("F19", 6)]


def test_undecodable_bytes_in_xml_and_json_damage_their_row_only() -> None:
    for content in (
        "<ROWDATA><ROW><名称>京?</名称></ROW><ROW><名称>京</名称></ROW></ROWDATA>",
        '[{"名称": "京?"}, {"名称": "京"}]',
    ):
        table, rows = read(content.encode().replace(b"?", b"\xe4"))
        assert rows == {2: ["京"]}
        assert damage(table) == [("F14", 1)]


def test_too_many_damaged_rows_are_one_broken_file() -> None:
    content = b"A,B,C\n" + b"1,2\n" * 11
    assert refused(content, Limits(damaged_rows=10)) == "F12"
    assert len(read(content, Limits(damaged_rows=11))[0].problems) == 11


def test_a_table_is_read_once_and_its_file_closed(tmp_path: Path) -> None:
    path = tmp_path / "cf.csv"
    path.write_bytes(b"A,B,C\n1,2,3\n")
    table = open_table(path, file=path.name)
    assert [batch.num_rows for batch in table.batches()] == [1]
    with pytest.raises(RuntimeError, match="once"):
        next(table.batches())
    stream = path.open("rb")
    list(open_table(stream, file=path.name).batches())
    assert not stream.closed
    stream.close()


def test_a_byte_order_mark_or_a_lone_carriage_return_inside_a_file_moves_no_row_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 1)
    table, rows = read(b"A,B,C\n\xef\xbb\xbf1,2,3\r4,\xe4,6\n7,8,9\n\xef\xbb\xbf")
    assert rows == {2: ["\ufeff1", "2", "3"], 4: ["7", "8", "9"]}
    assert damage(table) == [("F14", 3), ("F13", 5)]


def test_shared_texts_of_a_workbook_are_read() -> None:
    """As Excel writes them; openpyxl puts the texts into the cells."""
    content = replaced(SMALL, SHEET, b'<c r="B2" t="inlineStr"><is><t>2</t></is></c>', b'<c r="B2" t="s"><v>0</v></c>')
    part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument'
    part += b'.spreadsheetml.sharedStrings+xml"/></Types>'
    packed = io.BytesIO(replaced(content, "[Content_Types].xml", b"</Types>", part))
    with zipfile.ZipFile(packed, "a") as container:
        texts = "<si><r><t>共享</t></r><r><t>文字</t></r></si>"
        spreadsheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        container.writestr("xl/sharedStrings.xml", f'<sst xmlns="{spreadsheet}">{texts}</sst>')
    assert read(packed.getvalue())[1] == {2: ["1", "共享文字", "3"]}


FILES = (
    'CF_WSH,名称,CF_NR\n1,"甲""乙,\n丙",x\n2,,"y"\n3,"丁",\n'.encode(),
    "CF_WSH\t名称\tCF_NR\r\n1\t甲\tx\r\n2\t乙\t\r\n".encode("gb18030"),
    "<ROWDATA><ROW><A>1</A><B>甲&lt;</B></ROW><ROW><A>2</A></ROW></ROWDATA>".encode(),
    '{"rows": [{"A": "1", "B": "甲"}, {"A": 2.50, "B": null}]}'.encode(),
    '{"A": "1", "B": "甲"}\n{"A": 2.50, "B": null}\n'.encode(),
)
PIECES = st.sampled_from(
    [bytes((byte,)) for byte in b'"",\n\r\t\0\\<>&{}[]:/\xe4\xff'] + [b"\xef\xbb\xbf", b'""', b"</"]
)
EDITS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 5), PIECES), min_size=1, max_size=4)


@settings(max_examples=200)
@given(content=st.sampled_from(FILES), edits=EDITS, block_bytes=st.integers(1, 40), stretch=st.integers(1, 40))
def test_whatever_happens_to_the_bytes_a_file_is_refused_or_each_row_is_accounted_for(
    content: bytes, edits: list[tuple[int, int, bytes]], block_bytes: int, stretch: int
) -> None:
    for place, length, piece in edits:
        content = content[:place] + piece + content[place + length :]
    outcomes = []
    for size, looked_at in ((block_bytes, stretch), (1 << 20, 1 << 20)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited, "BLOCK_BYTES", size)
            patch.setattr("connectors.formats.records._STRETCH", looked_at)
            try:
                table, rows = read(content)
            except DeliveryRefused as refusal:
                outcomes.append(repr(refusal.problem))
            else:
                found = sorted((problem.row or 0, problem.rule, problem.text) for problem in table.problems)
                outcomes.append(repr((rows, found)))
    assert outcomes[0] == outcomes[1]
