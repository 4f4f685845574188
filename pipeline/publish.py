"""Publish sites: read the records once, hold each site for this process, and let the press make its next release."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from connectors.in_order import in_order
from expectations.judging import judge_of_this_process
from feeds.signature import Signer
from feeds.sites import load_sites
from pipeline.engine import Engine
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.press import Press, Published, publishable
from pipeline.successors import load_successors
from store import releases, runs
from store.bulk import read_batches
from store.records import any_rows
from store.withdrawals import STANDING
from transforms import personal
from transforms.columns import FREE_TEXT, MONEY, STANDARD_COLUMNS, TEXT, Kind
from transforms.personal_details import cut_details

_PUBLISHABLE: Final = """
WITH decided AS (
    SELECT DISTINCT ON (record_id) record_id, uscc, grade, method
    FROM attachment WHERE kind = '{kind}' ORDER BY record_id, attachment_id DESC
), doubted AS (
    SELECT r.record_key, max(r.record_id) AS record_id FROM {kind} r JOIN decided a USING (record_id)
    WHERE (a.grade = 'review' OR a.grade = 'none' AND a.method = 'steward')
      AND r.state IN ('accepted', 'superseded')
      AND r.record_key IN (SELECT record_key FROM {kind} WHERE state = 'superseded')
    GROUP BY r.record_key
), left_register AS (
    SELECT DISTINCT ON (uscc) uscc, name FROM enterprise WHERE to_version IS NOT NULL
    ORDER BY uscc, to_version DESC
)
SELECT r.record_id, r.record_key, coalesce(w.effective_date, r.as_of) AS last_changed, {columns},
       w.reason AS withdrawal, a.uscc AS enterprise_uscc, coalesce(e.name, l.name) AS enterprise_name
FROM {kind} r
LEFT JOIN decided a USING (record_id)
LEFT JOIN doubted d ON d.record_key = r.record_key AND d.record_id > r.record_id
LEFT JOIN enterprise e ON e.uscc = a.uscc AND e.to_version IS NULL
LEFT JOIN left_register l ON l.uscc = a.uscc
LEFT JOIN ({standing}) w ON w.record_id = r.record_id
WHERE (r.state = 'accepted' OR r.state = 'superseded' AND a.record_id IS NOT NULL) AND (
    a.grade = 'certain' AND d.record_id IS NULL OR a.method = 'natural_person'
    OR r.status IN ('withdrawn', 'invalid') OR r.usage_scope <> '0' OR w.reason IS NOT NULL
)
"""
"""A version that is attached with certainty, unless a later one leaves open whose it is or people found it to be
nobody's, and one that takes the record back however it is attached: its key says which record it means, and it is shown
nowhere. What was attached was accepted when it came, so it held for a time. An enterprise that has left the register is
called as it was last."""

_BATCH_BYTES: Final = 8 << 20
"""Of the records that are read at once; some batches are worked on at the same time."""

_MEMORY: Final = "500MB"
"""What the engine holds before it works from its scratch folder: sites are decided and written at the same time."""


def publish(office: Office, site_ids: list[str], *, as_of: dt.date) -> list[Published]:
    """Publish the sites named, from one reading of the records.

    A site whose newest release is of the same day and already says all of it gets no other. Raises ``PublishError``
    when a release of a later day exists: history is not rewritten. Raises ``feeds.release.ReleaseError`` when a
    release fails its verification; nothing of it is visible then.
    """
    judge_of_this_process().start()
    sites = load_sites()
    signer = Signer.load(os.environ, office.settings.key_file, generate=True)
    with (
        journaled(office),
        tempfile.TemporaryDirectory(dir=office.scratch(), prefix="publish-") as scratch,
        Engine(Path(scratch), memory_limit=_MEMORY) as engine,
        contextlib.ExitStack() as locks,
    ):
        for site_id in sorted(site_ids):
            locks.enter_context(_only_publisher(office, site_id))
        with office.engine.begin() as connection:
            runs.hold_still(connection, "records", "register")
            seen = releases.newest_attachment(connection)
            places = {site_id: runs.next_number(connection) for site_id in sorted(site_ids)}
            held = [kind for kind in Kind if any_rows(connection, kind)]
            records = {kind: _load_records(office, engine, kind, as_of) for kind in held}
            replaced = load_successors(office, engine, connection, held)
        press = Press(office, engine, records, replaced, seen=seen, places=places, as_of=as_of, signer=signer)
        return press.publish([sites[site_id] for site_id in sorted(site_ids)])


@contextlib.contextmanager
def _only_publisher(office: Office, site: str) -> Iterator[None]:
    """Hold the site for this process; another one waits."""
    with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"site": f"publish {site}"}
        connection.execute(sa.text("SELECT pg_advisory_lock(hashtext(:site))"), key)
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:site))"), key)


def _load_records(office: Office, engine: Engine, kind: Kind, as_of: dt.date) -> ir.Table:
    """The newest version of each record: one that takes it back, or one that is attached with certainty.

    Of a record whose later version a person has to attach there is none: the older one may be on a wrong enterprise. A
    version that nobody in the register answers to does not displace one that is attached.
    """
    schema = publishable(kind)
    columns = ", ".join(f"r.{name}" for name in STANDARD_COLUMNS[kind])
    query = _PUBLISHABLE.format(kind=kind.value, columns=columns, standing=STANDING.format(kind=kind.value))
    received = read_batches(office.bulk_url, query, batch_bytes=_BATCH_BYTES)
    batches = in_order(lambda batch: _readable(batch, schema, as_of), received)
    records = f"{kind}_records"
    every = engine.load(records, schema, batches)
    newest = every.group_by("record_key").aggregate(newest_id=every.record_id.max(), versions=every.count())
    renewed = newest.filter(newest.versions > 1)
    versions = every.inner_join(renewed, "record_key")
    engine.remove(records, "record_id", versions.filter(versions.record_id < versions.newest_id).select("record_id"))
    return every


def _readable(batch: pa.RecordBatch, schema: pa.Schema, as_of: dt.date) -> pa.RecordBatch:
    """Give amounts their type back; cut telephones and details of persons from running text (domain 3.4)."""
    columns = []
    for field, column in zip(schema, batch.columns, strict=True):
        if field.type == MONEY:
            columns.append(pc.cast(pc.cast(column, TEXT), MONEY))
        elif field.name in FREE_TEXT:
            columns.append(cut_details(personal.cut_telephones(column), as_of))
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)
