"""Digests sent to stewards and agencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("notification_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False, comment="office, or the id of an agency"),
        sa.Column("channel", sa.Text(), nullable=False, comment="mail, webhook"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="of what it told, the day apart"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification")),
        sa.UniqueConstraint("recipient", "channel", "as_of", name=op.f("uq_notification_recipient_channel_as_of")),
        comment="append-only: one digest a business day for each recipient and channel, entered once it was sent",
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notification"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("notification")
