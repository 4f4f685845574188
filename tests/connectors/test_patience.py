"""Asking again and asking slowly: what is asked again, how long it is waited, how often a host is asked."""

from __future__ import annotations

import pickle
import threading
import time

import pytest

from connectors.descriptor import Retries
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, PullInconsistentError, Reason
from connectors.transports.patience import asked_patiently
from connectors.transports.politeness import wait_for_turn

QUICK = Retries(attempts=4, first_wait=0.001, longest_wait=0.01)


class Asked:
    """Fails as often as it is told to, then answers."""

    def __init__(self, error: Exception, failures: int) -> None:
        self.times = 0
        self._error = error
        self._failures = failures

    def __call__(self) -> str:
        self.times += 1
        if self.times <= self._failures:
            raise self._error
        return "answer"


def test_what_may_recover_is_asked_again() -> None:
    asked = Asked(AgencyUnavailable("busy", reason=Reason.BUSY), 3)
    assert asked_patiently(asked, QUICK) == "answer"
    assert asked.times == 4


def test_what_does_not_recover_is_given_up_with_its_reason() -> None:
    asked = Asked(AgencyUnavailable("broken", reason=Reason.BROKEN), 9)
    with pytest.raises(AgencyUnavailable, match=r"broken \(attempt 4 of 4\)") as caught:
        asked_patiently(asked, QUICK)
    assert (asked.times, caught.value.reason) == (4, Reason.BROKEN)


@pytest.mark.parametrize(
    "error", [AgencyRefused("no"), PullInconsistentError("moved"), KeyError("ours")], ids=lambda e: type(e).__name__
)
def test_what_asking_again_does_not_change_passes_at_once(error: Exception) -> None:
    asked = Asked(error, 9)
    with pytest.raises(type(error)):
        asked_patiently(asked, QUICK)
    assert asked.times == 1


def test_a_wait_longer_than_ours_is_left_to_the_scheduler() -> None:
    asked = Asked(AgencyUnavailable("busy", 900, Reason.BUSY), 9)
    with pytest.raises(AgencyUnavailable) as caught:
        asked_patiently(asked, QUICK)
    assert (asked.times, caught.value.retry_after) == (1, 900)


def test_errors_travel_between_processes_whole() -> None:
    error = pickle.loads(pickle.dumps(AgencyUnavailable("busy", 3, Reason.BUSY)))  # noqa: S301
    assert (str(error), error.retry_after, error.reason) == ("busy", 3, Reason.BUSY)


def test_all_threads_of_a_process_share_the_turns_of_a_host() -> None:
    turns: list[float] = []

    def ask() -> None:
        for _ in range(10):
            wait_for_turn("https://one.invalid/api", 20)
            turns.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns.sort()
    assert len(turns) == 30
    assert turns[20] - turns[0] > 0.9  # twenty a second: the twenty-first waits for the next one


def test_another_host_or_port_has_turns_of_its_own() -> None:
    for port in range(5):
        start = time.monotonic()
        wait_for_turn(f"https://user:word@two.invalid:{port}/api", 0.01)
        assert time.monotonic() - start < 0.5
