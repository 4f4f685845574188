"""Corrections as an overlay: what rulings in force say is read with every row that they speak about.

A row received is never edited. What it says with the overlay is stored as a further row (``corrects`` names the row
received), which displaces the row received and all that was made of it before, and is attached, disclosed and explained
as any other row. Conservation counts rows received.

In an ingest: the content that was corrected, sent again, is a duplicate of what was made of it. New content with the
same wrong cell is read with the overlay again. Where the source has put the cell right itself, the ruling has done its
work (``agreed``); where it has put something else there, nobody but a person can say what holds (``stale``): the row
waits in review by rule C01.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import pyarrow as pa
import sqlalchemy as sa

from connectors.descriptor import Agency, load_agency
from expectations.suite import load_suite
from pipeline import revoked_licences
from pipeline.file_days import days_of_files, with_days_of_files
from pipeline.office import Office
from pipeline.rereading import Cell, Overlay, Reread, Row, judge_again, rows_of_file, with_verdict
from pipeline.review_terms import due_dates
from pipeline.storing import REPEATS
from pipeline.verdicts import VERDICT_SCHEMA, repeat_verdicts
from store import deliveries, records, review_following, rulings
from store.deliveries import Delivery
from store.rulings import Ruling
from store.schema import RECORDS
from transforms.columns import TEXT, Kind, Sheet
from transforms.versions import Decision, Incoming, RowState, against_held

SOURCE_CHANGED: Final = "C01.source_changed"
"""The verdict about a row whose corrected cell the source has changed to something else."""
_REMEDY: Final = "来源在平台更正之后又改动了该项: 请核对决定书, 确认来源的新内容, 或重新更正。"

_SAME_AGAIN: Final = """
UPDATE {table} n SET state = 'duplicate', superseded_by = live.record_id
FROM {table} live JOIN {table} c ON c.record_id = live.corrects
WHERE n.delivery_id = :delivery AND n.corrects IS NULL AND n.state IN ('accepted', 'review', 'returned')
  AND n.agency = c.agency AND n.content_hash = c.content_hash AND n.record_key IS NOT DISTINCT FROM c.record_key
  AND live.corrects IS NOT NULL AND live.state IN ('accepted', 'review', 'returned') AND c.record_id <> n.record_id
  AND EXISTS (
    SELECT 1 FROM ruling u WHERE u.kind = '{table}' AND u.what = 'correct' AND u.state IN ('in_force', 'undo_proposed')
      AND (u.received_id = c.record_id OR u.record_key = c.record_key)
  )
"""
_SPOKEN_OF: Final = """
SELECT n.record_id, n.file_ordinal, n.row_no FROM {table} n
WHERE n.delivery_id = :delivery AND n.corrects IS NULL AND n.state IN ('accepted', 'review', 'returned')
  AND n.record_key = ANY(:keys)
  AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.record_id = n.record_id AND v.expectation = :repeats)
ORDER BY n.record_id
"""


@dataclass(frozen=True, slots=True)
class Made:
    """The row that an overlay made, and its state."""

    record_id: int
    state: RowState


def overlay_of(rulings_in_force: Iterable[Ruling]) -> Overlay:
    """Return what corrections say together, later ones over earlier ones."""
    together = Overlay()
    for each in rulings_in_force:
        together = overlay_from(each.content).over(together)
    return together


def overlay_from(content: Mapping[str, Any]) -> Overlay:
    """Return what one correction says."""
    cells = {code: Cell(cell["replaces"], cell["text"]) for code, cell in content["cells"].items()}
    return Overlay(cells, content["waives"], content["sends_back"])


def row_received(office: Office, connection: sa.Connection, kind: Kind, received: Mapping[str, Any]) -> Row:
    """Read the text of a row received. Raises ``rereading.RowGone``."""
    delivery = deliveries.read_delivery(connection, received["delivery_id"])
    file = next(file for file in delivery.files if file.ordinal == received["file_ordinal"])
    row_no = received["row_no"]
    return rows_of_file(office.archive, load_agency(received["agency"]), kind, file, [row_no])[row_no]


def read_over(connection: sa.Connection, received: Mapping[str, Any], row: Row, overlay: Overlay) -> Reread:
    """Judge a row received with an overlay, as the ingest judged it: R22 stays while the record's key does."""
    agency = load_agency(received["agency"])
    reread = judge_again(row, overlay, agency=agency, as_of=received["as_of"])
    repeats = [v for v in rulings.verdicts_of_row(connection, received["record_id"]) if v["expectation"] == REPEATS]
    if repeats and reread.values["record_key"] == received["record_key"]:
        return with_verdict(reread, repeats[0], overlay)
    return reread


