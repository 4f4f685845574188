"""One record over years: an ended period stays ended, tombstones say since when, a key put right keeps the clock."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, Company, document_no, legacy_penalty, penalty, registered

from feeds.client import apply_release
from feeds.verification import verify_release
from pipeline.reconcile import reconcile
from pipeline.rulings import approve, propose, undo

D = dt.date
TABLES = {"creditbj": "CF", "creditchina": "CF", "gsxt": "E_OT_CASE", "qyxy": "E_OT_CASE"}
SITES = tuple(TABLES)
REVOKES = {"CF_CFLB": "吊销许可证件", "CF_NR": "吊销许可证", "CF_NR_FK": "", "CF_NR_ZKDX": "许可证 X1"}
WARNS = {"CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": ""}


def lines(desk: Any, site: str, part: str) -> list[dict[str, Any]]:
    file = desk.office.settings.feeds / site / "current" / f"{TABLES[site]}.{part}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def shown(desk: Any, site: str) -> dict[str, str]:
    """Key by document number."""
    return {
        row.get("CF_WSH") or row["PENDECNO"]: row.get("RECORD_KEY") or row["CASEID"]
        for row in lines(desk, site, "full")
    }


def gone(desk: Any, site: str) -> list[tuple[str, str, str | None]]:
    return [
        (row["REASON_CODE"], row["EFFECTIVE_DATE"], row["SUCCESSOR_KEY"]) for row in lines(desk, site, "tombstones")
    ]


def started(desk: Any, day: dt.date, *rows: dict[str, str]) -> None:
    desk.register((registered(Company(serial)) for serial in range(1, 11)), day)
    for row in rows:
        desk.ingest([row], day)
    desk.attach(day)


@pytest.mark.parametrize(
    ("said", "received", "ended", "begins"),
    [
        (REVOKES | {"CF_JDRQ": "2017/06/01"}, D(2018, 5, 2), D(2018, 6, 2), D(2019, 7, 1)),
        ({"CF_JDRQ": "2021/01/10"}, D(2021, 2, 1), D(2022, 1, 11), D(2023, 5, 1)),
    ],
    ids=["2019", "2023"],
)
def test_an_ended_period_does_not_begin_again_with_another_rule(
    desk: Any, said: dict[str, str], received: dt.date, ended: dt.date, begins: dt.date
) -> None:
    started(desk, received, penalty(1, CF_GSJZQ="", **said))
    desk.publish(received)
    assert len(shown(desk, "creditchina")) == 1
    desk.publish(ended)
    assert gone(desk, "creditchina") == [("expired", f"{ended:%Y/%m/%d}", None)]
    entered = desk.query("SELECT count(*) AS n FROM disclosure")
    for day in (begins - dt.timedelta(days=1), begins, begins + dt.timedelta(days=30)):
        desk.publish(day)
        assert lines(desk, "creditchina", "delta") == lines(desk, "creditchina", "full") == []
    assert desk.query("SELECT count(*) AS n FROM disclosure") == entered, "nothing was decided anew"
    assert reconcile(desk.office).ok


def test_an_ended_period_stays_ended_though_its_record_was_away_in_between(desk: Any) -> None:
    started(desk, D(2018, 5, 2), penalty(1, CF_JDRQ="2017/06/01", CF_GSJZQ="", **REVOKES))
    for day in (D(2018, 5, 2), D(2018, 6, 2)):
        desk.publish(day)
    event = (
        "INSERT INTO withdrawal (delivery_id, kind, record_id, record_key, event, reason, effective_date)"
        " SELECT delivery_id, 'penalty', record_id, record_key, :event, 'absent_from_full_set', :day FROM penalty"
    )
    desk.change(event, event="withdrawn", day=D(2018, 7, 1))
    desk.publish(D(2018, 7, 1))
    desk.change(event, event="reinstated", day=D(2019, 7, 1))
    desk.publish(D(2019, 7, 1))
    assert shown(desk, "creditchina") == {}


def test_a_record_that_a_rule_shows_no_longer_goes_with_the_day_of_the_rule(desk: Any) -> None:
    started(desk, DAY, penalty(1, **WARNS))
    desk.publish(DAY, "gsxt")
    desk.publish(D(2021, 9, 6), "gsxt")
    assert gone(desk, "gsxt") == [("policy_not_shown", "20210901", None)]


def test_a_record_that_was_changed_into_what_is_not_shown_goes_with_the_day_of_the_change(desk: Any) -> None:
    started(desk, D(2022, 1, 4), legacy_penalty(1, CF_GSJZQ="", SJC="2022-01-04 09:00:00", CF_JDRQ="2022-01-01"))
    desk.publish(D(2022, 1, 4), "gsxt")
    changed = {"CF_CFLB1": "警告", "CF_JG": "警告", "SJC": "2022-01-05 09:00:00", "CF_JDRQ": "2022-01-01"}
    desk.ingest([legacy_penalty(1, CF_GSJZQ="", **changed)], D(2022, 1, 5))
    desk.attach(D(2022, 1, 5))
    desk.publish(D(2022, 1, 7), "gsxt")
    assert gone(desk, "gsxt") == [("policy_not_shown", "20220105", None)]


def correct(desk: Any, number: str, cells: dict[str, str], day: dt.date) -> int:
    [held] = desk.query("SELECT record_id FROM penalty WHERE document_no = :n AND state = 'accepted'", n=number)
    ruled = propose(desk.office, held["record_id"], cells=cells, person="甲", reason="对照决定书", as_of=day)
    if ruled.ruling.state == "proposed":
        ruled = approve(desk.office, ruled.ruling.ruling_id, person="乙", reason="同意", as_of=day)
    assert ruled.made is not None
    assert ruled.made.state == "accepted"
    return ruled.ruling.ruling_id


def test_a_number_put_right_names_its_successor_and_keeps_the_clock_on_every_site(desk: Any, tmp_path: Path) -> None:
    started(desk, DAY, penalty(1, CF_GSJZQ=""), penalty(2, CF_GSJZQ=""))
    desk.publish(DAY, *SITES)
    for site in SITES:
        apply_release(desk.office.settings.feeds / site, tmp_path / site)
    old = shown(desk, "gsxt")[document_no(1)]
    right, day = document_no(101), D(2018, 8, 27)
    correct(desk, document_no(1), {"CF_WSH": right}, day)
    desk.attach(day)
    desk.publish(day, *SITES)
    for site in SITES:
        now = shown(desk, site)
        assert now.keys() == {right, document_no(2)}
        assert [(reason, successor) for reason, _, successor in gone(desk, site)] == [("replaced", now[right])]
        [tombstone] = lines(desk, site, "tombstones")
        assert old in tombstone.values()
        assert verify_release(desk.office.settings.feeds / site, deep=True).ok
        assert apply_release(desk.office.settings.feeds / site, tmp_path / site).how == "delta"
        [decided] = desk.query(
            "SELECT first_shown, until FROM disclosure WHERE site = :s AND record_key = :k", s=site, k=now[right]
        )
        assert decided["first_shown"] == DAY
        if site in ("gsxt", "qyxy"):
            assert decided["until"] == D(2023, 8, 21)
    [row] = [row for row in lines(desk, "gsxt", "full") if row["PENDECNO"] == right]
    assert row["PUBLICDATE"] == "20180821"
    assert reconcile(desk.office).ok
    desk.publish(D(2018, 8, 28), *SITES)
    assert all(gone(desk, site) == lines(desk, site, "delta") == [] for site in SITES)


def test_keys_put_right_again_and_back_end_with_the_clock_of_the_first(desk: Any) -> None:
    started(desk, DAY, penalty(1, CF_GSJZQ=""))
    desk.publish(DAY, "gsxt")
    first = shown(desk, "gsxt")[document_no(1)]
    correct(desk, document_no(1), {"CF_WSH": document_no(101)}, D(2018, 8, 22))
    again = correct(desk, document_no(101), {"CF_WSH": document_no(102)}, D(2018, 8, 22))
    desk.attach(D(2018, 8, 22))
    desk.publish(D(2018, 8, 22), "gsxt")
    third = shown(desk, "gsxt")[document_no(102)]
    assert gone(desk, "gsxt") == [("replaced", "20180822", third)], "of two corrections in one day"
    until = "SELECT DISTINCT until FROM disclosure WHERE shown AND site = 'gsxt'"
    assert desk.query(until) == [{"until": D(2023, 8, 21)}]
    ruled = undo(desk.office, again, person="甲", reason="误改", as_of=D(2018, 8, 23))
    if ruled.ruling.state == "undo_proposed":
        approve(desk.office, again, person="乙", reason="同意", as_of=D(2018, 8, 23))
    desk.attach(D(2018, 8, 23))
    desk.publish(D(2018, 8, 23), "gsxt")
    second = shown(desk, "gsxt")[document_no(101)]
    assert len({first, second, third}) == 3
    assert gone(desk, "gsxt") == [("replaced", "20180823", second)]
    assert desk.query(until) == [{"until": D(2023, 8, 21)}]
    assert reconcile(desk.office).ok


def test_a_successor_that_is_not_shown_is_not_named_and_keeps_the_clock_until_it_is(desk: Any) -> None:
    started(desk, DAY, penalty(1, CF_GSJZQ=""))
    desk.publish(DAY, "gsxt")
    correct(desk, document_no(1), {"CF_WSH": document_no(101)}, D(2018, 8, 22))
    desk.publish(D(2018, 8, 22), "gsxt")
    assert gone(desk, "gsxt") == [("replaced", "20180822", None)], "nobody has attached it yet"
    desk.attach(D(2018, 8, 27))
    desk.publish(D(2018, 8, 27), "gsxt")
    [row] = lines(desk, "gsxt", "full")
    assert (row["PENDECNO"], row["PUBLICDATE"]) == (document_no(101), "20180821")
