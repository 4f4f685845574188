"""Great Expectations, imported once and forked for each process that asks: ``python -m expectations.judge_server``.

Importing it takes some seconds of a core, and every task of a day asks it. The server listens on the socket that
``judging.SOCKET_VARIABLE`` names, for its own user only. It listens before it imports: who asks early waits.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from expectations import runner
from expectations.judging import SOCKET_VARIABLE, answer_all, short_address

_BACKLOG = 128


def serve(path: Path) -> None:
    """Answer on a socket at ``path``, a process for each connection, until this process is ended."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.umask(0o177)
        with short_address(path) as address:
            listener.bind(address)
        os.umask(before)
        listener.listen(_BACKLOG)
        runner.warm_up()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(connection)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """Answer one connection, and end without the clearing up that is the server's own."""
    code = 1
    try:
        with connection, connection.makefile("rb") as requests, connection.makefile("wb") as answers:
            answer_all(requests, answers)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(Path(os.environ[SOCKET_VARIABLE]))
