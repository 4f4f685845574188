"""Parse the DAG folder once, as a DAG processor does, and print what there is to say about it as JSON.

Run by test_dag_parsing.py in processes of their own, with every way to the network closed.
"""

from __future__ import annotations

import json
import socket
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"pandas", "duckdb", "ibis", "great_expectations", "adbc_driver_postgresql", "store", "expectations", "feeds"}


def no_network(*_: object, **__: object) -> None:
    raise AssertionError("a DAG file opened a connection while it was parsed")


def main() -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    socket.socket.connect = no_network  # type: ignore[method-assign]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.process_time()
        bag = DagBag(ROOT / "dags", collect_dags=True, bundle_path=ROOT / "dags")
        seconds = time.process_time() - started
    report = {
        "dag_ids": sorted(bag.dags),
        "import_errors": bag.import_errors,
        "warnings": [str(each.message) for each in caught if str(ROOT / "dags") in each.filename],
        "deprecations_of_airflow": [
            str(each.message) for each in caught if "airflow" in type(each.message).__module__.lower()
        ],
        "heavy_modules": sorted(HEAVY & set(sys.modules)),
        "cpu_seconds": seconds,
        "serialized": {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in sorted(bag.dags.items())},
    }
    Path(sys.argv[1]).write_text(json.dumps(report, default=str))


main()
