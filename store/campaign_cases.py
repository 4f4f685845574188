"""Decisions that may stand as typical cases (典型案例) of a special action: the heaviest of each deciding agency.

Reads what :func:`store.campaign_figures.derive` left to the transaction. A case qualifies when it has one party of the
kinds named, attached with certainty; when its decision is valid, shown on a site by the newest decision about it, and
nothing about it waits for a person: no open review, no other version in review, no correction to be signed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

_CANDIDATES: Final = """
WITH single AS (
    SELECT case_key, min(record_id) AS record_id FROM campaign_party GROUP BY case_key
    HAVING count(*) = 1 AND bool_and(certain)
),
ranked AS (
    SELECT c.*, s.record_id, row_number() OVER (
        PARTITION BY c.agency ORDER BY c.rank DESC, c.amount DESC, c.case_key
    ) AS place
    FROM campaign_case c JOIN single s USING (case_key) JOIN penalty r USING (record_id)
    WHERE NOT c.shared AND NOT c.amounts_differ AND coalesce(r.status, 'valid') = 'valid'
      AND r.subject_category = ANY(:subjects)
      AND NOT EXISTS (
          SELECT 1 FROM review w WHERE w.kind = 'penalty' AND w.record_key = r.record_key AND w.state = 'open'
      )
      AND NOT EXISTS (SELECT 1 FROM penalty o WHERE o.record_key = r.record_key AND o.state = 'review')
      AND NOT EXISTS (
          SELECT 1 FROM ruling u WHERE u.kind = 'penalty' AND u.record_key = r.record_key
          AND u.state IN ('proposed', 'undo_proposed')
      )
      AND EXISTS (
          SELECT 1 FROM (
              SELECT DISTINCT ON (d.site) d.site, d.shown FROM disclosure d JOIN release v USING (release_id)
              WHERE d.record_id = r.record_id AND v.state = 'visible' AND v.as_of <= :today
              ORDER BY d.site, d.disclosure_id DESC
          ) newest WHERE shown
      )
)
SELECT k.case_key, k.agency, k.rank, k.amount, k.district, k.record_id, r.document_no, r.subject_name,
       r.subject_category, r.uscc, r.regno, r.legal_rep, a.uscc AS enterprise_uscc, r.authority_name, r.decision_date,
       r.violation_type, r.case_name, r.facts, r.basis, r.penalty_category, r.content, r.fine_amount,
       r.confiscated_amount, r.revoked_certificate, r.remarks, r.delivery_id, r.row_no
FROM ranked k JOIN penalty r USING (record_id)
JOIN LATERAL (
    SELECT uscc FROM attachment n WHERE n.record_id = r.record_id AND n.as_of <= :today
    ORDER BY attachment_id DESC LIMIT 1
) a ON true
WHERE k.place <= :most ORDER BY k.rank DESC, k.amount DESC, k.case_key
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A decision that may be shown as a typical case, as it is held: not yet cut. Amounts are 万元."""

    case_key: str
    agency: str
    rank: int
    amount: Decimal
    district: str | None
    record_id: int
    document_no: str
    subject_name: str
    subject_category: str
    uscc: str | None
    regno: str | None
    legal_rep: str | None
    enterprise_uscc: str
    authority_name: str
    decision_date: dt.date
    violation_type: str | None
    case_name: str | None
    facts: str | None
    basis: str | None
    penalty_category: str | None
    content: str | None
    fine_amount: Decimal | None
    confiscated_amount: Decimal | None
    revoked_certificate: str | None
    remarks: str | None
    delivery_id: int
    row_no: int


def candidates(connection: sa.Connection, *, subjects: Sequence[str], today: dt.date, most: int) -> list[Candidate]:
    """Return up to ``most`` qualifying cases of each agency, the heaviest first, then the largest amount."""
    asked: dict[str, Any] = {"subjects": list(subjects), "today": today, "most": most}
    return [Candidate(*row) for row in connection.execute(sa.text(_CANDIDATES), asked)]
