"""Return notices to agencies, with the files as issued."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPEND_ONLY = ("return_notice", "return_notice_item")


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("return_notice_seq")))
    op.create_table(
        "return_notice",
        sa.Column("notice_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False, comment="who sent the rows back"),
        sa.Column("remark", sa.Text(), nullable=False, comment="what the cover says besides"),
        sa.Column("rows", sa.Integer(), nullable=False, comment="failing rows in the workbook"),
        sa.Column("reviews", sa.Integer(), nullable=False, comment="items of the work list that they wait under"),
        sa.Column("workbook", sa.LargeBinary(), nullable=False, comment="XLSX as issued; personal data masked"),
        sa.Column("workbook_sha256", sa.Text(), nullable=False),
        sa.Column("cover", sa.LargeBinary(), nullable=False, comment="HTML as issued; it names the workbook's hash"),
        sa.Column("cover_sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_return_notice")),
        comment="append-only: what was sent back to an agency to be mended (退回机关)",
    )
    op.create_index(op.f("ix_return_notice_agency"), "return_notice", ["agency"])
    op.create_table(
        "return_notice_item",
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="the row that failed when the notice was made"),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["return_notice.notice_id"], name=op.f("fk_return_notice_item_notice_id_return_notice")
        ),
        sa.PrimaryKeyConstraint("notice_id", "review_id", name=op.f("pk_return_notice_item")),
        comment="append-only: which items a return notice told",
    )
    op.create_index(op.f("ix_return_notice_item_review_id"), "return_notice_item", ["review_id"])
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("return_notice_seq")))
