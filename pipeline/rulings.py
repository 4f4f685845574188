"""What stewards decide about single records: correct, let pass, send back, undo; each a step of the journal.

A ruling is proposed against the version that its author saw; when another came in between, both are shown and nothing
is lost (``VersionConflict``). What can hurt needs two people (invariant 10): a correction that touches amount, class,
subject or code of a penalty, the letting pass of such a doubt, and the undoing of either. What needs one is in force at
once. Undoing is an event of its own: the record is read again without the ruling.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from pipeline import overlay
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.rereading import Cell, Overlay, Reread
from pipeline.review_terms import due_dates
from store import deliveries, releases, review_following, rulings, runs, steward_attachments
from store.holds import person_key
from store.rulings import Ruling, RulingRefused
from store.runs import Step
from store.schema import RECORDS
from store.typed_text import require_no_number
from transforms.columns import ID_COLUMNS, STANDARD_COLUMNS, SUBJECT_CODES, Kind, Sheet
from transforms.sheets import SHEETS, SheetDefinition

Act = Literal["propose", "approve", "reject", "undo"]

_LOCK: Final = sa.text("SELECT pg_advisory_xact_lock(hashtext('records'))")

PROTECTED: Final = frozenset(
    {
        "fine_amount", "confiscated_amount", "penalty_category", "penalty_category_2", "subject_name",
        "subject_category", *SUBJECT_CODES,
    }
)  # fmt: skip
"""Columns of a penalty that nobody changes alone: amount, class, subject, code (invariant 10)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record as a steward sees it: standard values, verdicts, and the row that it is."""

    kind: Kind
    record_id: int
    received_id: int
    state: str
    values: Mapping[str, Any]
    verdicts: tuple[Mapping[str, Any], ...]


class VersionConflict(RuntimeError):
    """The record is not any more what its editor saw. ``seen`` and ``now`` are both versions."""

    def __init__(self, seen: Version, now: Version) -> None:
        """Keep both."""
        super().__init__(f"record {seen.record_id} gave way to {now.record_id} in the meantime: look at both")
        self.seen = seen
        self.now = now


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling after an act on it, and the row that the act made (null while it waits for a signature)."""

    ruling: Ruling
    made: overlay.Made | None

    @property
    def waits(self) -> bool:
        """Tell whether another person has to sign."""
        return self.ruling.state in ("proposed", "undo_proposed")


def read_version(connection: sa.Connection, record_id: int) -> Version:
    """Read one version of a record. Raises ``LookupError``."""
    kind, row = rulings.row_of(connection, record_id)
    return _version(connection, kind, row)


def _version(connection: sa.Connection, kind: Kind, row: Mapping[str, Any]) -> Version:
    values = {name: row[name] for name in STANDARD_COLUMNS[kind]}
    verdicts = tuple(rulings.verdicts_of_row(connection, row["record_id"]))
    return Version(kind, row["record_id"], row["corrects"] or row["record_id"], row["state"], values, verdicts)


def current_version(connection: sa.Connection, record_id: int) -> Version:
    """Read the version that holds now instead of ``record_id``, whatever displaced it."""
    kind, row = rulings.row_of(connection, record_id)
    return _version(connection, kind, rulings.head_of(connection, kind, row))


def texts_received(office: Office, record_id: int) -> dict[str, str]:
    """Return the texts of a row as received, by column code; ID numbers are masked. Raises ``rereading.RowGone``."""
    with office.engine.begin() as connection:
        kind, row = rulings.row_of(connection, record_id)
        received = rulings.read_row(connection, kind, row["corrects"] or record_id)
        return overlay.row_received(office, connection, kind, received).shown()


