"""Summary reports of a special action, as they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_report",
        sa.Column("report_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False, comment="business day that it speaks of"),
        sa.Column("version", sa.Integer(), nullable=False, comment="1, 2, 3 ... of this action and day"),
        sa.Column(
            "content", sa.Text(), nullable=False, comment="JSON of every number and text; workbook and page follow"
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of content"),
        sa.Column("person", sa.Text(), nullable=False, comment="who made it, or the step: campaign_report"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_campaign_report")),
        sa.UniqueConstraint("action", "as_of", "version", name=op.f("uq_campaign_report_action_as_of_version")),
        comment="append-only: summary reports of a special action as they were made (专项行动总结统计)",
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON campaign_report"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("campaign_report")
