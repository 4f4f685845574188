"""Annual reports and online subjects, and what their comparison found.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

VIEWS = Path(__file__).resolve().parent.parent / "views"

COLUMNS = {
    "annual_report": (
        "report_id",
        "uscc",
        "regno",
        "enterprise_name",
        "report_year",
        "submitted_at",
        "has_site",
        "site_type",
        "site_name",
        "address",
        "icp_no",
        "platform_name",
        "wechat",
        "app_names",
        "record_key",
        "subject_key",
        "content_hash",
        "source_text",
    ),
    "online_subject": (
        "subject_id",
        "snapshot_date",
        "first_seen",
        "last_seen",
        "site_type",
        "site_name",
        "address",
        "platform_name",
        "shop_id",
        "operator_name",
        "operator_uscc",
        "operator_regno",
        "licence_shown",
        "icp_no",
        "site_state",
        "district",
        "evidence",
        "record_key",
        "subject_key",
        "content_hash",
        "source_text",
    ),
}
DAYS = {"snapshot_date", "first_seen", "last_seen"}


def _column(name: str) -> sa.Column:
    kind = sa.Date() if name in DAYS else sa.Text()
    return sa.Column(name, kind, nullable=True)


def upgrade() -> None:
    for reference, columns in COLUMNS.items():
        op.create_table(
            reference,
            sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("delivery_id", sa.BigInteger(), nullable=False),
            sa.Column("file_ordinal", sa.Integer(), nullable=False),
            sa.Column("row_no", sa.BigInteger(), nullable=False),
            sa.Column("agency", sa.Text(), nullable=False),
            sa.Column("as_of", sa.Date(), nullable=False),
            sa.Column("state", sa.Text(), nullable=False, comment="returned, review, duplicate, superseded, accepted"),
            sa.Column(
                "superseded_by",
                sa.BigInteger(),
                nullable=True,
                comment="record_id of the row that it repeats or gave way to",
            ),
            *map(_column, columns),
            sa.PrimaryKeyConstraint("record_id", name=op.f(f"pk_{reference}")),
            comment=f"{reference} rows as standardised, every version kept; never disclosed",
        )
        op.create_index(f"ix_{reference}_record_key", reference, ["record_key"], unique=False)
        op.create_index(
            f"ix_{reference}_delivery_id", reference, ["delivery_id"], unique=False, postgresql_using="brin"
        )
    for view in ("0011/received_row", "0011/row_state"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    for view in ("0009/received_row", "0009/row_state"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))
    for reference in reversed(COLUMNS):
        op.drop_table(reference)
