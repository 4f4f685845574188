"""Whom a record is about, where its columns leave it open: two parties of one name, a person with a number."""

from __future__ import annotations

from typing import Any

import pytest
from delivering import SOMEONE, Company, legacy_penalty, penalty, registered

from pipeline.candidates import candidates
from simulator.codes import credit_code

SHOP = "北京仿真便利店"


def test_two_parties_of_one_document_and_name_wait_for_a_person(desk: Any) -> None:
    desk.register(registered(Company(n), ENTNAME=SHOP) for n in (1, 2))
    parties = [
        legacy_penalty(1, Company(1), CF_XDR_MC=SHOP),
        legacy_penalty(1, Company(2), CF_XDR_MC=SHOP, SJC="2018-08-20 10:00:01"),
    ]
    taken = desk.ingest(parties)
    assert taken.row_states == {"review": 2}
    assert taken.failures["R22.same_document"] == 2


def test_a_code_that_is_none_makes_no_second_party(desk: Any) -> None:
    desk.register([registered(Company(1))])
    mistyped = Company(1).uscc[:17] + ("0" if Company(1).uscc[17] != "0" else "1")
    rows = [
        legacy_penalty(1, Company(1), CF_XDR_SHXYM=mistyped),
        legacy_penalty(1, Company(1), SJC="2018-08-20 10:00:01"),
    ]
    assert "R22.same_document" not in desk.ingest(rows).failures


@pytest.mark.parametrize(
    ("given", "category"),
    [
        ({"CF_XDR_MC": "张伟", "CF_XDR_SFZ": SOMEONE, "CF_XDR_GSDJ": "330203000030639"}, "自然人"),
        ({"CF_XDR_MC": "张伟", "CF_XDR_SFZ": SOMEONE, "CF_XDR_GSDJ": Company(7).regno}, "自然人"),
        ({"CF_XDR_MC": "张伟", "CF_XDR_SFZ": SOMEONE, "CF_XDR_SHXYM": Company(7).uscc}, "法人及非法人组织"),
        ({"CF_XDR_MC": "张伟", "CF_XDR_GSDJ": Company(7).regno}, "法人及非法人组织"),
        ({"CF_XDR_MC": SHOP, "CF_XDR_SFZ": SOMEONE, "CF_XDR_GSDJ": Company(7).regno}, "法人及非法人组织"),
    ],
)
def test_an_id_number_and_the_name_of_a_person_make_a_person_of_whatever_has_no_uscc(
    desk: Any, given: dict[str, str], category: str
) -> None:
    trader = credit_code("92", "110105", Company(7).organisation)
    desk.register([registered(Company(7), UNISCID=trader, ENTNAME="张伟", REGNO="")])
    desk.ingest([legacy_penalty(1, **({"CF_XDR_SHXYM": "", "CF_FR": ""} | given))])
    assert desk.query("SELECT subject_category AS c FROM penalty") == [{"c": category}]
    desk.attach()
    attached = desk.query("SELECT uscc FROM attachment WHERE uscc IS NOT NULL")
    assert category != "自然人" or not attached


def test_a_candidate_bears_its_former_names_whole(desk: Any) -> None:
    desk.register([registered(Company(1), HISTNAMES="仿真甲&amp;仿真乙商贸有限公司；仿真丙有限公司")])
    desk.ingest([penalty(1, CF_XDR_MC="仿真乙商贸有限公司", CF_XDR_SHXYM="", CF_XDR_GSZC=Company(1).regno)])
    [record] = desk.query("SELECT record_id FROM penalty")
    [candidate] = candidates(desk.office, record["record_id"])
    assert candidate.former_names == ("仿真甲&仿真乙商贸有限公司", "仿真丙有限公司")
    assert "与曾用名相同" not in candidate.speaks_for
