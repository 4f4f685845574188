"""Alembic environment: the connection is handed over by ``store.database.migrate`` or named by DATABASE_URL."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import context

from store.database import sqlalchemy_url
from store.schema import metadata


def run(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = sa.create_engine(sqlalchemy_url(os.environ["DATABASE_URL"]))
    with engine.connect() as connection:
        run(connection)