def lay_over(
    office: Office,
    connection: sa.Connection,
    kind: Kind,
    received_id: int,
    *,
    day: dt.date,
    closed_as: Literal["corrected", "approved", "returned"],
    person: str,
    reason: str,
) -> Made:
    """Make the row that the rulings in force give, in place of what held before; reviews follow.

    The caller holds the records lock.
    """
    received = rulings.read_row(connection, kind, received_id)
    overlay = overlay_of(rulings.rulings_over(connection, kind, received["record_key"], received_id))
    row = row_received(office, connection, kind, received)
    reread = read_over(connection, received, row, overlay)
    before = rulings.lineage(connection, kind, received_id)
    made = _store(connection, kind, received, reread, before, chosen=REPEATS in overlay.waives)
    _take_back_what_was_shown(connection, kind, received, reread=reread, made=made, before=before, day=day)
    review_following.follow_ruling(
        connection, kind=kind, lineage=before, made=made.record_id, day=day, due=due_dates(day), closed_as=closed_as,
        person=person, reason=reason,
    )  # fmt: skip
    return made


def _store(
    connection: sa.Connection,
    kind: Kind,
    received: Mapping[str, Any],
    reread: Reread,
    before: Sequence[int],
    *,
    chosen: bool,
) -> Made:
    """Store what an overlay made; ``chosen``: a person said that it holds against what others told (R22)."""
    [record_id] = records.reserve_ids(connection, 1).tolist()
    decision = _placed(connection, kind, received, reread, record_id, besides=before, chosen=chosen)
    if decision is not None and decision.contradicts is not None:
        reread = with_verdict(reread, _contradicts(kind, received, reread), Overlay())
    state = decision.state if decision else reread.state
    holds = decision.superseded_by if decision else None
    constants = {
        "record_id": record_id, "delivery_id": received["delivery_id"], "file_ordinal": received["file_ordinal"],
        "agency": received["agency"], "sheet": received["sheet"], "as_of": received["as_of"], "state": state,
        "superseded_by": holds, "corrects": received["record_id"],
    }  # fmt: skip
    table = RECORDS[kind]
    columns = {
        name: pa.array([value], pa.date32() if name == "as_of" else TEXT if isinstance(value, str) else pa.int64())
        for name, value in constants.items()
    }
    columns |= {name: reread.record[name] for name in reread.record.column_names}
    verdicts = pa.Table.from_pylist([{**v, "record_id": record_id} for v in reread.verdicts], schema=VERDICT_SCHEMA)
    records.store_rows(connection, kind, pa.table(columns), verdicts)
    connection.execute(
        sa.update(table)
        .where(table.c.record_id == sa.any_(sa.bindparam("before", list(before), type_=sa.ARRAY(sa.BigInteger))))
        .where(table.c.state.in_(("accepted", "review", "returned")))
        .values(state="superseded", superseded_by=record_id)
    )
    if decision:
        records.supersede(connection, kind, [(old, record_id) for old in decision.supersedes])
    revoked_licences.follow_made(connection, kind, record_id, Sheet(received["sheet"]))
    return Made(record_id, state)


def _placed(
    connection: sa.Connection,
    kind: Kind,
    received: Mapping[str, Any],
    reread: Reread,
    record_id: int,
    *,
    besides: Collection[int],
    chosen: bool = False,
) -> Decision | None:
    """Decide about a row against what is held under its key, other than the rows ``besides``."""
    values = reread.values
    key = values["record_key"]
    if key is None or reread.state == "returned":
        return None
    delivery = deliveries.read_delivery(connection, received["delivery_id"])
    file_day = days_of_files(delivery).get(received["file_ordinal"])
    held = records.held_rows(connection, kind, [key], besides=0)
    if file_day is not None:
        held = with_days_of_files(connection, delivery, held)
    own = received["agency"]
    others = [
        replace(other, agency=own) if chosen else other for other in held.get(key, []) if other.record_id not in besides
    ]
    if not others:
        return None
    incoming = Incoming(record_id, key, values["content_hash"], values["updated_at"], values["status"], reread.state)
    decisions = against_held(
        [incoming], {key: others}, sheet=received["sheet"], as_of=received["as_of"], says_status=reread.says_status,
        agency=own, file_day=file_day,
    )  # fmt: skip
    return decisions[record_id]


def _contradicts(kind: Kind, received: Mapping[str, Any], reread: Reread) -> Mapping[str, Any]:
    """The verdict about a row that another agency tells otherwise (R22)."""
    suite = load_suite(kind, Sheet(received["sheet"])).of_scope("delivery")
    about = {**reread.values, "record_id": 0, "sheet": received["sheet"]}
    verdict: Mapping[str, Any] = repeat_verdicts([about], kind, suite).to_pylist()[0]
    return verdict


def _take_back_what_was_shown(
    connection: sa.Connection,
    kind: Kind,
    received: Mapping[str, Any],
    *,
    reread: Reread,
    made: Made,
    before: Sequence[int],
    day: dt.date,
) -> None:
    """Withdraw the keys under which the record stood before and does not stand now."""
    table = RECORDS[kind]
    wanted = sa.bindparam("before", list(before), type_=sa.ARRAY(sa.BigInteger))
    keys = set(connection.scalars(sa.select(table.c.record_key).where(table.c.record_id == sa.any_(wanted))))
    keys -= {None, reread.values["record_key"] if made.state == "accepted" else None}
    for key in sorted(keys):
        held = records.held_rows(connection, kind, [key], besides=0).get(key, [])
        if not any(other.state == "accepted" for other in held):
            rulings.withdraw_key(
                connection, kind, record_key=key, delivery_id=received["delivery_id"], reason="replaced", day=day
            )


