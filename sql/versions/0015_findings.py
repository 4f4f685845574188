"""Findings of the cross-check as they stand, and the journal's places of their events and decisions.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DECISIONS = "confirmed, rejected, sent_for_correction, to_inspection"


def upgrade() -> None:
    op.add_column(
        "discrepancy", sa.Column("run_no", sa.BigInteger(), comment="the step of the journal that entered it")
    )
    op.create_index(op.f("ix_discrepancy_run_no"), "discrepancy", ["run_no"])
    op.add_column(
        "discrepancy_decision",
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="of the finding as the person saw it",
        ),
    )
    op.alter_column("discrepancy_decision", "content_hash", server_default=None)
    op.add_column(
        "discrepancy_decision", sa.Column("run_no", sa.BigInteger(), comment="the step of the journal that entered it")
    )
    op.alter_column(
        "discrepancy_decision",
        "decision",
        comment=f"{DECISIONS}, listing_proposed, _signed, _refused",
        existing_comment=DECISIONS,
    )
    op.create_table(
        "finding",
        sa.Column("finding_key", sa.Text(), nullable=False),
        sa.Column("discrepancy_id", sa.BigInteger(), nullable=False, comment="its newest event"),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Integer(), nullable=False),
        sa.Column("district", sa.Text()),
        sa.Column("link", sa.Text(), comment="how the operator of the site was told"),
        sa.Column("confidence", sa.Numeric(4, 3), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False, comment="no longer found"),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, or what people decided last"),
        sa.Column("decision_id", sa.BigInteger(), comment="their newest decision"),
        sa.PrimaryKeyConstraint("finding_key", name=op.f("pk_finding")),
        comment="one row per finding of the cross-check as it stands: its newest event and decision",
    )
    op.create_index("ix_finding_list", "finding", ["closed", "state", "kind", "district"])
    op.create_index("ix_finding_year", "finding", ["year"])
    op.execute(
        "INSERT INTO finding SELECT DISTINCT ON (finding_key) finding_key, discrepancy_id, year, uscc, kind, case_no,"
        " district, evidence ->> 'link', confidence, min(as_of) OVER (PARTITION BY finding_key), event = 'closed',"
        " content_hash, coalesce(p.decision, 'open'), p.decision_id FROM discrepancy d LEFT JOIN LATERAL ("
        " SELECT decision, decision_id FROM discrepancy_decision c WHERE c.finding_key = d.finding_key"
        " ORDER BY decision_id DESC LIMIT 1) p ON true ORDER BY finding_key, discrepancy_id DESC"
    )


def downgrade() -> None:
    op.drop_table("finding")
    op.alter_column(
        "discrepancy_decision",
        "decision",
        comment=DECISIONS,
        existing_comment=f"{DECISIONS}, listing_proposed, _signed, _refused",
    )
    op.drop_column("discrepancy_decision", "run_no")
    op.drop_column("discrepancy_decision", "content_hash")
    op.drop_index(op.f("ix_discrepancy_run_no"), "discrepancy")
    op.drop_column("discrepancy", "run_no")