def recheck(
    office: Office,
    record_id: int,
    *,
    cells: Mapping[str, str] | None = None,
    waives: Sequence[str] = (),
    sends_back: str | None = None,
) -> Reread:
    """Judge what a correction would make of a record, by the path of the ingest; nothing is stored.

    ``cells``: text by column code of the sheet. ``waives``: held rules to let pass. ``sends_back``: reason for which it
    goes back to the agency. Raises as ``propose``, but takes the version as it is.
    """
    with office.engine.begin() as connection:
        version = current_version(connection, record_id)
        _, reread = _previewed(office, connection, version, cells=cells or {}, waives=waives, sends_back=sends_back)
        return reread


def propose(
    office: Office,
    record_id: int,
    *,
    cells: Mapping[str, str] | None = None,
    waives: Sequence[str] = (),
    sends_back: str | None = None,
    person: str,
    reason: str,
    as_of: dt.date,
) -> Ruled:
    """Propose a correction of the version ``record_id``; one that a single person may make is in force at once.

    Raises ``VersionConflict`` when another version holds by now, ``RulingRefused`` when another proposal about the
    record waits or the correction changes nothing, ``ValueError`` for an unknown or personal column, a text (new cell,
    reason, name) that holds a number of a person, or a missing name or reason, ``rereading.RowGone`` when the row
    cannot be read any more.
    """
    _require(person, reason)
    with journaled(office), office.engine.begin() as connection:
        connection.execute(_LOCK)
        now = _unchanged(connection, record_id)
        laid, reread = _previewed(office, connection, now, cells=cells or {}, waives=waives, sends_back=sends_back)
        received = rulings.read_row(connection, now.kind, now.received_id)
        definition = SHEETS[now.kind, Sheet(received["sheet"])]
        content = {
            "cells": {code: {"replaces": cell.replaces, "text": cell.text} for code, cell in laid.cells.items()},
            "waives": dict(laid.waives),
            "sends_back": laid.sent_back,
        }
        run_no = runs.next_number(connection)
        proposed = Ruling(
            run_no, "correct", now.kind, received["agency"], now.received_id, received["record_key"], record_id,
            content, _signatures(now, laid, reread, definition), "proposed", None,
        )  # fmt: skip
        rulings.enter(connection, proposed)
        told = {
            "record": natural_id(connection, now.kind, received),
            "cells": {code: cell.text for code, cell in laid.cells.items()},
            "waives": sorted(laid.waives), "sends_back": sends_back,
        }  # fmt: skip
        return _acted(
            office, connection, proposed, "propose", person=person, reason=reason, as_of=as_of, run_no=run_no, told=told
        )


def propose_attachment(
    office: Office, record_id: int, *, uscc: str | None, person: str, reason: str, as_of: dt.date
) -> Ruled:
    """Propose the enterprise that an uncertain record is about, or that the register does not know it (``None``).

    It takes a second person (``approve``). Raises ``VersionConflict``, ``RulingRefused`` when the record is not an
    uncertain one or another proposal waits, ``ValueError`` when the register does not hold the code.
    """
    _require(person, reason)
    with journaled(office), office.engine.begin() as connection:
        connection.execute(_LOCK)
        now = _unchanged(connection, record_id)
        _require_uncertain(connection, now)
        if not _in_register(connection, uscc):
            raise ValueError(f"登记库中没有 {uscc}")
        received = rulings.read_row(connection, now.kind, now.received_id)
        run_no = runs.next_number(connection)
        proposed = Ruling(
            run_no, "attach", now.kind, received["agency"], now.received_id, received["record_key"], record_id,
            {"uscc": uscc}, 2, "proposed", None,
        )  # fmt: skip
        rulings.enter(connection, proposed)
        told = {"record": natural_id(connection, now.kind, received), "attach": True, "uscc": uscc}
        return _acted(
            office, connection, proposed, "propose", person=person, reason=reason, as_of=as_of, run_no=run_no, told=told
        )


