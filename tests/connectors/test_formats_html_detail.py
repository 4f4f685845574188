"""Web pages with one record each: a table of labels and values, in either encoding; login pages are refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.reader import open_table
from transforms.problems import DeliveryRefused

LABELS = ("行政处罚决定书文号", "行政相对人名称", "处罚内容")
VALUES = ("京知法处〔2018〕1号", "北京甲乙丙有限公司", "责令改正")


def page(body: str, charset: str = "utf-8") -> str:
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="{charset}"><title>决定</title><script>var a="<table>";</script>'
        f"</head><body><table><tr><td>导航</td><td>首页</td></tr></table>{body}</body></html>"
    )


def as_table(row: str) -> str:
    return (
        "<table>" + "".join(row.format(label, value) for label, value in zip(LABELS, VALUES, strict=True)) + "</table>"
    )


def read(content: bytes) -> list[dict[str, object]]:
    with open_table(io.BytesIO(content), file="d.html") as table:
        assert table.format == "html"
        return [row for batch in table.batches() for row in batch.to_pylist()]


RECORD = {"row_no": 1, **dict(zip(LABELS, VALUES, strict=True))}


@pytest.mark.parametrize(
    "body",
    [
        as_table("<tr><th>{}</th><td>{}</td></tr>"),
        as_table("<tr><th> {}: </th>\n<td><p>{}</p><script>x()</script><!-- 注 --></td></tr>"),
        as_table("<tr><td>{}：</td><td><span>{}</span></td></tr>"),
        "<table><tr><th>{0}</th><td>{3}</td><th>{1}</th><td>{4}</td></tr><tr><th>{2}</th><td>{5}</td></tr></table>".format(
            *LABELS, *VALUES
        ),
        "<dl>" + "".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in zip(LABELS, VALUES, strict=True)) + "</dl>",
        f"<table><tr><td>{as_table('<tr><th>{}</th><td>{}</td></tr>')}</td></tr></table>",
    ],
    ids=["th", "noise", "td only", "two pairs a row", "list", "layout table"],
)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "gb2312"])
def test_a_record_is_read_from_its_labels(body: str, charset: str) -> None:
    assert read(page(body, charset).encode("utf-8" if charset == "utf-8" else "gb18030")) == [RECORD]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_a_mark_of_something_lost_that_was_sent_is_kept_as_it_was_sent(charset: str) -> None:
    values = ["京罚\ufffd号", *VALUES[1:]]
    rows = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in zip(LABELS, values, strict=True))
    [record] = read(page(f"<table>{rows}</table>", charset).encode(charset))
    assert record[LABELS[0]] == values[0]


def test_lines_stay_lines_and_an_empty_value_is_null() -> None:
    rows = ("<th>甲</th><td>一<br>二  三\n四</td>", "<th>乙</th><td> </td>", "<th>丙</th><td>x</td>")
    body = f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    assert read(page(body).encode()) == [{"row_no": 1, "甲": "一\n二 三 四", "乙": None, "丙": "x"}]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (
            page(
                "<form><input name=u><input type='PassWord' name=p></form>"
                + as_table("<tr><th>{}</th><td>{}</td></tr>")
            ),
            "F02",
        ),
        (page("<h1>502 Bad Gateway</h1>"), "F02"),
        (page("<table><tr><th>甲</th><td>1</td></tr></table>"), "F02"),
        (page(as_table("<tr><th>{}</th><td>{}</td></tr>"), "shift_jis"), "F04"),
        (page(as_table("<tr><th>{0}</th><td>{1}</td><th>{0}</th><td>{1}</td></tr>")), "F06"),
    ],
    ids=["login", "error", "too few labels", "foreign encoding", "label twice"],
)
def test_a_page_without_a_record_is_refused(content: str, rule: str) -> None:
    with pytest.raises(DeliveryRefused) as caught:
        read(content.encode())
    assert caught.value.problem.rule == rule


def test_an_undecodable_byte_damages_the_record() -> None:
    content = page(as_table("<tr><th>{}</th><td>{}</td></tr>")).encode().replace("责令".encode(), b"\xff\xfe\xff")
    with open_table(io.BytesIO(content), file="d.html") as table:
        assert list(table.batches()) == []
        assert [problem.rule for problem in table.problems] == ["F14"]
        assert table.rows == 1


@given(
    st.lists(
        st.sampled_from(
            ["<table>", "<tr>", "<th>", "<td>", "</td>", "</tr>", "</table>", "甲", "<!--", "<p>", "&#0;", "<dl><dt>"]
        ),
        max_size=30,
    )
)
def test_any_markup_is_read_or_refused(parts: list[str]) -> None:
    try:
        rows = read(("<html><body>" + "".join(parts)).encode())
    except DeliveryRefused:
        return
    assert len(rows) <= 1
