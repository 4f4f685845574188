"""Run the days twice and compare: ``python -m simulator.chaos [--home DIR] [--days N] [--scale X] [--json]``.

Exit codes: 0 when every row is accounted for on every day of both runs and their records differ only in what was
destroyed for good; 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulator.business_days import DAYS
from simulator.chaos.report import as_document, as_text
from simulator.chaos.twice import run_twice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, tell, and say by the exit code whether the bars are met."""
    parser = argparse.ArgumentParser(prog="python -m simulator.chaos", description="Ten days with and without faults.")
    parser.add_argument("--home", type=Path, help="kept afterwards; default is a folder that is removed")
    parser.add_argument("--days", type=int, default=len(DAYS), help="business days, at least 3")
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--enterprises", type=int, default=800)
    parser.add_argument("--scale", type=float, default=0.2, help="multiplies the number of records")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    chosen = parser.parse_args(arguments)
    if not 3 <= chosen.days <= len(DAYS):
        parser.error(f"--days must be between 3 and {len(DAYS)}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        outcome = run_twice(
            chosen.home or Path(folder),
            days=DAYS[: chosen.days],
            seed=chosen.seed,
            enterprises=chosen.enterprises,
            scale=chosen.scale,
            tell=lambda text: sys.stderr.write(f"{text}\n"),
        )
    document = as_document(outcome)
    if chosen.home:
        (chosen.home / "chaos.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n" if chosen.json else as_text(outcome))
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main())
