"""An index for the search by 文书号."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = (
    "licence", "penalty", "inspection", "abnormal_operation", "serious_violation", "enforcement_notice", "basic_info",
)  # fmt: skip


def upgrade() -> None:
    for kind in KINDS:
        where = sa.text("document_key IS NOT NULL")
        op.create_index(f"ix_{kind}_document_key", kind, ["document_key"], postgresql_where=where)


def downgrade() -> None:
    for kind in KINDS:
        op.drop_index(f"ix_{kind}_document_key", kind)
