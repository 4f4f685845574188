"""Publish a business date's release of one site, once the date's records are attached.

A release is written beside the visible one, verified and made visible by one atomic step; publishing a date again
without new records changes nothing. One run at a time: releases of a site follow each other in the order of the dates.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, get_current_context, get_parsing_context, task

from dags.assets import ATTACHED, SITES, feed
from dags.business_date import business_date
from dags.deadlines import deadline
from dags.duty import DEFAULT_ARGS


def publish_dag(site: str) -> None:
    """Define the DAG of one site."""
    dag_id = f"publish__{site}"

    @dag(
        dag_id=dag_id,
        schedule=PartitionedAssetTimetable(assets=ATTACHED),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=3),
        default_args=DEFAULT_ARGS,
        deadline=deadline(dag_id, timedelta(hours=1)),
        tags=["publish", f"site:{site}"],
        doc_md=__doc__,
    )
    def define() -> None:
        @task(pool=f"site_{site}", outlets=[feed(site)])
        def publish() -> dict[str, Any]:
            from pipeline import steps  # noqa: PLC0415 - not while a DAG file is parsed

            context = get_current_context()
            as_of = business_date(context)
            counts = steps.publish(site, as_of)
            context["outlet_events"][feed(site)].add_partitions(as_of.isoformat())
            return counts

        publish()

    define()


wanted = get_parsing_context().dag_id
for site_id in SITES:
    if wanted in (None, f"publish__{site_id}"):
        publish_dag(site_id)
