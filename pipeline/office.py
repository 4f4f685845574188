"""The credit office at work: settings, database, archive, ready for a step."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from connectors.archive import Archive, open_archive
from pipeline.huge_pages import refuse_huge_pages
from pipeline.settings import Settings
from store import embedded
from store.database import create_database, libpq_url, migrate, open_engine

DATABASE = "disclosure"


@dataclass(frozen=True)
class Office:
    """What every step needs: where the record is kept, where bytes are kept, where scratch files go."""

    settings: Settings
    engine: sa.Engine
    given_archive: Archive | None = None

    @functools.cached_property
    def archive(self) -> Archive:
        """The raw archive: the one given, else that of the settings."""
        return self.given_archive or open_archive(self.settings.archive_url or self.settings.archive)

    @property
    def bulk_url(self) -> str:
        """The database as bulk readers reach it."""
        return libpq_url(self.engine)

    def scratch(self) -> Path:
        """A folder for one step's temporary files."""
        self.settings.workspace.mkdir(parents=True, exist_ok=True)
        return self.settings.workspace


def open_office(settings: Settings | None = None, *, keep_database_running: bool = False) -> Office:
    """Open the office: start the embedded server if no ``DATABASE_URL`` is set, and migrate the schema."""
    refuse_huge_pages()
    settings = settings or Settings()
    settings.state.mkdir(parents=True, exist_ok=True)
    if settings.database_url is None:
        server = embedded.start(settings.postgres_data, keep_running=keep_database_running)
        url = create_database(server, DATABASE)
    else:
        url = settings.database_url.get_secret_value()
    engine = open_engine(url)
    migrate(engine)
    return Office(settings, engine)
