"""Switching faults and days of agencies that are served by another process, by way of their home.

A wish is a file under ``HOME/.switches``; whoever serves from the home carries it out and takes it away, and leaves
beside it what was wrong with one that it could not carry out. ``HOME/.serving`` holds the process id while it serves.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any, Final

from simulator.agencies import Simulator
from simulator.faults import Fault, FaultKind

_POLL: Final = 0.1
_PATIENCE: Final = 60.0
_MARK: Final = ".serving"
_WISHES: Final = ".switches"


class NobodyServesError(Exception):
    """No process serves from the home; the message names it."""


class WishRefusedError(Exception):
    """What was asked cannot be done; the message says why and what can be."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: a day to put in place, or an agency's fault (null: none any more)."""

    day: date | None = None
    agency: str | None = None
    fault: Fault | None = None

    def as_json(self) -> str:
        """Return it as it stands in a file."""
        fault = self.fault and {
            "kind": self.fault.kind.name,
            "page": self.fault.page,
            "times": self.fault.times,
            "seconds": self.fault.seconds,
        }
        return json.dumps({"day": self.day and self.day.isoformat(), "agency": self.agency, "fault": fault})


def _read(text: str) -> Wish:
    told: dict[str, Any] = json.loads(text)
    fault = told["fault"]
    return Wish(
        date.fromisoformat(told["day"]) if told["day"] else None,
        told["agency"],
        Fault(FaultKind[fault.pop("kind")], **fault) if fault else None,
    )


def carry_out(simulator: Simulator, wish: Wish) -> str:
    """Do what is asked and say so. Raises WishRefusedError for a day, an agency or a fault that there is not."""
    if wish.day:
        try:
            simulator.publish_day(wish.day)
        except ValueError as error:
            raise WishRefusedError(str(error)) from error
        return f"published {wish.day}"
    desk = simulator.desks.get(wish.agency or "")
    if desk is None:
        raise WishRefusedError(f"no agency {wish.agency!r}; there are {', '.join(simulator.desks)}")
    if wish.fault is None:
        desk.faults.turn_off()
        return f"{wish.agency}: no fault"
    if wish.fault.kind not in desk.able:
        able = ", ".join(sorted(kind.name for kind in desk.able))
        raise WishRefusedError(f"{wish.agency} cannot show {wish.fault.kind.name}; it can show {able}")
    desk.faults.turn_on(wish.fault)
    return f"{wish.agency}: {wish.fault.kind.value}"


def serve(simulator: Simulator, home: Path, stopped: Event, tell: Callable[[str], object]) -> None:
    """Carry out wishes in the order of their coming until ``stopped``; what was done is told, line by line."""
    with _marked(home) as wishes:
        while not stopped.wait(_POLL):
            for path in sorted(wishes.glob("*.json"), key=lambda each: each.stat().st_mtime_ns):
                try:
                    tell(carry_out(simulator, _read(path.read_text(encoding="utf-8"))))
                except WishRefusedError as error:
                    path.with_suffix(".refused").write_text(str(error), encoding="utf-8")
                path.unlink()


def ask(home: Path, wish: Wish) -> None:
    """Have a wish carried out and wait for it. Raises NobodyServesError or WishRefusedError."""
    if not _is_served(home):
        raise NobodyServesError(f"nobody serves from {home}: start `disclosure simulate serve --home {home}` first")
    path = home / _WISHES / f"{uuid.uuid4().hex}.json"
    written = path.with_suffix(".writing")
    written.write_text(wish.as_json(), encoding="utf-8")
    written.rename(path)
    until = time.monotonic() + _PATIENCE
    while path.exists():
        if not _is_served(home) or time.monotonic() > until:
            path.unlink(missing_ok=True)
            raise NobodyServesError(f"nobody answered from {home}")
        time.sleep(_POLL)
    refused = path.with_suffix(".refused")
    if refused.exists():
        message = refused.read_text(encoding="utf-8")
        refused.unlink()
        raise WishRefusedError(message)


@contextmanager
def _marked(home: Path) -> Iterator[Path]:
    wishes = home / _WISHES
    shutil.rmtree(wishes, ignore_errors=True)
    wishes.mkdir()
    mark = home / _MARK
    mark.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield wishes
    finally:
        mark.unlink(missing_ok=True)
        shutil.rmtree(wishes, ignore_errors=True)


def _is_served(home: Path) -> bool:
    try:
        os.kill(int((home / _MARK).read_text(encoding="utf-8")), 0)
    except (OSError, ValueError):
        return False
    return True
