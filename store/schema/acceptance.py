"""Tables of what a site would not take: judged over what a release was about to show there."""

from __future__ import annotations

import sqlalchemy as sa

from store.schema.base import metadata

acceptance_check = sa.Table(
    "acceptance_check",
    metadata,
    sa.Column("release_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("expectation", sa.Text, primary_key=True, comment="stable id within the suite, e.g. A02.CF_XDR_SHXYM"),
    sa.Column("severity", sa.Text, nullable=False, comment="withhold, warn"),
    sa.Column("suite", sa.Text, nullable=False),
    sa.Column("evaluated", sa.BigInteger, nullable=False, comment="different values that were judged"),
    sa.Column("unexpected", sa.BigInteger, nullable=False, comment="different values: Great Expectations' own count"),
    sa.Column("rows", sa.BigInteger, nullable=False, comment="records that have one of these values"),
    comment="what was asked of a site's release, rule by rule",
)

not_accepted = sa.Table(
    "not_accepted",
    metadata,
    sa.Column("release_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("expectation", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False, comment="column of the site"),
    sa.Column("judged", sa.Text, nullable=False, comment="what was judged: the value, or how long it is"),
    sa.Column("value", sa.Text, comment="excerpt of what would have been shown"),
    sa.Column("suite", sa.Text, nullable=False),
    sa.Index("ix_not_accepted_record_id", "record_id"),
    comment="every withholding rule of its receiver that a record failed, in each release that left it out for it",
)
