"""A private MariaDB server: its own data directory, a port of loopback, gone when it is stopped."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

import pymysql

from simulator.servers.served import Served

_SECONDS_TO_START: Final = 60
_USER: Final = "exchange"


class MariaDbServer(Served):
    """A server that only this machine reaches, with one account that owns the database ``exchange``."""

    def __init__(self, data: Path) -> None:
        """Name the data directory; nothing is made before start."""
        self._data = data
        self.password: Final = secrets.token_urlsafe(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database, with the password of its owner."""
        return f"mariadb+pymysql://{_USER}:{self.password}@127.0.0.1:{self._port}/exchange"

    def start(self) -> None:
        """Make the data directory where there is none and serve; FileNotFoundError without an installed server."""
        installer, server = _program("mariadb-install-db"), _program("mariadbd")
        account = ["--user=root"] if os.geteuid() == 0 else []
        socket_file = self._data / "s"
        if not (self._data / "mysql").is_dir():
            self._data.mkdir(parents=True, exist_ok=True)
            make = [installer, "--no-defaults", f"--datadir={self._data}", *account]
            make += ["--auth-root-authentication-method=normal", "--skip-test-db"]
            subprocess.run(make, check=True, capture_output=True)  # noqa: S603 - a fixed program, paths of our own
        setup = self._data / "account.sql"
        setup.write_text(
            f"CREATE DATABASE IF NOT EXISTS exchange CHARACTER SET utf8mb4;\n"
            f"CREATE OR REPLACE USER {_USER}@'127.0.0.1' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON exchange.* TO {_USER}@'127.0.0.1' WITH GRANT OPTION;\n"
            f"GRANT PROCESS, CREATE USER, RELOAD, CONNECTION ADMIN ON *.* TO {_USER}@'127.0.0.1' WITH GRANT OPTION;\n",
            encoding="utf-8",
        )
        setup.chmod(0o600)
        run = [server, "--no-defaults", f"--datadir={self._data}", f"--socket={socket_file}", *account]
        run += ["--bind-address=127.0.0.1", f"--port={self._port}", f"--init-file={setup}"]
        run += ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
        with (self._data / "log").open("wb") as log:
            self._process = subprocess.Popen(run, stdout=log, stderr=log)  # noqa: S603
        deadline = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise TimeoutError(f"MariaDB did not start: {(self._data / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop; the data stay."""
        if self._process:
            self._process.terminate()
            self._process.wait(_SECONDS_TO_START)
            self._process = None

    def _answers(self) -> bool:
        try:
            pymysql.connect(
                host="127.0.0.1", port=self._port, user=_USER, password=self.password, database="exchange"
            ).close()
        except pymysql.err.OperationalError:
            return False
        return True


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if not found:
        raise FileNotFoundError(
            f"{name} is not installed: run tools/setup.sh (Debian packages mariadb-server-core, mariadb-client-core)"
        )
    return found
