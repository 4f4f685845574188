"""A penalty that revokes a licence and the licence that still stands meet, in whatever order they come (R28)."""

from __future__ import annotations

from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, licence, penalty

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
