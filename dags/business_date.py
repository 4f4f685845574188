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


def agency_key_format(agency: str) -> str:
    """Return the format of the partition keys of an agency's collections: ``aic|2018-08-21``."""
    return f"{agency}|{KEY_FORMAT}"


def business_date(context: Mapping[str, Any], agency: str | None = None) -> date:
    """Return the ``as_of`` of the run: its partition key, else ``conf["as_of"]``, else its logical date in Beijing.

    A key is a date, or an agency and a date. Raises ``AirflowFailException`` (no retry helps) when the run carries none
    of them, a key that ends in no ISO date, or one of another agency than ``agency``.
    """
    run = context["dag_run"]
    stated = run.partition_key or (run.conf or {}).get("as_of")
    if stated:
        of_agency, _, day = stated.rpartition("|")
        if agency and of_agency not in ("", agency):
            msg = f"{stated!r} is a key of {of_agency}; this run collects from {agency}"
            raise AirflowFailException(msg)
        try:
            return date.fromisoformat(day)
        except ValueError:
            msg = f"{stated!r} is not a business date: write it as YYYY-MM-DD"
            raise AirflowFailException(msg) from None
    if run.logical_date is None:
        msg = f"run {run.run_id} has no business date: trigger it with a partition key YYYY-MM-DD"
        raise AirflowFailException(msg)
    logical_date = run.logical_date.astimezone(ZoneInfo(TIMEZONE))
    return date(logical_date.year, logical_date.month, logical_date.day)
