"""Alarms: one line at ERROR that an operator's log watch can match on, and one metric beside it."""

from __future__ import annotations

import logging

from airflow.sdk.observability import stats

log = logging.getLogger("disclosure.alarm")


def deadline_missed(late_dag: str) -> None:
    """Say that a run of ``late_dag`` missed its deadline: the feeds of that day may reach the sites late."""
    log.error("ALARM deadline missed: dag=%s", late_dag)
    stats.incr("disclosure.deadline_missed", tags={"dag_id": late_dag})


def source_silent(source: str, text: str) -> None:
    """Say that a source (``agency/stream``) is silent past its limit; ``text`` tells since when and whom to ask."""
    log.error("ALARM source silent: %s", text)
    stats.incr("disclosure.source_silent", tags={"source": source})


def campaign_due(key: str, text: str) -> None:
    """Say that something of a special action is due; ``text`` names the agencies whose returns are missing.

    ``key`` is the action and a month, or the action and a due date.
    """
    log.error("ALARM campaign due: %s", text)
    stats.incr("disclosure.campaign_due", tags={"due": key})


def import_failed(filename: str, stacktrace: str) -> None:
    """Say that a DAG file does not import: its DAGs keep their last good version or are gone."""
    reason = stacktrace.strip().splitlines()[-1] if stacktrace.strip() else "no traceback"
    log.error("ALARM dag import error: file=%s reason=%s", filename, reason)
    stats.incr("disclosure.dag_import_error", tags={"file": filename})
