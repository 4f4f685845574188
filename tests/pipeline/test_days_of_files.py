"""Of two dated files the later day holds, together or one by one; two texts of one day wait for a person (R22)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from delivering import DAY, NEXT_DAY, SOMEONE, Company, licence, registered

from connectors.endpoint import Endpoint
from pipeline import rulings
from pipeline.collect import collect
from pipeline.ingest import ingest_delivery
from simulator.servers.dated_files import drop_file


def collected(desk: Any, folder: Path, as_of: dt.date) -> None:
    collect(
        "fda", as_of, engine=desk.office.engine, archive=desk.office.archive, endpoint=Endpoint(str(folder)),
        ingest=lambda delivery_id: ingest_delivery(desk.office, delivery_id),
    )  # fmt: skip


def states(desk: Any, folder: Path, files: Sequence[tuple[str, str]]) -> list[str]:
    """Drop files that say different things of one decision, collect them together, return states by file."""
    desk.register([registered(Company(1))])
    for name, content in files:
        drop_file(folder, name, [licence(1, XK_NR=content)])
    collected(desk, folder, NEXT_DAY)
    return [row["state"] for row in desk.query("SELECT state FROM licence ORDER BY file_ordinal")]


def test_of_two_days_in_one_delivery_the_later_one_holds(desk: Any, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    files = [(f"XK_{DAY}.csv", "准予经营预包装食品"), (f"XK_{NEXT_DAY}.csv", "准予经营散装食品")]
    assert states(desk, folder, files) == ["superseded", "accepted"]


def test_two_texts_of_one_day_wait_for_a_person(desk: Any, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    files = [(f"XK_{DAY}.csv", "准予经营预包装食品"), (f"XK_{DAY}_2.csv", "准予经营散装食品")]
    assert states(desk, folder, files) == ["review", "review"]


def test_an_old_file_that_is_sent_once_more_does_not_bring_its_text_back(desk: Any, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    files = [(f"XK_{DAY}.csv", "准予经营预包装食品"), (f"XK_{NEXT_DAY}.csv", "准予经营散装食品")]
    assert states(desk, folder, files) == ["superseded", "accepted"]
    drop_file(folder, f"XK_{DAY}.csv", [licence(1, XK_NR="准予经营预包装食品"), licence(2)])
    collected(desk, folder, NEXT_DAY + dt.timedelta(days=1))
    rows = desk.query("SELECT document_no, content, state FROM licence ORDER BY record_id")
    again, news = rows[2:]
    assert (again["content"], again["state"]) == ("准予经营预包装食品", "superseded")
    assert news["state"] == "accepted"
    assert [row["content"] for row in rows[:3] if row["state"] == "accepted"] == ["准予经营散装食品"]


def test_a_file_of_a_day_that_is_sent_once_more_with_another_text_is_a_correction(desk: Any, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    assert states(desk, folder, [(f"XK_{DAY}.csv", "准予经营预包装食品")]) == ["accepted"]
    drop_file(folder, f"XK_{DAY}.csv", [licence(1, XK_NR="准予经营散装食品")])
    collected(desk, folder, NEXT_DAY + dt.timedelta(days=1))
    rows = desk.query("SELECT content, state FROM licence ORDER BY record_id")
    assert [(row["content"], row["state"]) for row in rows] == [
        ("准予经营预包装食品", "superseded"), ("准予经营散装食品", "accepted"),
    ]  # fmt: skip


def test_an_old_file_does_not_bring_back_the_text_of_a_record_that_a_steward_corrected(
    desk: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    files = [(f"XK_{DAY}.csv", "准予经营预包装食品"), (f"XK_{NEXT_DAY}.csv", "准予经营散装食品")]
    assert states(desk, folder, files) == ["superseded", "accepted"]
    [holds] = desk.query("SELECT record_id FROM licence WHERE state = 'accepted'")
    ruled = rulings.propose(
        desk.office, holds["record_id"], cells={"XK_YXQZI": "2022/07/31"}, person="张三", reason="对照决定书",
        as_of=NEXT_DAY,
    )  # fmt: skip
    assert ruled.made is not None
    drop_file(folder, f"XK_{DAY}.csv", [licence(1, XK_NR="准予经营预包装食品"), licence(2)])
    collected(desk, folder, NEXT_DAY + dt.timedelta(days=1))
    number = desk.query("SELECT document_no FROM licence WHERE record_id = :id", id=holds["record_id"])[0]
    standing = desk.query(
        "SELECT record_id, content FROM licence WHERE state = 'accepted' AND document_no = :document_no", **number
    )
    assert standing == [{"record_id": ruled.made.record_id, "content": "准予经营散装食品"}]


def test_a_dropped_file_with_a_number_in_its_name_is_fetched_once_and_named_without_it(
    desk: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    numbered = f"XK_{DAY}_{SOMEONE}.csv"
    assert states(desk, folder, [(numbered, "准予经营预包装食品"), (f"XK_{NEXT_DAY}.csv", "准予经营散装食品")]) == [
        "superseded", "accepted",
    ]  # fmt: skip
    third_day = NEXT_DAY + dt.timedelta(days=1)
    drop_file(folder, f"XK_{third_day}.csv", [licence(2)])
    collected(desk, folder, third_day)
    names = desk.query("SELECT name FROM delivery_file UNION ALL SELECT name FROM collection_piece")
    masked = f"XK_{DAY}_{SOMEONE[:6]}********{SOMEONE[-4:]}.csv"
    assert sorted(row["name"] for row in names) == sorted(2 * [masked, f"XK_{NEXT_DAY}.csv", f"XK_{third_day}.csv"])
