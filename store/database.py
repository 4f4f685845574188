"""Connections and migrations: one dialect (PostgreSQL), reached through SQLAlchemy Core."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "sql"


def open_engine(url: str) -> sa.Engine:
    """Open an engine on a PostgreSQL URL, whichever driver name the URL carries.

    Parameters never stand in an error message: they hold names and texts of records.
    """
    return sa.create_engine(sqlalchemy_url(url), pool_pre_ping=True, hide_parameters=True)


def sqlalchemy_url(url: str) -> sa.URL:
    """Return the URL with the psycopg 3 driver.

    Raises ``ValueError`` for anything but PostgreSQL: one dialect everywhere.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"DATABASE_URL must name a PostgreSQL server, not {parsed.get_backend_name()!r}")
    return parsed.set(drivername="postgresql+psycopg")


def libpq_url(engine: sa.Engine) -> str:
    """Return the engine's address as libpq and ADBC understand it, password included."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def create_database(url: str, name: str) -> str:
    """Create a database beside the one that ``url`` names, unless it is there, and return its URL."""
    engine = sa.create_engine(sqlalchemy_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            known = connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if not known:
                quoted = engine.dialect.identifier_preparer.quote_identifier(name)
                connection.execute(
                    sa.text(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")
                )
    finally:
        engine.dispose()
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Drop the database that ``url`` names, whoever is still connected to it."""
    named = sa.make_url(url)
    engine = sa.create_engine(sqlalchemy_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            quoted = engine.dialect.identifier_preparer.quote_identifier(str(named.database))
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))
    finally:
        engine.dispose()


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest migration; nothing happens when it is there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
