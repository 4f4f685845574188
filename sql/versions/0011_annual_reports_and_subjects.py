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
    _create_findings()
    for view in ("0011/received_row", "0011/row_state"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))


def _create_findings() -> None:
    op.create_table(
        "discrepancy",
        sa.Column("discrepancy_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("finding_key", sa.Text(), nullable=False, comment="year, case, enterprise and site, as a hash"),
        sa.Column("event", sa.Text(), nullable=False, comment="opened, changed, closed"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False, comment="of the report"),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("enterprise_name", sa.Text(), nullable=True),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="concealed, omitted, misreported, not_reported, base_gap, lead",
        ),
        sa.Column("case_no", sa.Integer(), nullable=False, comment="of transforms/crosscheck/cases.yaml"),
        sa.Column("site_url", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("report_id", sa.Text(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False, comment="field: [as reported, as in the base]"),
        sa.Column("confidence", sa.Numeric(4, 3), nullable=False),
        sa.Column(
            "evidence", sa.JSON(), nullable=False, comment="rows, snapshot and its hash, how the operator was told"
        ),
        sa.Column("clears", sa.Text(), nullable=False, comment="what would clear it"),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column(
            "correct_until",
            sa.Date(),
            nullable=False,
            comment="last day on which the enterprise may correct itself",
        ),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("discrepancy_id", name=op.f("pk_discrepancy")),
        comment="append-only: findings of the cross-check, the newest event of a finding holds; never published",
    )
    op.create_index(op.f("ix_discrepancy_finding_key"), "discrepancy", ["finding_key"], unique=False)
    op.create_index(op.f("ix_discrepancy_uscc"), "discrepancy", ["uscc"], unique=False)
    op.create_table(
        "discrepancy_decision",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("finding_key", sa.Text(), nullable=False),
        sa.Column(
            "decision", sa.Text(), nullable=False, comment="confirmed, rejected, sent_for_correction, to_inspection"
        ),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_discrepancy_decision")),
        comment="append-only: what people decided about findings",
    )
    op.create_index(op.f("ix_discrepancy_decision_finding_key"), "discrepancy_decision", ["finding_key"], unique=False)
    for table in ("discrepancy", "discrepancy_decision"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for view in ("0009/received_row", "0009/row_state"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))
    op.drop_table("discrepancy_decision")
    op.drop_table("discrepancy")
    for reference in reversed(COLUMNS):
        op.drop_table(reference)
