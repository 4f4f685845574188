"""Held deliveries and the two people who decide about each (invariant 10).

The command, Airflow and the workbench all end here, on the same ledger row. A decision is committed before its
consequence is carried out: a process killed in between leaves the delivery ``archived``, and the next collection of the
agency, the same file again or ``release`` takes it in.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.ingest import Ingested, ingest_delivery
from pipeline.journal import journaled
from pipeline.office import Office
from store import deliveries, holds, reviews, runs
from store.holds import Choice, Hold, Via
from store.runs import Step
from transforms.problems import Problem


@dataclass(frozen=True, slots=True)
class Decided:
    """A hold after a decision, and what became of its delivery where it was released."""

    hold: Hold
    ingested: Ingested | None

    @property
    def still_needed(self) -> int:
        """Approvals by other people that the hold still waits for."""
        return holds.APPROVALS - len(self.hold.approved_by) if self.hold.state == "open" else 0


def list_holds(office: Office, *, state: str | None = "open", agency: str | None = None) -> list[Hold]:
    """Return holds, oldest first."""
    with office.engine.connect() as connection:
        return holds.list_holds(connection, state=state, agency=agency)


def read_hold(office: Office, hold_id: int) -> Hold:
    """Return one hold with its decisions. Raises ``store.holds.HoldUnknown``."""
    with office.engine.connect() as connection:
        return holds.read_hold(connection, hold_id)


def decide(office: Office, hold_id: int, *, person: str, decision: Choice, reason: str, via: Via = "cli") -> Decided:
    """Enter a person's decision; the second different approval takes the delivery in, a rejection refuses it.

    Raises ``store.holds.HoldUnknown``, ``HoldDecided`` and ``ValueError`` as ``store.holds.decide`` does.
    """
    decided = enter_decision(office, hold_id, person=person, decision=decision, reason=reason, via=via)
    return Decided(decided, release(office, decided))


def enter_decision(office: Office, hold_id: int, *, person: str, decision: Choice, reason: str, via: Via) -> Hold:
    """Enter a person's decision without taking anything in; raises as ``decide`` does."""
    with journaled(office), office.engine.begin() as connection:
        decided = holds.decide(connection, hold_id, person=person, decision=decision, reason=reason, via=via)
        if decided.state == "rejected":
            deliveries.add_problem(connection, decided.delivery_id, _rejection(decided))
        if decided.state != "open":
            reviews.close_hold(
                connection, hold_id=hold_id, day=decided.as_of, person=person, reason=reason,
                closed_as="approved" if decided.state == "released" else "rejected",
            )  # fmt: skip
        told = {
            "content_sha256": deliveries.content_of(connection, decided.delivery_id), "agency": decided.agency,
            "kind": decided.kind, "person": person, "decision": decision, "reason": reason, "via": via,
        }  # fmt: skip
        runs.enter(connection, Step.APPROVAL, decided.as_of, told=told)
    return decided


def release(office: Office, decided: Hold) -> Ingested | None:
    """Take in the delivery of a released hold; one that was taken in already stays as it is."""
    if decided.state != "released":
        return None
    return ingest_delivery(office, decided.delivery_id)


def _rejection(rejected: Hold) -> Problem:
    last = rejected.decisions[-1]
    return Problem(
        "HOLD",
        "refuse",
        f"整批待批后被退回 ({last.person}): {last.reason}",
        "请与平台核对后, 改正并重新报送",
        value=rejected.explanation,
    )
