"""Tables of the system of record (PostgreSQL), and the states that a delivery and a row pass through.

Delivery: ``archived`` (bytes safe) -> ``checked`` (rows standardised, judged and stored, in one transaction),
``refused`` (unreadable as a whole; the reasons are its ``problem`` rows) or ``held`` (read and judged, but nothing of
it stored: it changes too much, or its agency is held by default). Two people release a held delivery, which makes it
``archived`` again; one who rejects it makes it ``refused``.

Row (one per row received, ``<kind>`` tables): ``returned`` (a reject verdict; back to the agency), ``review`` (a hold
verdict; waits for a steward), ``duplicate`` (same content already held), ``superseded`` (a later version exists),
``accepted``. What becomes of an accepted row is said by its newest ``attachment`` and its ``disclosure`` rows; the
view ``row_state`` folds all of it into the one state of invariant 1.

The tables that are filled by COPY have no foreign keys: what they would point to is entered in the same transaction, a
check per row costs a third of the load, and ``disclosure reconcile`` looks for rows that point nowhere.

Nothing is ever deleted from ``attachment``, ``verdict`` and ``release``: a later row is appended.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from transforms.columns import DERIVED, STANDARD_COLUMNS, Kind, Reference
from transforms.references import form_of

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = sa.text("now()")

# --- ledger of what arrived -------------------------------------------------------------------------------------

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
    sa.Column("started_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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
    sa.Column("moved_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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
    sa.Column("received_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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
    sa.Column("ended_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="every step that changed the record, in the order to replay them in; only journaled ever changes",
)

# --- holds ------------------------------------------------------------------------------------------------------

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("hold_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), nullable=False, unique=True),
    sa.Column("reasons", sa.ARRAY(sa.Text), nullable=False, comment="mass_change, declared_total, default_hold"),
    sa.Column("numbers", sa.JSON, nullable=False, comment="rows, added, changed, withdrawn, held before, limits"),
    sa.Column("explanation", sa.Text, nullable=False, comment="for the steward, with both numbers"),
    sa.Column("state", sa.Text, nullable=False, comment="open, released, rejected"),
    sa.Column("held_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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

# --- raw archive ------------------------------------------------------------------------------------------------

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="append-only; what may not leave the archive until the hold is released (诉讼保全)",
)

# --- register ---------------------------------------------------------------------------------------------------

register_version = sa.Table(
    "register_version",
    metadata,
    sa.Column("register_version", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("mode", sa.Text, nullable=False, comment="full or changes"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.BigInteger, nullable=False, comment="absent from a full set"),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="every attachment names the version it was decided on",
)

enterprise = sa.Table(
    "enterprise",
    metadata,
    sa.Column("uscc", sa.Text, primary_key=True),
    sa.Column("from_version", sa.BigInteger, primary_key=True),
    sa.Column("to_version", sa.BigInteger, comment="first version in which this row no longer holds; null = holds"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("former_names", sa.Text, comment="joined by ; as in the register"),
    sa.Column("regno", sa.Text),
    sa.Column("legal_rep", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("established", sa.Date),
    sa.Column("reg_state", sa.Text),
    comment="enterprise master; a row per enterprise and span of register versions",
)

# --- records: one row per row received --------------------------------------------------------------------------


def _sql_type(column_type: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_decimal(column_type):
        return sa.Numeric(18, 6)
    if pa.types.is_date(column_type):
        return sa.Date()
    return sa.Text()


def _record_table(kind: Kind) -> sa.Table:
    return sa.Table(
        kind.value,
        metadata,
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("file_ordinal", sa.Integer, nullable=False),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("sheet", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="returned, review, duplicate, superseded, accepted"),
        sa.Column("superseded_by", sa.BigInteger, comment="record_id of the later version, or of the row it repeats"),
        sa.Column("corrects", sa.BigInteger, comment="the row received that rulings made this of; null = received"),
        *(sa.Column(name, _sql_type(t)) for name, t in (STANDARD_COLUMNS[kind] | DERIVED).items()),
        sa.Index(f"ix_{kind}_record_key", "record_key"),
        # search by 文书号 and `explain`: 454 ms without it at a million rows (bench/workbench.py)
        sa.Index(f"ix_{kind}_document_key", "document_key", postgresql_where=sa.text("document_key IS NOT NULL")),
        # rows of a delivery lie together: a block range index finds them and costs a load nothing (test_copy)
        sa.Index(f"ix_{kind}_delivery_id", "delivery_id", postgresql_using="brin"),
        sa.Index(f"ix_{kind}_corrects", "corrects", postgresql_where=sa.text("corrects IS NOT NULL")),
        comment=f"{kind} rows as standardised; source_text holds what standardising changed",
    )


record_id_sequence = sa.Sequence("record_id_seq", metadata=metadata)
RECORDS: dict[Kind, sa.Table] = {kind: _record_table(kind) for kind in Kind}


def _reference_table(reference: Reference) -> sa.Table:
    return sa.Table(
        reference.value,
        metadata,
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("file_ordinal", sa.Integer, nullable=False),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="returned, review, duplicate, superseded, accepted"),
        sa.Column("superseded_by", sa.BigInteger, comment="record_id of the row that it repeats or gave way to"),
        *(sa.Column(name, _sql_type(t)) for name, t in form_of(reference).types.items()),
        sa.Index(f"ix_{reference}_record_key", "record_key"),
        sa.Index(f"ix_{reference}_delivery_id", "delivery_id", postgresql_using="brin"),
        comment=f"{reference} rows as standardised, every version kept; never disclosed",
    )


REFERENCES: dict[Reference, sa.Table] = {reference: _reference_table(reference) for reference in Reference}

check_result = sa.Table(
    "check_result",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), primary_key=True),
    sa.Column("expectation", sa.Text, primary_key=True, comment="stable id within the suite, e.g. R03.uscc"),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("evaluated", sa.BigInteger, nullable=False),
    sa.Column("unexpected", sa.BigInteger, nullable=False, comment="Great Expectations' own count"),
    sa.Column("quarantined", sa.BigInteger, nullable=False, comment="verdict rows stored; equal or the run failed"),
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("expectation", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="reject, hold, warn"),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, comment="masked excerpt of the value judged"),
    sa.Column("finding", sa.Text, comment="what exactly is wrong, e.g. CHECK"),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("suite", sa.Text, nullable=False),
    comment="every rule that a row failed; a row that passed has none",
)

# --- attachment and disclosure ----------------------------------------------------------------------------------

attachment = sa.Table(
    "attachment",
    metadata,
    sa.Column("attachment_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("record_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("uscc", sa.Text, comment="null where nothing or more than one enterprise fits"),
    sa.Column(
        "method",
        sa.Text,
        nullable=False,
        comment="uscc, org_code, regno, tax_no, name, former_name, none, natural_person",
    ),
    sa.Column("grade", sa.Text, nullable=False, comment="certain, review, none"),
    sa.Column("score", sa.Numeric(4, 3), nullable=False),
    sa.Column("reason", sa.Text, comment="why it is not certain"),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("register_version", sa.BigInteger),
    sa.Column("as_of", sa.Date, nullable=False),
    comment="append-only; the newest row of a record holds",
)

attach_remedy = sa.Table(
    "attach_remedy",
    metadata,
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("remedy", sa.Text, nullable=False),
    comment="what a steward does about each reason for an uncertain attachment",
)

discrepancy = sa.Table(
    "discrepancy",
    metadata,
    sa.Column("discrepancy_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("finding_key", sa.Text, nullable=False, index=True, comment="year, case, enterprise and site, as a hash"),
    sa.Column("event", sa.Text, nullable=False, comment="opened, changed, closed"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("year", sa.Integer, nullable=False, comment="of the report"),
    sa.Column("uscc", sa.Text, nullable=False, index=True),
    sa.Column("enterprise_name", sa.Text),
    sa.Column("kind", sa.Text, nullable=False, comment="concealed, omitted, misreported, not_reported, base_gap, lead"),
    sa.Column("case_no", sa.Integer, nullable=False, comment="of transforms/crosscheck/cases.yaml"),
    sa.Column("site_url", sa.Text),
    sa.Column("subject_id", sa.Text),
    sa.Column("report_id", sa.Text),
    sa.Column("fields", sa.JSON, nullable=False, comment="field: [as reported, as in the base]"),
    sa.Column("confidence", sa.Numeric(4, 3), nullable=False),
    sa.Column("evidence", sa.JSON, nullable=False, comment="rows, snapshot and its hash, how the operator was told"),
    sa.Column("clears", sa.Text, nullable=False, comment="what would clear it"),
    sa.Column("district", sa.Text),
    sa.Column("correct_until", sa.Date, nullable=False, comment="last day on which the enterprise may correct itself"),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("run_no", sa.BigInteger, index=True, comment="the step of the journal that entered it"),
    comment="append-only: findings of the cross-check, the newest event of a finding holds; never published",
)

finding = sa.Table(
    "finding",
    metadata,
    sa.Column("finding_key", sa.Text, primary_key=True),
    sa.Column("discrepancy_id", sa.BigInteger, nullable=False, comment="its newest event"),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("uscc", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("case_no", sa.Integer, nullable=False),
    sa.Column("district", sa.Text),
    sa.Column("link", sa.Text, comment="how the operator of the site was told"),
    sa.Column("confidence", sa.Numeric(4, 3), nullable=False),
    sa.Column("opened", sa.Date, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False, comment="no longer found"),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="open, or what people decided last"),
    sa.Column("decision_id", sa.BigInteger, comment="their newest decision"),
    sa.Index("ix_finding_list", "closed", "state", "kind", "district"),
    sa.Index("ix_finding_year", "year"),
    comment="one row per finding of the cross-check as it stands: its newest event and decision",
)

discrepancy_decision = sa.Table(
    "discrepancy_decision",
    metadata,
    sa.Column("decision_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("finding_key", sa.Text, nullable=False, index=True),
    sa.Column(
        "decision",
        sa.Text,
        nullable=False,
        comment="confirmed, rejected, sent_for_correction, to_inspection, listing_proposed, _signed, _refused",
    ),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False, comment="of the finding as the person saw it"),
    sa.Column("run_no", sa.BigInteger, comment="the step of the journal that entered it"),
    comment="append-only: what people decided about findings",
)

release = sa.Table(
    "release",
    metadata,
    sa.Column("release_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="building, visible"),
    sa.Column("manifest_sha256", sa.Text),
    sa.Column("after_attachment", sa.BigInteger, nullable=False, comment="newest attachment that it could see"),
    sa.Column("summary", sa.JSON, comment="rows per table: full, delta, tombstones"),
    sa.Column("run_no", sa.BigInteger, comment="its place in the order of step_run, taken while the records were read"),
    sa.UniqueConstraint("site", "sequence"),
    comment="one version of one site's feed; building until its directory is visible",
)

disclosure = sa.Table(
    "disclosure",
    metadata,
    sa.Column("disclosure_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("release_id", sa.BigInteger, nullable=False),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("record_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("record_key", sa.Text, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False),
    sa.Column("until", sa.Date, comment="last day of display; null = no end"),
    sa.Column("first_shown", sa.Date, comment="day of the release that first showed this record on this site"),
    sa.Column("reason", sa.Text, nullable=False, comment="policy row when shown, reason of withholding when not"),
    comment="append-only; a row per record and site each time the decision changed",
)

# --- people of the workbench ------------------------------------------------------------------------------------

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
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
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

# --- reviews ----------------------------------------------------------------------------------------------------

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="append-only: what happened to a review after it was opened",
)

# --- audit ------------------------------------------------------------------------------------------------------

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

# --- rulings ----------------------------------------------------------------------------------------------------

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="append-only: who proposed, approved, rejected or undid a ruling, and what ended it",
)

# --- return notices ---------------------------------------------------------------------------------------------

return_notice_sequence = sa.Sequence("return_notice_seq", metadata=metadata)

return_notice = sa.Table(
    "return_notice",
    metadata,
    sa.Column("notice_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("agency", sa.Text, nullable=False, index=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("person", sa.Text, nullable=False, comment="who sent the rows back"),
    sa.Column("remark", sa.Text, nullable=False, comment="what the cover says besides"),
    sa.Column("rows", sa.Integer, nullable=False, comment="failing rows in the workbook"),
    sa.Column("reviews", sa.Integer, nullable=False, comment="items of the work list that they wait under"),
    sa.Column("workbook", sa.LargeBinary, nullable=False, comment="XLSX as issued; personal data masked"),
    sa.Column("workbook_sha256", sa.Text, nullable=False),
    sa.Column("cover", sa.LargeBinary, nullable=False, comment="HTML as issued; it names the workbook's hash"),
    sa.Column("cover_sha256", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    comment="append-only: what was sent back to an agency to be mended (退回机关)",
)

return_notice_item = sa.Table(
    "return_notice_item",
    metadata,
    sa.Column("notice_id", sa.BigInteger, sa.ForeignKey("return_notice.notice_id"), primary_key=True),
    sa.Column("review_id", sa.BigInteger, primary_key=True, index=True),
    sa.Column("record_id", sa.BigInteger, nullable=False, comment="the row that failed when the notice was made"),
    comment="append-only: which items a return notice told",
)

# --- scorecards -------------------------------------------------------------------------------------------------

agency_output = sa.Table(
    "agency_output",
    metadata,
    sa.Column("output_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("month", sa.Date, nullable=False, comment="first day of the month in which the decisions were made"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("produced", sa.BigInteger, nullable=False, comment="产生数量 CSSL"),
    sa.Column("self_published", sa.BigInteger, comment="本单位公示数量 BDWGSSL; null where nobody said"),
    sa.Column("unreported", sa.BigInteger, comment="未报送数量 WBSSL; null where nobody said"),
    sa.Column("source", sa.Text, nullable=False, comment="where the numbers come from: manifest, letter, sampling"),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    sa.Index("ix_agency_output_month", "month", "agency", "kind"),
    sa.CheckConstraint("produced >= 0 AND self_published >= 0 AND unreported >= 0", name="counts"),
    comment="append-only: what agencies say that they decided, the denominators of scorecards; the newest holds",
)

# --- notifications ----------------------------------------------------------------------------------------------

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("notification_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("recipient", sa.Text, nullable=False, comment="office, or the id of an agency"),
    sa.Column("channel", sa.Text, nullable=False, comment="mail, webhook"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("content_sha256", sa.Text, nullable=False, comment="of what it told, the day apart"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    sa.UniqueConstraint("recipient", "channel", "as_of"),
    comment="append-only: one digest a business day for each recipient and channel, entered once it was sent",
)

# --- receipts ---------------------------------------------------------------------------------------------------

receipt = sa.Table(
    "receipt",
    metadata,
    sa.Column("receipt_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("manifest_sha256", sa.Text, nullable=False, comment="of the release that the site means"),
    sa.Column("outcome", sa.Text, nullable=False, comment="applied, refused"),
    sa.Column("tables", sa.JSON, nullable=False, comment="rows that the site holds, by table"),
    sa.Column("problems", sa.ARRAY(sa.Text), nullable=False, comment="why it refused, in the site's words"),
    sa.Column("differs", sa.ARRAY(sa.Text), nullable=False, comment="what does not agree with the release"),
    sa.Column("person", sa.Text, nullable=False, comment="who entered it"),
    sa.Column("at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    sa.Index("ix_receipt_site", "site", "sequence"),
    comment="append-only: what a site answered to a release (回执)",
)
