"""Great Expectations in a process of its own, beside the one that reads and stores.

It builds its configuration in Python anew for every batch, a quarter of a second whatever the rows. In the process that
standardises rows on threads it waits for the interpreter's lock most of the time: two seconds of work took seven.

The process is started by the first question, asked through its standard input, and ends when that is closed, as it is
when the asking process dies. Where ``SOCKET_VARIABLE`` names a socket that ``expectations.judge_server`` listens on, a
process of the server's answers in its place: Great Expectations is imported there already, which takes seconds. One
request and one answer at a time, each an 8-byte big-endian length and an Arrow IPC stream:

* request: one batch as ``runner.asked_of`` makes it; the schema's metadata ``suite`` is the suite as JSON.
* answer: a row per expectation (``ANSWER``); or no row, and ``failed`` in the schema's metadata says why.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Final, Protocol

import numpy as np
import pyarrow as pa

from expectations import runner
from expectations.runner import Outcome, SuiteFailed
from expectations.suite import Expectation, Suite

ANSWER: Final = pa.schema(
    [("id", pa.string()), ("evaluated", pa.int64()), ("unexpected", pa.int64()), ("positions", pa.list_(pa.int64()))]
)

SOCKET_VARIABLE: Final = "DISCLOSURE_JUDGE_SOCKET"
"""Names the socket of a judge server; where nobody listens, each asking process starts a judge of its own."""
_LENGTH_BYTES: Final = 8
_STOPS_WITHIN: Final = 5.0
"""Seconds that the process has to end by itself."""


class Judge:
    """The asking side; safe to use from several threads, which wait for each other."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._lock = threading.Lock()
        self._line: _Line | None = None

    def start(self) -> None:
        """Start the process if it is not running; it imports Great Expectations while the caller goes on."""
        with self._lock:
            self._running()

    def judge(self, columns: Mapping[str, pa.Array], suite: Suite) -> dict[str, Outcome]:
        """Judge one batch; arguments, answer and errors as ``runner.judge``."""
        asked = runner.asked_of(columns, suite)
        with self._lock:
            answer = self._running().ask(asked.replace_schema_metadata({"suite": _suite_as_json(suite)}))
            if answer is None:
                how, self._line = self._running().end(), None
                raise SuiteFailed(f"{suite.label}: the judging process ended ({how})")
        if failed := (answer.schema.metadata or {}).get(b"failed"):
            raise SuiteFailed(failed.decode())
        return {
            row["id"]: Outcome(row["evaluated"], row["unexpected"], np.asarray(row["positions"], dtype=np.int64))
            for row in answer.to_pylist()
        }

    def close(self) -> None:
        """End the process and free its memory; the next question starts another."""
        with self._lock:
            if self._line is not None:
                self._line.end()
                self._line = None

    def _running(self) -> _Line:
        if self._line is None:
            self._line = _served() or _Pipes()
        return self._line


class _Line(Protocol):
    """A judging process as the asking one has it."""

    def ask(self, request: pa.RecordBatch) -> pa.RecordBatch | None:
        """Return the answer; null when the process is gone."""

    def end(self) -> str:
        """End the process, and say how it ended."""


class _Pipes:
    """A judging process of one's own, and both ends of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "expectations.judging"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the terminal is for the asking process alone
        )

    def ask(self, request: pa.RecordBatch) -> pa.RecordBatch | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("both ends are pipes")
        try:
            _send(stdin, request)
            return _receive(stdout)
        except BrokenPipeError:
            return None

    def end(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
            self._process.communicate(timeout=_STOPS_WITHIN)
        self._process.kill()
        return f"exit code {self._process.wait()}"


class _Socket:
    """A judging process of a server; it ends when the connection is closed."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._asks, self._answers = connection.makefile("wb"), connection.makefile("rb")

    def ask(self, request: pa.RecordBatch) -> pa.RecordBatch | None:
        try:
            _send(self._asks, request)
            return _receive(self._answers)
        except (BrokenPipeError, ConnectionResetError):
            return None

    def end(self) -> str:
        for each in (self._asks, self._answers, self._connection):
            with contextlib.suppress(OSError):
                each.close()
        return "its server closed the connection"


def _served() -> _Socket | None:
    """Return a connection to the judge server; null where none is named or none listens."""
    named = os.environ.get(SOCKET_VARIABLE)
    if not named:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        with short_address(Path(named)) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        return None
    return _Socket(connection)


@contextlib.contextmanager
def short_address(path: Path) -> Iterator[str]:
    """Give an address of a socket file that is short, wherever it lies: the system takes 107 bytes and no more."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@functools.cache
def judge_of_this_process() -> Judge:
    """Return the one judge that this process asks; a forked child starts its own."""
    judge = Judge()
    atexit.register(judge.close)
    return judge


os.register_at_fork(after_in_child=judge_of_this_process.cache_clear)


def _send(pipe: IO[bytes], batch: pa.RecordBatch) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    content = sink.getvalue()
    pipe.write(len(content).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> pa.RecordBatch | None:
    """Read one message; null at the end of the stream."""
    length = pipe.read(_LENGTH_BYTES)
    if len(length) < _LENGTH_BYTES:
        return None
    content = pipe.read(int.from_bytes(length, "big"))
    with pa.ipc.open_stream(content) as reader:
        return reader.read_next_batch()


@functools.cache
def _suite_as_json(suite: Suite) -> str:
    listed = [asdict(replace(expectation, since=None, until=None)) for expectation in suite.expectations]
    return json.dumps({"name": suite.name, "version": suite.version, "expectations": listed})


@functools.cache
def _suite_from_json(text: str) -> Suite:
    content = json.loads(text)
    return Suite(content["name"], content["version"], tuple(Expectation(**entry) for entry in content["expectations"]))


def _answer(asked: pa.RecordBatch) -> pa.RecordBatch:
    suite = _suite_from_json(asked.schema.metadata[b"suite"].decode())
    try:
        outcomes = runner.judge_asked(asked, suite)
    except SuiteFailed as failure:
        return pa.RecordBatch.from_pylist([], schema=ANSWER).replace_schema_metadata({"failed": str(failure)})
    return pa.RecordBatch.from_pydict(
        {
            "id": list(outcomes),
            "evaluated": [outcome.evaluated for outcome in outcomes.values()],
            "unexpected": [outcome.unexpected for outcome in outcomes.values()],
            "positions": [outcome.positions for outcome in outcomes.values()],
        },
        schema=ANSWER,
    )


def answer_all(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer one request after the other until there are no more."""
    while (asked := _receive(requests)) is not None:
        _send(answers, _answer(asked))


def main() -> None:
    """Answer requests until standard input ends; whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    runner.warm_up()
    answer_all(sys.stdin.buffer, answers)
    answers.flush()
    os._exit(0)  # clearing up what Great Expectations imported takes seconds, and the asking process waits for them


if __name__ == "__main__":
    main()
