"""Which business date a run is for. The clock is never asked."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEZONE = "Asia/Shanghai"
KEY_FORMAT = "%Y-%m-%d"


def business_date(context: Mapping[str, Any]) -> date:
    """Return the ``as_of`` of the run: its partition key, else ``conf["as_of"]``, else its logical date in Beijing.

    Raises ``AirflowFailException`` (no retry helps) when the run carries none of them, or a key that is no ISO date.
    """
    run = context["dag_run"]
    stated = run.partition_key or (run.conf or {}).get("as_of")
    if stated:
        try:
            return date.fromisoformat(stated)
        except ValueError:
            msg = f"{stated!r} is not a business date: write it as YYYY-MM-DD"
            raise AirflowFailException(msg) from None
    if run.logical_date is None:
        msg = f"run {run.run_id} has no business date: trigger it with a partition key YYYY-MM-DD"
        raise AirflowFailException(msg)
    logical_date = run.logical_date.astimezone(ZoneInfo(TIMEZONE))
    return date(logical_date.year, logical_date.month, logical_date.day)
