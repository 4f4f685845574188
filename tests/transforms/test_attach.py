from __future__ import annotations

import json
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.attach import attach, index_register

DUCKDB = ibis.duckdb.connect()
A = "91110108551385082Q"
B = "91110000802100433B"
C = "91110105MACJ6K1C8A"
GONE = "91110302562134916R"
REGISTER = [
    {"uscc": A, "org_code": A[8:17], "regno": "110108002734659", "closed": False},
    {"uscc": B, "org_code": B[8:17], "regno": None, "closed": False},
    {"uscc": C, "org_code": C[8:17], "regno": "110108000673293", "closed": False},
    {"uscc": GONE, "org_code": GONE[8:17], "regno": "110302002340910", "closed": True},
]
NAMES = [
    {"uscc": uscc, "name_key": name, "current": current, "closed": uscc == GONE}
    for uscc, name, current in (
        (A, "甲公司", True), (A, "甲旧公司", False), (B, "乙公司", True), (B, "重名公司", False), (C, "重名公司", True),
        (GONE, "已注销公司", False), (GONE, "留名公司", False), (A, "留名公司", False),
    )
]  # fmt: skip
TYPES = {
    "record_id": "int64", "subject_key": "string", "subject_category": "string", "uscc": "string",
    "org_code": "string", "regno": "string", "tax_no": "string", "tax_org": "string",
}  # fmt: skip
_CODE_TYPES: Final = {"uscc": "string", "org_code": "string", "regno": "string", "closed": "boolean"}
_NAME_TYPES: Final = {"uscc": "string", "name_key": "string", "current": "boolean", "closed": "boolean"}


def unkept(_: str, expression: ir.Table) -> ir.Table:
    return expression


def decide(**record: Any) -> dict[str, Any]:
    row = dict.fromkeys(TYPES) | {"record_id": 1, "subject_category": "法人及非法人组织"} | record
    index = index_register(
        ibis.memtable(REGISTER, schema=_CODE_TYPES),
        ibis.memtable(NAMES, schema=_NAME_TYPES),
        unkept,
    )
    result = attach(ibis.memtable([row], schema=TYPES), index)
    [answer] = DUCKDB.to_pyarrow(result).to_pylist()
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
        ({"regno": "1101052123456", "subject_key": "甲公司"}, A, "name", 0.9),
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
        ({"regno": "330203000030639", "subject_key": "乙公司"}, "keys_disagree"),
        ({"regno": "3302032123456", "subject_key": "甲公司"}, "keys_disagree"),
        ({"regno": "1101052123456", "subject_key": "乙公司"}, "keys_disagree"),
        ({"regno": "330203000030639", "subject_key": "甲旧公司"}, "keys_disagree"),
        ({"regno": "110302002340910", "subject_key": "乙公司"}, "keys_disagree"),
        ({"uscc": B, "regno": "110302002340910", "subject_key": "乙公司"}, "keys_disagree"),
        ({"subject_key": "留名公司"}, "ambiguous_name"),
    ],
)
def test_disagreement_and_ambiguity_go_to_a_person(record: dict[str, str], reason: str) -> None:
    answer = decide(**record)
    assert (answer["grade"], answer["uscc"], answer["reason"]) == ("review", None, reason)


def test_a_name_shared_by_two_enterprises_is_settled_by_the_code() -> None:
    assert decide(uscc=B, subject_key="重名公司")["uscc"] == B


@pytest.mark.parametrize("record", [{"uscc": A}, {"regno": "110108002734659"}])
def test_a_code_settles_a_name_that_a_closed_enterprise_bore_too(record: dict[str, str]) -> None:
    assert decide(**record, subject_key="留名公司")["uscc"] == A


@pytest.mark.parametrize("record", [{"subject_key": "已注销公司"}, {"regno": "110302002340910"}, {"uscc": GONE}])
def test_a_closed_enterprise_is_nobody_to_attach_to(record: dict[str, str]) -> None:
    answer = decide(**{"subject_key": "外地公司"} | record)
    assert (answer["grade"], answer["uscc"], answer["reason"]) == ("none", None, "not_in_register")


def test_nobody_found_is_not_in_register() -> None:
    answer = decide(uscc="914403001922038216", subject_key="外地公司")
    assert (answer["grade"], answer["method"], answer["reason"]) == ("none", "none", "not_in_register")


def test_a_natural_person_is_never_attached() -> None:
    answer = decide(subject_key="甲公司", subject_category="自然人")
    assert (answer["grade"], answer["uscc"], answer["method"]) == ("none", None, "natural_person")


# --- laws over arbitrary registers ------------------------------------------------------------------------------

