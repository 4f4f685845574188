"""Tables of who may enter the workbench, and what they decide: reviews, rulings, the audit log."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

account = sa.Table(
    "account",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("person", sa.Text, nullable=False, comment="the name under which decisions are entered"),
    sa.Column("person_key", sa.Text, nullable=False, unique=True, comment="the name as it is compared"),
    sa.Column("role", sa.Text, nullable=False, comment="agency, platform, approver, auditor"),
    sa.Column("agency", sa.Text, comment="whose data an agency steward sees; null for the others"),
    sa.Column("password", sa.Text, comment="scrypt with its own salt; null where only Airflow lets the person in"),
    sa.Column("airflow_user", sa.Text, unique=True, comment="name by which Airflow knows the person"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="wrong passwords in a row"),
    sa.Column("locked_until", sa.DateTime(timezone=True)),
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.CheckConstraint("(role = 'agency') = (agency IS NOT NULL)", name="agency_of_role"),
    comment="who may use the workbench, and as what",
)

web_session = sa.Table(
    "web_session",
    metadata,
    sa.Column("token_sha256", sa.Text, primary_key=True, comment="the token itself is only in the browser's cookie"),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("account.account_id"), nullable=False, index=True),
    sa.Column("csrf", sa.Text, nullable=False, comment="what every form of this session carries"),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    comment="who is logged in",
)

review = sa.Table(
    "review",
    metadata,
    sa.Column("review_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.BigInteger, nullable=False),
    sa.Column("record_id", sa.BigInteger, comment="the newest row that fails; null for a held delivery"),
    sa.Column("hold_id", sa.BigInteger, comment="the held delivery"),
    sa.Column("record_key", sa.Text),
    sa.Column("document_no", sa.Text),
    sa.Column("subject_name", sa.Text),
    sa.Column("rule", sa.Text, nullable=False, comment="expectation, reason of attachment, or reasons of a hold"),
    sa.Column("severity", sa.Text, nullable=False, comment="reject, hold, review (attachment), batch (held delivery)"),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("opened", sa.Date, nullable=False, comment="business day on which the item came up first"),
    sa.Column("due", sa.Date, comment="last day to act, in working days; null where no term or calendar is known"),
    sa.Column("state", sa.Text, nullable=False, server_default="open", comment="open, closed"),
    sa.Column(
        "closed_as",
        sa.Text,
        comment="corrected, source_fixed, attached, attached_by_steward, rejected, returned, superseded, withdrawn,"
        " approved",
    ),
    sa.Column("closed_on", sa.Date),
    sa.Column("closed_by_record", sa.BigInteger, comment="the row that settled it"),
    sa.Column("assignee", sa.Text),
    sa.UniqueConstraint("record_id", "rule"),
    # the work list is the open part alone, which stays small while closed items pile up (bench/workbench.py)
    sa.Index("ix_review_open", "agency", "rule", "opened", "review_id", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_review_open_key", "kind", "record_key", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_review_open_age", "opened", "review_id", postgresql_where=sa.text("state = 'open'")),
    comment="what a steward has to act on: one row per failed rule and record, uncertain attachment or held delivery",
)

review_event = sa.Table(
    "review_event",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("review_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("event", sa.Text, nullable=False, comment="claimed, assigned, released, commented, closed, reopened"),
    sa.Column("person", sa.Text, nullable=False, comment="who, or the step: ingest, attach"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only: what happened to a review after it was opened",
)

audit_event = sa.Table(
    "audit_event",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 ... without a gap"),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor", sa.Text, nullable=False, comment="a person, or the step that decided"),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False, index=True, comment="what was decided about, e.g. review:7, run:12"),
    sa.Column("details", sa.Text, nullable=False, comment="canonical JSON, hashed as it stands"),
    sa.Column("previous", sa.Text, nullable=False, comment="hash of the event before; 64 zeros before the first"),
    sa.Column("hash", sa.Text, nullable=False, comment="SHA-256 over all of the above"),
    comment="append-only, hash-chained: every decision of a person or a step (disclosure audit verify)",
)

ruling = sa.Table(
    "ruling",
    metadata,
    sa.Column("ruling_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="run_no of its proposal"),
    sa.Column("what", sa.Text, nullable=False, comment="correct, attach"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("received_id", sa.BigInteger, nullable=False, index=True, comment="the row received that it is about"),
    sa.Column("record_key", sa.Text, comment="of the row received: later rows of this key are read with it"),
    sa.Column("base_id", sa.BigInteger, nullable=False, comment="the version that its author saw"),
    sa.Column("content", sa.JSON, nullable=False, comment="cells, waives, sends_back; or decision, uscc"),
    sa.Column("signatures", sa.Integer, nullable=False, comment="different people it needs, its author included"),
    sa.Column(
        "state", sa.Text, nullable=False, comment="proposed, in_force, undo_proposed, undone, rejected, agreed, stale"
    ),
    sa.Column("made_id", sa.BigInteger, comment="the row, or the attachment, that it made last"),
    sa.Index(
        "ix_ruling_in_force", "kind", "record_key", postgresql_where=sa.text("state IN ('in_force', 'undo_proposed')")
    ),
    comment="a steward's decision about one record; only state and made_id ever change",
)

ruling_event = sa.Table(
    "ruling_event",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("ruling_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("event", sa.Text, nullable=False, comment="propose, approve, reject, undo, agreed, stale"),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("person_key", sa.Text, nullable=False, comment="as in approval"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("run_no", sa.BigInteger, comment="its place in the order of steps; null where an ingest entered it"),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only: who proposed, approved, rejected or undid a ruling, and what ended it",
)
