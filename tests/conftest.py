"""One embedded PostgreSQL for the whole session; each test gets a database and a home of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import airflow_home  # noqa: F401  (before any test module can import Airflow)
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import settings
from judge_serving import serving
from pydantic import SecretStr

from expectations.judging import SOCKET_VARIABLE
from pipeline.office import Office
from pipeline.settings import Settings
from store import embedded
from store.database import create_database, migrate, open_engine, sqlalchemy_url

SIGNING_KEY: Final = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""  # of RFC 8032, section 7.1, test 1

settings.register_profile("untimed", deadline=None)  # what is slow on a busy machine is not wrong
settings.load_profile("untimed")

_TEMPLATE: Final = "disclosure_template"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """A home and a database for one system under test; ``environment`` is what its processes read."""

    home: Path
    database_url: str
    judge_server: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "DISCLOSURE_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "DISCLOSURE_SIGNING_KEY": SIGNING_KEY,
            "COLUMNS": "200",
            SOCKET_VARIABLE: str(self.judge_server),
        }


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a running server.

    It lies outside pytest's folders: another session closes those to the account that the server runs under. Nobody
    cuts the power of a test machine, so it need not wait for the disk.
    """
    folder = tempfile.mkdtemp(prefix="disclosure-")
    data = Path(folder) / "data"
    url = embedded.start(data)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield url
    embedded.stop(data)
    subprocess.run(["rm", "-rf", folder], check=True)  # a database per test: many files


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """A migrated, empty database that new ones are copied from."""
    engine = open_engine(create_database(server, _TEMPLATE))
    migrate(engine)
    engine.dispose()
    return _TEMPLATE


@pytest.fixture(scope="session")
def judge_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Great Expectations, imported once for all processes of the session, as one machine has it."""
    path = tmp_path_factory.mktemp("judge") / "judge.sock"
    with serving(path):
        yield path


@pytest.fixture(scope="session")
def new_home(
    server: str, template: str, judge_server: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Site]:
    """Make a fresh home with a fresh, migrated database."""

    def make() -> Site:
        name = f"test_{next(_numbers)}"
        maintenance = sa.create_engine(sqlalchemy_url(server), isolation_level="AUTOCOMMIT")
        with maintenance.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
        maintenance.dispose()
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
        return Site(tmp_path_factory.mktemp("home"), url, judge_server)

    return make


@pytest.fixture
def home(new_home: Callable[[], Site]) -> Site:
    """A home and a database for one test."""
    return new_home()


@pytest.fixture
def office_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Site], Office]]:
    """Open the office of a home; its connections close with the test."""
    monkeypatch.setenv("DISCLOSURE_SIGNING_KEY", SIGNING_KEY)
    opened: list[Office] = []

    def open_one(site: Site) -> Office:
        settings = Settings(home=site.home, database_url=SecretStr(site.database_url))
        office = Office(settings, open_engine(site.database_url))
        opened.append(office)
        return office

    yield open_one
    for office in opened:
        office.engine.dispose()


@pytest.fixture
def office(home: Site, office_of: Callable[[Site], Office]) -> Office:
    """The office of a fresh home."""
    return office_of(home)
