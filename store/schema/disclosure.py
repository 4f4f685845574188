"""Tables of what records were attached to, and where they are shown."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import metadata

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
