"""What takes a record back does so whatever enterprise its own row names, on every site that showed it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, Row, document_no, legacy_penalty, licence, penalty, registered

from pipeline.reconcile import reconcile
from transforms.columns import Kind

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")
TABLES = {"creditbj": "CF", "creditchina": "CF", "gsxt": "E_OT_CASE", "qyxy": "E_OT_CASE"}
THIRD_DAY = dt.date(2018, 8, 23)
AS_SHOWN = {"SJC": "2018-08-22 09:00:00"}
"""Of the rows that follow what was shown: their update time says that they are later."""


def lines(desk: Any, site: str, part: str) -> list[dict[str, Any]]:
    file = desk.office.settings.feeds / site / "current" / f"{TABLES[site]}.{part}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def shown(desk: Any, site: str) -> set[str]:
    return {row.get("CF_WSH") or row["PENDECNO"] for row in lines(desk, site, "full")}


def tombstones(desk: Any, site: str) -> list[str]:
    return [row["REASON_CODE"] for row in lines(desk, site, "tombstones")]


def in_register(desk: Any, *serials: int, day: dt.date = DAY) -> None:
    desk.register((registered(Company(serial)) for serial in serials), day)


@pytest.fixture
def published(desk: Any) -> Any:
    """Two penalties on all sites."""
    in_register(desk, 1, 2, 3)
    desk.ingest([legacy_penalty(1)])
    desk.ingest([penalty(2)])
    desk.attach()
    desk.publish(DAY, *SITES)
    assert all(shown(desk, site) == {document_no(1), document_no(2)} for site in SITES)
    return desk


def leaves_the_register(desk: Any) -> Row:
    in_register(desk, 2, 3, day=NEXT_DAY)
    return {}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: {"CF_XDR_SHXYM": Company(77).uscc},
        lambda _: {"CF_XDR_SHXYM": Company(3).uscc},
        leaves_the_register,
    ],
    ids=["a code that the register does not hold", "the code of another company", "its enterprise has left"],
)
@pytest.mark.parametrize(
    ("said", "reason"),
    [({"CF_ZT": "1"}, "withdrawn"), ({"CF_SYFW": "1"}, "not_public")],
    ids=["revoked", "not for the public"],
)
def test_a_record_taken_back_goes_from_every_site_though_its_row_is_not_attached(
    published: Any, spoil: Callable[[Any], Row], said: Row, reason: str
) -> None:
    row = legacy_penalty(1, **AS_SHOWN, **said) | spoil(published)
    assert dict(published.ingest([row], NEXT_DAY).row_states) == {"accepted": 1}
    published.attach(NEXT_DAY)
    [newest] = published.query("SELECT grade FROM attachment ORDER BY attachment_id DESC LIMIT 1")
    assert newest["grade"] != "certain"
    published.publish(NEXT_DAY, *SITES)
    for site in SITES:
        assert shown(published, site) == {document_no(2)}
        assert tombstones(published, site) == [reason]
    [state] = published.query("SELECT s.state FROM row_state s WHERE s.as_of = :day", day=NEXT_DAY)
    assert state == {"state": "review"}, "a person still has to say whose it is"
    assert reconcile(published.office).ok
    published.publish(THIRD_DAY, *SITES)
    assert all((shown(published, site), tombstones(published, site)) == ({document_no(2)}, []) for site in SITES)


def test_a_revocation_counts_before_anybody_has_attached_it(published: Any) -> None:
    published.ingest([legacy_penalty(1, CF_ZT="1", **AS_SHOWN)], NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    assert all(tombstones(published, site) == ["withdrawn"] for site in SITES)
    assert reconcile(published.office).ok


def test_a_revocation_that_was_never_attached_is_not_undone_by_a_row_that_is_not_either(published: Any) -> None:
    unknown = {"CF_XDR_SHXYM": Company(77).uscc}
    published.ingest([legacy_penalty(1, CF_ZT="1", **AS_SHOWN, **unknown)], NEXT_DAY)
    published.attach(NEXT_DAY)
    published.publish(NEXT_DAY)
    later = {"SJC": "2018-08-23 09:00:00"}
    assert dict(published.ingest([legacy_penalty(1, **later, **unknown)], THIRD_DAY).row_states) == {"accepted": 1}
    published.attach(THIRD_DAY)
    published.publish(THIRD_DAY)
    assert shown(published, "creditchina") == {document_no(2)}
    in_register(published, 1, 2, 3, 77, day=dt.date(2018, 8, 24))
    published.ingest([legacy_penalty(1, SJC="2018-08-24 09:00:00", CF_SY="改")], dt.date(2018, 8, 24))
    published.attach(dt.date(2018, 8, 24))
    published.publish(dt.date(2018, 8, 24))
    assert shown(published, "creditchina") == {document_no(1), document_no(2)}, "what says so with certainty shows it"


def test_what_is_no_news_or_waits_for_a_person_takes_nothing_back(published: Any) -> None:
    older = published.ingest([legacy_penalty(1, CF_ZT="1", SJC="2018-08-19 09:00:00")], NEXT_DAY)
    assert dict(older.row_states) == {"superseded": 1}
    held = published.ingest([legacy_penalty(1, CF_ZT="1", CF_JG="罚款人民币90000元", **AS_SHOWN)], NEXT_DAY)
    published.change("UPDATE penalty SET state = 'review' WHERE delivery_id = :d", d=held.delivery_id)
    published.change("UPDATE penalty SET state = 'accepted' WHERE record_id = 1")
    published.attach(NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    assert all(document_no(1) in shown(published, site) for site in SITES)


@pytest.mark.parametrize("code", [Company(77).uscc, Company(3).uscc], ids=["unknown", "of another company"])
def test_a_version_that_leaves_open_whose_it_is_takes_the_record_off_until_it_is_settled(
    published: Any, code: str
) -> None:
    published.ingest([legacy_penalty(1, CF_XDR_SHXYM=code, CF_SY="改", **AS_SHOWN)], NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    assert all(tombstones(published, site) == [] for site in SITES), "nobody has looked whose it is"
    published.attach(NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    for site in SITES:
        assert (shown(published, site), tombstones(published, site)) == ({document_no(2)}, ["in_doubt"])
        assert {row["EFFECTIVE_DATE"] for row in lines(published, site, "tombstones")} <= {"2018/08/22", "20180822"}
    states = published.query(
        "SELECT state FROM row_state WHERE document_no = :no ORDER BY record_id", no=document_no(1)
    )
    assert [row["state"] for row in states] == ["superseded", "review"]
    assert reconcile(published.office).ok
    published.publish(THIRD_DAY, *SITES)
    assert all((shown(published, site), tombstones(published, site)) == ({document_no(2)}, []) for site in SITES)
    published.ingest([legacy_penalty(1, CF_SY="又改", SJC="2018-08-23 09:00:00")], THIRD_DAY)
    published.attach(THIRD_DAY)
    published.publish(THIRD_DAY, *SITES)
    assert all(shown(published, site) == {document_no(1), document_no(2)} for site in SITES)
    first = "SELECT DISTINCT first_shown AS day FROM disclosure JOIN penalty USING (record_id) WHERE document_no = :no"
    assert published.query(first, no=document_no(1)) == [{"day": DAY}], "the clock did not start again"
    assert reconcile(published.office).ok


def test_a_doubt_that_a_later_certain_version_settled_takes_nothing_off(published: Any) -> None:
    published.ingest([legacy_penalty(1, CF_XDR_SHXYM=Company(77).uscc, CF_SY="改", **AS_SHOWN)], NEXT_DAY)
    published.attach(NEXT_DAY)
    published.ingest([legacy_penalty(1, CF_SY="又改", SJC="2018-08-22 17:00:00")], NEXT_DAY)
    published.attach(NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    for site in SITES:
        assert (shown(published, site), tombstones(published, site)) == ({document_no(1), document_no(2)}, [])


def test_an_older_version_does_not_come_back_by_a_later_one_that_nobody_answers_to(published: Any) -> None:
    published.ingest([legacy_penalty(1, CF_XDR_SHXYM=Company(77).uscc, CF_SY="改", **AS_SHOWN)], NEXT_DAY)
    published.attach(NEXT_DAY)
    in_register(published, 2, 3, day=THIRD_DAY)
    published.ingest([legacy_penalty(1, CF_SY="又改", SJC="2018-08-23 09:00:00")], THIRD_DAY)
    published.attach(THIRD_DAY)
    published.publish(THIRD_DAY, *SITES)
    assert all(shown(published, site) == {document_no(2)} for site in SITES)


def test_a_version_of_an_enterprise_that_has_left_leaves_what_is_shown(published: Any) -> None:
    leaves_the_register(published)
    published.ingest([legacy_penalty(1, CF_SY="改", **AS_SHOWN)], NEXT_DAY)
    published.attach(NEXT_DAY)
    published.publish(NEXT_DAY, *SITES)
    for site in SITES:
        assert shown(published, site) == {document_no(1), document_no(2)}
        assert lines(published, site, "delta") == tombstones(published, site) == []
    for site in ("gsxt", "qyxy"):
        assert all(row["ENTNAME"] for row in lines(published, site, "full")), "it is called as it was last"


def test_a_record_that_a_newer_register_leaves_open_goes_and_every_count_agrees(desk: Any) -> None:
    in_register(desk, 1, 2)
    by_name = {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": "1101052123456"}
    desk.ingest([penalty(1, **by_name), penalty(2)])
    desk.attach()
    desk.publish(DAY, *SITES)
    namesake = registered(Company(5), ENTNAME=Company(1).name)
    desk.register([registered(Company(1)), registered(Company(2)), namesake], NEXT_DAY)
    desk.attach(NEXT_DAY)
    desk.publish(NEXT_DAY, *SITES)
    for site in SITES:
        assert (shown(desk, site), tombstones(desk, site)) == ({document_no(2)}, ["in_doubt"])
    assert reconcile(desk.office).ok


def test_a_version_that_is_not_attached_goes_when_its_source_holds_it_no_more(published: Any) -> None:
    taken = published.ingest([legacy_penalty(1, CF_XDR_SHXYM=Company(77).uscc, CF_SY="改", **AS_SHOWN)], NEXT_DAY)
    published.attach(NEXT_DAY)
    published.change(
        "INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)"
        " SELECT delivery_id, 'penalty', record_id, record_key, 'withdrawn', 'absent_from_full_set', :day FROM penalty"
        " WHERE delivery_id = :d",
        d=taken.delivery_id,
        day=NEXT_DAY,
    )
    published.publish(NEXT_DAY, *SITES)
    assert all(tombstones(published, site) == ["absent_from_full_set"] for site in SITES)


def test_a_licence_that_turned_invalid_goes_though_its_enterprise_has_left(desk: Any) -> None:
    in_register(desk, 1, 2)
    desk.ingest([licence(1), licence(2)], kind=Kind.LICENCE)
    desk.attach()
    desk.publish()
    in_register(desk, 2, day=NEXT_DAY)
    desk.ingest([licence(1, XK_ZT="2")], NEXT_DAY, kind=Kind.LICENCE)
    desk.attach(NEXT_DAY)
    desk.publish(NEXT_DAY)
    current = desk.office.settings.feeds / "creditchina" / "current"
    assert len((current / "XK.full.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    [gone] = (current / "XK.tombstones.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(gone)["REASON_CODE"] == "invalid"
