from __future__ import annotations

import json
from typing import Any

import ibis
import pytest

from transforms.attach import attach

A = "91110108551385082Q"
B = "91110000802100433B"
REGISTER = [
    {"uscc": A, "org_code": A[8:17], "regno": "110108002734659"},
    {"uscc": B, "org_code": B[8:17], "regno": None},
    {"uscc": "91110105MACJ6K1C8A", "org_code": "MACJ6K1C8", "regno": "110108000673293"},
]
NAMES = [
    {"uscc": A, "name_key": "甲公司", "current": True},
    {"uscc": A, "name_key": "甲旧公司", "current": False},
    {"uscc": B, "name_key": "乙公司", "current": True},
    {"uscc": B, "name_key": "重名公司", "current": False},
    {"uscc": "91110105MACJ6K1C8A", "name_key": "重名公司", "current": True},
]
TYPES = {
    "record_id": "int64", "subject_key": "string", "subject_category": "string", "uscc": "string",
    "org_code": "string", "regno": "string", "tax_no": "string", "tax_org": "string",
}  # fmt: skip


def decide(**record: Any) -> dict[str, Any]:
    row = dict.fromkeys(TYPES) | {"record_id": 1, "subject_category": "法人及非法人组织"} | record
    result = attach(
        ibis.memtable([row], schema=TYPES),
        ibis.memtable(REGISTER, schema={"uscc": "string", "org_code": "string", "regno": "string"}),
        ibis.memtable(NAMES, schema={"uscc": "string", "name_key": "string", "current": "boolean"}),
    )
    [answer] = ibis.duckdb.connect().to_pyarrow(result).to_pylist()
    json.loads(answer["evidence"])
    return answer


@pytest.mark.parametrize(
    ("record", "uscc", "method", "score"),
    [
        ({"uscc": A, "subject_key": "甲公司"}, A, "uscc", 1.0),
        ({"uscc": A, "subject_key": "甲旧公司"}, A, "uscc", 0.99),
        ({"org_code": B[8:17], "subject_key": "乙公司"}, B, "org_code", 0.97),
        ({"regno": "110108002734659", "subject_key": "甲公司"}, A, "regno", 0.96),
        ({"tax_no": "110108" + B[8:17], "tax_org": B[8:17], "subject_key": "乙公司"}, B, "tax_no", 0.93),
        ({"subject_key": "乙公司"}, B, "name", 0.9),
        ({"subject_key": "甲旧公司"}, A, "former_name", 0.85),
        ({"regno": "330203000030639", "subject_key": "乙公司"}, B, "name", 0.9),
    ],
)
def test_a_record_whose_keys_agree_is_attached_by_the_strongest(
    record: dict[str, str], uscc: str, method: str, score: float
) -> None:
    answer = decide(**record)
    assert (answer["grade"], answer["uscc"], answer["method"], answer["score"]) == ("certain", uscc, method, score)
    assert answer["reason"] is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"uscc": A, "subject_key": "乙公司"}, "code_and_name_disagree"),
        ({"uscc": A, "subject_key": "查无此名"}, "code_and_name_disagree"),
        ({"regno": "110108002734659", "subject_key": "乙公司"}, "code_and_name_disagree"),
        ({"subject_key": "重名公司"}, "ambiguous_name"),
        ({"uscc": A, "subject_key": "甲公司", "regno": "110108000673293"}, "keys_disagree"),
        ({"uscc": "914403001922038216", "subject_key": "乙公司"}, "keys_disagree"),
        ({"org_code": "192203821", "subject_key": "乙公司"}, "keys_disagree"),
        ({"regno": "330203000030639", "subject_key": "甲公司"}, "keys_disagree"),
    ],
)
def test_disagreement_and_ambiguity_go_to_a_person(record: dict[str, str], reason: str) -> None:
    answer = decide(**record)
    assert (answer["grade"], answer["uscc"], answer["reason"]) == ("review", None, reason)


def test_a_name_shared_by_two_enterprises_is_settled_by_the_code() -> None:
    assert decide(uscc=B, subject_key="重名公司")["uscc"] == B


def test_nobody_found_is_not_in_register() -> None:
    answer = decide(uscc="914403001922038216", subject_key="外地公司")
    assert (answer["grade"], answer["method"], answer["reason"]) == ("none", "none", "not_in_register")


def test_a_natural_person_is_never_attached() -> None:
    answer = decide(subject_key="甲公司", subject_category="自然人")
    assert (answer["grade"], answer["uscc"], answer["method"]) == ("none", None, "natural_person")
