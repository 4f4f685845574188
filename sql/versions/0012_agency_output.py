"""What agencies say that they decided: the denominators of scorecards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency_output",
        sa.Column("output_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column(
            "month", sa.Date(), nullable=False, comment="first day of the month in which the decisions were made"
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("produced", sa.BigInteger(), nullable=False, comment="产生数量 CSSL"),
        sa.Column("self_published", sa.BigInteger(), comment="本单位公示数量 BDWGSSL; null where nobody said"),
        sa.Column("unreported", sa.BigInteger(), comment="未报送数量 WBSSL; null where nobody said"),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="where the numbers come from: manifest, letter, sampling"
        ),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("produced >= 0 AND self_published >= 0 AND unreported >= 0", name="counts"),
        sa.PrimaryKeyConstraint("output_id", name=op.f("pk_agency_output")),
        comment="append-only: what agencies say that they decided, the denominators of scorecards; the newest holds",
    )
    op.create_index("ix_agency_output_month", "agency_output", ["month", "agency", "kind"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agency_output"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("agency_output")