def _require_uncertain(connection: sa.Connection, now: Version) -> None:
    """Refuse to attach by hand what the machine is certain of, or what nobody asks about."""
    holds = steward_attachments.newest(connection, now.record_id)
    if now.state != "accepted" or holds is None or "certain" in holds or "natural_person" in holds:
        raise RulingRefused(f"record {now.record_id} does not wait for an attachment")


def _in_register(connection: sa.Connection, uscc: str | None) -> bool:
    """Tell whether the register holds an enterprise; "none of them" (``None``) needs no register."""
    register = sa.text("SELECT 1 FROM enterprise WHERE uscc = :uscc AND to_version IS NULL")
    return uscc is None or connection.scalar(register, {"uscc": uscc}) is not None


def _unchanged(connection: sa.Connection, record_id: int) -> Version:
    """Return the version that was looked at, when it holds still and nothing about it waits."""
    seen, now = read_version(connection, record_id), current_version(connection, record_id)
    if now.record_id != record_id:
        raise VersionConflict(seen, now)
    for other in rulings.list_rulings(connection, received_id=now.received_id):
        if other.state in ("proposed", "undo_proposed"):
            raise RulingRefused(f"ruling {other.ruling_id} by {other.author} about this record waits for a signature")
    return now


def approve(office: Office, ruling_id: int, *, person: str, reason: str, as_of: dt.date) -> Ruled:
    """Sign a ruling, or its undoing, that another person proposed.

    Raises ``RulingUnknown``, ``RulingRefused`` when it waits for no signature, the signer is its author, or what it
    attaches has become certain or its enterprise has left the register since, ``VersionConflict`` when the record
    changed after it was proposed.
    """
    with _on_ruling(office, ruling_id, person, reason) as (connection, found):
        if found.state not in ("proposed", "undo_proposed"):
            raise RulingRefused(f"ruling {ruling_id} is {found.state}: it waits for no signature")
        if not rulings.other_person(found, person):
            raise RulingRefused(f"ruling {ruling_id} needs a second person: {person} proposed it")
        if found.state == "proposed":
            seen, now = read_version(connection, found.base_id), current_version(connection, found.base_id)
            if now.record_id != found.base_id:
                raise VersionConflict(seen, now)
            if found.what == "attach":
                _require_uncertain(connection, now)
                if not _in_register(connection, found.content["uscc"]):
                    raise RulingRefused(f"ruling {ruling_id}: its enterprise has left the register since")
        return _acted(office, connection, found, "approve", person=person, reason=reason, as_of=as_of)


def reject(office: Office, ruling_id: int, *, person: str, reason: str, as_of: dt.date) -> Ruled:
    """Refuse a ruling that waits, or its undoing, which leaves it in force. Its author may take it back so, too."""
    with _on_ruling(office, ruling_id, person, reason) as (connection, found):
        if found.state not in ("proposed", "undo_proposed"):
            raise RulingRefused(f"ruling {ruling_id} is {found.state}: there is nothing to refuse")
        return _acted(office, connection, found, "reject", person=person, reason=reason, as_of=as_of)


def undo(office: Office, ruling_id: int, *, person: str, reason: str, as_of: dt.date) -> Ruled:
    """Undo a ruling in force; where it needed two people, its undoing waits for a second one."""
    with _on_ruling(office, ruling_id, person, reason) as (connection, found):
        if found.state != "in_force":
            raise RulingRefused(f"ruling {ruling_id} is {found.state}: only one in force can be undone")
        return _acted(office, connection, found, "undo", person=person, reason=reason, as_of=as_of)


@contextlib.contextmanager
def _on_ruling(office: Office, ruling_id: int, person: str, reason: str) -> Iterator[tuple[sa.Connection, Ruling]]:
    """Lock a ruling for one act on it; the journal is written when the act is committed."""
    _require(person, reason)
    with journaled(office), office.engine.begin() as connection:
        connection.execute(_LOCK)
        yield connection, rulings.read_ruling(connection, ruling_id, lock=True)


