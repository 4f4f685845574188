"""Great Expectations beside the asking process: the same answers, and no doubt when it is gone."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from judge_serving import serving

from expectations import runner
from expectations.judging import SOCKET_VARIABLE, Judge, judge_of_this_process
from expectations.suite import Expectation, Suite


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test of this session may have named one."""
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    asked = Judge()
    yield asked
    asked.close()


def _suite(expectation_type: str, **kwargs: object) -> Suite:
    return Suite("tried", "1", (Expectation("X.a", expectation_type, {"column": "a", **kwargs}, "hold", "", "", ""),))


COLUMN = pa.array([None, "x", None, "yy", "x"])


@pytest.mark.parametrize(
    "suite",
    [
        _suite("expect_column_values_to_be_null"),
        _suite("expect_column_values_to_not_be_null"),
        _suite("expect_column_value_lengths_to_equal", value=1),
    ],
    ids=lambda suite: suite.expectations[0].type,
)
def test_it_answers_as_great_expectations_does_in_this_process(judge: Judge, suite: Suite) -> None:
    there, here = judge.judge({"a": COLUMN}, suite)["X.a"], runner.judge({"a": COLUMN}, suite)["X.a"]
    assert (there.evaluated, there.unexpected, there.positions.tolist()) == (
        here.evaluated, here.unexpected, here.positions.tolist(),
    )  # fmt: skip
    assert there.unexpected > 0


def test_an_expectation_that_cannot_be_computed_is_raised_here_with_its_reason(judge: Judge) -> None:
    with pytest.raises(runner.SuiteFailed, match=r"tried@1 X\.a"):
        judge.judge({"a": COLUMN}, _suite("expect_column_values_to_be_between", min_value=1))
    assert judge.judge({"a": COLUMN}, _suite("expect_column_values_to_be_null"))["X.a"].unexpected == 3


def test_a_killed_judge_gives_no_verdict_and_the_next_question_starts_another() -> None:
    others = _judging_children()
    judge = Judge()
    judge.start()
    [started] = _started_besides(others)
    os.kill(started, signal.SIGKILL)
    with pytest.raises(runner.SuiteFailed, match="ended"):
        judge.judge({"a": COLUMN}, _suite("expect_column_values_to_be_null"))
    assert judge.judge({"a": COLUMN}, _suite("expect_column_values_to_be_null"))["X.a"].unexpected == 3
    judge.close()
    assert _judging_children() == others


def _started_besides(others: set[int]) -> set[int]:
    """The system shows the command of a process a moment after it has started it."""
    until = time.monotonic() + 30
    while not (started := _judging_children() - others) and time.monotonic() < until:
        time.sleep(0.01)
    return started


def _judging_children() -> set[int]:
    """The judges that any thread of this process started."""
    threads = Path("/proc/self/task").glob("*/children")
    children = [int(child) for thread in threads for child in thread.read_text().split()]
    return {pid for pid in children if b"expectations.judging" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A judge server whose socket lies deeper than a socket's address may be long."""
    folder = tmp_path / ("deep" * 40)
    folder.mkdir()
    with serving(folder / "judge.sock") as process:
        yield process


def test_a_server_answers_as_a_judge_of_ones_own_does(server: subprocess.Popen[bytes]) -> None:
    others = _judging_children()
    judges = [Judge(), Judge()]
    for judge in judges:
        answer = judge.judge({"a": COLUMN}, _suite("expect_column_values_to_be_null"))["X.a"]
        assert (answer.evaluated, answer.unexpected, answer.positions.tolist()) == (5, 3, [1, 3, 4])
    assert _judging_children() == others, "nobody started a process of its own"
    assert len(_children(server.pid)) == len(judges)
    assert stat.S_IMODE(Path(os.environ[SOCKET_VARIABLE]).stat().st_mode) == 0o600
    for judge in judges:
        judge.close()
    until = time.monotonic() + 30
    while _children(server.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _children(server.pid)


def test_where_the_server_is_gone_there_is_no_verdict_and_then_a_judge_of_ones_own(
    server: subprocess.Popen[bytes],
) -> None:
    judge, suite = Judge(), _suite("expect_column_values_to_be_null")
    assert judge.judge({"a": COLUMN}, suite)["X.a"].unexpected == 3
    [answering] = _children(server.pid)
    server.kill()
    server.wait()
    os.kill(answering, signal.SIGKILL)
    with pytest.raises(runner.SuiteFailed, match="its server closed the connection"):
        judge.judge({"a": COLUMN}, suite)
    others = _judging_children()
    assert judge.judge({"a": COLUMN}, suite)["X.a"].unexpected == 3
    assert len(_judging_children() - others) == 1
    judge.close()


def _children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_the_judge_ends_with_the_process_that_asks_it() -> None:
    script = "from expectations.judging import Judge; import os; j = Judge(); j.start(); os.kill(os.getpid(), 9)"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as asking:
        assert asking.stderr is not None
        assert asking.stderr.read() == b"", "held open until the judge, which inherited it, has ended; says nothing"
    assert asking.returncode == -signal.SIGKILL


def test_a_forked_child_asks_a_judge_of_its_own() -> None:
    mine = judge_of_this_process()
    pid = os.fork()
    if pid == 0:
        os._exit(judge_of_this_process() is mine)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
