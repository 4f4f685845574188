"""Tables of the cross-check: what was found over time, and what people decided about it."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False, comment="of the finding as the person saw it"),
    sa.Column("run_no", sa.BigInteger, comment="the step of the journal that entered it"),
    comment="append-only: what people decided about findings",
)
