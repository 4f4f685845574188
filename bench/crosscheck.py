"""``make bench-crosscheck``: made-up reports and subjects with their truth, taken in and compared; prints JSON.

``python -m bench.crosscheck [ENTERPRISES]``: about 1.2 rows of reports and 0.8 sites each. Precision and recall are
counted per kind over (enterprise, kind, case). Beside it stands the merge that one would write first: pandas, read both
files, join on code and address as text.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from bench.measure import measure
from simulator.online_market import enterprises

YEAR: Final = 2017
AS_OF: Final = "2018-08-21"


def main(count: int = 400_000) -> dict[str, Any]:
    """Make the files, run each contender in a process of its own, and compare what was found with the truth.

    A quarter of the enterprises is compared too, to see how memory grows.
    """
    quarter, whole = _run(count // 4), _run(count)
    return {
        "enterprises": count,
        **whole,
        "ours_of_a_quarter": quarter["ours"],
        "memory_growth_for_four_times_the_rows": round(
            whole["ours"]["peak_rss_mb"] / quarter["ours"]["peak_rss_mb"], 2
        ),
    }


def _run(count: int) -> dict[str, Any]:
    work = Path(tempfile.mkdtemp(prefix="disclosure-crosscheck-"))
    try:
        truth = write_market(work, count)
        ours = _measured("ours", work, pgdata=work / "home" / "postgres")
        peer = _measured("peer", work)
        with (work / "findings.csv").open(encoding="utf-8", newline="") as file:
            found = {(row["uscc"], row["kind"], int(row["case_no"])) for row in csv.DictReader(file)}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {
        "ours": ours,
        "peer_pandas_merge": peer,
        "seconds_per_second_of_pandas": round(ours["seconds"]["crosscheck"] / peer["seconds"], 1),
        "quality": quality(found, truth),
        "accused_but_clean": len({uscc for uscc, kind, _ in found if kind != "base_gap"} - {t[0] for t in truth}),
    }


def write_market(folder: Path, count: int) -> set[tuple[str, str, int]]:
    """Write register.csv, reports.csv and subjects.csv and return the truth."""
    truth: set[tuple[str, str, int]] = set()
    with (
        (folder / "register.csv").open("w", encoding="utf-8", newline="") as register,
        (folder / "reports.csv").open("w", encoding="utf-8", newline="") as reports,
        (folder / "subjects.csv").open("w", encoding="utf-8", newline="") as subjects,
    ):
        writers: dict[str, Any] = {}
        for enterprise in enterprises(count, year=YEAR, seed=7):
            parts = (register, [enterprise.registered]), (reports, enterprise.report), (subjects, enterprise.subjects)
            for file, rows in parts:
                for row in rows:
                    if file.name not in writers:
                        writers[file.name] = csv.DictWriter(file, list(row))
                        writers[file.name].writeheader()
                    writers[file.name].writerow(row)
            if enterprise.truth:
                truth.add((enterprise.uscc, *enterprise.truth))
    return truth


def quality(found: set[tuple[str, str, int]], truth: set[tuple[str, str, int]]) -> dict[str, dict[str, float]]:
    """Return precision and recall per kind."""
    counted: dict[str, dict[str, float]] = {}
    of_kind: dict[str, list[set[tuple[str, str, int]]]] = defaultdict(lambda: [set(), set()])
    for place, findings in enumerate((found, truth)):
        for finding in findings:
            of_kind[finding[1]][place].add(finding)
    for kind, (got, true) in sorted(of_kind.items()):
        both = len(got & true)
        counted[kind] = {
            "true": len(true),
            "precision": round(both / len(got), 4) if got else 1.0,
            "recall": round(both / len(true), 4) if true else 1.0,
        }
    return counted


def ours(work: Path) -> dict[str, Any]:
    """Take both files in, compare them, export; seconds per step."""
    os.environ["DISCLOSURE_HOME"] = str(work / "home")
    os.environ.pop("DATABASE_URL", None)
    import datetime as dt

    from pipeline.crosscheck import crosscheck
    from pipeline.exports import DISCREPANCIES, export
    from pipeline.ingest import ingest_file
    from pipeline.office import open_office
    from pipeline.register import load_register
    from transforms.columns import Reference

    day, office, seconds, rows = dt.date.fromisoformat(AS_OF), open_office(), {}, 0
    started = time.perf_counter()
    load_register(office, work / "register.csv", as_of=day)
    seconds["register"] = time.perf_counter() - started
    for reference, name in ((Reference.ANNUAL_REPORT, "reports.csv"), (Reference.ONLINE_SUBJECT, "subjects.csv")):
        started = time.perf_counter()
        rows += ingest_file(office, work / name, agency="aic", kind=reference, as_of=day).rows
        seconds[f"ingest {reference}"] = time.perf_counter() - started
    started = time.perf_counter()
    compared = crosscheck(office, year=YEAR, as_of=day)
    seconds["crosscheck"] = time.perf_counter() - started
    export(office, DISCREPANCIES, work / "findings.csv")
    return {
        "rows": rows,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "crosscheck_rows_per_second": round(rows / seconds["crosscheck"]),
        "findings": dict(compared.findings),
    }


def peer(work: Path) -> dict[str, Any]:
    """Join both files on code and address as text, as one would first."""
    import pandas as pd

    started = time.perf_counter()
    reports = pd.read_csv(work / "reports.csv", dtype=str)
    subjects = pd.read_csv(work / "subjects.csv", dtype=str)
    merged = subjects.merge(
        reports, how="outer", left_on=["OPERATOR_USCC", "URL"], right_on=["UNISCID", "DOMAIN"], indicator=True
    )
    missed = int((merged["_merge"] == "left_only").sum())
    return {"seconds": round(time.perf_counter() - started, 3), "sites_without_a_row": missed}


def _measured(contender: str, work: Path, *, pgdata: Path | None = None) -> dict[str, Any]:
    print(f"[bench] {contender}", file=sys.stderr, flush=True)
    measured = measure([sys.executable, "-m", "bench.crosscheck", contender, str(work)], pgdata=pgdata)
    if measured["returncode"]:
        raise SystemExit(f"{contender} failed:\n{measured['stderr'][-4000:]}")
    answer: dict[str, Any] = json.loads(measured["stdout"].strip().splitlines()[-1])
    return answer | {"peak_rss_mb": measured["peak_rss_mb"], "postgres_peak_mb": measured["postgres_peak_mb"]}


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["peer"]):
        print(json.dumps({"ours": ours, "peer": peer}[sys.argv[1]](Path(sys.argv[2]))))
    else:
        print(json.dumps(main(*map(int, sys.argv[1:2])), indent=2, ensure_ascii=False))
