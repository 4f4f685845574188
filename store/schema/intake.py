"""Tables of what arrived: pulls, deliveries, holds, withdrawals, the raw archive, the order of steps."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

collection = sa.Table(
    "collection",
    metadata,
    sa.Column("collection_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False, comment="stream id of the agency's descriptor"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="open, complete"),
    sa.Column("cursor", sa.JSON, nullable=False, comment="where the transport goes on after the last piece"),
    sa.Column("full_set", sa.Boolean, nullable=False, server_default=sa.false(), comment="says all that there is"),
    sa.Column("delivery_id", sa.BigInteger, comment="the delivery that its pieces became"),
    sa.Column("register_version", sa.BigInteger, comment="the register version that its pieces were loaded as"),
    sa.Column("started_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.UniqueConstraint("agency", "stream", "as_of"),
    comment="one pull of one stream for one business day; resumed from its cursor when it was cut off",
)

collection_piece = sa.Table(
    "collection_piece",
    metadata,
    sa.Column("collection_id", sa.BigInteger, sa.ForeignKey("collection.collection_id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("declared_rows", sa.BigInteger, comment="what the source said it holds; null where it said nothing"),
    comment="a page or file of a collection, already in the raw archive",
)

watermark = sa.Table(
    "watermark",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False, comment="the transport's own cursor after the last complete pull"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("resync", sa.Boolean, nullable=False, server_default=sa.false(), comment="the next pull asks for all"),
    comment="how far each source has been read; moves only in the transaction that completes a collection, or back to"
    " the beginning by a full resynchronisation",
)

watermark_move = sa.Table(
    "watermark_move",
    metadata,
    sa.Column("move_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("why", sa.Text, nullable=False, comment="pull, resync"),
    sa.Column("person", sa.Text, comment="who asked for a resynchronisation"),
    sa.Column("reason", sa.Text),
    sa.Column("moved_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only: every value that a watermark had",
)

source_health = sa.Table(
    "source_health",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("first_asked_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_complete_at", sa.DateTime(timezone=True), comment="last pull that reached its end"),
    sa.Column("last_brought_at", sa.DateTime(timezone=True), comment="last complete pull that brought something"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="one after the other, of one class"),
    sa.Column("failure_class", sa.Text, comment="refused, unavailable"),
    sa.Column("failing_since", sa.DateTime(timezone=True)),
    sa.Column("last_failed_at", sa.DateTime(timezone=True)),
    sa.Column("last_failure", sa.Text),
    sa.Column("openings", sa.Integer, nullable=False, server_default="0", comment="times the circuit opened in a row"),
    sa.Column("open_since", sa.DateTime(timezone=True), comment="the circuit is open: the source is not asked"),
    sa.Column("open_until", sa.DateTime(timezone=True), comment="from then on one pull probes it"),
    comment="how each source answered; moments are those that the caller gave",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text, comment="standard or legacy, told by the header; null until read"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("content_sha256", sa.Text, nullable=False, comment="of the list of its files' hashes"),
    sa.Column("state", sa.Text, nullable=False, comment="archived, held, checked, refused"),
    sa.Column("stream", sa.Text, comment="stream that it was collected from; null when it came by hand"),
    sa.Column("full_set", sa.Boolean, nullable=False, server_default=sa.false(), comment="says all that there is"),
    sa.Column("rows", sa.BigInteger, comment="rows received, damaged ones included"),
    sa.Column("suite", sa.Text, comment="name and version of the expectation suite that judged it"),
    sa.Column("received_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.UniqueConstraint("agency", "kind", "content_sha256"),
    comment="what arrived, immutable; the same bytes twice are one delivery",
)

delivery_file = sa.Table(
    "delivery_file",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, comment="null until read"),
    sa.Column("declared_rows", sa.BigInteger, comment="what the source said it holds; null where it said nothing"),
)

problem = sa.Table(
    "problem",
    metadata,
    sa.Column("problem_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="refuse, reject, hold, warn"),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("row_no", sa.BigInteger),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False, comment="masked excerpt"),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    comment="what was wrong with a delivery as a file",
)

run_no_sequence = sa.Sequence("run_no_seq", metadata=metadata)

step_run = sa.Table(
    "step_run",
    metadata,
    sa.Column("run_no", sa.BigInteger, primary_key=True, autoincrement=False, comment="place in the order of effects"),
    sa.Column("step", sa.Text, nullable=False, comment="one of store.runs.Step"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("outcome", sa.Text, comment="state in which a delivery was left"),
    sa.Column("delivery_id", sa.BigInteger, index=True),
    sa.Column("register_version", sa.BigInteger, comment="the version loaded, or attached on"),
    sa.Column("release_id", sa.BigInteger),
    sa.Column("up_to_attachment", sa.BigInteger, comment="newest attachment after an attach"),
    sa.Column("told", sa.JSON, comment="what the step worked on, where no other column says it"),
    sa.Column("journaled", sa.Boolean, server_default=sa.false(), nullable=False, comment="written to the archive too"),
    sa.Column("ended_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="every step that changed the record, in the order to replay them in; only journaled ever changes",
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("hold_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), nullable=False, unique=True),
    sa.Column("reasons", sa.ARRAY(sa.Text), nullable=False, comment="mass_change, declared_total, default_hold"),
    sa.Column("numbers", sa.JSON, nullable=False, comment="rows, added, changed, withdrawn, held before, limits"),
    sa.Column("explanation", sa.Text, nullable=False, comment="for the steward, with both numbers"),
    sa.Column("state", sa.Text, nullable=False, comment="open, released, rejected"),
    sa.Column("held_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="a delivery that goes on only when two people approve",
)

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("approval_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("hold_id", sa.BigInteger, sa.ForeignKey("hold.hold_id"), nullable=False, index=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column(
        "person_key", sa.Text, nullable=False, comment="the name as it is compared: width, case and blanks apart"
    ),
    sa.Column("decision", sa.Text, nullable=False, comment="approve, reject"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("via", sa.Text, nullable=False, comment="cli, airflow, workbench"),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only: what each person decided about a hold",
)

withdrawal = sa.Table(
    "withdrawal",
    metadata,
    sa.Column("withdrawal_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("delivery_id", sa.BigInteger, nullable=False, comment="the delivery that said so"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("record_id", sa.BigInteger, nullable=False, index=True, comment="the row that held"),
    sa.Column("record_key", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False, comment="withdrawn, reinstated"),
    sa.Column("reason", sa.Text, nullable=False, comment="code of transforms/policy/withholding.yaml"),
    sa.Column("effective_date", sa.Date, nullable=False),
    comment="append-only: a record that left, or came back, without a row of its own; the newest event holds",
)

archive_removal = sa.Table(
    "archive_removal",
    metadata,
    sa.Column("removal_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, index=True, comment="the object of the raw archive"),
    sa.Column("event", sa.Text, nullable=False, comment="planned, removed, spared"),
    sa.Column("due", sa.Date, nullable=False, comment="first day on which it might go"),
    sa.Column("policy", sa.Text, nullable=False, comment="row of transforms/policy/retention.yaml"),
    sa.Column("what", sa.Text, nullable=False, comment="deliveries and register files that it belonged to"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only; planned before an object is deleted, removed after",
)

legal_hold = sa.Table(
    "legal_hold",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("hold_no", sa.BigInteger, nullable=False, index=True),
    sa.Column("event", sa.Text, nullable=False, comment="added, released"),
    sa.Column("content_sha256", sa.Text, comment="of one delivery"),
    sa.Column("uscc", sa.Text, comment="of one enterprise: every delivery with a row about it"),
    sa.Column("from_day", sa.Date, comment="of a range of delivery days"),
    sa.Column("to_day", sa.Date),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    comment="append-only; what may not leave the archive until the hold is released (诉讼保全)",
)
