"""Attach the accepted records of a business date to enterprises, once every part of the day is closed.

Runs when the register and all agencies have closed the date, or at the cut-off without those that have not, and again
when a part closes, is repaired or repeated later: an agency that is out of reach never holds up the others.
What is to be attached is read from the ledger. One run at a time: attachments are appended in the order of the dates.
Beside it Great Expectations' Data Docs of the date's deliveries are built, a page each, in `data_docs/` under the home;
the workbench links them. Nothing waits for them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAll, AssetAny, PartitionedAssetTimetable, dag, get_current_context, task

from connectors.descriptor import agency_ids
from dags.assets import ATTACHED, DUE, REGISTER_CLOSED, collection_closed
from dags.business_date import business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS

day_closed = AssetAll(REGISTER_CLOSED, *(collection_closed(agency) for agency in agency_ids()))


@dag(
    schedule=PartitionedAssetTimetable(assets=AssetAny(day_closed, DUE)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    default_args=DEFAULT_ARGS,
    deadline=deadline("attach_records", timedelta(hours=1)),
    tags=["attach"],
    doc_md=__doc__,
)
def attach_records() -> None:
    """Define the DAG."""

    @task(outlets=[ATTACHED])
    def attach() -> dict[str, Any]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        context = get_current_context()
        as_of = business_date(context)
        context["asset_state_store"][ATTACHED].set(as_of.isoformat(), "begun")
        counts = steps.attach(as_of)
        context["outlet_events"][ATTACHED].add_partitions(as_of.isoformat())
        return counts

    @task
    def build_data_docs() -> dict[str, Any]:
        from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

        return steps.data_docs(business_date(get_current_context()))

    attach()
    build_data_docs()


attach_records()
