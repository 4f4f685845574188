"""The system of record: ledger, register, records, verdicts, attachments, disclosures, releases."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

VIEWS = Path(__file__).resolve().parent.parent / "views" / "0001"

ATTACH_REMEDIES = {
    "not_in_register": "登记库中查无此主体: 请核对代码和名称; 外省市主体或新设主体由平台确认后处理。",
    "code_and_name_disagree": "代码对应的企业与所填名称不同: 请对照决定书核对, 更正代码或名称。",
    "keys_disagree": "所填各项代码指向不同企业: 请逐项核对后更正。",
    "ambiguous_name": "同名企业不止一家: 请补填统一社会信用代码。",
    "ambiguous_uscc": "登记库中该代码不止一家: 请联系登记机关。",
    "ambiguous_org_code": "该组织机构代码对应不止一家企业: 请补填统一社会信用代码。",
    "ambiguous_regno": "该工商注册号对应不止一家企业: 请补填统一社会信用代码。",
    "ambiguous_tax_no": "该税务登记号对应不止一家企业: 请补填统一社会信用代码。",
}


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("record_id_seq")))
    op.create_table(
        "attach_remedy",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_attach_remedy")),
        comment="what a steward does about each reason for an uncertain attachment",
    )
    op.create_table(
        "attachment",
        sa.Column("attachment_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=True, comment="null where nothing or more than one enterprise fits"),
        sa.Column(
            "method",
            sa.Text(),
            nullable=False,
            comment="uscc, org_code, regno, tax_no, name, former_name, none, natural_person",
        ),
        sa.Column("grade", sa.Text(), nullable=False, comment="certain, review, none"),
        sa.Column("score", sa.Numeric(precision=4, scale=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is not certain"),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("register_version", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachment")),
        comment="append-only; the newest row of a record holds",
    )
    op.create_index(op.f("ix_attachment_record_id"), "attachment", ["record_id"], unique=False)
    op.create_table(
        "collection",
        sa.Column("collection_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False, comment="stream id of the agency's descriptor"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, complete"),
        sa.Column("cursor", sa.JSON(), nullable=False, comment="where the transport goes on after the last piece"),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True, comment="the delivery that its pieces became"),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_collection")),
        sa.UniqueConstraint("agency", "stream", "as_of", name=op.f("uq_collection_agency_stream_as_of")),
        comment="one pull of one stream for one business day; resumed from its cursor when it was cut off",
    )
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True, comment="standard or legacy, told by the header; null until read"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="of the list of its files' hashes"),
        sa.Column("state", sa.Text(), nullable=False, comment="archived, checked, refused"),
        sa.Column("rows", sa.BigInteger(), nullable=True, comment="rows received, damaged ones included"),
        sa.Column(
            "suite", sa.Text(), nullable=True, comment="name and version of the expectation suite that judged it"
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("agency", "kind", "content_sha256", name=op.f("uq_delivery_agency_kind_content_sha256")),
        comment="what arrived, immutable; the same bytes twice are one delivery",
    )
    op.create_table(
        "disclosure",
        sa.Column("disclosure_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True, comment="last day of display; null = no end"),
        sa.Column(
            "first_shown",
            sa.Date(),
            nullable=True,
            comment="day of the release that first showed this record on this site",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="policy row when shown, reason of withholding when not"),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_disclosure")),
        comment="append-only; a row per record and site each time the decision changed",
    )
    op.create_index(op.f("ix_disclosure_record_id"), "disclosure", ["record_id"], unique=False)
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column(
            "to_version",
            sa.BigInteger(),
            nullable=True,
            comment="first version in which this row no longer holds; null = holds",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("former_names", sa.Text(), nullable=True, comment="joined by ; as in the register"),
        sa.Column("regno", sa.Text(), nullable=True),
        sa.Column("legal_rep", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("established", sa.Date(), nullable=True),
        sa.Column("reg_state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("uscc", "from_version", name=op.f("pk_enterprise")),
        comment="enterprise master; a row per enterprise and span of register versions",
    )
    op.create_table(
        "licence",
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
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("subject_category", sa.Text(), nullable=True),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("regno", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("tax_no", sa.Text(), nullable=True),
        sa.Column("institution_no", sa.Text(), nullable=True),
        sa.Column("social_org_no", sa.Text(), nullable=True),
        sa.Column("legal_rep", sa.Text(), nullable=True),
        sa.Column("legal_rep_id_type", sa.Text(), nullable=True),
        sa.Column("legal_rep_id_no", sa.Text(), nullable=True),
        sa.Column("id_type", sa.Text(), nullable=True),
        sa.Column("id_no", sa.Text(), nullable=True),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("decision_date", sa.Date(), nullable=True),
        sa.Column("authority_name", sa.Text(), nullable=True),
        sa.Column("authority_code", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.Text(), nullable=True),
        sa.Column("usage_scope", sa.Text(), nullable=True),
        sa.Column("power_code", sa.Text(), nullable=True),
        sa.Column("document_name", sa.Text(), nullable=True),
        sa.Column("project_name", sa.Text(), nullable=True),
        sa.Column("licence_category", sa.Text(), nullable=True),
        sa.Column("certificate_name", sa.Text(), nullable=True),
        sa.Column("certificate_no", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("record_key", sa.Text(), nullable=True),
        sa.Column("document_key", sa.Text(), nullable=True),
        sa.Column("subject_key", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("source_text", sa.Text(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_licence")),
        comment="licence rows as standardised; source_text holds what standardising changed",
    )
    op.create_index("ix_licence_delivery_id", "licence", ["delivery_id"], unique=False, postgresql_using="brin")
    op.create_index("ix_licence_record_key", "licence", ["record_key"], unique=False)
    op.create_table(
        "penalty",
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
        sa.Column("subject_name", sa.Text(), nullable=True),
        sa.Column("subject_category", sa.Text(), nullable=True),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("regno", sa.Text(), nullable=True),
        sa.Column("org_code", sa.Text(), nullable=True),
        sa.Column("tax_no", sa.Text(), nullable=True),
        sa.Column("institution_no", sa.Text(), nullable=True),
        sa.Column("social_org_no", sa.Text(), nullable=True),
        sa.Column("legal_rep", sa.Text(), nullable=True),
        sa.Column("legal_rep_id_type", sa.Text(), nullable=True),
        sa.Column("legal_rep_id_no", sa.Text(), nullable=True),
        sa.Column("id_type", sa.Text(), nullable=True),
        sa.Column("id_no", sa.Text(), nullable=True),
        sa.Column("document_no", sa.Text(), nullable=True),
        sa.Column("decision_date", sa.Date(), nullable=True),
        sa.Column("authority_name", sa.Text(), nullable=True),
        sa.Column("authority_code", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.Text(), nullable=True),
        sa.Column("usage_scope", sa.Text(), nullable=True),
        sa.Column("power_code", sa.Text(), nullable=True),
        sa.Column("case_name", sa.Text(), nullable=True),
        sa.Column("violation_type", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("penalty_category", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("fine_amount", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("confiscated_amount", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("revoked_certificate", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("publicity_until", sa.Date(), nullable=True),
        sa.Column("publicity_period", sa.Text(), nullable=True),
        sa.Column("seriousness", sa.Text(), nullable=True),
        sa.Column("record_key", sa.Text(), nullable=True),
        sa.Column("document_key", sa.Text(), nullable=True),
        sa.Column("subject_key", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("source_text", sa.Text(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_penalty")),
        comment="penalty rows as standardised; source_text holds what standardising changed",
    )
    op.create_index("ix_penalty_delivery_id", "penalty", ["delivery_id"], unique=False, postgresql_using="brin")
    op.create_index("ix_penalty_record_key", "penalty", ["record_key"], unique=False)
    op.create_table(
        "register_version",
        sa.Column("register_version", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False, comment="full or changes"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=False, comment="absent from a full set"),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("register_version", name=op.f("pk_register_version")),
        comment="every attachment names the version it was decided on",
    )
    op.create_table(
        "release",
        sa.Column("release_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="building, visible"),
        sa.Column("manifest_sha256", sa.Text(), nullable=True),
        sa.Column("after_attachment", sa.BigInteger(), nullable=False, comment="newest attachment that it could see"),
        sa.Column("summary", sa.JSON(), nullable=True, comment="rows per table: full, delta, tombstones"),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release")),
        sa.UniqueConstraint("site", "sequence", name=op.f("uq_release_site_sequence")),
        comment="one version of one site's feed; building until its directory is visible",
    )
    op.create_table(
        "verdict",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expectation", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False, comment="reject, hold, warn"),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True, comment="masked excerpt of the value judged"),
        sa.Column("finding", sa.Text(), nullable=True, comment="what exactly is wrong, e.g. CHECK"),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "expectation", name=op.f("pk_verdict")),
        comment="every rule that a row failed; a row that passed has none",
    )
    op.create_table(
        "watermark",
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column(
            "value", sa.JSON(), nullable=False, comment="the transport's own cursor after the last complete pull"
        ),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "stream", name=op.f("pk_watermark")),
        comment="how far each source has been read; moves only in the transaction that completes a collection",
    )
    op.create_table(
        "check_result",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("expectation", sa.Text(), nullable=False, comment="stable id within the suite, e.g. R03.uscc"),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("evaluated", sa.BigInteger(), nullable=False),
        sa.Column("unexpected", sa.BigInteger(), nullable=False, comment="Great Expectations' own count"),
        sa.Column(
            "quarantined", sa.BigInteger(), nullable=False, comment="verdict rows stored; equal or the run failed"
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_check_result_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "expectation", name=op.f("pk_check_result")),
    )
    op.create_table(
        "collection_piece",
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.collection_id"], name=op.f("fk_collection_piece_collection_id")
        ),
        sa.PrimaryKeyConstraint("collection_id", "ordinal", name=op.f("pk_collection_piece")),
        comment="a page or file of a collection, already in the raw archive",
    )
    op.create_table(
        "delivery_file",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True, comment="null until read"),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_delivery_file_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "ordinal", name=op.f("pk_delivery_file")),
    )
    op.create_table(
        "problem",
        sa.Column("problem_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False, comment="refuse, reject, hold, warn"),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="masked excerpt"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.delivery_id"], name=op.f("fk_problem_delivery_id")),
        sa.PrimaryKeyConstraint("problem_id", name=op.f("pk_problem")),
        comment="what was wrong with a delivery as a file",
    )
    op.create_index(op.f("ix_problem_delivery_id"), "problem", ["delivery_id"], unique=False)

    remedies = sa.table("attach_remedy", sa.column("reason", sa.Text), sa.column("remedy", sa.Text))
    op.bulk_insert(remedies, [{"reason": reason, "remedy": remedy} for reason, remedy in ATTACH_REMEDIES.items()])
    for view in ("row_state", "open_review"):
        op.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW open_review, row_state")
    for table in (
        "problem",
        "delivery_file",
        "collection_piece",
        "check_result",
        "watermark",
        "verdict",
        "release",
        "register_version",
        "penalty",
        "licence",
        "enterprise",
        "disclosure",
        "delivery",
        "collection",
        "attachment",
        "attach_remedy",
    ):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("record_id_seq")))
