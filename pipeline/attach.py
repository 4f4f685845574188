"""Attach what is due: accepted records without an attachment, and uncertain ones when the register has moved on."""

from __future__ import annotations

import datetime as dt
import functools
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.engine import Engine, to_query
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.register_index import open_index
from pipeline.review_terms import due_dates
from store import records, releases, review_following, runs, steward_attachments
from store.bulk import copy_in, read_batches
from store.runs import Step
from transforms import identifiers
from transforms.attach import Index
from transforms.attach import attach as decide_attachments
from transforms.columns import TEXT, Kind

BLOCK_ROWS: Final = 100_000
"""Records decided at once: while one block is decided, the next is read and the one before is written."""

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
RECORDS_DUE = pa.schema(
    [
        ("record_id", pa.int64()), ("subject_key", TEXT), ("subject_category", TEXT), ("uscc", TEXT),
        ("org_code", TEXT), ("regno", TEXT), ("tax_no", TEXT), ("tax_org", TEXT),
    ]
)  # fmt: skip


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
        with (
            Engine(Path(scratch)) as engine,
            open_index(office, engine, connection) as (version, index),
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as writer,
        ):
            kinds = [kind for kind in Kind if records.any_rows(connection, kind)]
            blocks = _due_blocks(office, kinds, version)
            coming = reader.submit(next, blocks, None)
            decide = _decision(index)
            waiting: deque[Future[None]] = deque()
            while (found := coming.result()) is not None:
                coming = reader.submit(next, blocks, None)
                kind, block = found
                engine.load("due", RECORDS_DUE, block)
                for batch in engine.stream(decide):
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


def _blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Put batches together to blocks of about ``BLOCK_ROWS``: memory does not grow with what is due."""
    block: list[pa.RecordBatch] = []
    for batch in batches:
        block.append(batch)
        if sum(part.num_rows for part in block) >= BLOCK_ROWS:
            yield block
            block = []
    if any(part.num_rows for part in block):
        yield block


def _due_blocks(office: Office, kinds: Iterable[Kind], version: int) -> Iterator[tuple[Kind, list[pa.RecordBatch]]]:
    for kind in kinds:
        for block in _blocks(_due(office, kind, version)):
            yield kind, block


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
