"""The workbench that `disclosure up` leaves running: its address is told when it answers, and why when it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from pipeline import local_service
from pipeline.airflow_runtime import AirflowFailedError

if TYPE_CHECKING:
    from conftest import Site


@pytest.fixture
def port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def _here(home: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    yield
    local_service.down()


def test_it_answers_when_its_address_is_told_and_is_gone_when_it_is_stopped(port: int) -> None:
    started = local_service.start_workbench(port)
    assert requests.get(f"{started.url}/worklist", timeout=10).status_code == 401
    assert "登录" in requests.get(f"{started.url}/login", timeout=10).text
    assert local_service.down() == ["workbench"]
    with pytest.raises(requests.ConnectionError):
        requests.get(started.url, timeout=10)


def test_a_port_that_another_program_has_is_told(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(AirflowFailedError, match=f"port {port} is taken by another program"):
            local_service.start_workbench(port)


def test_one_that_ends_at_once_is_told_with_the_end_of_its_log(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/usr/bin/false")
    with pytest.raises(AirflowFailedError, match=r"workbench ended\. Last lines of .*workbench\.log"):
        local_service.start_workbench(port)
