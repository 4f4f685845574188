"""Rulings of stewards about single records, and the rows that they make."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

VIEWS = Path(__file__).resolve().parent.parent / "views"
KINDS = (
    "licence", "penalty", "inspection", "abnormal_operation", "serious_violation", "enforcement_notice", "basic_info",
)  # fmt: skip
IN_FORCE = "state IN ('in_force', 'undo_proposed')"


def upgrade() -> None:
    for kind in KINDS:
        op.add_column(
            kind,
            sa.Column(
                "corrects", sa.BigInteger(), comment="the row received that rulings made this of; null = received"
            ),
        )
        op.create_index(f"ix_{kind}_corrects", kind, ["corrects"], postgresql_where=sa.text("corrects IS NOT NULL"))
    op.create_table(
        "ruling",
        sa.Column("ruling_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="run_no of its proposal"),
        sa.Column("what", sa.Text(), nullable=False, comment="correct, attach"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("received_id", sa.BigInteger(), nullable=False, comment="the row received that it is about"),
        sa.Column("record_key", sa.Text(), comment="of the row received: later rows of this key are read with it"),
        sa.Column("base_id", sa.BigInteger(), nullable=False, comment="the version that its author saw"),
        sa.Column("content", sa.JSON(), nullable=False, comment="cells, waives, sends_back; or decision, uscc"),
        sa.Column("signatures", sa.Integer(), nullable=False, comment="different people it needs, its author included"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="proposed, in_force, undo_proposed, undone, rejected, agreed, stale",
        ),
        sa.Column("made_id", sa.BigInteger(), comment="the row, or the attachment, that it made last"),
        sa.PrimaryKeyConstraint("ruling_id", name=op.f("pk_ruling")),
        comment="a steward's decision about one record; only state and made_id ever change",
    )
    op.create_index(op.f("ix_ruling_received_id"), "ruling", ["received_id"])
    op.create_index("ix_ruling_in_force", "ruling", ["kind", "record_key"], postgresql_where=sa.text(IN_FORCE))
    op.create_table(
        "ruling_event",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ruling_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="propose, approve, reject, undo, agreed, stale"),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False, comment="as in approval"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column(
            "run_no", sa.BigInteger(), comment="its place in the order of steps; null where an ingest entered it"
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_ruling_event")),
        comment="append-only: who proposed, approved, rejected or undid a ruling, and what ended it",
    )
    op.create_index(op.f("ix_ruling_event_ruling_id"), "ruling_event", ["ruling_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ruling_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for view in ("received_row", "row_state"):
        op.execute((VIEWS / "0009" / f"{view}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.drop_table("ruling_event")
    op.drop_table("ruling")
    op.execute("DROP VIEW row_state, received_row")
    for kind in KINDS:
        op.drop_index(f"ix_{kind}_corrects", kind)
        op.drop_column(kind, "corrects")
    for view in ("received_row", "row_state"):
        op.execute((VIEWS / "0005" / f"{view}.sql").read_text(encoding="utf-8"))
