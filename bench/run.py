"""``make bench``: our pipeline and the plain pandas script on the same files in the same run; prints JSON.

200,000 penalties against 300,000 enterprises, and a tenth of the penalties to see how memory grows. Sizes can be
given: ``python -m bench.run [PENALTIES [ENTERPRISES]]``.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.data import write_penalties, write_register
from bench.measure import measure
from store import embedded


def main(penalties: int = 200_000, enterprises: int = 300_000) -> dict[str, Any]:
    """Generate the files, run each contender in a process of its own, and put the figures side by side."""
    work = Path(tempfile.mkdtemp(prefix="disclosure-bench-"))
    try:
        _tell(f"generating {enterprises} enterprises, {penalties} and {penalties // 10} penalties")
        register, large, small = work / "register.csv", work / "large.csv", work / "small.csv"
        write_register(register, enterprises, seed=7)
        write_penalties(large, register, penalties, seed=7)
        write_penalties(small, register, penalties // 10, seed=7)
        _tell("ours, a tenth of the rows")
        tenth = _ours(small, register, work / "tenth")
        _tell("ours")
        ours = _ours(large, register, work / "ours")
        _tell("peer: pandas + Great Expectations + COPY")
        peer = _peer(large, register, work / "peer")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "ours": ours,
        "ours_tenth": tenth,
        "peer_pandas": peer,
        "ratio_rows_per_second": round(ours["rows_per_second"] / peer["rows_per_second"], 2),
        "ratio_peak_memory": round(ours["peak_rss_mb"] / peer["peak_rss_mb"], 2),
        "memory_growth_for_ten_times_the_rows": round(ours["peak_rss_mb"] / tenth["peak_rss_mb"], 2),
    }


def _ours(penalties: Path, register: Path, home: Path) -> dict[str, Any]:
    return _measured(["bench.ours", penalties, register, home], home / "postgres")


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
