"""The ledger of what left the raw archive, and of what may not.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("archive_removal", "legal_hold")


def upgrade() -> None:
    op.add_column(
        "step_run",
        sa.Column("told", sa.JSON(), nullable=True, comment="what the step worked on, where no other column says it"),
    )
    op.alter_column("step_run", "step", comment="one of store.runs.Step")
    op.create_table(
        "archive_removal",
        sa.Column("removal_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="the object of the raw archive"),
        sa.Column("event", sa.Text(), nullable=False, comment="planned, removed, spared"),
        sa.Column("due", sa.Date(), nullable=False, comment="first day on which it might go"),
        sa.Column("policy", sa.Text(), nullable=False, comment="row of transforms/policy/retention.yaml"),
        sa.Column("what", sa.Text(), nullable=False, comment="deliveries and register files that it belonged to"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("removal_id", name=op.f("pk_archive_removal")),
        comment="append-only; planned before an object is deleted, removed after",
    )
    op.create_index(op.f("ix_archive_removal_sha256"), "archive_removal", ["sha256"], unique=False)
    op.create_table(
        "legal_hold",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hold_no", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="added, released"),
        sa.Column("content_sha256", sa.Text(), nullable=True, comment="of one delivery"),
        sa.Column("uscc", sa.Text(), nullable=True, comment="of one enterprise: every delivery with a row about it"),
        sa.Column("from_day", sa.Date(), nullable=True, comment="of a range of delivery days"),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_legal_hold")),
        comment="append-only; what may not leave the archive until the hold is released (诉讼保全)",
    )
    op.create_index(op.f("ix_legal_hold_hold_no"), "legal_hold", ["hold_no"], unique=False)
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END$$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_column("step_run", "told")
