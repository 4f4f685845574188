"""Tables of the enterprise register, version by version."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

register_version = sa.Table(
    "register_version",
    metadata,
    sa.Column("register_version", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("mode", sa.Text, nullable=False, comment="full or changes"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.BigInteger, nullable=False, comment="absent from a full set"),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="every attachment names the version it was decided on",
)

enterprise = sa.Table(
    "enterprise",
    metadata,
    sa.Column("uscc", sa.Text, primary_key=True),
    sa.Column("from_version", sa.BigInteger, primary_key=True),
    sa.Column("to_version", sa.BigInteger, comment="first version in which this row no longer holds; null = holds"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("former_names", sa.Text, comment="joined by ; as in the register"),
    sa.Column("regno", sa.Text),
    sa.Column("legal_rep", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("established", sa.Date),
    sa.Column("reg_state", sa.Text),
    comment="enterprise master; a row per enterprise and span of register versions",
)
