"""Holds with their approvals, the health of sources, every move of a watermark, withdrawals by absence.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "collection",
        sa.Column(
            "full_set", sa.Boolean(), nullable=False, server_default=sa.false(), comment="says all that there is"
        ),
    )
    op.add_column(
        "collection_piece",
        sa.Column(
            "declared_rows",
            sa.BigInteger(),
            comment="what the source said it holds; null where it said nothing",
        ),
    )
    op.add_column(
        "watermark",
        sa.Column(
            "resync", sa.Boolean(), nullable=False, server_default=sa.false(), comment="the next pull asks for all"
        ),
    )
    op.create_table_comment(
        "watermark",
        "how far each source has been read; moves only in the transaction that completes a collection, or back to"
        " the beginning by a full resynchronisation",
        existing_comment="how far each source has been read; moves only in the transaction that completes a collection",
    )
    op.alter_column(
        "delivery",
        "state",
        comment="archived, held, checked, refused",
        existing_comment="archived, checked, refused",
        existing_nullable=False,
        existing_type=sa.Text(),
    )
    op.add_column(
        "delivery",
        sa.Column("stream", sa.Text(), comment="stream that it was collected from; null when it came by hand"),
    )
    op.add_column(
        "delivery",
        sa.Column(
            "full_set", sa.Boolean(), nullable=False, server_default=sa.false(), comment="says all that there is"
        ),
    )
    op.add_column(
        "delivery_file",
        sa.Column(
            "declared_rows",
            sa.BigInteger(),
            comment="what the source said it holds; null where it said nothing",
        ),
    )
    op.execute("UPDATE delivery SET stream = c.stream FROM collection c WHERE c.delivery_id = delivery.delivery_id")
    op.create_table(
        "watermark_move",
        sa.Column("move_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False, comment="pull, resync"),
        sa.Column("person", sa.Text(), nullable=True, comment="who asked for a resynchronisation"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("move_id", name=op.f("pk_watermark_move")),
        comment="append-only: every value that a watermark had",
    )
    op.create_table(
        "source_health",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_complete_at", sa.DateTime(timezone=True), comment="last pull that reached its end"),
        sa.Column("last_brought_at", sa.DateTime(timezone=True), comment="last complete pull that brought something"),
        sa.Column(
            "failures", sa.Integer(), server_default="0", nullable=False, comment="one after the other, of one class"
        ),
        sa.Column("failure_class", sa.Text(), comment="refused, unavailable"),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("last_failed_at", sa.DateTime(timezone=True)),
        sa.Column("last_failure", sa.Text()),
        sa.Column(
            "openings", sa.Integer(), server_default="0", nullable=False, comment="times the circuit opened in a row"
        ),
        sa.Column("open_since", sa.DateTime(timezone=True), comment="the circuit is open: the source is not asked"),
        sa.Column("open_until", sa.DateTime(timezone=True), comment="from then on one pull probes it"),
        sa.PrimaryKeyConstraint("agency", "stream", name=op.f("pk_source_health")),
        comment="how each source answered; moments are those that the caller gave",
    )
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False, comment="mass_change, declared_total, default_hold"),
        sa.Column("numbers", sa.JSON(), nullable=False, comment="rows, added, changed, withdrawn, held before, limits"),
        sa.Column("explanation", sa.Text(), nullable=False, comment="for the steward, with both numbers"),
        sa.Column("state", sa.Text(), nullable=False, comment="open, released, rejected"),
        sa.Column("held_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_hold_delivery_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_hold_delivery_id")),
        comment="a delivery that goes on only when two people approve",
    )
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column(
            "person_key",
            sa.Text(),
            nullable=False,
            comment="the name as it is compared: width, case and blanks apart",
        ),
        sa.Column("decision", sa.Text(), nullable=False, comment="approve, reject"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False, comment="cli, airflow, workbench"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.hold_id"], name=op.f("fk_approval_hold_id")),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approval")),
        comment="append-only: what each person decided about a hold",
    )
    op.create_index(op.f("ix_approval_hold_id"), "approval", ["hold_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("withdrawal_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False, comment="the delivery that said so"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="the row that held"),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="withdrawn, reinstated"),
        sa.Column("reason", sa.Text(), nullable=False, comment="code of transforms/policy/withholding.yaml"),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("withdrawal_id", name=op.f("pk_withdrawal")),
        comment="append-only: a record that left, or came back, without a row of its own; the newest event holds",
    )
    op.create_index(op.f("ix_withdrawal_record_id"), "withdrawal", ["record_id"], unique=False)


def downgrade() -> None:
    for table in ("withdrawal", "approval", "hold", "source_health", "watermark_move"):
        op.drop_table(table)
    for table, column in (
        ("collection", "full_set"),
        ("collection_piece", "declared_rows"),
        ("watermark", "resync"),
        ("delivery", "stream"),
        ("delivery", "full_set"),
        ("delivery_file", "declared_rows"),
    ):
        op.drop_column(table, column)
