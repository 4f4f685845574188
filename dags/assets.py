"""The assets that join the DAGs. Every event of one carries its business date in its partition key.

A *closed* asset says that a part of the day will bring nothing more; it does not say that the part succeeded. The
state store of ``ATTACHED`` has a key per business date that attaching has begun for. ``DUE`` says that a date is to be
attached without waiting for every part: the cut-off came first, or a part closed after it.

``HELD`` alone is keyed by hold (``hold|12``); its state store has a key per hold that people are asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAlias, get_current_context, task

from dags.business_date import business_date

if TYPE_CHECKING:
    from airflow.sdk import XComArg

REGISTER_CLOSED = Asset(name="register_closed", uri="disclosure://register")
ATTACHED = Asset(name="records_attached", uri="disclosure://attachments")
COMPARED = Asset(name="annual_reports_compared", uri="disclosure://crosscheck")
DUE = Asset(name="attach_now", uri="disclosure://due")
DUE_ALIAS = AssetAlias(name="attach_now_if_the_day_is_cut_off")

HELD = Asset(name="delivery_held", uri="disclosure://held")

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")


def collection_closed(agency: str) -> Asset:
    """Return the asset that says an agency's collection of a business date has ended, well or badly."""
    return Asset(name=f"collection_closed__{agency}", uri=f"disclosure://collection/{agency}")


def feed(site: str) -> Asset:
    """Return the asset of a site's published feed."""
    return Asset(name=f"feed__{site}", uri=f"disclosure://feed/{site}")


def close_part(part: Asset, *, after: XComArg) -> None:
    """Add the task that closes a part of the day ``after`` the task that brought it, or failed to.

    It is a teardown: it runs whether that task succeeded or not, and the run still ends as that task ended. When the
    date was attached already, because a failed run is repaired or repeated, it says so on ``DUE`` too: the other
    parts' events of that date are used up, so that this part's event alone would start nothing.
    """

    @task(inlets=[ATTACHED], outlets=[part, DUE_ALIAS])
    def close_day() -> None:
        context = get_current_context()
        as_of = business_date(context).isoformat()
        context["outlet_events"][part].add_partitions(as_of)
        if context["asset_state_store"][ATTACHED].get(as_of):
            context["outlet_events"][DUE_ALIAS].add(DUE)

    after >> close_day().as_teardown()
