"""Thin Airflow DAGs over ``pipeline``: when to run what, for which business date, and what to do when it fails.

One DAG per stage, joined by assets whose partition key is the business date (``YYYY-MM-DD``):

``refresh_register`` and ``collect__<agency>`` start by the clock (Asia/Shanghai) and *close* their part of the day,
whether they succeeded or not; ``attach_records`` runs once when every part of the day is closed;
``publish__<site>`` runs once when the records of the day are attached. An agency that failed therefore holds nobody
up, and the number of releases of a day does not depend on who arrived first. When its run is repaired (cleared) after
the day was attached, it closes its part late, and attaching and publishing run again for that date.

A task asks the context for its business date, calls one function of ``pipeline.steps`` and returns its counts. Which
deliveries and records are due is read from the ledger by that function, never from asset events: events merge.
Nothing here may import pandas, Great Expectations or the ledger at module level, read the environment, or open a
connection while a file is parsed.
"""