_USCCS: Final = [f"9111010{region}MA00000{body}1X" for region in "12" for body in "AB"]
"""Two enterprises share an organisation code with two others, as no register should have it."""
_NUMBERS: Final = st.none() | st.sampled_from(["110108000000001", "110108000000002", "1101052123456"])
_NAMES: Final = st.sampled_from(["甲", "乙", "丙"])
REGISTERS: Final = st.lists(
    st.tuples(
        st.sampled_from(_USCCS), st.lists(_NUMBERS, min_size=1, max_size=2), st.lists(_NAMES, min_size=1, max_size=2),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda enterprise: enterprise[0],
)  # fmt: skip
_ORGS: Final = st.none() | st.sampled_from([code[8:17] for code in _USCCS])
RECORDS: Final = st.lists(
    st.fixed_dictionaries(
        {
            "subject_key": st.none() | _NAMES, "subject_category": st.sampled_from(["法人及非法人组织", "自然人"]),
            "uscc": st.none() | st.sampled_from(_USCCS), "org_code": _ORGS, "regno": _NUMBERS, "tax_org": _ORGS,
        }
    ),
    min_size=1, max_size=40,
)  # fmt: skip

Enterprise = tuple[str, list[str | None], list[str], bool]
"""USCC, registration numbers, names (the first is borne now), whether it left the register."""


def decide_all(records: list[dict[str, Any]], register: list[Enterprise]) -> list[dict[str, Any]]:
    rows = [dict.fromkeys(TYPES) | record | {"record_id": number} for number, record in enumerate(records)]
    codes = [
        {"uscc": u, "org_code": u[8:17], "regno": number, "closed": closed}
        for u, numbers, _, closed in register
        for number in numbers
    ]
    names = [
        {"uscc": u, "name_key": name, "current": place == 0 and not closed, "closed": closed}
        for u, _, held, closed in register
        for place, name in enumerate(held)
    ]
    index = index_register(
        ibis.memtable(codes, schema=_CODE_TYPES),
        ibis.memtable(names, schema=_NAME_TYPES),
        unkept,
    )
    decided = attach(ibis.memtable(rows, schema=TYPES), index)
    answers: list[dict[str, Any]] = DUCKDB.to_pyarrow(decided.order_by("record_id")).to_pylist()
    assert [answer["record_id"] for answer in answers] == list(range(len(records)))
    return answers


def bearers(record: dict[str, Any], register: list[Enterprise]) -> dict[str, set[str]]:
    """Which enterprises each key of a record points to; keys that point to nobody are left out."""
    here = [u for u, _, _, closed in register if not closed]
    found = {
        "uscc": {u for u in here if u == record["uscc"]},
        "org_code": {u for u in here if u[8:17] == record["org_code"]},
        "regno": {u for u, numbers, _, _ in register if record["regno"] is not None and record["regno"] in numbers},
        "tax_no": {u for u in here if u[8:17] == record["tax_org"]},
        "name": {u for u, _, names, _ in register if record["subject_key"] in names},
    }
    return {key: holders for key, holders in found.items() if holders}


@settings(max_examples=15)
@given(RECORDS, REGISTERS)
def test_a_certain_answer_is_one_that_every_key_agrees_with(
    records: list[dict[str, Any]], register: list[Enterprise]
) -> None:
    for record, answer in zip(records, decide_all(records, register), strict=True):
        found = bearers(record, register)
        assert (answer["grade"] == "certain") is (answer["uscc"] is not None)
        if answer["grade"] != "certain":
            assert answer["reason"] or record["subject_category"] == "自然人"
            continue
        assert record["subject_category"] != "自然人"
        assert all(answer["uscc"] in holders for holders in found.values())
        assert found[next(iter(found))] == {answer["uscc"]}, "the strongest key names one enterprise"
        assert answer["uscc"] in {u for u, _, _, closed in register if not closed}
        assert answer["uscc"] in found["name"], "the name is one that the enterprise bears or bore"
        assert record["uscc"] in (None, answer["uscc"])
        if answer["method"] in ("name", "former_name") and record["regno"] is not None:
            [numbers] = [set(numbers) - {None} for u, numbers, _, _ in register if u == answer["uscc"]]
            new = bool(numbers) and all(len(number) == 15 for number in numbers if number)
            assert record["regno"] in numbers or (new and len(record["regno"]) == 13)


@settings(max_examples=6)
@given(RECORDS, REGISTERS, st.randoms(use_true_random=False))
def test_the_order_of_records_and_of_the_register_does_not_matter(
    records: list[dict[str, Any]], register: list[Enterprise], random: Any
) -> None:
    places = list(range(len(records)))
    random.shuffle(places)
    shuffled_register = [
        (u, random.sample(numbers, len(numbers)), names, closed) for u, numbers, names, closed in register
    ]
    random.shuffle(shuffled_register)
    straight = decide_all(records, register)
    shuffled = decide_all([records[place] for place in places], shuffled_register)
    for answer, place in zip(shuffled, places, strict=True):
        assert answer | {"record_id": place} == straight[place]


@settings(max_examples=6)
@given(RECORDS, REGISTERS, st.booleans())
def test_an_enterprise_that_no_key_points_to_changes_nothing(
    records: list[dict[str, Any]], register: list[Enterprise], closed: bool
) -> None:
    unrelated: Enterprise = ("91110105MACJ6K1C8A", ["110105999999999"], ["毫不相干", "从前也不相干"], closed)
    assert decide_all(records, [*register, unrelated]) == decide_all(records, register)


def test_the_same_number_entered_twice_is_still_the_one_number_of_an_enterprise() -> None:
    register: list[Enterprise] = [(_USCCS[0], ["110108000000001", "110108000000001"], ["甲"], False)]
    record = {"subject_category": "法人及非法人组织", "subject_key": "甲", "regno": "110108000000002"}
    [answer] = decide_all([record], register)
    assert (answer["grade"], answer["reason"]) == ("review", "keys_disagree")
