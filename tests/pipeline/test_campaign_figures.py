"""The special action's derived figures: counted by hand here, by SQL there; a case once, however often it came."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from delivering import (
    AUTHORITY,
    AUTHORITY_CODE,
    DAY,
    NEXT_DAY,
    Company,
    document_no,
    legacy_penalty,
    penalty,
    registered,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.descriptor import load_agency
from pipeline.campaign.making import authorities
from pipeline.office import Office
from simulator.codes import credit_code
from store.campaign_figures import Derived, derive
from store.schema import RECORDS, attachment
from transforms.campaign.counting import counting
from transforms.campaign.sheets import sheets
from transforms.columns import Kind

ABNORMAL: Final = Kind.ABNORMAL_OPERATION
MIXED: Final = "罚款;暂扣或者吊销许可证、暂扣或者吊销执照"
ONLINE: Final = {"CF_SY": "当事人在网店销售侵权商品"}
LAST: Final = dt.date(2018, 11, 30)
PLACES: Final = {code: each.code for each in sheets().districts for code in (each.code, *each.also)}


def counted(office: Office, today: dt.date = LAST) -> Derived:
    with office.engine.begin() as connection:
        return count(connection, today)


def count(connection: sa.Connection, today: dt.date = LAST) -> Derived:
    action = sheets().action("wj2018")
    return derive(
        connection, first=action.first_day, last=action.last_day, today=today, authorities=authorities(),
        districts=PLACES, counting=counting(),
    )  # fmt: skip


def listed(serial: int, day: str, number: int = 1) -> dict[str, str]:
    """An entry of 经营异常名录."""
    company = Company(serial)
    return {
        "UNISCID": company.uscc, "ENTNAME": company.name, "XDR_LB": "法人及非法人组织",
        "BUSEXCLIST": f"{serial}-{number}",
        "SPECAUSE_CN": "登记住所无法联系", "ABNTIME": day, "DECORG_CN": AUTHORITY, "DECORG": AUTHORITY_CODE,
        "REMEXCPRES_CN": "", "REMDATE": "", "REDECORG_CN": "", "DATADEPT": AUTHORITY,
    }  # fmt: skip


def numbers(derived: Derived, item: str) -> dict[tuple[str, str | None], Decimal]:
    return {(cell.month, cell.district): cell.number for cell in derived.cells[item]}


def test_only_online_cases_count_and_a_companys_own_name_makes_none(known: Any) -> None:
    known.ingest(
        [
            penalty(1, **ONLINE),
            penalty(2, CF_SY="当事人在店堂内发布违法广告"),
            penalty(3, CF_YJ="《网络交易管理办法》第五十条"),
            penalty(4, CF_SY="仿真第4号(北京)网络科技有限公司在门店销售侵权商品"),
            penalty(5, CF_SY="网吧接纳未登记者，违反互联网上网服务营业场所管理条例"),
        ]
    )
    known.attach()
    assert numbers(counted(known.office), "cases") == {("2018-08", "110105"): 2}


def test_a_penalty_in_two_feeds_counts_once_with_its_amount(known: Any) -> None:
    known.ingest([penalty(1, **ONLINE), penalty(2, **ONLINE)])
    known.ingest([penalty(1, **ONLINE)], agency="eitc")
    known.ingest(
        [penalty(2, **ONLINE, CF_XDR_MC="仿真第2号（北京）科技有限公司 ", CF_NR_FK="3")], NEXT_DAY, agency="eitc"
    )
    known.attach(NEXT_DAY)
    found = counted(known.office)
    assert numbers(found, "cases") == {("2018-08", "110105"): 2}
    assert found.by_agency["cases", "2018-08", "aic"] == 2, "the deciding agency, not the one that passed it on"
    assert ("cases", "2018-08", "eitc") not in found.by_agency


def test_a_case_of_several_parties_counts_once_and_all_its_fines(known: Any) -> None:
    other = Company(2)
    known.register([registered(Company(1)), registered(other)])
    known.ingest([penalty(1, **ONLINE), penalty(1, other, **ONLINE, CF_NR_FK="0.333333", CF_NR="处以罚款")])
    known.attach()
    found = counted(known.office)
    assert numbers(found, "cases") == {("2018-08", "110105"): 1}
    assert numbers(found, "fines") == {("2018-08", "110105"): Decimal("2.333333")}, "nothing is rounded on the way"


def test_parties_of_two_districts_put_a_case_under_none(known: Any) -> None:
    company = Company(1)
    elsewhere = registered(company, UNISCID=credit_code("91", "110108", company.organisation))
    known.register([elsewhere, registered(Company(2))])
    known.ingest(
        [
            penalty(1, company, **ONLINE, CF_XDR_SHXYM=elsewhere["UNISCID"]),
            penalty(1, Company(2), **ONLINE),
            penalty(2, Company(2), **ONLINE),
        ]
    )
    known.attach()
    assert numbers(counted(known.office), "cases") == {("2018-08", None): 1, ("2018-08", "110105"): 1}


def test_several_kinds_count_once_under_the_heaviest(known: Any) -> None:
    known.ingest(
        [
            penalty(1, **ONLINE, CF_CFLB="警告;罚款"),
            penalty(
                2, **ONLINE, CF_CFLB=MIXED, CF_NR="罚款人民币20000元；吊销许可证SYN1",
                CF_NR_ZKDX="许可证SYN1",
            ),
            penalty(
                3, **ONLINE, CF_CFLB=MIXED, CF_NR="罚款人民币20000元；暂扣许可证SYN2",
                CF_NR_ZKDX="许可证SYN2",
            ),
            penalty(4, **ONLINE, CF_CFLB="其他-责令改正", CF_NR_FK="", CF_NR="责令改正"),
        ]
    )  # fmt: skip
    known.attach()
    found = counted(known.office)
    titles = {counting().title(rank): number for (_, rank), number in found.by_rank.items()}
    assert titles == {"罚款": 1, "吊销": 1, "暂扣": 1, "其他": 1}
    assert sum(found.by_rank.values()) == sum(cell.number for cell in found.cells["cases"])


def test_what_waits_or_was_taken_back_does_not_count_and_is_told(known: Any) -> None:
    known.ingest([penalty(1, **ONLINE), penalty(2, **ONLINE, CF_XDR_SHXYM="91110105MA0000000X")])
    known.ingest([legacy_penalty(4, CF_SY="当事人在网店售假", CF_ZT="1"), legacy_penalty(5, CF_SY="当事人在网店售假")])
    known.change(
        "INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)"
        " SELECT delivery_id, 'penalty', record_id, record_key, 'withdrawn', 'absent_from_full_set', :day"
        " FROM penalty WHERE document_no = :number",
        number=document_no(5),
        day=NEXT_DAY,
    )
    known.ingest([penalty(3, **ONLINE, CF_GSJZQ="2018/07/01")], NEXT_DAY)
    known.attach(NEXT_DAY)
    found = counted(known.office)
    assert numbers(found, "cases") == {("2018-08", "110105"): 1}
    assert found.waiting == {"2018-08": 2}
    assert numbers(counted(known.office, DAY), "cases") == {("2018-08", None): 2}, "there, and not attached that day"


def test_the_figures_of_a_day_do_not_know_what_came_later(known: Any) -> None:
    known.ingest([penalty(1, **ONLINE)])
    known.ingest([penalty(1, **ONLINE, CF_NR_FK="5", CF_NR="罚款人民币50000元"), penalty(2, **ONLINE)], NEXT_DAY)
    known.attach(NEXT_DAY)
    before, after = counted(known.office, DAY), counted(known.office, NEXT_DAY)
    assert sum(numbers(before, "cases").values()) == 1
    assert sum(numbers(before, "fines").values()) == 2
    assert sum(numbers(after, "cases").values()) == 2


def test_a_number_used_by_two_authorities_counts_once_and_is_told(known: Any) -> None:
    known.ingest([penalty(1, **ONLINE), penalty(2, **ONLINE)])
    [code] = load_agency("fda").codes
    fda = {"CF_CFJG": load_agency("fda").name_on(DAY), "CF_CFJGDM": code.code}
    known.ingest([penalty(1, Company(2), **ONLINE) | fda], agency="fda")
    known.attach()
    found = counted(known.office)
    assert numbers(found, "cases") == {("2018-08", "110105"): 2}
    assert found.shared == [document_no(1)]


def test_listed_enterprises_count_once_in_their_first_month_and_only_those_with_online_business(known: Any) -> None:
    known.ingest([penalty(1, **ONLINE)])
    known.ingest([listed(1, "2018-08-02"), listed(1, "2018-08-06", 2), listed(2, "2018-08-03")], kind=ABNORMAL)
    known.attach()
    found = counted(known.office)
    assert numbers(found, "listed_abnormal") == {("2018-08", "110105"): 1}
    assert found.cells["listed_serious"] == []


Drawn = tuple[int, int, str, str, int, int, int, int]
DRAWN: Final = st.tuples(
    st.integers(1, 5),  # decision number
    st.integers(1, 4),  # enterprise
    st.sampled_from(["110105", "110108", "110103", "110000", "330100"]),  # its region
    st.sampled_from(["aic", "eitc", "fda"]),  # delivered by
    st.integers(-40, 160),  # days after 1 July
    st.integers(0, 3),  # fine
    st.integers(0, 1),  # online
    st.integers(0, 1),  # told under the name of the register, or under another one
)


def rows_of(drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    """One accepted row per decision and name, as the intake holds them; the first drawn of each stays."""
    held: dict[tuple[int, int, int], dict[str, Any]] = {}
    regions: dict[int, str] = {}
    for number, company, region, agency, days, fine, online, alias in drawn:
        own = regions.setdefault(company, region)
        held.setdefault(
            (number, company, alias),
            {
                "delivery_id": 1, "file_ordinal": 0, "row_no": 1, "agency": agency, "sheet": "standard", "as_of": DAY,
                "state": "accepted", "document_no": f"号{number}", "document_key": f"号{number}",
                "record_key": f"{number}/{company}/{alias}", "subject_key": f"企业{company}/{alias}",
                "subject_name": f"企业{company}",
                "authority_name": AUTHORITY, "decision_date": dt.date(2018, 7, 1) + dt.timedelta(days=days),
                "penalty_category": "警告;罚款" if fine else "警告", "content": "",
                "facts": "在网店售假" if online else "在门店售假", "fine_amount": Decimal(fine) / 3,
                "content_hash": f"{alias}", "uscc": f"91{own}{company:010d}",
            },
        )  # fmt: skip
    return list(held.values())


@given(drawn=st.lists(DRAWN, max_size=14), rng=st.randoms(use_true_random=False))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_districts_and_what_has_none_are_the_city_whatever_the_order(
    office: Office, drawn: list[Drawn], rng: random.Random
) -> None:
    rows = rows_of(drawn)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    first, second = (entered_and_counted(office, each) for each in (rows, shuffled))
    assert told(first) == told(second), "the order of the rows says nothing"
    assert told(first) == by_hand(rows)
    by_month: dict[str, Decimal] = {}
    for (month, _), number in numbers(first, "cases").items():
        by_month[month] = by_month.get(month, Decimal()) + number
    for month, number in by_month.items():
        assert number == sum(n for (of, rank), n in first.by_rank.items() if of == month)
        assert number == sum(n for (item, of, _), n in first.by_agency.items() if (item, of) == ("cases", month))


def entered_and_counted(office: Office, rows: Sequence[dict[str, Any]]) -> Derived:
    with office.engine.connect() as connection:
        for place, row in enumerate(rows, 1):
            uscc = row["uscc"]
            connection.execute(sa.insert(RECORDS[Kind.PENALTY]).values(record_id=place, **row))
            connection.execute(
                sa.insert(attachment).values(
                    record_id=place, kind="penalty", uscc=uscc, method="uscc", grade="certain", score=1, evidence={},
                    as_of=DAY,
                )
            )  # fmt: skip
        found = count(connection)
        connection.rollback()
    return found


def told(derived: Derived) -> dict[str, Any]:
    return {item: numbers(derived, item) for item in ("cases", "fines")}


def by_hand(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Count as one would on paper: of one enterprise's rows of the same day that of the smaller hash counts."""
    cases: dict[tuple[str, str | None], Decimal] = {}
    fines: dict[tuple[str, str | None], Decimal] = {}
    by_number: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_number.setdefault(row["document_key"], []).append(row)
    for all_parties in by_number.values():
        parties = [
            row for row in all_parties
            if "网店" in row["facts"] and dt.date(2018, 7, 1) <= row["decision_date"] <= LAST
        ]  # fmt: skip
        if not parties or any(row["decision_date"] < dt.date(2018, 7, 1) for row in all_parties):
            continue
        month = f"{min(row['decision_date'] for row in parties):%Y-%m}"
        districts = {PLACES[row["uscc"][2:8]] for row in parties if row["uscc"][2:8] in PLACES}
        place = (month, districts.pop() if len(districts) == 1 else None)
        cases[place] = cases.get(place, Decimal()) + 1
        once = {row["uscc"]: row for row in sorted(parties, key=lambda row: row["content_hash"], reverse=True)}
        amounts = sum((round(row["fine_amount"], 6) for row in once.values()), Decimal())
        fines[place] = fines.get(place, Decimal()) + amounts
    return {"cases": cases, "fines": fines}
