"""How a busy or broken source is asked again, by any transport: by class of error, with growing, jittered waits."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import RetryCallState, RetryError, Retrying, retry_if_exception, stop_after_attempt
from tenacity.stop import stop_base

from connectors.descriptor import Retries
from connectors.transports.contract import AgencyUnavailable, PullInconsistentError

T = TypeVar("T")

_LEAST_JITTER: Final = 0.5


def asked_patiently(ask: Callable[[], T], retries: Retries) -> T:
    """Return what ``ask`` returns, calling it up to ``retries.attempts`` times while it raises AgencyUnavailable.

    Before each further attempt it waits: ``first_wait`` doubled each time up to ``longest_wait``, shortened by chance
    to as little as half (so that thirteen agencies' retries keep apart), or longer where the source says so. A source
    that asks for more than ``longest_wait`` is not asked again here: that wait is left to the scheduler. Raises
    AgencyUnavailable with the number of attempts behind the last message; every other error, and a pull that has to
    start over (PullInconsistentError), passes at once.
    """
    retrying = Retrying(
        stop=stop_after_attempt(retries.attempts) | _AskedToWaitLongerThan(retries.longest_wait),
        wait=lambda state: _wait(state, retries),
        retry=retry_if_exception(_may_help),
    )
    try:
        return retrying(ask)
    except RetryError as given_up:
        attempt = given_up.last_attempt.attempt_number
        failure = given_up.last_attempt.exception()
        if not isinstance(failure, AgencyUnavailable):
            raise
        message = f"{failure} (attempt {attempt} of {retries.attempts})"
        raise AgencyUnavailable(message, failure.retry_after, failure.reason) from failure


def _may_help(error: BaseException) -> bool:
    return isinstance(error, AgencyUnavailable) and not isinstance(error, PullInconsistentError)


def _asked_wait(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    return (failure.retry_after or 0.0) if isinstance(failure, AgencyUnavailable) else 0.0


def _wait(state: RetryCallState, retries: Retries) -> float:
    backoff: float = min(retries.longest_wait, retries.first_wait * 2 ** (state.attempt_number - 1))
    # Chance changes when something is asked, never what comes of it.
    return max(_asked_wait(state), backoff * random.uniform(_LEAST_JITTER, 1.0))  # noqa: S311


class _AskedToWaitLongerThan(stop_base):
    def __init__(self, longest: float) -> None:
        self._longest = longest

    def __call__(self, retry_state: RetryCallState) -> bool:
        return _asked_wait(retry_state) > self._longest
