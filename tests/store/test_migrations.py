"""The migrations make the tables that the code names, and can be taken back and done again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from store.database import MIGRATIONS
from store.schema import metadata


def differences(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def move(engine: sa.Engine, *, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if to == "base" else command.upgrade)(config, to)


def test_tables_and_views_are_those_of_the_code_after_taking_all_back_too(office: Any) -> None:
    assert differences(office.engine) == []
    move(office.engine, to="base")
    assert set(sa.inspect(office.engine).get_table_names()) == {"alembic_version"}
    assert sa.inspect(office.engine).get_view_names() == []
    move(office.engine, to="head")
    assert differences(office.engine) == []
    assert set(sa.inspect(office.engine).get_view_names()) == {"received_row", "row_state", "open_review"}
