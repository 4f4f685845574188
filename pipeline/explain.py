"""The whole chain of one decision (invariant 9): delivery, file, row, verdicts, attachment, policy row, release."""

from __future__ import annotations

import json
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from pipeline.acceptance import told_of_record
from pipeline.office import Office
from pipeline.sentences import Failed, sentences
from store.schema import RECORDS
from transforms.columns import STANDARD_COLUMNS, Kind
from transforms.names import document_key
from transforms.sheets import SHEETS

_DELIVERY: Final = """
SELECT d.delivery_id, d.agency, d.kind, d.as_of, d.suite, d.received_at, f.name AS file, f.sha256
FROM delivery d LEFT JOIN delivery_file f ON f.delivery_id = d.delivery_id AND f.ordinal = :ordinal
WHERE d.delivery_id = :delivery
"""
_VERDICTS: Final = """
SELECT expectation, severity, field, value, finding, remedy, suite FROM verdict WHERE record_id = :record
ORDER BY expectation
"""
_ATTACHMENTS: Final = """
SELECT uscc, method, grade, score, reason, evidence, register_version, as_of FROM attachment WHERE record_id = :record
ORDER BY attachment_id
"""
_WITHDRAWALS: Final = """
SELECT w.event, w.reason, w.effective_date, w.delivery_id, d.stream
FROM withdrawal w LEFT JOIN delivery d USING (delivery_id) WHERE w.record_id = :record ORDER BY w.withdrawal_id
"""
_RULINGS: Final = """
SELECT r.ruling_id, r.what, r.content, r.state, e.event, e.person, e.reason, e.as_of
FROM ruling r JOIN ruling_event e USING (ruling_id) WHERE r.received_id = :record ORDER BY e.event_id
"""
_DISCLOSURES: Final = """
SELECT d.site, r.sequence, r.as_of, d.shown, d.until, d.first_shown, d.reason, r.manifest_sha256
FROM disclosure d JOIN release r USING (release_id)
WHERE d.record_id = :record AND r.state = 'visible' ORDER BY d.site, r.sequence
"""


def explain(office: Office, number: str) -> list[dict[str, Any]]:
    """Return one chain per row that carries this number, oldest first in each kind; brackets and blanks do not matter.

    ``number`` is a 文书号, the number that the source itself gave an entry (检查编号, 名录ID) or, for what bears
    neither, the record's key as a feed shows it.

    Values are standard values; ``source`` holds the text as received where standardising changed it. ID numbers are
    masked, as everywhere outside the archive.
    """
    [key] = document_key(pa.array([number])).to_pylist()
    chains: list[dict[str, Any]] = []
    if key is None:
        return chains
    with office.engine.connect() as connection:
        for kind, table in RECORDS.items():
            query = (
                sa.select(table)
                .where(sa.or_(table.c.document_key == key, table.c.record_key == number.strip().lower()))
                .order_by(table.c.record_id)
            )
            chains += [_chain(connection, kind, row) for row in connection.execute(query).mappings()]
    return chains


def explain_record(office: Office, record_id: int) -> dict[str, Any] | None:
    """Return the chain of one row, as ``explain`` does; nothing where no row has that number."""
    with office.engine.connect() as connection:
        for kind, table in RECORDS.items():
            query = sa.select(table).where(table.c.record_id == record_id)
            if row := connection.execute(query).mappings().one_or_none():
                return _chain(connection, kind, row)
    return None


def _chain(connection: sa.Connection, kind: Kind, row: sa.RowMapping) -> dict[str, Any]:
    record = {"record": row["record_id"]}
    definition = next(d for (k, s), d in SHEETS.items() if k is kind and s.value == row["sheet"])
    from_file = {"delivery": row["delivery_id"], "ordinal": row["file_ordinal"]}
    delivery = connection.execute(sa.text(_DELIVERY), from_file).mappings().one()
    return {
        "kind": kind.value,
        "record_id": row["record_id"],
        "record_key": row["record_key"],
        "state": connection.scalar(sa.text("SELECT state FROM row_state WHERE record_id = :record"), record),
        "superseded_by": row["superseded_by"],
        "delivery": dict(delivery) | {"row": row["row_no"], "sheet": row["sheet"]},
        "values": {
            name: {"code": definition.code_of(name), "value": row[name]}
            for name in STANDARD_COLUMNS[kind]
            if row[name] is not None
        },
        "source": json.loads(row["source_text"]) if row["source_text"] else {},
        "flags": row["flags"].split(";") if row["flags"] else [],
        "verdicts": _verdicts(connection, kind, record["record"]),
        "attachments": _all(connection, _ATTACHMENTS, record),
        "corrects": row["corrects"],
        "rulings": _all(connection, _RULINGS, {"record": row["corrects"] or row["record_id"]}),
        "withdrawals": _all(connection, _WITHDRAWALS, record),
        "disclosures": _all(connection, _DISCLOSURES, record),
        "not_accepted": told_of_record(connection, row["record_id"]),
    }


def _verdicts(connection: sa.Connection, kind: Kind, record_id: int) -> list[dict[str, Any]]:
    found = _all(connection, _VERDICTS, {"record": record_id})
    failed = [Failed(kind.value, record_id, each["expectation"], each["value"], each["finding"]) for each in found]
    said = sentences(connection, failed)
    return [each | {"message": text} for each, text in zip(found, said, strict=True)]


def _all(connection: sa.Connection, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(query), parameters).mappings()]
