"""Pulls of the register: the version that each was loaded as."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "the register version that its pieces were loaded as"
    op.add_column("collection", sa.Column("register_version", sa.BigInteger(), comment=comment))


def downgrade() -> None:
    op.drop_column("collection", "register_version")
