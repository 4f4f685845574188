"""A DAG file that breaks and a run that is late are both heard."""

from __future__ import annotations

import logging

import pytest
from airflow import plugins_manager
from airflow.listeners.listener import get_listener_manager

from dags.alarms import campaign_due, deadline_missed
from dags.deadlines import RunDue


def test_a_broken_dag_file_raises_an_alarm_with_its_name_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    plugins_manager.integrate_listener_plugins(get_listener_manager())
    with caplog.at_level(logging.ERROR, "disclosure.alarm"):
        for hook in ("on_new_dag_import_error", "on_existing_dag_import_error"):
            getattr(get_listener_manager().hook, hook)(
                filename="collect_agencies.py", stacktrace="Traceback ...\nSyntaxError: invalid syntax\n"
            )
    assert [record.getMessage() for record in caplog.records] == [
        "ALARM dag import error: file=collect_agencies.py reason=SyntaxError: invalid syntax"
    ] * 2


def test_a_missed_deadline_raises_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "disclosure.alarm"):
        deadline_missed("publish__gsxt")
    assert [record.getMessage() for record in caplog.records] == ["ALARM deadline missed: dag=publish__gsxt"]


def test_what_is_due_of_an_action_raises_an_alarm_that_names_who_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "disclosure.alarm"):
        campaign_due("wj2018/summary", "网剑行动 2018-12-13（今日到期）: 未报 1 个机关: 北京海关 10月")
    assert [record.getMessage() for record in caplog.records] == [
        "ALARM campaign due: 网剑行动 2018-12-13（今日到期）: 未报 1 个机关: 北京海关 10月"
    ]


def test_airflow_knows_the_deadline_reference() -> None:
    assert RunDue in plugins_manager.get_deadline_references_plugins().values()


def test_no_plugin_is_broken() -> None:
    assert plugins_manager.get_import_errors() == {}
