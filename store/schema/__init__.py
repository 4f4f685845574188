"""Tables of the system of record (PostgreSQL), and the states that a delivery and a row pass through.

Delivery: ``archived`` (bytes safe) -> ``checked`` (rows standardised, judged and stored, in one transaction),
``refused`` (unreadable as a whole; the reasons are its ``problem`` rows) or ``held`` (read and judged, but nothing of
it stored: it changes too much, or its agency is held by default). Two people release a held delivery, which makes it
``archived`` again; one who rejects it makes it ``refused``.

Row (one per row received, ``<kind>`` tables): ``returned`` (a reject verdict; back to the agency), ``review`` (a hold
verdict; waits for a steward), ``duplicate`` (same content already held), ``superseded`` (a later version exists),
``accepted``. What becomes of an accepted row is said by its newest ``attachment`` and its ``disclosure`` rows; the
view ``row_state`` folds all of it into the one state of invariant 1.

The tables that are filled by COPY have no foreign keys: what they would point to is entered in the same transaction, a
check per row costs a third of the load, and ``disclosure reconcile`` looks for rows that point nowhere.

Nothing is ever deleted from ``attachment``, ``verdict`` and ``release``: a later row is appended.
"""

from __future__ import annotations

from store.schema.acceptance import acceptance_check, not_accepted
from store.schema.base import metadata
from store.schema.campaign import campaign_figure, campaign_report, campaign_return, campaign_return_decision
from store.schema.disclosure import attach_remedy, attachment, disclosure, release
from store.schema.findings import discrepancy, discrepancy_decision, finding
from store.schema.intake import (
    approval,
    archive_removal,
    collection,
    collection_piece,
    delivery,
    delivery_file,
    hold,
    legal_hold,
    problem,
    run_no_sequence,
    source_health,
    step_run,
    watermark,
    watermark_move,
    withdrawal,
)
from store.schema.outward import (
    agency_output,
    notification,
    receipt,
    return_notice,
    return_notice_item,
    return_notice_sequence,
)
from store.schema.people import account, audit_event, review, review_event, ruling, ruling_event, web_session
from store.schema.records import RECORDS, REFERENCES, check_result, record_id_sequence, verdict
from store.schema.register import enterprise, register_version

__all__ = [
    "RECORDS",
    "REFERENCES",
    "acceptance_check",
    "account",
    "agency_output",
    "approval",
    "archive_removal",
    "attach_remedy",
    "attachment",
    "audit_event",
    "campaign_figure",
    "campaign_report",
    "campaign_return",
    "campaign_return_decision",
    "check_result",
    "collection",
    "collection_piece",
    "delivery",
    "delivery_file",
    "disclosure",
    "discrepancy",
    "discrepancy_decision",
    "enterprise",
    "finding",
    "hold",
    "legal_hold",
    "metadata",
    "not_accepted",
    "notification",
    "problem",
    "receipt",
    "record_id_sequence",
    "register_version",
    "release",
    "return_notice",
    "return_notice_item",
    "return_notice_sequence",
    "review",
    "review_event",
    "ruling",
    "ruling_event",
    "run_no_sequence",
    "source_health",
    "step_run",
    "verdict",
    "watermark",
    "watermark_move",
    "web_session",
    "withdrawal",
]
