"""What sites would not take, judged over what a release was about to show there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acceptance_check",
        sa.Column("release_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "expectation", sa.Text(), nullable=False, comment="stable id within the suite, e.g. A02.CF_XDR_SHXYM"
        ),
        sa.Column("severity", sa.Text(), nullable=False, comment="withhold, warn"),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False, comment="different values that were judged"),
        sa.Column(
            "unexpected", sa.BigInteger(), nullable=False, comment="different values: Great Expectations' own count"
        ),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="records that have one of these values"),
        sa.PrimaryKeyConstraint("release_id", "kind", "expectation", name=op.f("pk_acceptance_check")),
        comment="what was asked of a site's release, rule by rule",
    )
    op.create_table(
        "not_accepted",
        sa.Column("release_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expectation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False, comment="column of the site"),
        sa.Column("judged", sa.Text(), nullable=False, comment="what was judged: the value, or how long it is"),
        sa.Column("value", sa.Text(), comment="excerpt of what would have been shown"),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "record_id", "expectation", name=op.f("pk_not_accepted")),
        comment="every withholding rule of its receiver that a record failed, in each release that left it out for it",
    )
    op.create_index("ix_not_accepted_record_id", "not_accepted", ["record_id"])


def downgrade() -> None:
    op.drop_table("not_accepted")
    op.drop_table("acceptance_check")
