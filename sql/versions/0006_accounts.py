"""Who may use the workbench, and who is logged in.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person", sa.Text(), nullable=False, comment="the name under which decisions are entered"),
        sa.Column("person_key", sa.Text(), nullable=False, comment="the name as it is compared"),
        sa.Column("role", sa.Text(), nullable=False, comment="agency, platform, approver, auditor"),
        sa.Column("agency", sa.Text(), nullable=True, comment="whose data an agency steward sees; null for the others"),
        sa.Column(
            "password",
            sa.Text(),
            nullable=True,
            comment="scrypt with its own salt; null where only Airflow lets the person in",
        ),
        sa.Column("airflow_user", sa.Text(), nullable=True, comment="name by which Airflow knows the person"),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="wrong passwords in a row"),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(role = 'agency') = (agency IS NOT NULL)", name=op.f("agency_of_role")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("airflow_user", name=op.f("uq_account_airflow_user")),
        sa.UniqueConstraint("person_key", name=op.f("uq_account_person_key")),
        comment="who may use the workbench, and as what",
    )
    op.create_table(
        "web_session",
        sa.Column(
            "token_sha256",
            sa.Text(),
            nullable=False,
            comment="the token itself is only in the browser's cookie",
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False, comment="what every form of this session carries"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_web_session_account_id")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_web_session")),
        comment="who is logged in",
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"], unique=False)


def downgrade() -> None:
    op.drop_table("web_session")
    op.drop_table("account")
