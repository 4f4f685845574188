"""Tables of rows received, one per kind and reference, and of the verdicts about them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from store.schema.base import metadata
from transforms.columns import DERIVED, STANDARD_COLUMNS, Kind, Reference
from transforms.references import form_of


def _sql_type(column_type: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_decimal(column_type):
        return sa.Numeric(18, 6)
    if pa.types.is_date(column_type):
        return sa.Date()
    return sa.Text()


def _record_table(kind: Kind) -> sa.Table:
    return sa.Table(
        kind.value,
        metadata,
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("file_ordinal", sa.Integer, nullable=False),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("sheet", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="returned, review, duplicate, superseded, accepted"),
        sa.Column("superseded_by", sa.BigInteger, comment="record_id of the later version, or of the row it repeats"),
        sa.Column("corrects", sa.BigInteger, comment="the row received that rulings made this of; null = received"),
        *(sa.Column(name, _sql_type(t)) for name, t in (STANDARD_COLUMNS[kind] | DERIVED).items()),
        sa.Index(f"ix_{kind}_record_key", "record_key"),
        # search by 文书号 and `explain`: 454 ms without it at a million rows (bench/workbench.py)
        sa.Index(f"ix_{kind}_document_key", "document_key", postgresql_where=sa.text("document_key IS NOT NULL")),
        # rows of a delivery lie together: a block range index finds them and costs a load nothing (test_copy)
        sa.Index(f"ix_{kind}_delivery_id", "delivery_id", postgresql_using="brin"),
        sa.Index(f"ix_{kind}_corrects", "corrects", postgresql_where=sa.text("corrects IS NOT NULL")),
        comment=f"{kind} rows as standardised; source_text holds what standardising changed",
    )


record_id_sequence = sa.Sequence("record_id_seq", metadata=metadata)
RECORDS: dict[Kind, sa.Table] = {kind: _record_table(kind) for kind in Kind}


def _reference_table(reference: Reference) -> sa.Table:
    return sa.Table(
        reference.value,
        metadata,
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("file_ordinal", sa.Integer, nullable=False),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="returned, review, duplicate, superseded, accepted"),
        sa.Column("superseded_by", sa.BigInteger, comment="record_id of the row that it repeats or gave way to"),
        *(sa.Column(name, _sql_type(t)) for name, t in form_of(reference).types.items()),
        sa.Index(f"ix_{reference}_record_key", "record_key"),
        sa.Index(f"ix_{reference}_delivery_id", "delivery_id", postgresql_using="brin"),
        comment=f"{reference} rows as standardised, every version kept; never disclosed",
    )


REFERENCES: dict[Reference, sa.Table] = {reference: _reference_table(reference) for reference in Reference}

check_result = sa.Table(
    "check_result",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.ForeignKey("delivery.delivery_id"), primary_key=True),
    sa.Column("expectation", sa.Text, primary_key=True, comment="stable id within the suite, e.g. R03.uscc"),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("evaluated", sa.BigInteger, nullable=False),
    sa.Column("unexpected", sa.BigInteger, nullable=False, comment="Great Expectations' own count"),
    sa.Column("quarantined", sa.BigInteger, nullable=False, comment="verdict rows stored; equal or the run failed"),
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("expectation", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="reject, hold, warn"),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, comment="masked excerpt of the value judged"),
    sa.Column("finding", sa.Text, comment="what exactly is wrong, e.g. CHECK"),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("suite", sa.Text, nullable=False),
    comment="every rule that a row failed; a row that passed has none",
)
