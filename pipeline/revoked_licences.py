"""Penalties that revoke a licence which still stands as valid, in whatever order the two came (rule R28).

Looked at when a delivery of either kind is stored: its penalties that revoke against the licences held, its valid
licences against the penalties held; and when a ruling made a row of either kind. Only records of one subject are
compared (same code or same folded name). Great Expectations judges the records that have somebody to be compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from expectations.judging import judge_of_this_process
from expectations.runner import Outcome
from expectations.suite import Expectation, Suite, load_suite
from pipeline.verdicts import VERDICT_SCHEMA, verdict_about
from store import records
from store.deliveries import CheckCount, Delivery
from transforms.columns import TEXT, Kind, Sheet
from transforms.revocations import REVOKES, names_licence, said_revoked
from transforms.sheets import SHEETS, SheetDefinition

_RECEIVED: Final = "{alias}.delivery_id = :asked AND {alias}.corrects IS NULL"
_MADE: Final = "{alias}.record_id = :asked"
_PAIRS: Final = f"""
WITH revoking AS (
    SELECT p.record_id, p.document_no, p.penalty_category, p.content, p.revoked_certificate, p.uscc, p.subject_key,
           p.sheet
    FROM penalty p
    WHERE p.state = 'accepted' AND p.status = 'valid' AND p.penalty_category LIKE '%{REVOKES}%'
      AND p.content LIKE '%{REVOKES}%' AND {{penalties}}
), valid AS (
    SELECT l.record_id, l.certificate_no, l.uscc, l.subject_key, l.sheet FROM licence l
    WHERE l.state = 'accepted' AND l.status = 'valid' AND l.certificate_no IS NOT NULL AND {{licences}}
), pair AS (
    SELECT p.record_id AS penalty_id, l.record_id AS licence_id FROM revoking p JOIN valid l ON p.uscc = l.uscc
    UNION
    SELECT p.record_id, l.record_id FROM revoking p JOIN valid l ON p.subject_key = l.subject_key
)
SELECT pair.*, p.document_no, p.penalty_category, p.content, p.revoked_certificate, p.sheet AS penalty_sheet,
       l.certificate_no, l.sheet AS licence_sheet
FROM pair JOIN revoking p ON p.record_id = penalty_id JOIN valid l ON l.record_id = licence_id
ORDER BY penalty_id, licence_id
"""  # noqa: S608 (own constants)
_SIDES: Final = {
    Kind.PENALTY: ("penalty", "certificate_no", {"penalties": "p", "licences": None}),
    Kind.LICENCE: ("licence", "document_no", {"penalties": None, "licences": "l"}),
}
"""Per kind asked about: its side of a pair, the column of the other side that is told, which rows are asked about."""
_VALUE: Final = {Kind.PENALTY: "document_no", Kind.LICENCE: "certificate_no"}
_OTHER: Final = {Kind.PENALTY: Kind.LICENCE, Kind.LICENCE: Kind.PENALTY}


def follow(connection: sa.Connection, delivery: Delivery, definitions: Sequence[SheetDefinition]) -> list[CheckCount]:
    """Judge R28 about the rows of a stored delivery, store its verdicts, and return what was counted.

    The old sheet of licences has no column for 许可编号: there is nothing to judge.
    """
    kind = delivery.kind
    if not isinstance(kind, Kind) or kind not in _SIDES or not definitions:
        return []
    suite = load_suite(kind, definitions[0].sheet).of_scope("across")
    if not suite.expectations:
        return []
    [expectation] = suite.expectations
    outcome = _judge(connection, kind, _RECEIVED, delivery.delivery_id, suite)
    return [CheckCount(expectation.id, expectation.rule, expectation.severity, outcome.evaluated, outcome.unexpected)]


def follow_made(connection: sa.Connection, kind: Kind, record_id: int, sheet: Sheet) -> None:
    """Judge R28 about a row that a ruling made, and store its verdict: it is warned about as a row received is."""
    suite = load_suite(kind, sheet).of_scope("across") if kind in _SIDES else None
    if suite is not None and suite.expectations:
        _judge(connection, kind, _MADE, record_id, suite)


def _judge(connection: sa.Connection, kind: Kind, rows: str, asked: int, suite: Suite) -> Outcome:
    """Judge the rows asked about that have a counterpart, and store the verdicts."""
    [expectation] = suite.expectations
    found = _found(connection, kind, rows, asked) if records.any_rows(connection, _OTHER[kind]) else {}
    if not found:
        return Outcome(0, 0, np.empty(0, np.int64))
    told = pa.array([each["finding"] for each in found.values()], TEXT)
    outcome = judge_of_this_process().judge({expectation.column: told}, suite)[expectation.id]
    failed = [list(found.items())[position] for position in outcome.positions.tolist()]
    records.store_verdicts(connection, _verdicts(failed, kind, expectation, suite))
    return outcome


def _found(connection: sa.Connection, kind: Kind, rows: str, asked: int) -> dict[int, dict[str, Any]]:
    """Return each row asked about that has a counterpart, with what it is found to contradict, if anything."""
    side, other, aliases = _SIDES[kind]
    wanted = {name: rows.format(alias=alias) if alias else "true" for name, alias in aliases.items()}
    found: dict[int, dict[str, Any]] = {}
    for pair in connection.execute(sa.text(_PAIRS.format(**wanted)), {"asked": asked}).mappings():
        own = {"sheet": pair[f"{side}_sheet"], "value": pair[_VALUE[kind]], "finding": None}
        mine = found.setdefault(pair[f"{side}_id"], own)
        said = said_revoked(pair["penalty_category"], pair["content"], pair["revoked_certificate"])
        if names_licence(said, pair["certificate_no"]):
            mine["finding"] = ";".join(filter(None, (mine["finding"], pair[other])))
    return found


def _verdicts(
    failed: Iterable[tuple[int, Mapping[str, Any]]], kind: Kind, expectation: Expectation, suite: Suite
) -> pa.Table:
    listed = [
        verdict_about(
            record_id,
            expectation,
            suite,
            field=SHEETS[kind, Sheet(row["sheet"])].code_of(expectation.field),
            value=row["value"],
            finding=row["finding"],
        )
        for record_id, row in failed
    ]
    return pa.Table.from_pylist(listed, schema=VERDICT_SCHEMA)
