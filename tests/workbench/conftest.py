"""A workbench over a fresh office, people of every role, and a browser without a window for each of them."""

from __future__ import annotations

import atexit
import datetime as dt
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from browsing import PASSWORD, Browser, Clock
from delivering import AGENCY, DAY, Row, as_csv, write
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline import accounts
from pipeline.ingest import ingest_file
from pipeline.office import Office
from store.accounts import Role
from store.schema import delivery
from transforms.columns import Kind
from workbench.app import create_app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(office: Office, clock: Clock) -> FastAPI:
    return create_app(office, clock=clock)


@pytest.fixture
def anonymous(app: FastAPI) -> Browser:
    return Browser(TestClient(app, follow_redirects=False))


if "AIRFLOW_HOME" not in os.environ:  # read when Airflow is first imported
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashing is dear on purpose; here it need not be."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "_COST", 2**6)
        yield


@pytest.fixture(scope="session")
def kept_password() -> str:
    """The password as it is kept."""
    return accounts.hash_password(PASSWORD)


@pytest.fixture
def log_in(app: FastAPI, office: Office) -> Callable[..., Browser]:
    """Enter a person and log in."""

    def enter(name: str, role: Role, agency: str | None = None) -> Browser:
        accounts.add_account(office, name, role=role, agency=agency, password=PASSWORD)
        client = TestClient(app, follow_redirects=False)
        assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        return Browser(client)

    return enter


@pytest.fixture
def platform(log_in: Callable[..., Browser]) -> Browser:
    return log_in("王平台", Role.PLATFORM)


@pytest.fixture
def deliver(office: Office, tmp_path: Path) -> Callable[..., int]:
    """Take in a delivery and return its number."""
    numbers = itertools.count(1)

    def take_in(rows: Sequence[Row], day: dt.date = DAY, kind: Kind = Kind.PENALTY, agency: str = AGENCY) -> int:
        path = write(tmp_path, f"delivery_{next(numbers)}.csv", as_csv(rows))
        return ingest_file(office, path, agency=agency, kind=kind, as_of=day).delivery_id

    return take_in


@pytest.fixture
def state_of(office: Office) -> Callable[[int], str]:
    """Tell the state of a delivery."""

    def state(delivery_id: int) -> str:
        with office.engine.connect() as connection:
            query = sa.select(delivery.c.state).where(delivery.c.delivery_id == delivery_id)
            return str(connection.scalar(query))

    return state
