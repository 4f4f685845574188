"""Attach what is due: accepted records without an attachment, and those whose answer a newer register may change.

An uncertain record is asked again on every newer version of the register. A certain one was right by the register of
its day and is asked again only where its name, a number of it or its enterprise stands in rows that have changed since
the run before: another enterprise may have come to bear them. A steward's decision is never asked again, and neither is
a USCC that was found: it is nobody else's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import tempfile
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.engine import Engine, to_query
from pipeline.gathering import gathered
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.register_index import open_index
from pipeline.review_terms import due_dates
from store import records, releases, review_following, runs, steward_attachments
from store.bulk import copy_in, read_batches
from store.runs import Step
from transforms import former_names, identifiers, names
from transforms.attach import Index
from transforms.attach import attach as decide_attachments
from transforms.columns import TEXT, Kind

BLOCK_ROWS: Final = 100_000
"""Records decided at once: while one block is decided, the next is read and the one before is written.

Memory does not grow with what is due.
"""

WAITING_BATCHES: Final = 8
"""Decided batches that may wait to be written."""

_DUE: Final = """
SELECT r.record_id, r.subject_key, r.subject_category, r.uscc, r.org_code, r.regno, r.tax_no
FROM {kind} r
LEFT JOIN (
    SELECT DISTINCT ON (record_id) record_id, grade, method, register_version
    FROM attachment WHERE kind = '{kind}' ORDER BY record_id, attachment_id DESC
) a USING (record_id)
WHERE r.state = 'accepted' AND (
    a.record_id IS NULL
    OR (a.grade <> 'certain' AND a.method NOT IN ('natural_person', 'steward') AND a.register_version < $1)
)
"""
_MOVED: Final = """
CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
SELECT uscc, substr(uscc, 9, 9) AS org_code, name_key, regno FROM enterprise
WHERE from_version > :since OR to_version > :since
"""
_MOVED_FORMER_NAMES: Final = """
SELECT former_names FROM enterprise WHERE (from_version > :since OR to_version > :since) AND former_names <> ''
"""
_AGAIN: Final = """
WITH weak AS MATERIALIZED (
    SELECT r.record_id, r.subject_key, r.subject_category, r.uscc, r.org_code, r.regno, r.tax_no, a.uscc AS attached
    FROM attachment a JOIN {kind} r USING (record_id)
    WHERE a.kind = '{kind}' AND a.grade = 'certain' AND a.register_version < :version
      AND a.method IN ('org_code', 'regno', 'tax_no', 'name', 'former_name') AND r.state = 'accepted'
      AND NOT EXISTS (
        SELECT 1 FROM attachment b WHERE b.record_id = a.record_id AND b.attachment_id > a.attachment_id
      )
)
SELECT * FROM weak WHERE record_id IN (
    SELECT record_id FROM weak JOIN moved m ON m.uscc = weak.attached
    UNION SELECT record_id FROM weak JOIN moved m ON m.name_key = weak.subject_key
    UNION SELECT record_id FROM weak JOIN moved m ON m.regno = weak.regno
    UNION SELECT record_id FROM weak JOIN moved m ON m.org_code = weak.org_code
    UNION SELECT record_id FROM weak JOIN moved m ON m.org_code = substr(weak.tax_no, 7, 9)
    UNION SELECT record_id FROM weak JOIN moved m ON m.org_code = substr(weak.tax_no, 9, 9)
)
"""
RECORDS_DUE = pa.schema(
    [
        ("record_id", pa.int64()), ("subject_key", TEXT), ("subject_category", TEXT), ("uscc", TEXT),
        ("org_code", TEXT), ("regno", TEXT), ("tax_no", TEXT), ("tax_org", TEXT),
    ]
)  # fmt: skip


_Block = tuple[Kind, list[pa.RecordBatch], Mapping[int, str]]
"""Records to decide together, and the enterprise of each that is asked again."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What one run decided: records per method and per grade, on which register version."""

    register_version: int
    decided: int
    grades: Mapping[str, int]
    methods: Mapping[str, int]


