"""How often a host is asked at most, by all transports and threads of this process together: one bucket per host."""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from pyrate_limiter import InMemoryBucket, Limiter, MonotonicClock, Rate, SingleBucketFactory

_SECOND: Final = 1000
"""pyrate-limiter counts in milliseconds."""

_CLOCK: Final = MonotonicClock()


@dataclass(frozen=True, slots=True)
class _Turns:
    rate: float
    bucket: InMemoryBucket
    limiter: Limiter


_lock: Final = Lock()
_turns: Final[dict[str, _Turns]] = {}


def wait_for_turn(url: str, rate: float) -> None:
    """Wait until the host and port of ``url`` may be asked once more, ``rate`` times a second at most.

    Streams of one host share its turns; where their rates differ the lowest one that was asked for holds. Turns come in
    bursts of at most one second's worth. Airflow's pools bound the processes beside this one.
    """
    host = urlsplit(url).netloc.rpartition("@")[2]
    with _lock:
        turns = _turns.get(host)
        if turns is None or rate < turns.rate:
            turns = _turns[host] = _new_turns(rate)
        turns.bucket.leak(_CLOCK.now())
    turns.limiter.try_acquire(host)


def _new_turns(rate: float) -> _Turns:
    burst = max(1, math.floor(rate))
    bucket = InMemoryBucket([Rate(burst, math.ceil(_SECOND * burst / rate))])
    return _Turns(rate, bucket, Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=1))
