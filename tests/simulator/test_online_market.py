"""The made-up market against the cross-check: what was played is what is found, in any order of rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.crosscheck import crosscheck
from pipeline.ingest import ingest_file
from pipeline.office import Office
from pipeline.register import load_register
from simulator.online_market import Enterprise, enterprises
from transforms.columns import Reference

YEAR, DAY = 2017, dt.date(2018, 8, 21)


def written(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def found_in(office: Office, folder: Path, market: list[Enterprise]) -> list[tuple[Any, ...]]:
    load_register(office, written(folder, "register.csv", [e.registered for e in market]), as_of=DAY, mode="full")
    parts = {
        Reference.ANNUAL_REPORT: [row for e in market for row in e.report],
        Reference.ONLINE_SUBJECT: [row for e in market for row in e.subjects],
    }
    for reference, rows in parts.items():
        path = written(folder, f"{reference}.csv", rows)
        taken = ingest_file(office, path, agency="aic", kind=reference, as_of=DAY)
        assert (taken.state, taken.row_states) == ("checked", {"accepted": len(rows)})
    crosscheck(office, year=YEAR, as_of=DAY)
    with office.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT uscc, kind, case_no, site_url, subject_id, report_id, fields::text, content_hash FROM discrepancy"
            " ORDER BY finding_key"
        )
        return [tuple(row) for row in rows]


@pytest.mark.timeout(120)
def test_what_was_played_is_found_and_nothing_else(
    office: Office, new_home: Callable[[], Any], office_of: Callable[[Any], Office], tmp_path: Path
) -> None:
    market = list(enterprises(3_000, year=YEAR, seed=5))
    found = found_in(office, tmp_path, market)
    truth = sorted((e.uscc, *e.truth) for e in market if e.truth)
    assert sorted(row[:3] for row in found) == truth

    shuffled = market[:]
    random.Random(1).shuffle(shuffled)  # noqa: S311 (an order of rows)
    (tmp_path / "again").mkdir()
    assert found_in(office_of(new_home()), tmp_path / "again", shuffled) == found
