"""Invariant 7: the archive and the order of steps give the same record and the same feeds again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, legacy_penalty, licence, penalty, registered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.office import Office
from pipeline.register import Mode
from pipeline.replay import Replayed, ReplayImpossible, compare, past_runs, replay
from transforms.columns import Kind

THIRD_DAY = NEXT_DAY + dt.timedelta(days=1)
SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


@pytest.fixture
def target_of(new_home: Callable[[], Any], office_of: Callable[[Any], Office]) -> Callable[[Office], Office]:
    """An empty system that reads the objects of another one."""

    def make(live: Office) -> Office:
        site = new_home()
        opened = office_of(site)
        return Office(opened.settings, opened.engine, live.archive.beside(site.home / "beside"))

    return make


def three_days(desk: Any, *sites: str) -> None:
    """Corrections, withdrawals, repeats, damage, a new register, a back-dated delivery, a file that nobody can read."""
    desk.register([registered(Company(serial)) for serial in range(1, 8)])
    desk.ingest([penalty(serial) for serial in range(1, 6)])
    desk.ingest([licence(serial) for serial in range(1, 4)], kind=Kind.LICENCE)
    desk.attach()
    desk.publish(DAY, *sites)
    desk.ingest([penalty(9), penalty(2)], NEXT_DAY)
    desk.ingest([legacy_penalty(1, CF_ZT="1", SJC="2018-08-22 08:00:00")], NEXT_DAY)
    desk.ingest(b"\x00\x01 no table", NEXT_DAY)
    desk.attach(NEXT_DAY)
    desk.publish(NEXT_DAY, "creditchina")
    desk.register([registered(Company(9))], NEXT_DAY, mode="changes")
    desk.ingest([penalty(10), penalty(11, CF_XDR_SHXYM="91110105MA00000000")], DAY)
    desk.attach(NEXT_DAY)
    desk.publish(NEXT_DAY, *sites)
    desk.ingest([licence(1, XK_NR="准予经营散装食品"), licence(4)], THIRD_DAY, kind=Kind.LICENCE)
    desk.attach(THIRD_DAY)
    desk.publish(THIRD_DAY, *sites)


def test_it_ends_with_the_same_hashes_and_the_same_feeds(
    desk: Any, target_of: Any, hashes_of: Callable[[Path], dict[str, str]]
) -> None:
    three_days(desk, *SITES)
    live = desk.office
    for ledger in ("database", "archive"):
        target = target_of(live)
        past = past_runs(live, ledger)
        done = replay(live, target, past)
        assert (done.gone, done.otherwise) == ([], [])
        assert compare(live, target, done).differences == ()
        assert hashes_of(target.settings.feeds) == hashes_of(live.settings.feeds)
        assert {part for day in done.days.values() for part in day} == {
            "records", "attachments", "disclosures", "feeds",
        }  # fmt: skip
        assert past_runs(target, "database") == past


STEP = st.one_of(
    st.tuples(
        st.just("ingest"),
        st.lists(st.tuples(st.integers(1, 5), st.sampled_from("23")), min_size=1, max_size=4),
        st.booleans(),
    ),
    st.tuples(st.just("register"), st.lists(st.integers(1, 6), min_size=1, max_size=5, unique=True), st.booleans()),
    st.tuples(st.just("attach"), st.none(), st.none()),
    st.tuples(st.just("publish"), st.none(), st.none()),
)


@settings(max_examples=4, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(STEP, min_size=3, max_size=9))
def test_any_history_ends_with_the_same_hashes(
    new_home: Any, office_of: Any, desk_of: Any, target_of: Any, history: list[tuple[str, Any, Any]]
) -> None:
    """Repeats, contradictions, corrections, enterprises that come and go, in any order over several days."""
    desk = desk_of(office_of(new_home()))
    desk.register([registered(Company(serial)) for serial in (1, 2)])
    for position, (step, what, flag) in enumerate(history):
        day = DAY + dt.timedelta(days=position // 3)
        if step == "ingest":
            sheet = legacy_penalty if flag else penalty
            amount = "CF_JG" if flag else "CF_NR_FK"
            desk.ingest([sheet(serial, **{amount: f"罚款人民币{n}0000元" if flag else n}) for serial, n in what], day)
        elif step == "register":
            mode: Mode = "full" if flag else "changes"
            desk.register([registered(Company(serial)) for serial in what], day, mode=mode)
        elif step == "attach":
            desk.attach(day)
        else:
            desk.publish(day)
    target = target_of(desk.office)
    past = past_runs(desk.office, "archive")
    assert past == past_runs(desk.office, "database")
    done = replay(desk.office, target, past)
    assert (done.gone, done.otherwise) == ([], [])
    assert compare(desk.office, target, done).differences == ()


def test_a_day_in_between_is_compared_with_what_the_record_was_then(desk: Any, target_of: Any) -> None:
    three_days(desk, "creditchina")
    for day in (DAY, NEXT_DAY):
        target = target_of(desk.office)
        done = replay(desk.office, target, past_runs(desk.office, "database"), until=day)
        assert compare(desk.office, target, done).equal


def test_a_change_behind_the_pipelines_back_is_named(desk: Any, target_of: Any) -> None:
    three_days(desk, "creditchina")
    desk.change("UPDATE penalty SET state = 'returned' WHERE row_no = 3 AND delivery_id = 1")
    target = target_of(desk.office)
    past = past_runs(desk.office, "database")
    done = replay(desk.office, target, past)
    (difference,) = compare(desk.office, target, done).differences
    assert (difference.day, difference.part) == (DAY, "records")
    assert difference.only_first[0].endswith("|returned")
    assert difference.only_second[0].endswith("|accepted")


def test_what_the_archive_lost_is_named_and_the_rest_is_still_equal(desk: Any, target_of: Any) -> None:
    three_days(desk, "creditchina")
    lost = desk.ingest([penalty(20), penalty(21)], THIRD_DAY)
    desk.attach(THIRD_DAY)
    desk.publish(THIRD_DAY, "creditchina")
    (file,) = desk.query("SELECT sha256 FROM delivery_file WHERE delivery_id = :d", d=lost.delivery_id)
    desk.office.archive.remove(file["sha256"])
    target = target_of(desk.office)
    past = past_runs(desk.office, "database")
    done: Replayed = replay(desk.office, target, past)
    (gone,) = done.gone
    assert (gone.step, gone.as_of, gone.what) == ("ingest", THIRD_DAY, f"delivery of aic penalty {THIRD_DAY}")
    assert file["sha256"][:12] in gone.because
    compared = compare(desk.office, target, done)
    assert "feeds" not in compared.parts
    assert compared.equal


def test_a_system_with_a_record_of_its_own_is_never_replayed_into(desk: Any) -> None:
    three_days(desk, "creditchina")
    before = desk.query("SELECT count(*) AS n FROM penalty")
    with pytest.raises(ReplayImpossible, match="not empty"):
        replay(desk.office, desk.office, past_runs(desk.office, "database"))
    assert desk.query("SELECT count(*) AS n FROM penalty") == before