def follow(office: Office, connection: sa.Connection, delivery: Delivery) -> int:
    """Read the rows of a delivery just stored with the rulings that speak about their records.

    Returns the number of rows that wait because their source changed a corrected cell (``SOURCE_CHANGED``).
    """
    kind = delivery.record_kind
    table = RECORDS[kind].name
    keys = rulings.keys_in_force(connection, kind)
    if rulings.any_in_force(connection, kind):
        connection.execute(sa.text(_SAME_AGAIN.format(table=table)), {"delivery": delivery.delivery_id})
    if not keys:
        return 0
    spoken_of = connection.execute(
        sa.text(_SPOKEN_OF.format(table=table)),
        {"delivery": delivery.delivery_id, "keys": sorted(keys), "repeats": REPEATS},
    ).all()
    wanted: dict[int, dict[int, int]] = defaultdict(dict)
    for found in spoken_of:
        wanted[found.file_ordinal][found.row_no] = found.record_id
    agency = load_agency(delivery.agency)
    changed_again = 0
    for file in delivery.files:
        if numbers := wanted.get(file.ordinal):
            rows = rows_of_file(office.archive, agency, kind, file, numbers)
            for row_no, record_id in sorted(numbers.items(), key=lambda item: item[1]):
                changed_again += _follow_row(connection, delivery, record_id, rows[row_no], agency)
    return changed_again


def _follow_row(connection: sa.Connection, delivery: Delivery, record_id: int, row: Row, agency: Agency) -> bool:
    """Read one row with its rulings; true when the source changed a cell that one of them corrects."""
    kind = delivery.record_kind
    received = rulings.read_row(connection, kind, record_id)
    about = rulings.rulings_over(connection, kind, received["record_key"], record_id)
    standing = {each.ruling_id: _standing(each, row.shown()) for each in about}
    stale = "stale" in standing.values()
    for each in about:
        ended = "stale" if stale else standing[each.ruling_id]
        if ended is not None:
            rulings.set_state(connection, each.ruling_id, ended)
            rulings.enter_event(
                connection, each.ruling_id, ended, person="ingest", as_of=delivery.as_of,
                reason=f"delivery {delivery.delivery_id}, row {row.row_no}",
            )  # fmt: skip
    kept = [] if stale else [each for each in about if standing[each.ruling_id] is None]
    if kept:
        together = overlay_of(kept)
        reread = read_over(connection, received, row, together)
        _store(connection, kind, received, reread, [record_id], chosen=REPEATS in together.waives)
        return False
    alone = judge_again(row, Overlay(), agency=agency, as_of=delivery.as_of)
    if stale:
        records.store_verdicts(connection, _source_changed(record_id, about, row.shown()))
        alone = Reread(
            alone.record, alone.verdicts, "returned" if alone.state == "returned" else "review", alone.says_status
        )
    decision = _placed(connection, kind, received, alone, record_id, besides=[record_id])
    contradicts = decision is not None and decision.contradicts is not None
    if contradicts and not stale:
        told = {**_contradicts(kind, received, alone), "expectation": SOURCE_CHANGED, "rule": "C01", "suite": "steward"}
        listed = [{**told, "record_id": record_id, "remedy": _REMEDY}]
        records.store_verdicts(connection, pa.Table.from_pylist(listed, schema=VERDICT_SCHEMA))
    table = RECORDS[kind]
    connection.execute(
        sa.update(table)
        .where(table.c.record_id == record_id)
        .values(
            state=decision.state if decision else alone.state,
            superseded_by=decision.superseded_by if decision else None,
        )
    )
    if decision:
        records.supersede(connection, kind, [(old, record_id) for old in decision.supersedes])
    return stale or contradicts


def _standing(made: Ruling, shown: Mapping[str, str]) -> Literal["agreed", "stale"] | None:
    """Say what new content makes of a correction; null where it counts still."""
    overlay = overlay_from(made.content)
    if overlay.sent_back is not None:
        return "agreed"
    changed = {code: cell for code, cell in overlay.cells.items() if shown.get(code, "") != cell.replaces}
    if not changed:
        return None
    return "agreed" if all(shown.get(code, "") == cell.text for code, cell in changed.items()) else "stale"


def _source_changed(record_id: int, about: Iterable[Ruling], shown: Mapping[str, str]) -> pa.Table:
    cells = {code: cell for each in about for code, cell in overlay_from(each.content).cells.items()}
    changed = sorted(code for code, cell in cells.items() if shown.get(code, "") not in (cell.replaces, cell.text))
    verdict = {
        "record_id": record_id, "expectation": SOURCE_CHANGED, "rule": "C01", "severity": "hold",
        "field": ";".join(changed), "value": shown.get(changed[0], ""),
        "finding": json.dumps({code: [cells[code].replaces, cells[code].text] for code in changed}, ensure_ascii=False),
        "remedy": _REMEDY, "suite": "steward",
    }  # fmt: skip
    return pa.Table.from_pylist([verdict], schema=VERDICT_SCHEMA)
