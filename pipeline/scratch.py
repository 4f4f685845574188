"""A system of its own to replay into: its database, its home, the live archive's objects read where they are."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from pipeline.office import DATABASE, Office
from pipeline.replay import ReplayImpossible
from pipeline.settings import Settings
from store import embedded
from store.database import create_database, drop_database, migrate, open_engine


@contextmanager
def scratch_office(live: Office) -> Iterator[Office]:
    """A system beside the live one, in a database of the same server; both are removed on leaving."""
    name = f"{DATABASE}_replay_{os.getpid()}"
    home = live.scratch() / name
    opened = _open(live, home, _database_beside(live, name))
    try:
        yield opened
    finally:
        opened.engine.dispose()
        drop_database(opened.bulk_url)
        shutil.rmtree(home, ignore_errors=True)


def kept_office(live: Office, since: dt.date, until: dt.date) -> Office:
    """A system beside the live one that stays: database and home are named after the days replayed."""
    name = f"replay_{since:%Y%m%d}_{until:%Y%m%d}"
    home = live.settings.state / "replay" / name
    if home.exists():
        raise ReplayImpossible(f"{home} is there already: remove it with its database {DATABASE}_{name}, or use --into")
    return _open(live, home, _database_beside(live, f"{DATABASE}_{name}"))


def office_into(live: Office, place: str) -> Office:
    """A system in a folder (with an embedded server of its own), or in the empty database that a URL names."""
    if "://" in place:
        home = live.settings.state / "replay" / "into"
        return _open(live, home, place)
    home = Path(place).expanduser().resolve()
    if home == live.settings.state:
        raise ReplayImpossible("the live system's own folder is never replayed into: choose another one")
    server = embedded.start(home / "postgres")
    return _open(live, home, create_database(server, DATABASE))


def _database_beside(live: Office, name: str) -> str:
    try:
        return create_database(live.bulk_url, name)
    except SQLAlchemyError as error:
        raise ReplayImpossible(
            f"no database can be made beside the live one ({type(error).__name__}): name an empty one by --into"
        ) from error


def _open(live: Office, home: Path, url: str) -> Office:
    home.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        home=home,
        database_url=SecretStr(url),
        feeds_dir=home / "feeds",
        archive_dir=home / "replayed-archive",
        archive_url=None,
        register_drop=home / "register",
        signing_key=live.settings.signing_key,
        signing_key_file=live.settings.key_file,
    )
    engine = open_engine(url)
    migrate(engine)
    return Office(settings, engine, live.archive.beside(settings.archive))
