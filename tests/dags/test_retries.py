"""Which failures are asked again, and which are not."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
import sqlalchemy.exc
from airflow.sdk import ExceptionRetryPolicy, RetryAction

from connectors.transports.contract import AgencyRefused, AgencyUnavailable, PullInconsistentError
from dags.duty import AGENCY_RETRY_POLICY, STEP_RETRY_POLICY
from pipeline.register_faults import IndexSuspect
from transforms.problems import DeliveryRefused, Problem

PASSING = [
    TimeoutError("slow"),
    ConnectionResetError("gone"),
    psycopg.OperationalError("restarting"),
    sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception("restarting")),
]
LASTING = [ValueError("a bug"), DeliveryRefused(Problem("R01", "refuse", "坏", "改"))]


@pytest.mark.parametrize("policy", [AGENCY_RETRY_POLICY, STEP_RETRY_POLICY])
def test_faults_of_the_surroundings_are_tried_again_and_faults_of_the_step_are_not(
    policy: ExceptionRetryPolicy,
) -> None:
    assert {policy.evaluate(fault, 1, 3).action for fault in PASSING} == {RetryAction.RETRY}
    assert {policy.evaluate(fault, 1, 3).action for fault in LASTING} == {RetryAction.FAIL}


def test_a_copy_of_the_register_that_was_damaged_is_made_anew_by_the_next_try() -> None:
    assert STEP_RETRY_POLICY.evaluate(IndexSuspect("damaged"), 1, 3).action is RetryAction.RETRY


def test_an_agency_that_refuses_is_not_asked_again() -> None:
    assert AGENCY_RETRY_POLICY.evaluate(AgencyRefused("401"), 1, 3).action is RetryAction.FAIL


@pytest.mark.parametrize("fault", [AgencyUnavailable("429"), PullInconsistentError("moved")])
def test_an_agency_out_of_reach_is_asked_again_after_minutes(fault: Exception) -> None:
    decision = AGENCY_RETRY_POLICY.evaluate(fault, 1, 3)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay == timedelta(minutes=5)


@pytest.mark.parametrize("policy", [AGENCY_RETRY_POLICY, STEP_RETRY_POLICY])
def test_a_stored_policy_decides_the_same(policy: ExceptionRetryPolicy) -> None:
    stored = ExceptionRetryPolicy.deserialize(policy.serialize())
    for fault in [*PASSING, *LASTING, AgencyRefused("401"), AgencyUnavailable("503"), IndexSuspect("damaged")]:
        assert stored.evaluate(fault, 1, 3) == policy.evaluate(fault, 1, 3)
