"""A component of Airflow that forks, with libraries in memory: ``python -m pipeline.airflow_component scheduler``.

The scheduler's LocalExecutor forks a process per task, the DAG processor one per file. What they have imported their
children have too, and need not spend the seconds of a core that the libraries take. So tasks run the code that was
there when the scheduler started.
"""

from __future__ import annotations

import runpy
import sys
from importlib import import_module
from typing import Final

PRELOADED: Final = {
    "scheduler": ("pipeline.steps", "adbc_driver_postgresql", "ibis.backends.duckdb"),
    "dag-processor": ("connectors.descriptor",),
}

if __name__ == "__main__":
    for module in PRELOADED[sys.argv[1]]:
        import_module(module)
    runpy.run_module("airflow", run_name="__main__", alter_sys=True)
