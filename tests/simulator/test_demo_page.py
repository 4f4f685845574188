"""The page and the tables show the numbers that they were given, and the page needs nothing but itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from simulator.demo import Result, as_json
from simulator.demo_charts import Bar, Series, bar_chart, text_width
from simulator.demo_numbers import (
    AgencyNumbers,
    Column,
    DemoNumbers,
    Failing,
    FeedCheck,
    FindingNumbers,
    ReleaseNumbers,
)
from simulator.demo_page import Outcome, agency_lines, page

SVG = "{http://www.w3.org/2000/svg}"
DAYS = ["2018-08-21", "2018-08-22"]
SERIES = (Series("a", "甲 <a>", "#111111"), Series("b", "乙", "#222222"))

counts = st.integers(0, 10_000_000)
bars = st.lists(
    st.builds(
        Bar,
        st.sampled_from(["北京市工商行政管理局 aic", "a<&\"'>", ""]),
        st.fixed_dictionaries({"a": counts, "b": counts}),
    ),
    max_size=12,
)


def numbers() -> DemoNumbers:
    first = Column(1129, Counter(published=901, review=228), Counter(uscc=901), Counter(gsxt=901))
    second = Column(646, Counter(published=484, returned=162), Counter(uscc=480, name=4), Counter(gsxt=484))
    agency = AgencyNumbers(
        "aic", "北京市<工商>局", dict(zip(DAYS, (first, second), strict=True)), Counter(published=1385)
    )
    release = ReleaseNumbers("gsxt", "公示系统", 2, DAYS[1], {"licence": 1290, "penalty": 95}, 777, {"withdrawn": 13})
    failing = Failing("R03.uscc", "reject", "统一社会信用代码不正确", 101)
    evidence = {"link": "uscc", "snapshot_date": DAYS[0], "snapshot_hash": "ab" * 16, "report_id": None}
    sides = {"address": ["", "www.a.com/?<b>"]}
    found = FindingNumbers("concealed", 2, 17, "甲<公司>", "www.a.com", sides, evidence, "更正年报")
    return DemoNumbers((agency,), (release,), (failing,), "京工商罚字〔2018〕1号", (found,))


def written(*, feeds: tuple[FeedCheck, ...] = (), findings: tuple[str, ...] = ()) -> str:
    return page(numbers(), Outcome(findings, feeds, [("对账", "disclosure reconcile")]))


def test_findings_are_shown_with_both_sides_and_their_evidence() -> None:
    shown = text_of(html.fromstring(written()))
    for told in (
        "瞒报 concealed, 2",
        "17",
        "网址: (空) → www.a.com/?<b>",
        "亮照信用代码; 2018-08-21 快照 abababababab",
    ):
        assert told in shown


def number(part: etree._Element, name: str) -> float:
    return float(part.attrib[name])


def text_of(element: etree._Element) -> str:
    return "".join(str(text) for text in element.itertext())


@given(bars)
def test_a_chart_is_well_formed_and_no_part_leaves_it(drawn: list[Bar]) -> None:
    chart = etree.fromstring(bar_chart("图 <title>", drawn, SERIES))
    _, _, width, height = map(float, str(chart.attrib["viewBox"]).split())
    for part in chart.iter(f"{SVG}rect"):
        assert number(part, "x") >= 0
        assert number(part, "x") + number(part, "width") <= width + len(SERIES)
        assert number(part, "y") + number(part, "height") <= height
    shown = [text.text for text in chart.iter(f"{SVG}text") if text.get("font-weight") == "600"]
    assert shown == [f"{sum(bar.lengths.values()):,}" for bar in drawn]


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_lengths_are_in_proportion(one: int, other: int) -> None:
    chart = etree.fromstring(bar_chart("图", [Bar("一", {"a": one}), Bar("二", {"a": other})], SERIES[:1]))
    widths = [number(part, "width") for part in chart.iter(f"{SVG}rect") if part.get("fill") == "#111111"]
    longest = max(widths)
    expected = [max(longest * value / max(one, other), 1) for value in (one, other)]
    assert all(abs(width - right) < 0.2 for width, right in zip(widths, expected, strict=True))


def test_a_chinese_label_is_given_more_room_than_a_latin_one() -> None:
    assert text_width("公示系统") > text_width("gsxt")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = written()
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\son\w+=", text)
    assert set(re.findall(r"https?://[^\"'<\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<工商>" not in text


def test_the_page_shows_every_number() -> None:
    document = html.document_fromstring(written())
    text = text_of(document)
    for number in ("1,775", "1,385", "901", "484", "162", "228", "1,381", "777", "13", "101"):
        assert number in text
    assert len(document.findall(".//section")) == 8


def test_the_page_says_what_is_wrong() -> None:
    bad = FeedCheck("gsxt", 2, 5, ("full", "delta"), {"E_OT_CASE": 1}, ("signature: 清单的签名不符",))
    document = html.document_fromstring(written(feeds=(bad,), findings=("delivery 3: 5 rows received, 4 held",)))
    found = [text_of(item) for item in document.iter("li") if item.get("class") == "bad"]
    assert any("delivery 3" in text for text in found)
    assert any("signature" in text for text in found)
    assert "every row is accounted for" not in text_of(document)


def test_equal_numbers_make_equal_pages() -> None:
    assert written() == written()


def test_the_json_answer_has_the_numbers_of_each_day() -> None:
    feed = FeedCheck("gsxt", 2, 5, ("full", "delta"), {"E_OT_CASE": 1385}, ())
    answer = json.loads(as_json(Result(numbers(), (), (feed,)), Path("/home"), 12.34))
    assert answer["ok"] is True
    assert answer["seconds"] == 12.3
    day = answer["numbers"]["agencies"][0]["days"]["2018-08-22"]
    assert day["states"] == {"published": 484, "returned": 162}
    assert answer["numbers"]["releases"][0]["tombstones"] == {"withdrawn": 13}
    assert answer["feeds"][0]["how"] == ["full", "delta"]


def test_days_add_up_in_an_agencys_table() -> None:
    lines = agency_lines(numbers().agencies[0], DAYS)
    for line in lines:
        assert line.total is None or line.total == sum(line.per_day)
    by_label = {line.label: line for line in lines}
    assert by_label["公示 published"].per_day == (901, 484)
    assert by_label["公示 published"].expected == 1385
    assert by_label["gsxt"].total == 1385
