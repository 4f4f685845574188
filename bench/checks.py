"""One measured run of reading alone: a CSV through the archive, standardising and every expectation; nothing is stored.

``python -m bench.checks PENALTIES HOME`` prints one JSON line. Great Expectations is imported before the clock starts.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.penalties import AS_OF
from connectors.archive import open_archive
from connectors.descriptor import load_agency
from expectations.judging import judge_of_this_process
from expectations.suite import load_suite
from pipeline.reading import DeliveryReader
from pipeline.storing import judged_by_row
from store.ahead import ahead
from store.deliveries import FileOfDelivery
from transforms.columns import Kind, Sheet


def run(penalties: Path, home: Path) -> dict[str, Any]:
    """Put the file into an archive, read it back, standardise and judge every row; rows/s and failures per rule."""
    judge = judge_of_this_process()
    once = load_suite(Kind.PENALTY, Sheet.STANDARD).of_scope("delivery")
    judge.judge({once.expectations[0].column: pa.array([None], pa.string())}, once)
    started = time.perf_counter()
    archive = open_archive(str(home / "archive"))
    stored = archive.put(penalties, penalties.name)
    reader = DeliveryReader(
        (FileOfDelivery(1, penalties.name, stored.sha256, stored.size),),
        kind=Kind.PENALTY,
        archive=archive,
        delivering=load_agency("aic").authority,
        as_of=AS_OF,
    )
    failures: Counter[str] = Counter()
    for _, _, outcomes in ahead(map(judged_by_row, reader.batches())):
        failures.update({name: outcome.unexpected for name, outcome in outcomes.items()})
    seconds = time.perf_counter() - started
    return {
        "rows": reader.rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(reader.rows / seconds),
        "failures": sum(failures.values()),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]))))
