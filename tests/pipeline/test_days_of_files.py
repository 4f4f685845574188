"""Two dated files in one delivery: the later day's text holds; two texts of one day wait for a person (R22)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from delivering import DAY, NEXT_DAY, Company, licence, registered

from connectors.endpoint import Endpoint
from pipeline.collect import collect
from pipeline.ingest import ingest_delivery
from simulator.servers.dated_files import drop_file


def states(desk: Any, folder: Path, files: Sequence[tuple[str, str]]) -> list[str]:
    """Drop files that say different things of one decision, collect them together, return states by file."""
    desk.register([registered(Company(1))])
    for name, content in files:
        drop_file(folder, name, [licence(1, XK_NR=content)])
    collect(
        "fda", NEXT_DAY, engine=desk.office.engine, archive=desk.office.archive, endpoint=Endpoint(str(folder)),
        ingest=lambda delivery_id: ingest_delivery(desk.office, delivery_id),
    )  # fmt: skip
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