def _require(person: str, reason: str) -> None:
    if not person_key(person) or not reason.strip():
        raise ValueError("a ruling needs a name and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)


def _acted(
    office: Office,
    connection: sa.Connection,
    found: Ruling,
    act: Act,
    *,
    person: str,
    reason: str,
    as_of: dt.date,
    run_no: int | None = None,
    told: Mapping[str, Any] | None = None,
) -> Ruled:
    """Enter an act on a ruling and draw its consequence, as one step of the journal."""
    place = runs.next_number(connection) if run_no is None else run_no
    state = _state_after(found, act)
    rulings.set_state(connection, found.ruling_id, state)
    rulings.enter_event(connection, found.ruling_id, act, person=person, reason=reason, as_of=as_of, run_no=place)
    made: overlay.Made | None = None
    if (found.state in rulings.IN_FORCE) != (state in rulings.IN_FORCE):
        if found.what == "attach":
            made_id = _attach(connection, found, state, day=as_of, person=person)
        else:
            made = overlay.lay_over(
                office, connection, found.kind, _received_now(connection, found), day=as_of, person=person,
                reason=reason, closed_as=_closes_as(found),
            )  # fmt: skip
            made_id = made.record_id
        rulings.set_state(connection, found.ruling_id, state, made_id=made_id)
    step = {"act": act, "ruling": found.ruling_id, "person": person, "reason": reason, **(told or {})}
    runs.enter(connection, Step.RULING, as_of, run_no=place, told=step)
    return Ruled(rulings.read_ruling(connection, found.ruling_id), made)


def _attach(connection: sa.Connection, found: Ruling, state: str, *, day: dt.date, person: str) -> int:
    """Append the attachment that a ruling decides, or what held before it; reviews follow."""
    before = releases.newest_attachment(connection)
    record_id = current_version(connection, found.base_id).record_id
    if state in rulings.IN_FORCE:
        made = steward_attachments.decide(
            connection, found.kind, record_id, uscc=found.content["uscc"], ruling_id=found.ruling_id, day=day
        )
    else:
        made = steward_attachments.take_back(connection, record_id, day=day)
    review_following.follow_attachments(connection, after=before, day=day, due=due_dates(day), step=person)
    return made


def _state_after(found: Ruling, act: Act) -> str:
    if act == "approve":
        return "in_force" if found.state == "proposed" else "undone"
    if act == "reject":
        return "rejected" if found.state == "proposed" else "in_force"
    alone = {"propose": "in_force", "undo": "undone"}
    waiting = {"propose": "proposed", "undo": "undo_proposed"}
    return alone[act] if found.signatures == 1 else waiting[act]


def _received_now(connection: sa.Connection, found: Ruling) -> int:
    """The row received that stands for the record now: the source may have sent it again since."""
    newest = current_version(connection, found.received_id).received_id
    key = rulings.read_row(connection, found.kind, newest)["record_key"]
    return newest if key is not None and key == found.record_key else found.received_id


def _closes_as(found: Ruling) -> Literal["corrected", "approved", "returned"]:
    if found.content["sends_back"] is not None:
        return "returned"
    return "corrected" if found.content["cells"] else "approved"


def _previewed(
    office: Office,
    connection: sa.Connection,
    version: Version,
    *,
    cells: Mapping[str, str],
    waives: Sequence[str],
    sends_back: str | None,
) -> tuple[Overlay, Reread]:
    """Return what a proposal says that is new, and the record read with it over what is in force."""
    received = rulings.read_row(connection, version.kind, version.received_id)
    row = overlay.row_received(office, connection, version.kind, received)
    in_force = overlay.overlay_of(
        rulings.rulings_over(connection, version.kind, received["record_key"], version.received_id)
    )
    shown = row.shown()
    asked = _checked_cells(cells, SHEETS[version.kind, Sheet(received["sheet"])])
    stands = shown | {code: cell.text for code, cell in in_force.cells.items()}
    news = {code: Cell(shown.get(code, ""), text) for code, text in asked.items() if stands.get(code, "") != text}
    for code, cell in news.items():
        require_no_number(f"{code}: 更正内容", cell.text)
    require_no_number("退回原因", sends_back or "")
    held = {v["expectation"]: v["finding"] for v in version.verdicts if v["severity"] == "hold"}
    if unknown := sorted(set(waives) - held.keys()):
        raise ValueError(f"{unknown[0]} does not hold record {version.record_id}: only a held rule can be let pass")
    laid = Overlay(news, {rule: held[rule] for rule in waives}, sends_back)
    if not laid:
        raise RulingRefused("the correction changes nothing")
    return laid, overlay.read_over(connection, received, row, laid.over(in_force))


def _checked_cells(cells: Mapping[str, str], definition: SheetDefinition) -> dict[str, str]:
    targets = {column.code: column.target for column in definition.columns}
    for code in cells:
        if code not in targets:
            raise ValueError(f"the sheet has no column {code}")
        if targets[code] in ID_COLUMNS:
            raise ValueError(f"{code}: 证件号码不在平台更正, 请退回报送机关")
    return dict(cells)


def _signatures(version: Version, laid: Overlay, reread: Reread, definition: SheetDefinition) -> int:
    """Two where a penalty's amount, class, subject or code is touched: as text, as value, or as a doubt let pass."""
    if version.kind is not Kind.PENALTY:
        return 1
    targets = {column.code: column.target for column in definition.columns}
    doubted = {v["field"] for v in version.verdicts if v["expectation"] in laid.waives}
    touched = {targets.get(code, "") for field in (*laid.cells, *doubted) for code in field.split(";")}
    values = reread.values
    touched |= {name for name in PROTECTED & values.keys() if values[name] != version.values.get(name)}
    return 2 if touched & PROTECTED else 1


def natural_id(connection: sa.Connection, kind: Kind, received: Mapping[str, Any]) -> dict[str, Any]:
    """Name a row received in words that hold in any database."""
    return {
        "agency": received["agency"], "kind": kind.value,
        "content_sha256": deliveries.content_of(connection, received["delivery_id"]),
        "file": received["file_ordinal"], "row": received["row_no"],
    }  # fmt: skip


def find_received(connection: sa.Connection, named: Mapping[str, Any]) -> int | None:
    """Find the row received that ``natural_id`` named."""
    kind = Kind(named["kind"])
    delivery_id = deliveries.find_delivery(connection, named["agency"], kind, named["content_sha256"])
    table = RECORDS[kind]
    query = sa.select(table.c.record_id).where(
        table.c.delivery_id == delivery_id, table.c.file_ordinal == named["file"], table.c.row_no == named["row"],
        table.c.corrects.is_(None),
    )  # fmt: skip
    return connection.scalar(query)


def do_again(office: Office, told: Mapping[str, Any], as_of: dt.date) -> Ruled:
    """Do a step of the journal again, in a system that stands where the first one stood before it.

    Raises ``LookupError`` when the record is not there, else as the act did.
    """
    person, reason = told["person"], told["reason"]
    if told["act"] == "propose":
        with office.engine.connect() as connection:
            received = find_received(connection, told["record"])
            if received is None:
                raise LookupError(f"the row of ruling {told['ruling']} is not in the record")
            record_id = current_version(connection, received).record_id
        if told.get("attach"):
            return propose_attachment(office, record_id, uscc=told["uscc"], person=person, reason=reason, as_of=as_of)
        return propose(
            office, record_id, cells=told["cells"], waives=told["waives"], sends_back=told["sends_back"],
            person=person, reason=reason, as_of=as_of,
        )  # fmt: skip
    acts = {"approve": approve, "reject": reject, "undo": undo}
    return acts[told["act"]](office, told["ruling"], person=person, reason=reason, as_of=as_of)
