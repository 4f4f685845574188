"""What agencies report by hand for a special action."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

APPEND_ONLY = ("campaign_return", "campaign_figure", "campaign_return_decision")
_AT = {"server_default": sa.text("now()"), "nullable": False}


def upgrade() -> None:
    op.create_table(
        "campaign_return",
        sa.Column("return_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="the special action (专项行动)"),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="month, YYYY-MM"),
        sa.Column("version", sa.Integer(), nullable=False, comment="1, 2, 3 ... of this agency and month"),
        sa.Column("person", sa.Text(), nullable=False, comment="who submitted it"),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="why figures that look implausible are right; else a remark"
        ),
        sa.Column(
            "warnings", sa.ARRAY(sa.Text()), nullable=False, comment="the rules that it was submitted in spite of"
        ),
        sa.Column("as_of", sa.Date(), nullable=False, comment="business day of the submission"),
        sa.Column("at", sa.DateTime(timezone=True), **_AT),
        sa.CheckConstraint("period ~ '^[12][0-9]{3}-(0[1-9]|1[0-2])$'", name="month"),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_campaign_return")),
        sa.UniqueConstraint(
            "action", "agency", "period", "version", name=op.f("uq_campaign_return_action_agency_period_version")
        ),
        comment="append-only: the versions of each agency's monthly return for a special action (专项行动填报)",
    )
    op.create_table(
        "campaign_figure",
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "district", sa.Text(), nullable=False, comment="GB/T 2260, six digits; 110000 where told for the city"
        ),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(18, 2), nullable=False),
        sa.CheckConstraint("district ~ '^[0-9]{6}$'", name="district"),
        sa.ForeignKeyConstraint(
            ["return_id"], ["campaign_return.return_id"], name=op.f("fk_campaign_figure_return_id_campaign_return")
        ),
        sa.PrimaryKeyConstraint("return_id", "district", "item", name=op.f("pk_campaign_figure")),
        comment="append-only: the figures of one version of a return; an item that nobody told has no row",
    )
    op.create_table(
        "campaign_return_decision",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="accepted, sent_back"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), **_AT),
        sa.CheckConstraint("decision IN ('accepted', 'sent_back')", name="known"),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["campaign_return.return_id"],
            name=op.f("fk_campaign_return_decision_return_id_campaign_return"),
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_campaign_return_decision")),
        comment="append-only: what the platform's stewards said about a version of a return; the newest holds",
    )
    op.create_index(op.f("ix_campaign_return_decision_return_id"), "campaign_return_decision", ["return_id"])
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
