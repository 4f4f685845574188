"""What all DAGs do alike: their owner, and which failures are worth another try."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

OWNER = "credit-office"

PASSING_FAULTS: list[type[BaseException] | str] = [
    ConnectionError,
    TimeoutError,
    "psycopg.OperationalError",
    "sqlalchemy.exc.OperationalError",
]
"""Faults of the surroundings that pass by themselves: the network, or a database that restarts."""

STEP_RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=PASSING_FAULTS, action=RetryAction.RETRY, reason="not the step failed, its surroundings"),
        RetryRule(
            exception="pipeline.register_faults.IndexSuspect",
            action=RetryAction.RETRY,
            reason="a damaged copy was removed: the next try makes another",
        ),
    ],
    default=RetryAction.FAIL,
)
"""A step given the same input fails the same way again: worth another try are only faults of the surroundings, and a
copy that the next try makes anew."""

AGENCY_RETRIES = 3

AGENCY_RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="connectors.transports.contract.AgencyRefused",
            action=RetryAction.FAIL,
            reason="the agency refused (401, 403, 404): asking again does not help",
        ),
        RetryRule(
            exception=["connectors.transports.contract.AgencyUnavailable", *PASSING_FAULTS],
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=5),
            reason="the agency is busy, restarting or out of reach (429, 5xx, timeout)",
        ),
    ],
    default=RetryAction.FAIL,
)
"""The connector has asked several times itself before it gives up; the task asks again after minutes."""

NOTIFY_RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[ExceptionGroup, *PASSING_FAULTS],
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=10),
            reason="a mail or web server did not take a digest; those that went out are not sent again",
        )
    ],
    default=RetryAction.FAIL,
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_policy": STEP_RETRY_POLICY,
    "execution_timeout": timedelta(hours=1),
}
