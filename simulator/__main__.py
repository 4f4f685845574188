"""Serve the agencies until stopped: ``python -m simulator --home DIR --exchange-url URL [--days DAY ...]``.

On the first line of output stands a JSON object: per agency its url, secret, ca_file and host_key.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from threading import Event

from simulator.agencies import Simulator
from simulator.business_days import DEMO_DAYS


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the days asked for, tell the endpoints, serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="The agencies on loopback.")
    parser.add_argument("--home", type=Path, required=True, help="folder for certificate, drop folder, register, truth")
    parser.add_argument("--exchange-url", required=True, help="SQLAlchemy URL of the exchange database")
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--enterprises", type=int, default=3_000)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of records")
    parser.add_argument("--days", type=date.fromisoformat, nargs="*", default=list(DEMO_DAYS), help="days to publish")
    chosen = parser.parse_args(arguments)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    simulator = Simulator(
        chosen.home,
        chosen.exchange_url,
        chosen.seed,
        enterprises=chosen.enterprises,
        scale=chosen.scale,
    )
    with simulator:
        for day in chosen.days:
            simulator.publish_day(day)
        endpoints = {
            agency: {"url": told.url, "secret": told.secret, "ca_file": told.ca_file, "host_key": told.host_key}
            for agency, told in simulator.endpoints().items()
        }
        sys.stdout.write(json.dumps(endpoints) + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
