"""Tables for people and for other systems, written as CSV (UTF-8) straight from the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from feeds.row_text import GUARDED, identifier, literal
from pipeline.office import Office
from store.bulk import copy_in
from transforms import personal
from transforms.columns import TEXT

ATTACHMENTS: Final = """
SELECT s.document_no, s.subject_name, a.uscc, a.method, a.grade, a.score, a.evidence
FROM row_state s
JOIN LATERAL (
    SELECT uscc, method, grade, score, evidence FROM attachment
    WHERE record_id = s.record_id ORDER BY attachment_id DESC LIMIT 1
) a ON true
WHERE s.state NOT IN ('superseded', 'duplicate')
ORDER BY s.record_id
"""
REVIEWS: Final = """
SELECT document_no, subject_name, rule_or_reason, severity, field, value, remedy FROM (
    SELECT record_id, document_no, subject_name, rule_or_reason, severity, field, value, remedy FROM open_review
    UNION ALL
    SELECT NULL, NULL, NULL, array_to_string(h.reasons, ';'), 'hold', 'delivery ' || h.delivery_id, h.explanation,
           '须由两名不同人员批准后方可入库: disclosure hold show ' || h.hold_id
    FROM hold h WHERE h.state = 'open'
) waiting
ORDER BY record_id NULLS FIRST, rule_or_reason, field
"""


DISCREPANCIES: Final = """
SELECT d.uscc, d.enterprise_name, d.year, d.kind, d.case_no, d.site_url, d.subject_id, d.report_id, d.fields,
       d.confidence, CASE WHEN f.closed THEN 'closed' ELSE f.state END AS state
FROM finding f JOIN discrepancy d USING (discrepancy_id)
ORDER BY d.year, d.uscc, d.case_no, d.site_url, d.subject_id, d.finding_key
"""

BASE_GAPS: Final = """
SELECT f.finding_key AS gap_id, d.year, d.uscc, d.enterprise_name, r.site_type, r.site_name, d.site_url, r.icp_no,
       r.platform_name, d.report_id, r.submitted_at AS reported_at, f.opened AS missing_since, d.as_of AS compared_on
FROM finding f JOIN discrepancy d USING (discrepancy_id)
LEFT JOIN (
    SELECT DISTINCT ON (report_id, address) report_id, address, site_type, site_name, icp_no, platform_name,
           submitted_at
    FROM annual_report WHERE state = 'accepted' AND address IS NOT NULL
    ORDER BY report_id, address, submitted_at DESC, record_id
) r ON r.report_id = d.report_id AND r.address = d.site_url
WHERE f.kind = 'base_gap' AND NOT f.closed AND f.state <> 'rejected'
ORDER BY d.year, d.uscc, d.site_url, f.finding_key
"""
"""What goes back to the monitoring base (case 6): sites that were reported and that it does not have."""

NOT_ACCEPTED: Final = """
SELECT n.site, n.sequence, n.as_of, a.kind, s.agency, s.document_no, s.subject_name, a.expectation, a.field, a.value
FROM not_accepted a
JOIN (
    SELECT DISTINCT ON (site) site, release_id, sequence, as_of FROM release WHERE state = 'visible'
    ORDER BY site, sequence DESC
) n USING (release_id)
JOIN row_state s USING (record_id)
ORDER BY n.site, a.kind, a.expectation, a.record_id
"""
"""What the newest release of each site left out because the site would not take it."""


_TEXT_TYPES: Final = frozenset({25, 1042, 1043})
"""``text``, ``char`` and ``varchar`` in the server's catalogue."""
_FREE: Final = "value"
"""The column that quotes a cell as it was received, whatever stood in it."""
_SHORTEST_NUMBER: Final = 7
_AT_ONCE: Final = 10_000


def export(office: Office, query: str, path: Path) -> int:
    """Write the answer of one of the queries above to ``path``, header first, and return the number of rows.

    A text that begins with one of ``feeds.row_text.GUARDED`` gets one apostrophe in front, so that no spreadsheet takes
    it for a formula (OWASP, CSV injection); who reads the file takes one leading apostrophe off. In a column ``value``
    ID numbers are masked and telephones cut. Numbers and days stay as they are. The file appears whole or not at all.
    """
    draft = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    reading = office.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with reading as connection, draft.open("wb") as file:
        driver: Any = connection.connection
        with driver.cursor() as cursor:
            shown = _as_shown(connection, cursor, query)
            with cursor.copy(f"COPY ({shown}) TO STDOUT (FORMAT csv, HEADER)") as copy:
                for block in copy:
                    file.write(block)
            rows = int(cursor.rowcount)
    draft.replace(path)
    return rows


def _as_shown(connection: sa.Connection, cursor: Any, query: str) -> str:
    """Return the query with its texts as they may be shown, in its order."""
    cursor.execute(f"SELECT * FROM ({query}) told LIMIT 0")  # noqa: S608
    columns = [(column.name, column.type_code in _TEXT_TYPES) for column in cursor.description]
    free = (_FREE, True) in columns
    if free:
        _mask(connection, query)
    texts = {_FREE: "coalesce(m.shown, told.value)"} if free else {}
    shown = ", ".join(
        _guarded(name, texts.get(name, f"told.{identifier(name)}")) if is_text else f"told.{identifier(name)}"
        for name, is_text in columns
    )
    joined = "LEFT JOIN masked_value m ON m.said = told.value " if free else ""
    return (
        f"SELECT {shown} FROM (SELECT told.*, row_number() OVER () AS place FROM ({query}) told) told"  # noqa: S608
        f" {joined}ORDER BY told.place"
    )


def _guarded(name: str, text: str) -> str:
    marks = ", ".join(map(literal, GUARDED))
    return f"CASE WHEN left({text}, 1) IN ({marks}) THEN chr(39) || {text} ELSE {text} END AS {identifier(name)}"


def _mask(connection: sa.Connection, query: str) -> None:
    """Leave to the transaction ``masked_value``: the texts of the free column that hold a number, and what is shown."""
    connection.execute(sa.text("CREATE TEMP TABLE masked_value (said text, shown text) ON COMMIT DROP"))
    texts = sa.text(f"SELECT DISTINCT value FROM ({query}) told WHERE length(value) >= {_SHORTEST_NUMBER}")  # noqa: S608
    for found in connection.execute(texts, execution_options={"yield_per": _AT_ONCE}).scalars().partitions():
        said = pa.array(found, TEXT)
        shown = personal.without_numbers(said)
        masked = pa.table({"said": said, "shown": shown}).filter(pc.not_equal(said, shown))
        if masked.num_rows:
            copy_in(connection, "masked_value", masked)
