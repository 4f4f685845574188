"""Doing a step twice is doing it once."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import DAY, NEXT_DAY, SOMEONE, Company, as_csv, penalty, registered, write

from pipeline.ingest import ingest_file
from pipeline.press import PublishError
from pipeline.reconcile import reconcile
from pipeline.register_faults import NoRegister
from transforms.columns import Kind


def test_the_same_bytes_are_one_delivery_whatever_their_name_and_day(known: Any) -> None:
    content = as_csv([penalty(1), penalty(2, CF_WSH="")])
    first = known.ingest(content)
    again = known.ingest(content, NEXT_DAY)
    assert (first.already_received, again.already_received) == (False, True)
    assert (again.delivery_id, again.rows, again.row_states, again.failures) == (
        first.delivery_id,
        first.rows,
        first.row_states,
        first.failures,
    )
    assert known.query("SELECT as_of, rows FROM delivery") == [{"as_of": DAY, "rows": 2}]
    other = known.ingest(content, agency="fda")
    assert other.delivery_id != first.delivery_id
    assert not other.already_received
    manifests = [
        json.loads(path.read_bytes()) for path in (known.office.settings.archive / "manifests").rglob("*.json")
    ]
    assert sorted((m["agency"], m["files"][0]["rows"]) for m in manifests) == [("aic", 2), ("fda", 2)]
    assert not list(known.office.archive.verify())


def test_the_same_rows_in_another_file_are_duplicates(known: Any) -> None:
    rows = [penalty(1), penalty(2)]
    known.ingest(rows)
    shuffled = [dict(reversed(list(row.items()))) for row in reversed(rows)]
    again = known.ingest(shuffled, NEXT_DAY)
    assert not again.already_received
    assert dict(again.row_states) == {"duplicate": 2}


def test_a_refused_delivery_is_refused_again_and_leaves_one_problem(known: Any) -> None:
    for _ in range(2):
        assert known.ingest(b"").state == "refused"
    assert known.query("SELECT count(*) AS n FROM problem") == [{"n": 1}]
    assert known.query("SELECT state FROM delivery") == [{"state": "refused"}]


def test_nothing_is_attached_without_a_register(desk: Any) -> None:
    desk.ingest([penalty(1)])
    with pytest.raises(NoRegister):
        desk.attach()


def test_steps_repeated_change_nothing_and_history_is_not_rewritten(known: Any, hashes_of: Any) -> None:
    known.ingest([penalty(1), penalty(2, Company(99))])
    assert known.attach() == {"none": 1, "uscc": 1}
    assert known.attach() == {}
    known.publish(NEXT_DAY)
    feeds = known.office.settings.feeds
    before = hashes_of(feeds)
    known.publish(NEXT_DAY)
    assert known.query("SELECT sequence, state FROM release") == [{"sequence": 1, "state": "visible"}]
    with pytest.raises(PublishError, match="不再改写"):
        known.publish(DAY)
    assert hashes_of(feeds) == before
    assert known.query("SELECT count(*) AS n FROM release") == [{"n": 1}]
    assert reconcile(known.office).ok


def test_a_step_that_fails_leaves_the_delivery_to_be_read_again(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from expectations import runner
    from expectations.judging import Judge

    def broken(*_: object) -> None:
        raise runner.SuiteFailed("penalty.standard: an expectation could not be computed")

    path = write(known.folder, "d.csv", as_csv([penalty(1)]))
    with monkeypatch.context() as patched:
        patched.setattr(Judge, "judge", broken)
        with pytest.raises(runner.SuiteFailed):
            ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 0}]
    assert [finding for finding in reconcile(known.office).findings if "archived" in finding]
    assert ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY).row_states == {"accepted": 1}
    assert reconcile(known.office).ok


def test_counts_that_differ_stop_the_run(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import storing as module

    path = write(known.folder, "d.csv", as_csv([penalty(1, CF_WSH=""), penalty(2)]))
    losing = module.verdicts_of
    with monkeypatch.context() as patched:
        patched.setattr(module, "verdicts_of", lambda *a: losing(*a).slice(1))
        with pytest.raises(module.ConservationBroken, match=r"R01\.document_no"):
            ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 0}]


def test_two_who_take_in_the_same_file_make_one_delivery(known: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = write(known.folder, "d.csv", as_csv([penalty(1), penalty(2)]))

    def take(_: int) -> Any:
        return ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)

    with ThreadPoolExecutor(3) as clerks:
        taken = list(clerks.map(take, range(3)))
    assert len({one.delivery_id for one in taken}) == 1
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 2}]
    assert reconcile(known.office).ok


def test_the_register_of_a_day_is_loaded_once(desk: Any) -> None:
    full = [registered(Company(1)), registered(Company(2))]
    changes = [registered(Company(2), ENTNAME="仿真改名(北京)有限公司")]
    for _ in range(2):
        desk.register(full, DAY, name="full.csv")
        desk.register(changes, NEXT_DAY, "changes", name="changes.csv")
    assert desk.query("SELECT mode, as_of FROM register_version ORDER BY 1 DESC") == [
        {"mode": "full", "as_of": DAY},
        {"mode": "changes", "as_of": NEXT_DAY},
    ]
    with desk.office.engine.connect() as connection:
        held = connection.scalars(sa.text("SELECT name FROM enterprise WHERE to_version IS NULL ORDER BY uscc")).all()
    assert "仿真改名（北京）有限公司" in held


def test_a_number_in_the_name_of_a_file_is_masked_and_the_file_is_known_again(known: Any) -> None:
    content = as_csv([penalty(1), penalty(2, CF_WSH="")], extra_lines=["一行,只有三格"])
    path = write(known.folder, f"张三{SOMEONE}.csv", content)
    taken = ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    assert taken.state == "checked"
    shown = f"张三{SOMEONE[:6]}********{SOMEONE[-4:]}.csv"
    assert known.query("SELECT name FROM delivery_file") == [{"name": shown}]
    assert [problem.file for problem in taken.problems] == [shown]
    assert ingest_file(known.office, path, agency="aic", kind=Kind.PENALTY, as_of=NEXT_DAY).already_received
    refused = write(known.folder, f"{SOMEONE}.csv", b"")
    empty = ingest_file(known.office, refused, agency="aic", kind=Kind.PENALTY, as_of=DAY)
    assert SOMEONE not in "".join(map(str, empty.problems)) and empty.problems
    for kept in (known.office.settings.archive / "manifests", known.office.settings.archive / "journal"):
        assert not [path for path in kept.rglob("*.json") if SOMEONE.encode() in path.read_bytes()]


def test_a_register_file_is_kept_without_the_number_in_its_name(desk: Any) -> None:
    desk.register([registered(Company(1))], name=f"register_{SOMEONE}.csv")
    assert desk.query("SELECT file FROM register_version") == [
        {"file": f"register_{SOMEONE[:6]}********{SOMEONE[-4:]}.csv"}
    ]
