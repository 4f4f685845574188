"""The embedded server lives as long as somebody uses it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from store import embedded

_START: Final = "import pathlib, sys; from store.embedded import start; start(pathlib.Path(sys.argv[1]){options})"


@pytest.mark.parametrize(("options", "left"), [("", False), (", keep_running=True", True)])
def test_a_process_that_ends_stops_the_server_it_started_unless_it_is_to_be_kept(options: str, left: bool) -> None:
    """The first time, when the server is made, and the second, when it is there."""
    with tempfile.TemporaryDirectory(prefix="disclosure-") as folder:
        data = Path(folder) / "data"
        for _ in range(2):
            subprocess.run([sys.executable, "-c", _START.format(options=options), str(data)], check=True)
            assert (data / "postmaster.pid").exists() is left
        assert embedded.stop(data) is left
