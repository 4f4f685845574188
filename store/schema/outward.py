"""Tables of what goes out to people and comes back from them: notices, digests, receipts, told numbers."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import NOW, metadata

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
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
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.Index("ix_agency_output_month", "month", "agency", "kind"),
    sa.CheckConstraint("produced >= 0 AND self_published >= 0 AND unreported >= 0", name="counts"),
    comment="append-only: what agencies say that they decided, the denominators of scorecards; the newest holds",
)

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("notification_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("recipient", sa.Text, nullable=False, comment="office, or the id of an agency"),
    sa.Column("channel", sa.Text, nullable=False, comment="mail, webhook"),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("content_sha256", sa.Text, nullable=False, comment="of what it told, the day apart"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.UniqueConstraint("recipient", "channel", "as_of"),
    comment="append-only: one digest a business day for each recipient and channel, entered once it was sent",
)

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
    sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
    sa.Index("ix_receipt_site", "site", "sequence"),
    comment="append-only: what a site answered to a release (回执)",
)
