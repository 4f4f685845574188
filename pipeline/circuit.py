"""The circuit of a source: after failures in a row it is not asked for a while, longer each time.

Closed: it is asked. Open: it is not, until ``open_until``. Half-open: from then on one pull probes it; an answer
closes the circuit, a failure opens it for twice as long. How many failures open it depends on their class, because a
refusal (401, 403, 404) waits for a person and an unavailable source recovers by itself. Time comes in as ``now``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectors.descriptor import Circuit
from connectors.transports.contract import AgencyRefused
from store.sources import FailureClass, Health
from store.typed_text import masked_text


class CircuitOpen(AgencyRefused):
    """The source was not asked, because it failed too often; asking again before the time does not help."""


def is_open(health: Health, now: datetime) -> bool:
    """Tell whether the source must not be asked now."""
    return health.open_until is not None and now < health.open_until


def refusal(health: Health) -> CircuitOpen:
    """Say since when the source is not asked, why, and what a person can do."""
    since, until = (f"{moment:%Y-%m-%d %H:%M %Z}" for moment in (health.open_since, health.open_until))
    return CircuitOpen(
        f"{health.agency} {health.stream} was not asked: its circuit is open since {since} after {health.failures}"
        f" failures ({health.failure_class}); it is asked again from {until} on. Last failure: {health.last_failure}."
        f" To ask at once when the cause is mended: disclosure source retry {health.agency} {health.stream}"
    )


def after_failure(health: Health, kind: FailureClass, message: str, now: datetime, limits: Circuit) -> Health:
    """Return the health after one more failure; no number of a person stays in the message, which is shown."""
    in_a_row = health.failures + 1 if health.failure_class == kind else 1
    failed = replace(
        health,
        failures=in_a_row,
        failure_class=kind,
        failing_since=health.failing_since or now,
        last_failed_at=now,
        last_failure=masked_text(message),
    )
    probed = health.open_since is not None
    if not probed and in_a_row < (limits.refused if kind == "refused" else limits.unavailable):
        return failed
    wait = min(limits.first_minutes * 2**health.openings, limits.longest_minutes)
    return replace(
        failed,
        openings=health.openings + 1,
        open_since=health.open_since or now,
        open_until=now + timedelta(minutes=wait),
    )


def after_answer(health: Health, now: datetime, *, brought: bool) -> Health:
    """Return the health after a pull that reached its end: closed, nothing counted."""
    return replace(closed(health), last_complete_at=now, last_brought_at=now if brought else health.last_brought_at)


def closed(health: Health) -> Health:
    """Return the health with its circuit closed and its failures forgotten; what was said last stays."""
    return replace(
        health, failures=0, failure_class=None, failing_since=None, openings=0, open_since=None, open_until=None
    )
