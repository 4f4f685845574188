"""``make bench``: our pipeline and the plain pandas script on the same files in the same run; prints JSON.

200,000 penalties against 300,000 enterprises, all four sites; then, to see how memory grows, ten times the penalties
with one site, beside the same number of penalties with one site; then reading and checking alone, of as many and of
five times as many penalties. Sizes can be given:
``python -m bench.run [PENALTIES [ENTERPRISES]]``.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measure import measure
from bench.penalties import write_penalties
from bench.register import write_register
from store import embedded


def main(penalties: int = 200_000, enterprises: int = 300_000) -> dict[str, Any]:
    """Generate the files, run each contender in a process of its own, and put the figures side by side."""
    work = Path(tempfile.mkdtemp(prefix="disclosure-bench-"))
    try:
        register, once, tenfold = work / "register.csv", work / "once.csv", work / "tenfold.csv"
        _tell(f"generating {enterprises} enterprises and {penalties} penalties")
        write_register(register, enterprises, seed=7)
        write_penalties(once, register, penalties, seed=7)
        _tell("ours: four sites")
        ours = _ours(once, register, work / "ours")
        _tell("peer: pandas + Great Expectations + COPY")
        peer = _peer(once, register, work / "peer")
        _tell("ours: one site, for its memory")
        one_site = _ours(once, register, work / "one", GROWTH_SITE)
        _tell(f"ours: one site, {10 * penalties} penalties (minutes)")
        write_penalties(tenfold, register, 10 * penalties, seed=7)
        grown = _ours(tenfold, register, work / "ten", GROWTH_SITE)
        tenfold.unlink()
        _tell(f"ours: reading and checking alone, {penalties} and {5 * penalties} penalties")
        checked = _checks(once, work / "checks")
        fivefold = work / "fivefold.csv"
        write_penalties(fivefold, register, 5 * penalties, seed=7)
        checked_fivefold = _checks(fivefold, work / "checks")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "ours": ours,
        "peer_pandas": peer,
        "ours_one_site": one_site,
        "ours_one_site_ten_times_the_rows": grown,
        "ours_checks_alone": checked,
        "ours_checks_alone_five_times_the_rows": checked_fivefold,
        "ratio_rows_per_second": round(ours["rows_per_second"] / peer["rows_per_second"], 2),
        "ratio_peak_memory": round(ours["peak_rss_mb"] / peer["peak_rss_mb"], 2),
        "memory_growth_for_ten_times_the_rows": round(grown["peak_rss_mb"] / one_site["peak_rss_mb"], 2),
        "memory_growth_of_checks_for_five_times_the_rows": round(
            checked_fivefold["peak_rss_mb"] / checked["peak_rss_mb"], 2
        ),
    }


GROWTH_SITE = "gsxt"


def _ours(penalties: Path, register: Path, home: Path, *sites: str) -> dict[str, Any]:
    try:
        return _measured(["bench.ours", penalties, register, home, *sites], home / "postgres")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _checks(penalties: Path, home: Path) -> dict[str, Any]:
    home.mkdir()
    try:
        return _measured(["bench.checks", penalties, home], home / "no-server")
    finally:
        shutil.rmtree(home)


def _peer(penalties: Path, register: Path, home: Path) -> dict[str, Any]:
    home.mkdir()
    database = embedded.start(home / "postgres")
    try:
        return _measured(["bench.peer_pandas", penalties, register, database, home / "out"], home / "postgres")
    finally:
        embedded.stop(home / "postgres")


def _measured(arguments: list[Any], pgdata: Path) -> dict[str, Any]:
    (pgdata.parent / "out").mkdir(parents=True, exist_ok=True)
    measured = measure([sys.executable, "-m", *map(str, arguments)], pgdata=pgdata)
    if measured["returncode"]:
        raise SystemExit(f"{arguments[0]} failed:\n{measured['stderr'][-4000:]}")
    answer: dict[str, Any] = json.loads(measured["stdout"].strip().splitlines()[-1])
    return answer | {
        "wall_seconds": round(measured["wall_seconds"], 1),
        "peak_rss_mb": round(measured["peak_rss_mb"]),
        "postgres_peak_mb": round(measured["postgres_peak_mb"] or 0),
    }


def _tell(text: str) -> None:
    print(f"[bench] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:3])), indent=2, ensure_ascii=False))
