"""The order of steps, so that the record can be made again.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("run_no_seq")))
    op.create_table(
        "step_run",
        sa.Column(
            "run_no", sa.BigInteger(), autoincrement=False, nullable=False, comment="place in the order of effects"
        ),
        sa.Column("step", sa.Text(), nullable=False, comment="register, ingest, attach, publish"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True, comment="state in which a delivery was left"),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("register_version", sa.BigInteger(), nullable=True, comment="the version loaded, or attached on"),
        sa.Column("release_id", sa.BigInteger(), nullable=True),
        sa.Column("up_to_attachment", sa.BigInteger(), nullable=True, comment="newest attachment after an attach"),
        sa.Column(
            "journaled", sa.Boolean(), server_default=sa.false(), nullable=False, comment="written to the archive too"
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("run_no", name=op.f("pk_step_run")),
        comment="every step that changed the record, in the order to replay them in; only journaled ever changes",
    )
    op.create_index(op.f("ix_step_run_delivery_id"), "step_run", ["delivery_id"], unique=False)
    op.add_column(
        "release",
        sa.Column(
            "run_no",
            sa.BigInteger(),
            nullable=True,
            comment="its place in the order of step_run, taken while the records were read",
        ),
    )


def downgrade() -> None:
    op.drop_column("release", "run_no")
    op.drop_table("step_run")
    op.execute(sa.schema.DropSequence(sa.Sequence("run_no_seq")))
