"""The hash-chained audit log, and triggers that refuse to change what is append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store import audit

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = ("approval", "attachment", "audit_event", "review_event")


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column(
            "sequence", sa.BigInteger(), autoincrement=False, nullable=False, comment="1, 2, 3 ... without a gap"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="a person, or the step that decided"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False, comment="what was decided about, e.g. review:7, run:12"),
        sa.Column("details", sa.Text(), nullable=False, comment="canonical JSON, hashed as it stands"),
        sa.Column("previous", sa.Text(), nullable=False, comment="hash of the event before; 64 zeros before the first"),
        sa.Column("hash", sa.Text(), nullable=False, comment="SHA-256 over all of the above"),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_event")),
        comment="append-only, hash-chained: every decision of a person or a step (disclosure audit verify)",
    )
    op.create_index(op.f("ix_audit_event_object"), "audit_event", ["object"])
    _begin(op.get_bind())
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _begin(connection: sa.Connection) -> None:
    """Say after which step the log of an older system begins."""
    done = connection.scalar(sa.text("SELECT max(run_no) FROM step_run"))
    if done is not None:
        audit.append(connection, actor="migration", action="begin", about="audit", details={"after_run": done})


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.drop_table("audit_event")
