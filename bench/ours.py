"""One measured run of the pipeline on generated files: CSV to attached records, then the first release of four sites.

``python -m bench.ours PENALTIES REGISTER HOME [SITE ...]`` prints one JSON line; sites default to all four. The clock
covers what the peer's covers: the register is loaded and the libraries are imported before it starts; the database is
a real server on disk.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.penalties import AS_OF
from transforms.columns import Kind, Sheet

SITES = ["creditbj", "creditchina", "gsxt", "qyxy"]


def run(penalties: Path, register: Path, home: Path, sites: list[str]) -> dict[str, Any]:
    """Run every step once in a fresh home; seconds per step, rows/s from CSV to committed attachments, peak memory."""
    os.environ["DISCLOSURE_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    import pyarrow as pa

    from expectations.judging import judge_of_this_process
    from expectations.suite import load_suite
    from pipeline.attach import attach
    from pipeline.ingest import ingest_file
    from pipeline.office import open_office
    from pipeline.publish import publish
    from pipeline.register import load_register

    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        answer = step()
        seconds[name] = round(time.perf_counter() - started, 2)
        return answer

    def judge_one_row() -> None:
        import adbc_driver_postgresql  # noqa: F401
        import ibis.backends.duckdb  # noqa: F401

        suite = load_suite(Kind.PENALTY, Sheet.STANDARD).of_scope("delivery")
        judge_of_this_process().judge({suite.expectations[0].column: pa.array([None], pa.string())}, suite)

    office = open_office()
    timed("register", lambda: load_register(office, register, as_of=AS_OF))
    timed("imports", judge_one_row)
    taken = timed(
        "ingest",
        lambda: ingest_file(office, penalties, agency="aic", kind=Kind.PENALTY, as_of=AS_OF, guarded=False),
    )
    attached = timed("attach", lambda: attach(office, as_of=AS_OF))
    judge_of_this_process().close()  # in production each step is a process of its own
    timed("imports for publish", judge_one_row)
    peak_after_attach = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    published = timed("publish", lambda: publish(office, sites, as_of=AS_OF))
    return {
        "rows": taken.rows,
        "seconds": seconds,
        "rows_per_second": round(taken.rows / (seconds["ingest"] + seconds["attach"])),
        "states": dict(taken.row_states),
        "grades": dict(attached.grades),
        "published": {p.site: {table: t["full"] for table, t in p.tables.items()} for p in published},
        "peak_rss_mb_before_publish": peak_after_attach,
    }


if __name__ == "__main__":
    files = [Path(argument) for argument in sys.argv[1:4]]
    print(json.dumps(run(files[0], files[1], files[2], sys.argv[4:] or SITES)))
