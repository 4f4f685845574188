"""A judge server for tests, named in the environment while it serves."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from expectations.judging import SOCKET_VARIABLE


@contextmanager
def serving(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(SOCKET_VARIABLE, str(path))
        process = subprocess.Popen([sys.executable, "-m", "expectations.judge_server"])
        while not path.exists() and process.poll() is None:
            time.sleep(0.01)
        yield process
        process.kill()
        process.wait()
