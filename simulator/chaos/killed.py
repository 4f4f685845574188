"""Run one command of ``disclosure`` and kill the process, as a power cut would, when it reaches a point.

``python -m simulator.chaos.killed MODULE:FUNCTION:before|after COMMAND...``: the function is looked up where it is
called from.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from pipeline.cli import app


def cut_at(point: str) -> None:
    """Replace the function so that reaching it, or coming back from it, is the last thing that happens."""
    module_name, function, when = point.split(":")
    module = importlib.import_module(module_name)
    original = getattr(module, function)

    def cut(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            original(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, function, cut)


def run_and_kill(point: str, *command: str, environment: Mapping[str, str]) -> None:
    """Run a command in a process of its own until the point kills it. Raises RuntimeError when it ends otherwise."""
    program = [sys.executable, "-m", "simulator.chaos.killed", point, *command]
    ended = subprocess.run(  # noqa: S603 (our own program)
        program, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if ended.returncode != -signal.SIGKILL:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}, not at {point}: {ended.stderr}")


if __name__ == "__main__":
    cut_at(sys.argv[1])
    app(sys.argv[2:])