def attach(office: Office, *, as_of: dt.date) -> Attached:
    """Decide every attachment that is due, in one transaction. Raises as ``open_index``."""
    with (
        journaled(office),
        tempfile.TemporaryDirectory(dir=office.scratch(), prefix="attach-") as scratch,
        office.engine.begin() as connection,
    ):
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('records'))"))
        runs.hold_still(connection, "register")
        before = releases.newest_attachment(connection)
        grades: Counter[str] = Counter()
        methods: Counter[str] = Counter()
        kinds = [kind for kind in Kind if records.any_rows(connection, kind)]
        with (
            Engine(Path(scratch)) as engine,
            open_index(office, engine, connection) as (version, index),
            contextlib.closing(_blocks(office, kinds, version)) as blocks,
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as writer,
        ):
            coming = reader.submit(next, blocks, None)
            decide = _decision(index)
            waiting: deque[Future[None]] = deque()
            while (found := coming.result()) is not None:
                coming = reader.submit(next, blocks, None)
                kind, block, attached = found
                engine.load("due", RECORDS_DUE, block)
                for decided in engine.stream(decide):
                    batch = _that_differ(decided, attached) if attached else decided
                    rows = _as_rows(batch, kind, version, as_of)
                    waiting.append(writer.submit(copy_in, connection, "attachment", rows))
                    grades.update(_counted(batch.column("grade")))
                    methods.update(_counted(batch.column("method")))
                    if len(waiting) > WAITING_BATCHES:
                        waiting.popleft().result()
            for written in waiting:
                written.result()
        if grades:
            steward_attachments.carry(connection, after=before, day=as_of)
            review_following.follow_attachments(connection, after=before, day=as_of, due=due_dates(as_of))
            newest = releases.newest_attachment(connection)
            runs.enter(connection, Step.ATTACH, as_of, register_version=version, up_to_attachment=newest)
        return Attached(version, sum(grades.values()), dict(sorted(grades.items())), dict(sorted(methods.items())))


@functools.cache
def _decision(index: Index) -> str:
    """Write the query that decides every row of ``due``; its schema says all, so it is written once."""
    due = ibis.table(ibis.Schema.from_pyarrow(RECORDS_DUE), name="due")
    return to_query(decide_attachments(due, index))


def _due(office: Office, kind: Kind, version: int) -> Iterator[pa.RecordBatch]:
    query = _DUE.format(kind=kind.value)
    for batch in read_batches(office.bulk_url, query, {"version": version}, batch_bytes=4 << 20):
        tax_org = identifiers.org_code_of_tax_no(batch.column("tax_no"))
        yield pa.RecordBatch.from_arrays([*batch.columns, tax_org], schema=RECORDS_DUE)


def _blocks(office: Office, kinds: Sequence[Kind], version: int) -> Generator[_Block]:
    yield from _blocks_again(office, kinds, version)
    yield from _due_blocks(office, kinds, version)


def _due_blocks(office: Office, kinds: Iterable[Kind], version: int) -> Iterator[_Block]:
    for kind in kinds:
        for block in gathered(_due(office, kind, version), BLOCK_ROWS):
            yield kind, block, {}


def _blocks_again(office: Office, kinds: Iterable[Kind], version: int) -> Iterator[_Block]:
    """Read what is certain and may not be so any more, as it stood before this run wrote anything."""
    attached_on = sa.text("SELECT max(register_version) FROM step_run WHERE step = :step")
    with office.engine.begin() as connection:
        since = connection.scalar(attached_on, {"step": Step.ATTACH.value})
        if since is None or since >= version:
            return
        connection.execute(sa.text(_MOVED), {"since": since})
        listed = connection.scalars(sa.text(_MOVED_FORMER_NAMES), {"since": since}).all()
        keys = names.name_key(pc.list_flatten(former_names.split(pa.array(listed, TEXT))))
        copy_in(connection, "moved", pa.table({"name_key": keys}))
        connection.execute(sa.text("ANALYZE moved"))
        for kind in kinds:
            query = sa.text(_AGAIN.format(kind=kind.value)).execution_options(stream_results=True)
            for rows in connection.execute(query, {"version": version}).mappings().partitions(BLOCK_ROWS):
                tax_org = identifiers.org_code_of_tax_no(pa.array([row["tax_no"] for row in rows], TEXT)).to_pylist()
                due = [{**row, "tax_org": code} for row, code in zip(rows, tax_org, strict=True)]
                attached = {row["record_id"]: row["attached"] for row in rows}
                yield kind, [pa.RecordBatch.from_pylist(due, schema=RECORDS_DUE)], attached


def _that_differ(decided: pa.RecordBatch, attached: Mapping[int, str]) -> pa.RecordBatch:
    """Keep the answers that speak against the enterprise of before; that it has left the register does not."""
    before = pa.array([attached[record_id] for record_id in decided.column("record_id").to_pylist()], TEXT)
    other = pc.fill_null(pc.not_equal(decided.column("uscc"), before), True)
    return decided.filter(pc.and_(other, pc.not_equal(decided.column("grade"), "none")))


def _counted(texts: pa.StringArray) -> dict[str, int]:
    counts = pc.value_counts(texts)
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def _as_rows(batch: pa.RecordBatch, kind: Kind, version: int, as_of: dt.date) -> pa.Table:
    count = batch.num_rows
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns["score"] = pc.cast(columns["score"], pa.decimal128(18, 3), safe=False)
    return pa.table(
        columns
        | {
            "kind": pa.repeat(pa.scalar(kind.value, TEXT), count),
            "register_version": pa.repeat(pa.scalar(version, pa.int64()), count),
            "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), count),
        }
    )
