"""The agencies for a person or a script: ``disclosure simulate COMMAND`` (``python -m simulator COMMAND``).

``serve`` publishes days and serves them until SIGINT or SIGTERM: on the first line of output stands a JSON object, per
agency its url, secret, ca_file and host_key. ``write`` leaves the same rows as files with the register and the truth
beside them. ``fault`` and ``publish`` switch a fault, or put one more day in place, at agencies that are served from a
home. ``faults`` says which faults each agency can show.

Exit codes: 0 done; 1 nobody serves from the home; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from simulator.agencies import Simulator
from simulator.business_days import DAYS, DEMO_DAYS
from simulator.faults import Fault, FaultKind
from simulator.plan import SERVED
from simulator.population import make_population
from simulator.records import make_world
from simulator.switches import NobodyServesError, Wish, WishRefusedError, ask, carry_out, serve
from simulator.written import write_files


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command says."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "serve":
                _serve(chosen)
            case "write":
                _say({"home": str(chosen.home), "files": _write(chosen)})
            case "fault":
                fault = None if chosen.kind is None else Fault(chosen.kind, chosen.page, chosen.times, chosen.seconds)
                ask(chosen.home, Wish(agency=chosen.agency, fault=fault))
            case "publish":
                ask(chosen.home, Wish(day=chosen.day))
            case _:
                _say(_able())
    except WishRefusedError as error:
        parser.error(str(error))
    except NobodyServesError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _serve(chosen: argparse.Namespace) -> None:
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with _simulator(chosen) as simulator:
        for wish in chosen.fault:
            carry_out(simulator, wish)
        for day in chosen.days:
            simulator.publish_day(day)
        _say(
            {
                agency: {"url": told.url, "secret": told.secret, "ca_file": told.ca_file, "host_key": told.host_key}
                for agency, told in simulator.endpoints().items()
            }
        )
        serve(simulator, chosen.home, stopped, _say)


def _write(chosen: argparse.Namespace) -> list[str]:
    days = [day for day in DAYS if day <= max(chosen.days)]
    population = make_population(chosen.seed, chosen.enterprises, days)
    world = make_world(chosen.seed, population, chosen.scale, days)
    return write_files(chosen.home, population, world, chosen.agency or SERVED)


def _say(told: object) -> None:
    sys.stdout.write(f"{told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)}\n")
    sys.stdout.flush()


def _simulator(chosen: argparse.Namespace) -> Simulator:
    last = max((*chosen.days, chosen.last_day or DEMO_DAYS[-1]))
    return Simulator(
        chosen.home,
        chosen.exchange_url or f"sqlite:///{chosen.home.resolve()}/exchange.db",
        chosen.seed,
        enterprises=chosen.enterprises,
        scale=chosen.scale,
        days=[day for day in DAYS if day <= last],
        agencies=chosen.agency or SERVED,
    )


def _able() -> dict[str, list[str]]:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with Simulator(home, f"sqlite:///{home}/exchange.db", enterprises=300, scale=0.01) as simulator:
            return {agency: sorted(kind.name for kind in desk.able) for agency, desk in simulator.desks.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="disclosure simulate", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="publish days and serve them until stopped")
    writing = commands.add_parser("write", help="leave the rows of all days up to the last one as files, and end")
    serving.add_argument("--exchange-url", help="SQLAlchemy URL of the exchange database; default: a file in the home")
    serving.add_argument("--last-day", type=_day, help="last one that can be published later")
    serving.add_argument(
        "--fault", type=_initial_fault, nargs="*", default=[], metavar="AGENCY=FAULT", help="on from the beginning"
    )
    for made in (serving, writing):
        made.add_argument("--home", type=Path, required=True, help="folder for certificate, files, register, truth")
        made.add_argument("--seed", type=int, default=2018)
        made.add_argument("--enterprises", type=int, default=3_000, help="size of the register")
        made.add_argument("--scale", type=float, default=1.0, help="multiplies the number of records")
        made.add_argument("--days", type=_day, nargs="*", default=list(DEMO_DAYS), help=f"from {DAYS[0]} to {DAYS[-1]}")
        made.add_argument("--agency", choices=SERVED, nargs="*", help="default: all")
    switch = commands.add_parser("fault", help="switch a fault of an agency that is served")
    switch.add_argument("agency", choices=SERVED)
    switch.add_argument("kind", type=_kind, metavar="FAULT", help="as `faults` lists them, or off")
    switch.add_argument("--page", type=int, help="befalls this page only")
    switch.add_argument("--times", type=int, help="so often; default: until it is switched off")
    switch.add_argument("--seconds", type=float, default=0.0, help="length of a wait")
    more = commands.add_parser("publish", help="put one more day in place")
    more.add_argument("day", type=_day)
    for other in (switch, more):
        other.add_argument("--home", type=Path, required=True, help="the home that is served")
    commands.add_parser("faults", help="say which faults each agency can show")
    return parser


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if day not in DAYS:
        raise argparse.ArgumentTypeError(f"{text} is no business day from {DAYS[0]} to {DAYS[-1]}")
    return day


def _kind(text: str) -> FaultKind | None:
    name = text.upper().replace("-", "_")
    if name == "OFF":
        return None
    if name not in FaultKind.__members__:
        raise argparse.ArgumentTypeError(f"no fault {text}; `disclosure simulate faults` lists them")
    return FaultKind[name]


def _initial_fault(text: str) -> Wish:
    agency, _, kind = text.partition("=")
    fault = _kind(kind)
    return Wish(agency=agency, fault=Fault(fault) if fault else None)


if __name__ == "__main__":
    sys.exit(main())
