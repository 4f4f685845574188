"""What a verdict and a problem tell a person: the right column, the value as received, and nothing private."""

from __future__ import annotations

import json
from typing import Any

from delivering import SOMEONE, as_csv, penalty

from pipeline.explain import explain_record
from pipeline.masking import masked
from transforms.problems import Problem


def test_a_verdict_names_the_columns_and_the_value_as_received(known: Any) -> None:
    known.ingest(
        [
            penalty(1, CF_NR_FK=""),
            penalty(2, CF_CFLB="没收违法所得、没收非法财物", CF_NR_FK=""),
            penalty(3, CF_CFLB="罚款;吊销许可证、吊销执照", CF_NR_FK=""),
            penalty(4, CF_JDRQ="2018-02-30"),
            penalty(5, CF_CFLB="训诫"),
        ]
    )
    told = {
        (row["row_no"], row["expectation"]): (row["field"], row["value"])
        for row in known.query("SELECT row_no, expectation, field, value FROM verdict v JOIN penalty USING (record_id)")
    }
    assert told[2, "R16.category_amounts"][0] == "CF_NR_FK"
    assert told[3, "R16.category_amounts"][0] == "CF_NR_WFFF"
    assert told[4, "R16.category_amounts"][0].startswith("CF_NR_FK;")
    assert told[5, "R10.decision_date"] == ("CF_JDRQ", "2018-02-30")
    assert told[6, "R14.category"] == ("CF_CFLB", "训诫")


def test_a_damaged_row_keeps_its_text_without_the_id_number(known: Any) -> None:
    known.ingest(as_csv([penalty(1)], extra_lines=[f"仿某,{SOMEONE}"]))
    [row] = known.query("SELECT source_text, state FROM penalty WHERE state = 'returned'")
    assert json.loads(row["source_text"])[""].startswith("仿某,110105********")


def test_problems_quote_nothing_private() -> None:
    quoted = Problem(
        "F06", "refuse", f"列名重复:{SOMEONE}", "请改正", file="d.csv", row=1, field=SOMEONE,
        value="13812345678", text=f"仿某 {SOMEONE[:6]} {SOMEONE[6:14]} {SOMEONE[14:]} 电话13812345678",
    )  # fmt: skip
    cut = Problem("F13", "reject", "m", "r", text=f"仿某{SOMEONE[:15]}…")
    shown = " ".join(f"{problem} {problem.text}" for problem in masked([quoted, cut]))
    for private in (SOMEONE, SOMEONE[6:14], "13812345678"):
        assert private not in shown
    assert masked([]) == ()
    plain = Problem("F01", "refuse", "文件没有任何内容", "重报", file="京工商〔2018〕1号.csv", row=20180821)
    assert masked([plain]) == (plain,)


def sentences_of(known: Any) -> dict[str, str]:
    """What is told of each verdict, by row and expectation."""
    told = {}
    for row in known.query("SELECT record_id, row_no FROM penalty ORDER BY row_no"):
        chain = explain_record(known.office, row["record_id"])
        assert chain is not None
        told |= {f"{row['row_no']} {each['expectation']}": each["message"] for each in chain["verdicts"]}
    return told


def test_a_failed_rule_is_told_in_a_sentence_with_the_values_of_the_row(known: Any) -> None:
    known.ingest([penalty(1, CF_NR="罚款人民币30000元"), penalty(2, CF_JDRQ="2018-02-30"), penalty(3)])
    told = sentences_of(known)
    assert told["2 R17.fine_in_text"] == "罚款金额填2万元, 处罚内容却写“罚款人民币30000元”。"
    assert "2018-02-30" in told["3 R10.decision_date"]


def test_a_sentence_holds_nothing_private(known: Any) -> None:
    known.ingest([penalty(1, CF_SY=f"当事人{SOMEONE}电话13812345678"), penalty(2, CF_WSH=f"{SOMEONE}号", CF_JDRQ="?")])
    said = " ".join(sentences_of(known).values())
    assert "“?”不能作为日期" in said and "疑似居民身份证号" in said
    assert SOMEONE not in said and "13812345678" not in said
