"""审计: every decision in one chain, newest first."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from fastapi import APIRouter, Response

from store import audit as log
from store.audit import AuditEvent
from store.schema import audit_event
from workbench.desk import At
from workbench.rendering import render

router = APIRouter()

PAGE: Final = 50


@router.get("/audit")
def audit(desk: At, before: int | None = None) -> Response:
    """List decisions, newest first."""
    query = sa.select(audit_event).order_by(audit_event.c.sequence.desc()).limit(PAGE)
    if before is not None:
        query = query.where(audit_event.c.sequence < before)
    with desk.office.engine.connect() as connection:
        found = [AuditEvent(*row) for row in connection.execute(query)]
    more = found[-1].sequence if len(found) == PAGE else None
    return render(desk, "audit", found=found, more=more, faults=None, head=None)


@router.get("/audit/verify")
def verify_audit(desk: At) -> Response:
    """Walk the whole chain and say what is wrong with it."""
    with desk.office.engine.connect() as connection:
        faults = list(log.faults(connection))[:50]
        head = log.head(connection)
        newest = log.events(connection, limit=PAGE)
    return render(desk, "audit", found=newest, more=None, faults=faults, head=head)
