"""An endpoint that is given to the runtime reaches a task unchanged, by way of an Airflow connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException
from hypothesis import given
from hypothesis import strategies as st

from connectors.endpoint import Endpoint
from dags.endpoints import agency_endpoint
from pipeline.airflow_runtime import AirflowSettings, environment

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(url=TEXT, secret=st.none() | TEXT, ca_file=st.none() | st.just("/etc/ca 目录/ca.pem"))
def test_address_secret_and_authority_arrive_unchanged(url: str, secret: str | None, ca_file: str | None) -> None:
    given_endpoint = Endpoint(url, secret, ca_file)
    settings = AirflowSettings(
        home=Path("/nowhere"), database_url="postgresql:///x", project_root=Path("/"), endpoints={"aic": given_endpoint}
    )
    keys = {"fernet_key": "f", "jwt_secret": "j", "api_secret": "a"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_AGENCY_AIC", environment(settings, 1, keys)["AIRFLOW_CONN_AGENCY_AIC"])
        assert agency_endpoint("aic") == given_endpoint


def test_an_agency_without_a_connection_is_named() -> None:
    with pytest.raises(AirflowNotFoundException, match="agency_nobody"):
        agency_endpoint("nobody")


def test_a_connection_without_an_address_fails_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AGENCY_AIC", '{"conn_type": "generic", "password": "x"}')
    with pytest.raises(AirflowFailException, match="agency_aic has no host"):
        agency_endpoint("aic")
