"""Tables of the record kinds beside licences and penalties, and the views over all kinds.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

VIEWS = Path(__file__).resolve().parent.parent / "views"

SUBJECT = (
    "subject_name",
    "subject_category",
    "uscc",
    "regno",
    "org_code",
    "tax_no",
    "institution_no",
    "social_org_no",
    "legal_rep",
    "legal_rep_id_type",
    "legal_rep_id_no",
    "id_type",
    "id_no",
)
DECISION = (
    "document_no",
    "decision_date",
    "authority_name",
    "authority_code",
    "source_name",
    "source_code",
    "status",
    "remarks",
    "region_code",
    "updated_at",
    "usage_scope",
    "power_code",
)
DERIVED = ("record_key", "document_key", "subject_key", "content_hash", "source_text", "flags")
DAYS = {"decision_date", "due_date", "first_seen", "last_seen", "removal_date"}
OWN = {
    "inspection": (
        "pripid",
        "entry_no",
        "check_type",
        "content",
        "result",
    ),
    "abnormal_operation": (
        "pripid",
        "entry_no",
        "listing_cause",
        "removal_reason",
        "removal_date",
        "removal_authority",
    ),
    "serious_violation": (
        "pripid",
        "entry_no",
        "listing_cause",
        "removal_reason",
        "removal_date",
        "removal_authority",
        "removal_document_no",
    ),
    "enforcement_notice": (
        "measure",
        "facts",
        "basis",
        "content",
        "site_name",
        "site_address",
        "due_date",
        "result",
    ),
    "basic_info": (
        "entry_no",
        "site_type",
        "site_name",
        "site_address",
        "platform_name",
        "shop_id",
        "icp_no",
        "icp_holder",
        "licence_shown",
        "self_operated",
        "site_state",
        "district_code",
        "first_seen",
        "last_seen",
    ),
}


def upgrade() -> None:
    for kind, own in OWN.items():
        op.create_table(
            kind,
            sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("delivery_id", sa.BigInteger(), nullable=False),
            sa.Column("file_ordinal", sa.Integer(), nullable=False),
            sa.Column("row_no", sa.BigInteger(), nullable=False),
            sa.Column("agency", sa.Text(), nullable=False),
            sa.Column("sheet", sa.Text(), nullable=False),
            sa.Column("as_of", sa.Date(), nullable=False),
            sa.Column("state", sa.Text(), nullable=False, comment="returned, review, duplicate, superseded, accepted"),
            sa.Column(
                "superseded_by",
                sa.BigInteger(),
                nullable=True,
                comment="record_id of the later version, or of the row it repeats",
            ),
            *(
                sa.Column(name, sa.Date() if name in DAYS else sa.Text(), nullable=True)
                for name in (*SUBJECT, *DECISION, *own, *DERIVED)
            ),
            sa.PrimaryKeyConstraint("record_id", name=op.f(f"pk_{kind}")),
            comment=f"{kind} rows as standardised; source_text holds what standardising changed",
        )
        op.create_index(f"ix_{kind}_record_key", kind, ["record_key"], unique=False)
        op.create_index(f"ix_{kind}_delivery_id", kind, ["delivery_id"], unique=False, postgresql_using="brin")
    op.execute("DROP VIEW open_review, row_state")
    for view in ("0005/received_row", "0005/row_state", "0001/open_review"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW open_review, row_state, received_row")
    for kind in reversed(OWN):
        op.drop_table(kind)
    for view in ("0001/row_state", "0001/open_review"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))
