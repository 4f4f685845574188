"""The same rows make the same batches, whatever format, encoding or delimiter they travelled in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.formats.limits import Limits
from connectors.formats.reader import TextTable, open_table

HEADER = ("CF_WSH", "行政相对人名称", "CF_NR", "备注")

Cell = str | None
Rows = Sequence[Sequence[Cell]]


def delimited(
    encoding: str, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\n"
) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
        writer.writerow(HEADER)
        writer.writerows(rows)
        return text.getvalue().encode(encoding)

    return write


def xlsx(rows: Rows) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate((HEADER, *rows), start=1):
        for column, cell in enumerate(row, start=1):
            if cell:
                made = sheet.cell(number, column, cell)
                made.data_type = "s"
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def xml(container: str, record: str, encoding: str = "utf-8") -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        cells = [
            "".join(f"<{name}>{escape(cell or '')}</{name}>" for name, cell in zip(HEADER, row, strict=True))
            for row in rows
        ]
        body = "\n".join(f"<{record}>{row}</{record}>" for row in cells)
        return f'<?xml version="1.0" encoding="{encoding}"?>\n<{container}>{body}</{container}>'.encode(encoding)

    return write


def as_objects(rows: Rows) -> list[dict[str, Cell]]:
    return [dict(zip(HEADER, row, strict=True)) for row in rows]


def json_array(rows: Rows) -> bytes:
    return json.dumps(as_objects(rows), ensure_ascii=False).encode()


def json_page(rows: Rows) -> bytes:
    return json.dumps({"code": 0, "data": {"list": as_objects(rows)}}, indent=1).encode()


def json_lines(encoding: str) -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in as_objects(rows)).encode(encoding)

    return write


WRITERS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "csv": ("csv", delimited("utf-8")),
    "csv, BOM, CR LF": ("csv", delimited("utf-8-sig", end="\r\n")),
    "csv, BOM, all quoted": ("csv", delimited("utf-8-sig", quoting=csv.QUOTE_ALL)),
    "csv, GB18030": ("csv", delimited("gb18030")),
    "csv, GB18030, all quoted": ("csv", delimited("gb18030", quoting=csv.QUOTE_ALL, end="\r\n")),
    "tsv": ("csv", delimited("utf-8", "\t")),
    "tsv, GB18030": ("csv", delimited("gb18030", "\t")),
    "xlsx": ("xlsx", xlsx),
    "xml ROWDATA": ("xml", xml("ROWDATA", "ROW")),
    "xml DATAS, GB18030": ("xml", xml("DATAS", "DATA", "gb18030")),
    "xml of another name": ("xml", xml("处罚信息", "记录")),
    "json": ("json", json_array),
    "json page": ("json", json_page),
    "jsonl": ("jsonl", json_lines("utf-8")),
    "jsonl, GB18030": ("jsonl", json_lines("gb18030")),
}

TRICKY = st.one_of(
    st.sampled_from(
        ["NULL", "NA", "nan", "0012", "1e5", "-0", "1.50", "2018/08/21", "TRUE", "=1+1", "#REF!", " ", "　", "--", "''"]
    ),
    st.text(st.sampled_from('"\'",\t\n<>&;=#\\ 　京罚〔〕号𠮷😀é￥·'), max_size=8),
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe\uffff"), max_size=5),
)
TABLES = st.lists(
    st.lists(st.one_of(st.none(), TRICKY), min_size=len(HEADER), max_size=len(HEADER)).filter(any),
    min_size=2,
    max_size=6,
)


def read(content: bytes, limits: Limits = Limits()) -> tuple[TextTable, list[list[Cell]], list[int]]:  # noqa: B008
    table = open_table(io.BytesIO(content), file="delivery", limits=limits)
    rows: list[list[Cell]] = []
    numbers: list[int] = []
    for batch in table.batches():
        assert 0 < batch.num_rows <= limits.batch_rows
        assert batch.schema == table.schema
        columns = [column.to_pylist() for column in batch.columns]
        numbers += columns[0]
        rows += [list(row) for row in zip(*columns[1:], strict=True)]
    return table, rows, numbers


@pytest.mark.parametrize("way", WRITERS)
@settings(max_examples=25)
@given(rows=TABLES)
@example(rows=[["京罚", None, None, "\ufffd"]] * 2)
def test_a_table_comes_back_as_it_was_sent(way: str, rows: list[list[Cell]]) -> None:
    told, write = WRITERS[way]
    table, received, numbers = read(write(rows))
    assert table.format == told
    assert table.header == HEADER
    assert received == [[cell or None for cell in row] for row in rows]
    first = 2 if told in ("csv", "xlsx") else 1
    assert numbers == list(range(first, first + len(rows)))
    assert table.problems == []
    assert table.rows == len(rows)


@pytest.mark.parametrize("way", WRITERS)
def test_batches_are_bounded(way: str) -> None:
    rows = [[f"文{number}", "甲", None, "x"] for number in range(25)]
    _, write = WRITERS[way]
    _, received, numbers = read(write(rows), Limits(batch_rows=7))
    assert received == rows
    assert numbers == list(range(numbers[0], numbers[0] + 25))


@pytest.mark.parametrize(
    ("way", "encoding"), [("csv", "utf-8"), ("csv, BOM, CR LF", "utf-8-sig"), ("tsv, GB18030", "gb18030")]
)
def test_the_encoding_is_told(way: str, encoding: str) -> None:
    assert read(WRITERS[way][1]([["1", "甲", "x", "y"]] * 2))[0].encoding == encoding


def test_gb18030_is_told_when_only_a_late_cell_has_chinese_characters() -> None:
    lines = ["A,B,C"] + ["1,2,3"] * 300_000 + ["1,文书号,3"]
    table, rows, _ = read("\n".join(lines).encode("gb18030"))
    assert table.encoding == "gb18030"
    assert rows[-1] == ["1", "文书号", "3"]


def test_numbers_and_truth_values_of_json_keep_the_text_they_were_sent_with() -> None:
    _, rows, _ = read(b'[{"a": 1.50, "b": 12345678901234567890, "c": true, "d": null, "e": -0.0, "f": 1E2}]')
    assert rows == [["1.50", "12345678901234567890", "true", None, "-0.0", "1E2"]]


@pytest.mark.parametrize("path", ["data.list", "result.页"])
def test_the_rows_of_json_are_found_where_they_are_said_to_be(path: str) -> None:
    outer, inner = path.split(".")
    content = json.dumps({"rows": [{"x": "other"}], outer: {"total": 1, inner: [{"a": "1", "b": "2"}]}}).encode()
    table = open_table(io.BytesIO(content), file="page", rows_at=path)
    assert [batch.to_pylist() for batch in table.batches()] == [[{"row_no": 1, "a": "1", "b": "2"}]]


def test_a_column_that_appears_late_is_delivered() -> None:
    for content in (
        b"<ROWDATA><ROW><A>1</A></ROW><ROW><B>2</B><A>3</A></ROW></ROWDATA>",
        b'[{"A": "1"}, {"B": "2", "A": "3"}]',
        b'{"A": "1"}\n{"B": "2", "A": "3"}\n',
    ):
        table, rows, _ = read(content, Limits(batch_rows=1))
        assert table.header == ("A", "B")
        assert rows == [["1", None], ["3", "2"]]


def test_a_stream_that_cannot_seek_is_read_too() -> None:
    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    table = open_table(OneWay("甲,乙,丙\n1,2,3\n".encode("gb18030")), file="x.csv")
    assert [batch.num_rows for batch in table.batches()] == [1]


def test_a_cell_full_of_commas_makes_no_comma_file_of_one_with_tabs() -> None:
    content = "CF_WSH\t行政相对人名称\tCF_NR\t备注\r\n1\t甲\t罚款\t,a,b,c,d,e\r\n".encode()
    with open_table(io.BytesIO(content), file="delivery") as table:
        assert table.header == ("CF_WSH", "行政相对人名称", "CF_NR", "备注")
