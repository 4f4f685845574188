"""Great Expectations in a process of its own, beside the one that reads and stores.

It builds its configuration in Python anew for every batch, a quarter of a second whatever the rows. In the process that
standardises rows on threads it waits for the interpreter's lock most of the time: two seconds of work took seven.

The process is started by the first question, asked through its standard input, and ends when that is closed, as it is
when the asking process dies. One request and one answer at a time, each an 8-byte big-endian length and an Arrow IPC
stream:

* request: one batch as ``runner.asked_of`` makes it; the schema's metadata ``suite`` is the suite as JSON.
* answer: a row per expectation (``ANSWER``); or no row, and ``failed`` in the schema's metadata says why.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import IO, Final

import numpy as np
import pyarrow as pa

from expectations import runner
from expectations.runner import Outcome, SuiteFailed
from expectations.suite import Expectation, Suite

ANSWER: Final = pa.schema(
    [("id", pa.string()), ("evaluated", pa.int64()), ("unexpected", pa.int64()), ("positions", pa.list_(pa.int64()))]
)

_LENGTH_BYTES: Final = 8
_STOPS_WITHIN: Final = 5.0
"""Seconds that the process has to end by itself."""


class Judge:
    """The asking side; safe to use from several threads, which wait for each other."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._lock = threading.Lock()
        self._process: _Pipes | None = None

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
                code, self._process = self._running().end(), None
                raise SuiteFailed(f"{suite.label}: the judging process ended (exit code {code})")
        if failed := (answer.schema.metadata or {}).get(b"failed"):
            raise SuiteFailed(failed.decode())
        return {
            row["id"]: Outcome(row["evaluated"], row["unexpected"], np.asarray(row["positions"], dtype=np.int64))
            for row in answer.to_pylist()
        }

    def close(self) -> None:
        """End the process and free its memory; the next question starts another."""
        with self._lock:
            if self._process is not None:
                self._process.end()
                self._process = None

    def _running(self) -> _Pipes:
        if self._process is None:
            self._process = _Pipes()
        return self._process


class _Pipes:
    """A judging process and both ends of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "expectations.judging"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the terminal is for the asking process alone
        )

    def ask(self, request: pa.RecordBatch) -> pa.RecordBatch | None:
        """Return the answer; null when the process is gone."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("both ends are pipes")
        try:
            _send(stdin, request)
            return _receive(stdout)
        except BrokenPipeError:
            return None

    def end(self) -> int:
        """End the process and return its exit code."""
        with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
            self._process.communicate(timeout=_STOPS_WITHIN)
        self._process.kill()
        return self._process.wait()


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


def main() -> None:
    """Answer requests until standard input ends; whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    runner.warm_up()
    while (asked := _receive(sys.stdin.buffer)) is not None:
        _send(answers, _answer(asked))


if __name__ == "__main__":
    main()
