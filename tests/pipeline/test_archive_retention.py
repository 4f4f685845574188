"""Raw deliveries leave the archive when their time is over, and never while anything needs them."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import DAY, NEXT_DAY, Company, licence, penalty, registered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import retention
from pipeline.archive_check import faults_by_kind, verify_archive
from pipeline.office import Office
from pipeline.replay import compare, past_runs, replay
from store.retention import HoldUnknown, Scope
from transforms.columns import Kind
from transforms.policy import PolicyInvalid
from transforms.policy.retention import read_policy, retention_policy

PROJECT = Path(__file__).parents[2]
YEARS = 5
TABLE = {
    "needed_while": ["published", "review", "returned", "waiting", "unexplained"],
    "rules": [
        {
            "id": "raw.all",
            "kinds": ["penalty", "register"],
            "from": dt.date(2014, 1, 1),
            "years": YEARS,
            "source": "test",
        }
    ],
}
POLICY = read_policy(TABLE)
OVER = dt.date(DAY.year + YEARS, DAY.month, DAY.day)


@pytest.fixture
def settled(desk: Any) -> Any:
    """Delivery 1 has only superseded rows, delivery 2 holds their later versions and is published."""
    desk.register([registered(Company(serial)) for serial in range(1, 6)])
    desk.ingest([penalty(1), penalty(2)])
    desk.ingest(
        [penalty(1, CF_NR="罚款人民币30000元", CF_NR_FK="3"), penalty(2, CF_NR_FK="4", CF_NR="罚款人民币40000元")],
        NEXT_DAY,
    )
    desk.attach(NEXT_DAY)
    desk.publish(NEXT_DAY)
    assert set(desk.states(1).values()) == {"superseded"}
    assert set(desk.states(2).values()) == {"published"}
    return desk


def expire(desk: Any, day: dt.date = OVER, *, apply: bool = False) -> retention.Expiry:
    return retention.expire(desk.office, as_of=day, apply=apply, policy=POLICY)


def gone(desk: Any) -> list[str]:
    return [row["what"] for row in desk.query("SELECT what FROM archive_removal WHERE event = 'removed' ORDER BY 1")]


def test_nothing_goes_a_day_too_early_and_nothing_without_apply(settled: Any) -> None:
    before = list(settled.office.archive.objects())
    assert expire(settled, OVER - dt.timedelta(days=1), apply=True).removals == ()
    shown = expire(settled)
    assert [(each.due, each.policy, each.what) for each in shown.removals] == [
        (OVER, "raw.all", f"delivery 1 of aic penalty {DAY}")
    ]
    assert list(settled.office.archive.objects()) == before
    assert settled.query("SELECT * FROM archive_removal") == []


def test_what_goes_is_an_event_and_no_fault_of_the_archive(settled: Any) -> None:
    late = OVER + dt.timedelta(days=40)
    done = expire(settled, late, apply=True)
    assert done.applied
    assert gone(settled) == [f"delivery 1 of aic penalty {DAY}"]
    assert {(kept.what, kept.because.partition(": ")[2]) for kept in done.kept} == {
        (f"register version 1 of {DAY}", "the register in force stands on it"),
        (f"delivery 2 of aic penalty {NEXT_DAY}", "2 rows published"),
    }
    assert expire(settled, late, apply=True).removals == ()
    report = verify_archive(settled.office)
    assert (report.ok, report.removed, report.objects) == (True, 1, 2)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        settled.change("DELETE FROM archive_removal")


def test_a_replay_over_it_says_what_is_gone(settled: Any, new_home: Any, office_of: Any) -> None:
    expire(settled, apply=True)
    live = settled.office
    opened = office_of(new_home())
    target = Office(opened.settings, opened.engine, live.archive.beside(opened.settings.state / "beside"))
    done = replay(live, target, past_runs(live, "archive"))
    (missing,) = done.gone
    assert f"removed on {OVER}, due since {OVER} by raw.all" in missing.because
    assert done.steps["expire"] == 1
    assert compare(live, target, done).parts == ("records", "attachments", "disclosures", "withdrawals")


@pytest.mark.parametrize("scope", ["delivery", "enterprise", "days"])
def test_a_legal_hold_keeps_it_until_released(settled: Any, scope: str) -> None:
    scopes = {
        "delivery": lambda: retention.scope_of_delivery(settled.office, 1),
        "enterprise": lambda: Scope(uscc=Company(2).uscc),
        "days": lambda: Scope(from_day=DAY, to_day=DAY),
    }
    who = {"person": "张三", "as_of": NEXT_DAY}
    number = retention.add_hold(settled.office, scopes[scope](), reason="诉讼保全", **who)
    assert expire(settled, apply=True).removals == ()
    assert any("legal hold 1 (张三: 诉讼保全)" in kept.because for kept in expire(settled).kept)
    retention.end_hold(settled.office, number, reason="结案", **who)
    with pytest.raises(HoldUnknown):
        retention.end_hold(settled.office, number, reason="结案", **who)
    assert len(expire(settled, apply=True).removals) == 1


def test_the_same_bytes_of_a_younger_delivery_stay(settled: Any) -> None:
    (row,) = settled.query("SELECT sha256 FROM delivery_file WHERE delivery_id = 1")
    with settled.office.archive.open(row["sha256"]) as stream:
        content = stream.read()
    settled.ingest(content, NEXT_DAY + dt.timedelta(days=400), agency="fda")
    assert expire(settled, apply=True).removals == ()


def test_a_manifest_that_the_ledger_does_not_know_keeps_its_objects(settled: Any) -> None:
    (row,) = settled.query("SELECT sha256 FROM delivery_file WHERE delivery_id = 1")
    manifest = {"agency": "aic", "kind": "penalty", "as_of": NEXT_DAY.isoformat(), "files": [{"sha256": row["sha256"]}]}
    settled.office.archive.write_manifest("a" * 64, manifest)
    (kept,) = expire(settled, apply=True).kept[:1]
    assert "manifest aaaaaaaaaaaa is kept until" in kept.because


def test_a_kind_without_a_row_is_kept_for_ever(settled: Any) -> None:
    stored = settled.ingest([licence(1)], kind=Kind.LICENCE)
    assert stored.state == "checked"
    assert all("licence" not in each.what for each in expire(settled, dt.date(2999, 1, 1)).removals)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_it_removes_it_is_finished_by_the_next(settled: Any, home: Any, moment: str) -> None:
    program = f"""
