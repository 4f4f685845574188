"""A penalty that revokes a licence and the licence that still stands meet, in whatever order they come (R28)."""

from __future__ import annotations

from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, licence, penalty

from pipeline import rulings
from pipeline.reconcile import reconcile
from transforms.columns import Kind

NUMBER = licence(1)["XK_XKBH"]
REVOKING = penalty(
    1,
    CF_CFLB="罚款;吊销许可证",
    CF_NR=f"罚款人民币20000元, 吊销食品经营许可证{NUMBER}",
    CF_NR_ZKDX=f"食品经营许可证{NUMBER}",
)
VALID = licence(1)
OTHERS = [
    licence(2, Company(1)),
    licence(3, Company(3), XK_XKBH=NUMBER),
    licence(4, Company(1), XK_ZT="2", XK_XKBH=NUMBER, BZ="注销"),
]


@pytest.mark.parametrize("penalty_first", [True, False])
def test_the_later_of_the_two_is_warned_about(known: Any, penalty_first: bool) -> None:
    licences, penalties = ([VALID, *OTHERS], Kind.LICENCE), ([REVOKING, penalty(5)], Kind.PENALTY)
    first, second = (penalties, licences) if penalty_first else (licences, penalties)
    known.ingest(first[0], DAY, first[1])
    taken = known.ingest(second[0], NEXT_DAY, second[1])

    rule = "R28.revoked_by_penalty" if penalty_first else "R28.licence_still_valid"
    told = REVOKING["CF_WSH"] if penalty_first else NUMBER
    about = NUMBER if penalty_first else REVOKING["CF_WSH"]
    assert known.query("SELECT expectation, severity, value, finding FROM verdict WHERE rule = 'R28'") == [
        {"expectation": rule, "severity": "warn", "value": about, "finding": told}
    ]
    assert taken.failures[rule] == 1
    counted = known.query("SELECT evaluated, unexpected, quarantined FROM check_result WHERE expectation = :r", r=rule)
    evaluated = 2 if penalty_first else 1
    assert counted == [{"evaluated": evaluated, "unexpected": 1, "quarantined": 1}], "of the same subject only"
    assert reconcile(known.office).ok


@pytest.mark.parametrize("corrected", [Kind.PENALTY, Kind.LICENCE])
def test_a_correction_that_makes_the_two_meet_is_warned_about(known: Any, corrected: Kind) -> None:
    written, column = ({**REVOKING}, "CF_NR_ZKDX") if corrected is Kind.PENALTY else ({**VALID}, "XK_XKBH")
    right, written[column] = written[column], "食品经营许可证JY00000000000000"
    others = ([VALID], Kind.LICENCE) if corrected is Kind.PENALTY else ([REVOKING], Kind.PENALTY)
    known.ingest(others[0], DAY, others[1])
    known.ingest([written], DAY, corrected)
    warned = "SELECT expectation, value, finding FROM verdict WHERE rule = 'R28'"
    assert known.query(warned) == []
    [record] = known.query(f"SELECT record_id FROM {corrected.value}")
    ruled = rulings.propose(
        known.office, record["record_id"], cells={column: right}, person="张三", reason="核对文书", as_of=NEXT_DAY
    )
    assert ruled.made is not None
    rule, value, told = (
        ("R28.licence_still_valid", REVOKING["CF_WSH"], NUMBER)
        if corrected is Kind.PENALTY
        else ("R28.revoked_by_penalty", NUMBER, REVOKING["CF_WSH"])
    )
    assert known.query(f"{warned} AND record_id = :made", made=ruled.made.record_id) == [
        {"expectation": rule, "value": value, "finding": told}
    ]
    assert reconcile(known.office).ok
