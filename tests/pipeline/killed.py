"""Run one command of ``disclosure`` and kill the process, as a power cut would, when it reaches a point.

Usage: killed.py MODULE:FUNCTION:before|after COMMAND... The function is looked up where it is called from.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
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


if __name__ == "__main__":
    cut_at(sys.argv[1])
    app(sys.argv[2:])
