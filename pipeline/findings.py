"""What people decide about findings of the cross-check: each decision a step of the journal (比对结果).

Confirm, reject, ask the enterprise to correct itself, hand to inspection (执法检查): one person. A listing among
经营异常 (cause 3, 隐瞒真实情况、弄虚作假) hurts: one person proposes it for a confirmed finding, another signs
(invariant 10). Nothing here lists an enterprise or publishes anything; what was signed is the office's proposal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.journal import journaled
from pipeline.office import Office
from store import discrepancies, runs
from store.discrepancies import Decision, Finding, FindingRefused, FindingUnknown
from store.holds import person_key
from store.runs import Step
from store.typed_text import require_no_number
from transforms.crosscheck.cases import rules

MAY_FOLLOW: Final[Mapping[Decision, frozenset[str]]] = {
    "confirmed": frozenset({"open", "sent_for_correction", "to_inspection", "rejected"}),
    "rejected": frozenset({"open", "sent_for_correction", "to_inspection", "confirmed"}),
    "sent_for_correction": frozenset({"open", "to_inspection", "confirmed"}),
    "to_inspection": frozenset({"open", "sent_for_correction"}),
    "listing_proposed": frozenset({"confirmed"}),
    "listing_signed": frozenset({"listing_proposed"}),
    "listing_refused": frozenset({"listing_proposed"}),
}
"""Each decision, and the states of a finding in which it may be made; a refused listing leaves it confirmed."""


class FindingChanged(RuntimeError):
    """The finding does not say any more what the person saw, or is closed: look at it again."""


def decide(
    office: Office,
    chosen: Sequence[tuple[str, str]],
    decision: Decision,
    *,
    person: str,
    reason: str,
    as_of: dt.date,
) -> list[Finding]:
    """Enter one decision about findings, each named by its key and the hash of the content that the person saw.

    All or none. Raises ``FindingUnknown``, ``FindingChanged`` for another content or a closed finding,
    ``FindingRefused`` where the decision may not follow what was decided before, where a listing is proposed for a
    case that is none or before the enterprise's own time to correct is over, or is signed by its author; and
    ``ValueError`` without a name or a reason, or for one that holds a number of a person.
    """
    if not person_key(person) or not reason.strip():
        raise ValueError("a decision needs a name and a reason")
    require_no_number("姓名", person)
    require_no_number("理由", reason)
    with journaled(office), office.engine.begin() as connection:
        held = discrepancies.lock_findings(connection, [key for key, _ in chosen])
        for key, seen in chosen:
            if key not in held:
                raise FindingUnknown(f"there is no finding {key}")
            _require(held[key], seen, decision, person, as_of)
        for key, seen in sorted(chosen):
            place = runs.next_number(connection)
            discrepancies.decide(
                connection, key, decision, content_hash=seen, person=person, reason=reason, as_of=as_of, run_no=place
            )
            told = {
                "finding": key, "content": seen, "decision": decision, "person": person.strip(),
                "reason": reason.strip(),
            }  # fmt: skip
            runs.enter(connection, Step.FINDING, as_of, run_no=place, told=told)
        decided = discrepancies.lock_findings(connection, [key for key, _ in chosen])
    return [decided[key] for key, _ in chosen]


def may_list(found: Finding, as_of: dt.date) -> bool:
    """Tell whether a finding is of a case that may end in 经营异常, and the time to correct it is over."""
    return found.kind != "lead" and rules().cases[found.case_no].lists and as_of > found.correct_until


def other_person(found: Finding, person: str) -> bool:
    """Tell whether a person is another one than who decided last."""
    return person_key(person) != person_key(found.decided_by or "")


def _require(found: Finding, seen: str, decision: Decision, person: str, as_of: dt.date) -> None:
    if found.closed:
        raise FindingChanged(f"finding {found.finding_key} is closed: what it said is not so any more")
    if found.content_hash != seen:
        raise FindingChanged(f"finding {found.finding_key} says something else by now")
    if found.state not in MAY_FOLLOW[decision]:
        raise FindingRefused(f"finding {found.finding_key} is {found.state}: {decision} cannot follow")
    if decision == "listing_proposed" and not may_list(found, as_of):
        raise FindingRefused(
            f"case {found.case_no} ({found.kind}) is no 隐瞒真实情况、弄虚作假, or the enterprise may correct its"
            f" report until {found.correct_until}"
        )
    if decision in ("listing_proposed", "listing_signed") and found.outdated:
        raise FindingRefused(f"finding {found.finding_key} changed after it was confirmed: confirm it again")
    if decision == "listing_signed" and not other_person(found, person):
        raise FindingRefused(f"a listing needs a second person: {person} proposed it")


def do_again(office: Office, told: Mapping[str, Any], as_of: dt.date) -> None:
    """Make a decision of the journal again; raises as ``decide``."""
    chosen = [(told["finding"], told["content"])]
    decide(office, chosen, told["decision"], person=told["person"], reason=told["reason"], as_of=as_of)