import datetime, os, signal
from connectors.archive import Archive
from pipeline import retention
from pipeline.office import open_office
from transforms.policy.retention import read_policy
remove = Archive.remove
def die(archive, sha256):
    if {moment!r} == "after":
        remove(archive, sha256)
    os.kill(os.getpid(), signal.SIGKILL)
Archive.remove = die
retention.expire(open_office(), as_of={OVER!r}, apply=True, policy=read_policy({TABLE!r}))
"""
    environment = home.environment | {"PYTHONPATH": str(PROJECT)}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert [row["event"] for row in settled.query("SELECT event FROM archive_removal")] == ["planned"]
    assert verify_archive(settled.office).ok
    expire(settled, apply=True)
    assert gone(settled) == [f"delivery 1 of aic penalty {DAY}"]
    assert verify_archive(settled.office).removed == 1


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(
        st.tuples(
            st.integers(0, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True), st.integers(2, 4)
        ),
        min_size=1,
        max_size=4,
    ),
    published_and_held=st.tuples(st.booleans(), st.integers(1, 4)),
)
def test_whatever_came_nothing_needed_is_ever_removed(
    new_home: Callable[[], Any],
    office_of: Any,
    desk_of: Any,
    history: list[tuple[int, list[int], int]],
    published_and_held: tuple[bool, int],
) -> None:
    """The law, asked of the ledger in other words: an object goes only when no row of it waits, stands or is held."""
    published, held = published_and_held
    desk = desk_of(office_of(new_home()))
    desk.register([registered(Company(serial)) for serial in range(1, 4)])
    for later, serials, amount in sorted(history, key=lambda each: each[0]):
        rows = [penalty(serial, CF_NR=f"罚款人民币{amount}0000元", CF_NR_FK=str(amount)) for serial in serials]
        desk.ingest(rows, DAY + dt.timedelta(days=later))
    desk.attach(DAY + dt.timedelta(days=5))
    if published:
        desk.publish(DAY + dt.timedelta(days=5))
    scope = Scope(uscc=Company(held).uscc)
    retention.add_hold(desk.office, scope, person="张三", reason="诉讼保全", as_of=DAY)
    before = set(desk.office.archive.objects())
    day = OVER + dt.timedelta(days=2)
    expire(desk, day, apply=True)
    removed = before - set(desk.office.archive.objects())
    needed = desk.query(
        "SELECT f.sha256 FROM delivery d JOIN delivery_file f USING (delivery_id) JOIN row_state s USING (delivery_id)"
        " JOIN penalty p USING (record_id) WHERE s.state NOT IN ('superseded', 'duplicate', 'withheld')"
        " OR p.uscc = :uscc OR d.as_of > :last",
        uscc=Company(held).uscc,
        last=day.replace(year=day.year - YEARS),
    )
    assert removed.isdisjoint({row["sha256"] for row in needed})
    assert removed == {r["sha256"] for r in desk.query("SELECT sha256 FROM archive_removal WHERE event = 'removed'")}
    assert verify_archive(desk.office).ok


def test_verify_finds_each_kind_of_damage(settled: Any, home: Any) -> None:
    archive = home.home / "archive"
    files = {
        row["delivery_id"]: row["sha256"] for row in settled.query("SELECT delivery_id, sha256 FROM delivery_file")
    }
    objects = {sha: archive / "objects" / sha[:2] / f"{sha}.zst" for sha in files.values()}
    objects[files[1]].unlink()
    objects[files[2]].write_bytes(b"not zstd")
    (manifest, *_) = sorted((archive / "manifests").rglob("*.json"))
    manifest.unlink()
    (first, second, *_) = sorted((archive / "journal").rglob("*.json"))
    first.unlink()
    second.write_text('{"step": "attach"}\n')
    (archive / "objects" / "note.txt").write_text("stray")
    report = verify_archive(settled.office)
    counted = faults_by_kind(report)
    assert counted.keys() == {"missing", "unreadable", "no_manifest", "journal", "misplaced"}
    assert (counted["unreadable"], counted["no_manifest"], counted["journal"], counted["misplaced"]) == (1, 1, 2, 1)
    assert not report.ok


def test_a_sample_reads_so_many_and_sees_all_names(settled: Any) -> None:
    read: list[str] = []
    report = verify_archive(settled.office, sample=1, seed="a", tell=read.append)
    assert (report.read, len(read), report.objects) == (1, 1, 3)
    seen = set(read)
    for seed in "bcdefgh":
        verify_archive(settled.office, sample=1, seed=seed, tell=seen.add)
    assert len(seen) > 1


def test_the_table_in_the_package_can_be_read_and_undecided_rows_never_go() -> None:
    policy = retention_policy()
    rule = policy.rule("penalty", dt.date(2016, 2, 29))
    assert rule is not None
    assert rule.due(dt.date(2016, 2, 29)) == dt.date(2046, 3, 1)
    assert {kind.value for kind in Kind} <= {kind for rule in policy.rules for kind in rule.kinds}
    with pytest.raises(PolicyInvalid, match="review"):
        read_policy({"needed_while": ["waiting", "unexplained"], "rules": []})
    with pytest.raises(PolicyInvalid, match="years"):
        row = {"id": "x", "kinds": ["penalty"], "from": DAY, "years": 0, "source": "a test"}
        read_policy({"needed_while": ["waiting", "unexplained", "review"], "rules": [row]})
