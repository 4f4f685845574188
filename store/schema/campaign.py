"""Tables of a special action: what agencies report by hand (专项行动填报), and the reports that were made of it all."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

campaign_return = sa.Table(
    "campaign_return",
    metadata,
    sa.Column("return_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("action", sa.Text, nullable=False, comment="the special action (专项行动)"),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False, comment="month, YYYY-MM"),
    sa.Column("version", sa.Integer, nullable=False, comment="1, 2, 3 ... of this agency and month"),
    sa.Column("person", sa.Text, nullable=False, comment="who submitted it"),
    sa.Column("reason", sa.Text, nullable=False, comment="why figures that look implausible are right; else a remark"),
    sa.Column("warnings", sa.ARRAY(sa.Text), nullable=False, comment="the rules that it was submitted in spite of"),
    sa.Column("as_of", sa.Date, nullable=False, comment="business day of the submission"),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.UniqueConstraint("action", "agency", "period", "version"),
    sa.CheckConstraint("period ~ '^[12][0-9]{3}-(0[1-9]|1[0-2])$'", name="month"),
    comment="append-only: the versions of each agency's monthly return for a special action (专项行动填报)",
)

campaign_figure = sa.Table(
    "campaign_figure",
    metadata,
    sa.Column("return_id", sa.BigInteger, sa.ForeignKey("campaign_return.return_id"), primary_key=True),
    sa.Column("district", sa.Text, primary_key=True, comment="GB/T 2260, six digits; 110000 where told for the city"),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("value", sa.Numeric(18, 2), nullable=False),
    sa.CheckConstraint("district ~ '^[0-9]{6}$'", name="district"),
    comment="append-only: the figures of one version of a return; an item that nobody told has no row",
)

campaign_return_decision = sa.Table(
    "campaign_return_decision",
    metadata,
    sa.Column("decision_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("return_id", sa.BigInteger, sa.ForeignKey("campaign_return.return_id"), nullable=False, index=True),
    sa.Column("decision", sa.Text, nullable=False, comment="accepted, sent_back"),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.CheckConstraint("decision IN ('accepted', 'sent_back')", name="known"),
    comment="append-only: what the platform's stewards said about a version of a return; the newest holds",
)

campaign_report = sa.Table(
    "campaign_report",
    metadata,
    sa.Column("report_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False, comment="business day that it speaks of"),
    sa.Column("version", sa.Integer, nullable=False, comment="1, 2, 3 ... of this action and day"),
    sa.Column("content", sa.Text, nullable=False, comment="JSON of every number and text; workbook and page follow"),
    sa.Column("sha256", sa.Text, nullable=False, comment="of content"),
    sa.Column("person", sa.Text, nullable=False, comment="who made it, or the step: campaign_report"),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.UniqueConstraint("action", "as_of", "version"),
    comment="append-only: summary reports of a special action as they were made (专项行动总结统计)",
)
