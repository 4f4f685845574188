"""Steps of the pipeline on a fresh system, with what a test needs to look at afterwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import AGENCY, DAY, Company, Row, as_csv, registered, write

from pipeline.attach import attach
from pipeline.ingest import Ingested, ingest_file
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register import Loaded, Mode, load_register
from transforms.columns import Kind


class Desk:
    """A clerk who runs the steps of one system by hand."""

    def __init__(self, office: Office, folder: Path) -> None:
        self.office = office
        self.folder = folder
        self._numbers = itertools.count(1)

    def register(self, rows: Iterable[Row], day: dt.date = DAY, mode: Mode = "full", name: str | None = None) -> Loaded:
        path = write(self.folder, name or f"register_{next(self._numbers)}.csv", as_csv(list(rows)))
        return load_register(self.office, path, as_of=day, mode=mode)

    def ingest(
        self, rows: Sequence[Row] | bytes, day: dt.date = DAY, kind: Kind = Kind.PENALTY, agency: str = AGENCY
    ) -> Ingested:
        content = rows if isinstance(rows, bytes) else as_csv(rows)
        path = write(self.folder, f"delivery_{next(self._numbers)}.csv", content)
        return ingest_file(self.office, path, agency=agency, kind=kind, as_of=day)

    def attach(self, day: dt.date = DAY) -> dict[str, int]:
        return dict(attach(self.office, as_of=day).methods)

    def publish(self, day: dt.date = DAY, *sites: str) -> None:
        publish(self.office, list(sites or ("creditchina",)), as_of=day)

    def query(self, text: str, **parameters: Any) -> list[dict[str, Any]]:
        with self.office.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(text), parameters).mappings()]

    def change(self, text: str, **parameters: Any) -> None:
        with self.office.engine.begin() as connection:
            connection.execute(sa.text(text), parameters)

    def states(self, delivery_id: int) -> dict[int, str]:
        """State by row number, as the view has it."""
        rows = self.query(
            "SELECT row_no, s.state FROM row_state s JOIN (SELECT record_id, row_no FROM penalty UNION ALL"
            " SELECT record_id, row_no FROM licence) r USING (record_id) WHERE delivery_id = :d",
            d=delivery_id,
        )
        return {row["row_no"]: row["state"] for row in rows}


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    """A clerk before an empty system."""
    return Desk(office, tmp_path)


@pytest.fixture
def desk_of(tmp_path: Path) -> Callable[[Office], Desk]:
    """A clerk for each of several systems."""
    return lambda office: Desk(office, tmp_path)


@pytest.fixture
def known(desk: Desk) -> Desk:
    """A clerk whose register knows the companies 1 to 40."""
    desk.register(registered(Company(serial)) for serial in range(1, 41))
    return desk


def feed_hashes(feeds: Path) -> dict[str, str]:
    """SHA-256 of every file that a reader can reach, by path."""
    return {
        str(path.relative_to(feeds)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(feeds.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def hashes_of() -> Callable[[Path], dict[str, str]]:
    return feed_hashes
