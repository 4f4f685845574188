"""Receipts of sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False, comment="of the release that the site means"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="applied, refused"),
        sa.Column("tables", sa.JSON(), nullable=False, comment="rows that the site holds, by table"),
        sa.Column("problems", sa.ARRAY(sa.Text()), nullable=False, comment="why it refused, in the site's words"),
        sa.Column("differs", sa.ARRAY(sa.Text()), nullable=False, comment="what does not agree with the release"),
        sa.Column("person", sa.Text(), nullable=False, comment="who entered it"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipt")),
        comment="append-only: what a site answered to a release (回执)",
    )
    op.create_index("ix_receipt_site", "receipt", ["site", "sequence"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("receipt")
