"""Run a command and read what it took: wall time, processor time and peak memory of it and its children.

Memory is sampled from ``/proc`` (Linux): the sum of the resident sets of the command's process tree. PostgreSQL server
processes count apart, by proportional set size, because each maps the same shared buffers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypedDict

_PROC: Final = Path("/proc")
_MB: Final = 1024 * 1024
_SERVER_EVERY: Final = 10


class Measurement(TypedDict):
    """What one run took. MB are 2**20 bytes; ``cpu_seconds`` is user + system, without the PostgreSQL server."""

    command: list[str]
    returncode: int
    wall_seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    postgres_peak_mb: float
    stdout: str
    stderr: str


def measure(
    command: Sequence[str],
    *,
    pgdata: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    interval: float = 0.1,
) -> Measurement:
    """Run ``command`` to its end and return what it took; a non-zero exit is reported, not raised.

    ``pgdata`` is the data directory of a PostgreSQL server that serves the command but is not its child; its processes
    are found through ``postmaster.pid``, also when the command itself starts it. Their memory, which grows and stays,
    is looked at in every tenth sample: the kernel walks all their pages for it, which took a sixth of a core in each.
    ``interval`` is the time between two samples in seconds; the highest resident set of each single process is exact
    whatever the interval.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=cwd, env=env)
        peak = _Peak()
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                peak.sample(process.pid, pgdata)
                time.sleep(interval)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        return Measurement(
            command=list(command),
            returncode=process.returncode,
            wall_seconds=round(wall, 3),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
            peak_rss_mb=round(peak.command / _MB, 1),
            postgres_peak_mb=round(peak.postgres / _MB, 1),
            stdout=_text(out),
            stderr=_text(err),
        )


class _Peak:
    """The highest memory seen so far, in bytes."""

    def __init__(self) -> None:
        self.command = 0
        self.postgres = 0
        self._samples = 0

    def sample(self, root: int, pgdata: Path | None) -> None:
        children, names = _process_table()
        tree = _descendants([root], children)
        servers = {pid for pid in tree if names.get(pid) == "postgres"}
        if pgdata is not None:
            servers |= _descendants(_postmaster(pgdata), children)
        memory = [_resident(pid) for pid in tree - servers]
        self.command = max(self.command, sum(now for now, _ in memory), *(highest for _, highest in memory), 0)
        if self._samples % _SERVER_EVERY == 0:
            self.postgres = max(self.postgres, sum(_proportional(pid) for pid in servers))
        self._samples += 1


def _process_table() -> tuple[dict[int, list[int]], dict[int, str]]:
    """Return the children of each process and the name of each process."""
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended between the listing and the reading
        name, _, rest = stat.partition("(")[2].rpartition(")")
        pid, parent = int(entry.name), int(rest.split()[1])
        names[pid] = name
        children.setdefault(parent, []).append(pid)
    return children, names


def _descendants(roots: Iterable[int], children: Mapping[int, list[int]]) -> set[int]:
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo.extend(children.get(pid, ()))
    return found


def _postmaster(pgdata: Path) -> list[int]:
    try:
        return [int((pgdata / "postmaster.pid").read_text().split("\n", 1)[0])]
    except (OSError, ValueError):
        return []  # not started yet, or being written


def _resident(pid: int) -> tuple[int, int]:
    """Return the resident set of a process now and its highest so far, in bytes."""
    return _kilobytes(pid, "status", "VmRSS:"), _kilobytes(pid, "status", "VmHWM:")


def _proportional(pid: int) -> int:
    return _kilobytes(pid, "smaps_rollup", "Pss:")


def _kilobytes(pid: int, file: str, label: str) -> int:
    try:
        lines = (_PROC / str(pid) / file).read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(label)) * 1024


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


if __name__ == "__main__":
    import json

    print(json.dumps(measure(sys.argv[1:]), ensure_ascii=False))
