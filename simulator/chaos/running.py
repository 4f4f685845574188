"""Ten business days of one system, without a scheduler: register, thirteen agencies, holds, attach, publish, reconcile.

A day is as an office has it: in the morning every agency is asked; what failed is asked again in the evening, when the
faults of the day are put right; two people look at what is held. An agency that fails stops nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from connectors.descriptor import Agency, PagedApi, Retries, load_agency
from connectors.descriptor.transports import HttpFacts
from connectors.transports.contract import AgencyError
from feeds.sites import load_sites
from pipeline.attach import attach
from pipeline.collect import collect
from pipeline.holds import decide, list_holds
from pipeline.ingest import ingest_delivery
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.reconcile import reconcile
from pipeline.register import load_register
from simulator.agencies import Simulator
from simulator.business_days import FULL_REGISTER_DAYS
from simulator.chaos.damage import damage, put_late, restore
from simulator.chaos.faults import DAYS_DOWN, Heals, Mishap, Planned
from simulator.chaos.killed import run_and_kill
from simulator.desks import HttpsDesk
from simulator.faults import OF_CLOCKS, OF_CONTENT, Fault, FaultKind
from store.holds import Choice
from transforms.dates import BEIJING

APPROVERS: Final = ("演示审核员甲", "演示审核员乙")
_ASKED: Final = {"morning": time(7), "evening": time(19)}
_IMPATIENT: Final = Retries(attempts=4, first_wait=0.01, longest_wait=0.05)
_SILENCE: Final = 0.4
"""Seconds without a byte after which a source counts as slow here; a real one is given a minute."""
_LONGEST: Final = 2.0
"""Seconds from the first byte of an answer to its last; a real one is given ten minutes."""
_WHILE_COLLECTING: Final = ("pipeline.collect:_keep:after", "store.records:store_rows:after")
"""A page is in the archive and not in the ledger; rows are in the database and not committed."""
_WHILE_PUBLISHING: Final = ("pipeline.press:make_visible:before", "pipeline.press:make_visible:after")
_PAGE_ROWS: Final = 10
"""Rows of a page: so few that the days of a small simulator have pages to lose."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What came of asking an agency, or of a hold: morning, evening, hold."""

    day: date
    agency: str
    when: str
    outcome: str
    detail: str


@dataclass(slots=True)
class Ran:
    """What a run left behind: what happened, and whatever reconciling could not explain on any day."""

    happened: list[Happened] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)


def run_days(office: Office, simulator: Simulator, plan: Sequence[Planned], tell: Callable[[str], object] = str) -> Ran:
    """Run all days of a simulator through a fresh system; faults as planned, an empty plan for none."""
    week = _Days(office, simulator, plan)
    for day in simulator.days:
        failed = week.run(day)
        tell(f"{day}: {sum(each.day == day for each in plan)} faults begin, {len(failed)} agencies failed at first")
    return week.ran


