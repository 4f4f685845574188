"""Attach what is due: accepted records without an attachment, and uncertain ones when the register has moved on."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.engine import Engine
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.review_terms import due_dates
from store import releases, review_following, runs, steward_attachments
from store.bulk import copy_in, read_batches
from store.runs import Step
from store.schema import register_version
from transforms import identifiers, names
from transforms.attach import attach as decide_attachments
from transforms.attach import index_register
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
_ENTERPRISES: Final = """
SELECT e.uscc, e.regno, e.name_key, e.former_names, e.to_version IS NULL AS holds
FROM enterprise e
WHERE e.to_version IS NULL
   OR EXISTS (SELECT 1 FROM enterprise c WHERE c.uscc = e.uscc AND c.to_version IS NULL)
"""
RECORDS_DUE = pa.schema(
    [
        ("record_id", pa.int64()), ("subject_key", TEXT), ("subject_category", TEXT), ("uscc", TEXT),
        ("org_code", TEXT), ("regno", TEXT), ("tax_no", TEXT), ("tax_org", TEXT),
    ]
)  # fmt: skip
_REGISTER = pa.schema([("uscc", TEXT), ("org_code", TEXT), ("regno", TEXT)])
_NAMES = pa.schema([("uscc", TEXT), ("name_key", TEXT), ("current", pa.bool_())])


class NoRegister(RuntimeError):
    """Nothing can be attached before a register is loaded."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What one run decided: records per method and per grade, on which register version."""

    register_version: int
    decided: int
    grades: Mapping[str, int]
    methods: Mapping[str, int]


def attach(office: Office, *, as_of: dt.date) -> Attached:
    """Decide every attachment that is due, in one transaction. Raises ``NoRegister`` when no register is loaded."""
    with (
        journaled(office),
        tempfile.TemporaryDirectory(dir=office.scratch(), prefix="attach-") as scratch,
        office.engine.begin() as connection,
    ):
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('records'))"))
        runs.hold_still(connection, "register")
        version = connection.scalar(sa.select(sa.func.max(register_version.c.register_version)))
        if version is None:
            raise NoRegister("no register is loaded: run `disclosure register load FILE` first")
        before = releases.newest_attachment(connection)
        grades: Counter[str] = Counter()
        methods: Counter[str] = Counter()
        with (
            Engine(Path(scratch)) as engine,
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as writer,
        ):
            blocks = _due_blocks(office, version)
            coming = reader.submit(next, blocks, None)
            index = index_register(*load_register_tables(office, engine), engine.keep)
            decided: str | None = None
            waiting: deque[Future[None]] = deque()
            while (found := coming.result()) is not None:
                coming = reader.submit(next, blocks, None)
                kind, block = found
                due = engine.load("due", RECORDS_DUE, block)
                decided = decided or engine.compile(decide_attachments(due, index))
                for batch in engine.stream(decided):
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


def _due_blocks(office: Office, version: int) -> Iterator[tuple[Kind, list[pa.RecordBatch]]]:
    for kind in Kind:
        for block in _blocks(_due(office, kind, version)):
            yield kind, block


def _counted(texts: pa.StringArray) -> dict[str, int]:
    counts = pc.value_counts(texts)
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def load_register_tables(office: Office, engine: Engine) -> tuple[ir.Table, ir.Table]:
    """Load what ``index_register`` needs: codes of every enterprise of the register, and every name it bore."""
    codes: list[pa.RecordBatch] = []
    carried: list[pa.RecordBatch] = []
    for batch in read_batches(office.bulk_url, _ENTERPRISES):
        uscc = batch.column("uscc")
        org_code = identifiers.org_code_of_uscc(uscc)
        codes.append(pa.RecordBatch.from_arrays([uscc, org_code, batch.column("regno")], schema=_REGISTER))
        carried.append(
            pa.RecordBatch.from_arrays([uscc, batch.column("name_key"), batch.column("holds")], schema=_NAMES)
        )
        carried.append(_former_names(batch))
    return engine.load("register", _REGISTER, codes), engine.load("names", _NAMES, carried)


def _former_names(batch: pa.RecordBatch) -> pa.RecordBatch:
    listed = pc.split_pattern_regex(batch.column("former_names"), "[;；]")
    holders = batch.column("uscc").take(pc.list_parent_indices(listed))
    keys = names.name_key(pc.list_flatten(listed))
    named = pc.and_(pc.is_valid(keys), pc.not_equal(keys, ""))
    former = pa.RecordBatch.from_arrays(
        [holders, keys, pa.repeat(pa.scalar(False), len(keys))],
        schema=_NAMES,
    )
    return former.filter(pc.fill_null(named, False))


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
