"""记录: one row with its text as received, its standard values, its verdicts and everything that followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import RedirectResponse

from pipeline.explain import explain_record
from store.reviews import events_of, reviews_of_record
from store.rulings import list_rulings, row_of
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS
from workbench.desk import At
from workbench.reads import deliveries
from workbench.reads import records as reads
from workbench.rendering import render

router = APIRouter()

RowState = Literal["accepted", "review", "returned", "duplicate", "superseded"]


@router.get("/records")
def records(
    desk: At, q: str = "", delivery_id: int | None = None, state: RowState | None = None, after: int = 0
) -> Response:
    """Find records by 文书号 or by number, or list those of a delivery."""
    q = q.strip()
    if delivery_id is not None:
        source = deliveries.read_delivery(desk.office, delivery_id)
        if source is None or not desk.sees(source.agency) or source.kind not in tuple(Kind):
            raise HTTPException(404)
        found = reads.of_delivery(desk.office, Kind(source.kind), delivery_id, state=state, after=after)
        more = found[-1].record_id if len(found) == reads.PAGE else None
        return render(desk, "records_of_delivery", source=source, found=found, state=state, more=more)
    found = reads.of_document(desk.office, q, agency=desk.agency) if q else []
    if len(found) == 1:
        return RedirectResponse(desk.url("record", record_id=found[0].record_id), 303)
    latest = deliveries.list_deliveries(desk.office, agency=desk.agency, limit=15)
    return render(desk, "records", q=q, found=found, latest=latest)


@dataclass(frozen=True, slots=True)
class Field:
    """A line of the record page. ``received`` is null where the text is the standard value itself."""

    name: str
    code: str
    label: str
    received: str | None
    value: Any
    verdicts: tuple[dict[str, Any], ...]


@router.get("/records/{record_id}")
def record(desk: At, record_id: int) -> Response:
    """Show the whole chain of one row."""
    chain = explain_record(desk.office, record_id)
    if chain is None or not desk.sees(chain["delivery"]["agency"]):
        raise HTTPException(404)
    fields, elsewhere = _fields(chain)
    kind = Kind(chain["kind"])
    versions = reads.versions_of(desk.office, kind, chain["record_key"]) if chain["record_key"] else []
    with desk.office.engine.connect() as connection:
        waiting = reviews_of_record(connection, record_id)
        events = {each.review_id: events_of(connection, each.review_id) for each in waiting}
        received_id = row_of(connection, record_id)[1]["corrects"] or record_id
        ruled = list_rulings(connection, received_id=received_id)
    return render(
        desk, "record", chain=chain, fields=fields, elsewhere=elsewhere, versions=versions, waiting=waiting,
        events=events, ruled=ruled,
    )  # fmt: skip


def _fields(chain: dict[str, Any]) -> tuple[list[Field], list[dict[str, Any]]]:
    """Return the columns that the row fills or failed at, in the order of its sheet, and verdicts of no one column."""
    definition = SHEETS[Kind(chain["kind"]), Sheet(chain["delivery"]["sheet"])]
    by_column: dict[str, list[dict[str, Any]]] = {}
    for verdict in chain["verdicts"]:
        for place in verdict["field"].split(";"):
            by_column.setdefault(place, []).append(verdict)
    fields = []
    for column in definition.columns:
        verdicts = tuple(by_column.pop(column.code, []) + by_column.pop(column.target, []))
        value = chain["values"].get(column.target, {}).get("value")
        received = chain["source"].get(column.code)
        if value is not None or received is not None or verdicts:
            fields.append(Field(column.target, column.code, column.label, received, value, verdicts))
    return fields, [verdict for verdicts in by_column.values() for verdict in verdicts]