class _Days:
    """One system at work on one simulator."""

    def __init__(self, office: Office, simulator: Simulator, plan: Sequence[Planned]) -> None:
        self.ran: Final = Ran()
        self._office = office
        self._simulator = simulator
        self._plan = plan

    def run(self, day: date) -> set[str]:
        """Run one day to its end; return the agencies that could not be read in the morning."""
        self._load_register(day)
        failed = {agency for agency in self._simulator.desks if not self._morning(agency, day)}
        for agency in self._simulator.desks:
            self._evening(agency, day, failed=agency in failed)
        self._decide_holds(day)
        attach(self._office, as_of=day)
        for agency in self._simulator.desks:
            if self._is_killed(agency, day):
                self._cut_off(day, _WHILE_PUBLISHING, "publish", "--as-of", day.isoformat(), agency=agency)
        publish(self._office, list(load_sites()), as_of=day)
        self.ran.unexplained += [f"{day}: {finding}" for finding in reconcile(self._office).findings]
        return failed

    def _load_register(self, day: date) -> None:
        self._simulator.publish_register(day)
        path = self._simulator.register_file(day)
        load_register(self._office, path, as_of=day, mode="full" if day in FULL_REGISTER_DAYS else "changes")

    def _fault(self, agency: str, day: date) -> Planned | None:
        return next((each for each in self._plan if (each.agency, each.day) == (agency, day)), None)

    def _is_killed(self, agency: str, day: date) -> bool:
        fault = self._fault(agency, day)
        return fault is not None and fault.what is Mishap.KILLED

    def _cut_off(self, day: date, points: Sequence[str], *command: str, agency: str) -> None:
        """Start a command once for each point, and have it killed there."""
        endpoint, prefix = self._simulator.desks[agency].endpoint, f"DISCLOSURE_{agency.upper()}"
        environment = {
            "DISCLOSURE_HOME": str(self._office.settings.state),
            "DATABASE_URL": self._office.bulk_url,
            f"{prefix}_URL": endpoint.url,
            f"{prefix}_SECRET": endpoint.secret or "",
            f"{prefix}_CA_FILE": endpoint.ca_file or "",
            f"{prefix}_HOST_KEY": endpoint.host_key or "",
        }
        for point in points:
            run_and_kill(point, *command, environment=environment)
            self.ran.happened.append(Happened(day, agency, command[0], "killed", point))

    def _is_down(self, agency: str, day: date) -> bool:
        days = self._simulator.days
        return any(
            each.what is Mishap.DOWN
            and each.agency == agency
            and 0 <= days.index(day) - days.index(each.day) < DAYS_DOWN
            for each in self._plan
        )

    def _morning(self, agency: str, day: date) -> bool:
        desk = self._simulator.desks[agency]
        if self._is_down(agency, day):
            desk.faults.turn_on(Fault(FaultKind.SERVER_ERROR))
            return self._ask(agency, day, "morning")
        for earlier in self._plan:
            past = self._simulator.days[: self._simulator.days.index(day)][-DAYS_DOWN:]
            if earlier.agency == agency and earlier.heals is Heals.NEXT_DAY and earlier.day in past:
                restore(self._simulator, earlier, day)
        self._hand_over(agency, day)
        if self._is_killed(agency, day):
            self._cut_off(day, _WHILE_COLLECTING, "collect", agency, "--from", day.isoformat(), agency=agency)
        return self._ask(agency, day, "morning")

    def _hand_over(self, agency: str, day: date) -> None:
        fault, desk = self._fault(agency, day), self._simulator.desks[agency]
        if fault and isinstance(fault.what, Mishap) and fault.what is not Mishap.KILLED:
            damage(self._simulator, fault)
            return
        if fault and isinstance(fault.what, FaultKind):
            times = 2 if fault.heals is Heals.WITHIN_THE_PULL and isinstance(desk, HttpsDesk) else None
            seconds = 2 * (_LONGEST if fault.what is FaultKind.SLOW_DRIP else _SILENCE)
            desk.faults.turn_on(Fault(fault.what, times=times, seconds=seconds))
            if fault.what is FaultKind.LATE_COMMIT:
                put_late(self._simulator, agency, day)
                return
        self._simulator.publish_agency(agency, day)
        if fault and fault.what in OF_CONTENT | OF_CLOCKS.keys() | {FaultKind.NUMBER_GAP}:
            desk.faults.turn_off()

    def _evening(self, agency: str, day: date, *, failed: bool) -> None:
        fault, desk = self._fault(agency, day), self._simulator.desks[agency]
        heals_today = fault is not None and fault.heals in (Heals.SAME_DAY, Heals.WITHIN_THE_PULL)
        if heals_today and isinstance(fault, Planned) and isinstance(fault.what, FaultKind):
            desk.faults.turn_off()
            if fault.heals is Heals.SAME_DAY:
                self._simulator.publish_agency(agency, day)
        if failed or (fault is not None and fault.heals is Heals.SAME_DAY):
            self._ask(agency, day, "evening")

    def _ask(self, agency: str, day: date, when: str) -> bool:
        """Collect an agency; whatever goes wrong is its own affair."""
        try:
            answer = collect(
                agency,
                day,
                engine=self._office.engine,
                archive=self._office.archive,
                endpoint=self._simulator.desks[agency].endpoint,
                ingest=lambda delivery_id: ingest_delivery(self._office, delivery_id),
                now=datetime.combine(day, _ASKED[when], BEIJING),
                describe=_impatiently,
            )
        except AgencyError as error:
            self.ran.happened.append(Happened(day, agency, when, type(error).__name__, str(error)))
            return False
        refused = [text for counts in answer["streams"].values() for text in counts["refused"]]
        states = Counter(counts["state"] for counts in answer["streams"].values())
        said = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        self.ran.happened.append(Happened(day, agency, when, said, "; ".join(refused)))
        return not refused

    def _decide_holds(self, day: date) -> None:
        """Reject what was an accident, have two people approve everything else that waits."""
        for hold in list_holds(self._office):
            fault = self._fault(hold.agency, day)
            accident = fault is not None and fault.what is Mishap.MASS_WITHDRAWAL and "mass_change" in hold.reasons
            choice: Choice = "reject" if accident else "approve"
            for person in APPROVERS[: 1 if accident else 2]:
                decided = decide(self._office, hold.hold_id, person=person, decision=choice, reason="已与报送机关核对")
            self.ran.happened.append(Happened(day, hold.agency, "hold", decided.hold.state, hold.explanation))


def _impatiently(agency_id: str) -> Agency:
    """Return a descriptor that waits for nothing: a chaos run has no time to be polite."""
    agency = load_agency(agency_id)
    streams = []
    for stream in agency.streams:
        quick: dict[str, object] = {}
        if isinstance(stream.transport, HttpFacts):
            quick = {"read_timeout": _SILENCE, "longest_answer": _LONGEST}
        if isinstance(stream.transport, PagedApi):
            quick["page_size"] = _PAGE_ROWS
        transport = stream.transport.model_copy(update=quick)
        streams.append(stream.model_copy(update={"transport": transport, "retries": _IMPATIENT, "rate": 1000.0}))
    return agency.model_copy(update={"streams": tuple(streams)})
