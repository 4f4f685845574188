"""What a chaos run is told as: one document for machines, one text for people."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from simulator.chaos.faults import Planned
from simulator.chaos.running import Happened
from simulator.chaos.twice import Outcome, by_agency


def as_document(outcome: Outcome) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 1),
        "days": [day.isoformat() for day in outcome.days],
        "faults": [
            {
                "day": each.day.isoformat(),
                "agency": each.agency,
                "fault": each.what.value,
                "heals": each.heals.value,
                "lost": each.lost,
                "expected": each.expected,
                "happened": [_told(item) for item in _about(each, outcome)],
            }
            for each in outcome.plan
        ],
        "agencies": {
            agency: [asdict(each) for each in found] for agency, found in by_agency(outcome.delivered).items()
        },
        "unexplained": [*outcome.whole.unexplained, *outcome.faulty.unexplained],
        "records": outcome.records,
        "lost": [asdict(each) for each in outcome.differences if each.lost],
        "misread": [asdict(each) for each in outcome.differences if each.misread],
        "differences": [asdict(each) for each in outcome.unexpected],
        "expected_missing_but_there": sorted(outcome.not_missing),
    }


def as_text(outcome: Outcome) -> str:
    """Return three tables and a verdict."""
    text = io.StringIO()
    out = Console(file=text, width=180, highlight=False)
    faults = Table(title="faults", title_justify="left", show_edge=False)
    for header in ("day", "agency", "fault", "expected", "happened"):
        faults.add_column(header, overflow="fold")
    for each in outcome.plan:
        happened = "\n".join(f"{item.when}: {item.outcome}" for item in _about(each, outcome))
        faults.add_row(each.day.isoformat(), each.agency, each.what.value, each.expected, happened)
    out.print(faults)
    agencies = Table(title="deliveries of the run with faults", title_justify="left", show_edge=False)
    for header in ("agency", "deliveries", "rows delivered", "in a delivery kept out", "accounted for one by one"):
        agencies.add_column(header)
    for agency, found in by_agency(outcome.delivered).items():
        states = ", ".join(f"{each.state} {each.deliveries}" for each in found)
        rows = sum(each.rows for each in found)
        kept_out = sum(each.rows for each in found if each.state != "checked")
        agencies.add_row(agency, states, str(rows), str(kept_out), str(found[0].accounted))
    out.print(agencies)
    lost = sum(each.lost for each in outcome.differences)
    out.print(f"{outcome.records} records; {lost} lost with what was destroyed for good, as planned")
    misread = sum(each.misread for each in outcome.differences)
    out.print(f"{misread} wait or went back beside the right ones, as deliveries said something else than they should")
    for line in (*outcome.whole.unexplained, *outcome.faulty.unexplained):
        out.print(f"unexplained: {line}")
    for difference in outcome.unexpected[:20]:
        out.print(f"differs: {difference.key} without faults {difference.whole}, with {difference.faulty}")
    for key in sorted(outcome.not_missing)[:20]:
        out.print(f"should be missing and is not: {key}")
    out.print(f"{'ALL BARS MET' if outcome.ok else 'FAILED'}; {outcome.seconds:.0f} s")
    return text.getvalue()


def _about(fault: Planned, outcome: Outcome) -> Iterator[Happened]:
    days = outcome.days[outcome.days.index(fault.day) :][:3]
    for item in outcome.faulty.happened:
        if item.agency == fault.agency and item.day in days[: 1 if not _lasts(fault) else 3]:
            yield item


def _lasts(fault: Planned) -> bool:
    return fault.heals.value.startswith("with the next")


def _told(item: Happened) -> dict[str, str]:
    return {key: str(value) for key, value in asdict(item).items()}
