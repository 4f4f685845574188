"""Reviews as rows of their own: the stewards' work list, with what happened to each item."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VIEWS = Path(__file__).resolve().parent.parent / "views"
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("review_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), comment="the newest row that fails; null for a held delivery"),
        sa.Column("hold_id", sa.BigInteger(), comment="the held delivery"),
        sa.Column("record_key", sa.Text()),
        sa.Column("document_no", sa.Text()),
        sa.Column("subject_name", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False, comment="expectation, reason of attachment, or reasons of a hold"),
        sa.Column(
            "severity", sa.Text(), nullable=False, comment="reject, hold, review (attachment), batch (held delivery)"
        ),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False, comment="business day on which the item came up first"),
        sa.Column(
            "due", sa.Date(), comment="last day to act, in working days; null where no term or calendar is known"
        ),
        sa.Column("state", sa.Text(), server_default="open", nullable=False, comment="open, closed"),
        sa.Column(
            "closed_as",
            sa.Text(),
            comment="corrected, source_fixed, attached, attached_by_steward, rejected, returned, superseded, withdrawn, approved",
        ),
        sa.Column("closed_on", sa.Date()),
        sa.Column("closed_by_record", sa.BigInteger(), comment="the row that settled it"),
        sa.Column("assignee", sa.Text()),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_review")),
        sa.UniqueConstraint("record_id", "rule", name=op.f("uq_review_record_id_rule")),
        comment="what a steward has to act on: one row per failed rule and record, uncertain attachment or held delivery",
    )
    op.create_index("ix_review_open", "review", ["agency", "rule", "opened", "review_id"], postgresql_where=OPEN)
    op.create_index("ix_review_open_key", "review", ["kind", "record_key"], postgresql_where=OPEN)
    op.create_index("ix_review_open_age", "review", ["opened", "review_id"], postgresql_where=OPEN)
    op.create_table(
        "review_event",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "event", sa.Text(), nullable=False, comment="claimed, assigned, released, commented, closed, reopened"
        ),
        sa.Column("person", sa.Text(), nullable=False, comment="who, or the step: ingest, attach"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_review_event")),
        comment="append-only: what happened to a review after it was opened",
    )
    op.create_index(op.f("ix_review_event_review_id"), "review_event", ["review_id"])
    op.execute(
        "INSERT INTO review (kind, agency, delivery_id, record_id, record_key, document_no, subject_name, rule,"
        " severity, field, opened)"
        " SELECT o.kind, o.agency, o.delivery_id, o.record_id, s.record_key, o.document_no, o.subject_name,"
        " o.rule_or_reason, o.severity, o.field, o.as_of"
        " FROM open_review o JOIN row_state s USING (record_id) ORDER BY o.record_id, o.rule_or_reason"
    )
    op.execute(
        "INSERT INTO review (kind, agency, delivery_id, hold_id, rule, severity, field, opened)"
        " SELECT d.kind, d.agency, d.delivery_id, h.hold_id, array_to_string(h.reasons, ';'), 'batch', '', d.as_of"
        " FROM hold h JOIN delivery d USING (delivery_id) WHERE h.state = 'open' ORDER BY h.hold_id"
    )
    op.execute("DROP VIEW open_review")
    op.execute((VIEWS / "0007" / "open_review.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW open_review")
    op.execute((VIEWS / "0001" / "open_review.sql").read_text(encoding="utf-8"))
    op.drop_table("review_event")
    op.drop_table("review")
