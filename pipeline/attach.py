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
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.engine import Engine, to_query
from pipeline.journal import journaled
from pipeline.office import Office
from pipeline.review_terms import due_dates
from store import records, releases, review_following, runs, steward_attachments
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
SELECT e.uscc, substr(e.uscc, 9, 9) AS org_code, e.regno, e.name_key, e.to_version IS NULL AS holds,
       nullif(e.former_names, '') AS former_names
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
_HELD = pa.schema([("uscc", TEXT), ("org_code", TEXT), ("regno", TEXT), ("name_key", TEXT), ("current", pa.bool_())])
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
            ThreadPoolExecutor(1) as loader,
            ThreadPoolExecutor(1) as writer,
        ):
            register = loader.submit(load_register_tables, office, engine)
            kinds = [kind for kind in Kind if records.any_rows(connection, kind)]
            blocks = _due_blocks(office, kinds, version)
            coming = reader.submit(next, blocks, None)
            plan = _plan()
            register.result()
            for name, query in plan.index:
                engine.keep_answer(name, query)
            waiting: deque[Future[None]] = deque()
            while (found := coming.result()) is not None:
                coming = reader.submit(next, blocks, None)
                kind, block = found
                engine.load("due", RECORDS_DUE, block)
                for batch in engine.stream(plan.decide):
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """The queries of one run: those that build the index, by the tables they build and in their order, and the last."""

    index: tuple[tuple[str, str], ...]
    decide: str


@functools.cache
def _plan() -> _Plan:
    """Write every query before there is a table to run it on: schemas say all, and the register loads meanwhile."""
    written: list[tuple[str, str]] = []

    def write(name: str, expression: ir.Table) -> ir.Table:
        written.append((name, to_query(expression)))
        return ibis.table(expression.schema(), name=name)

    register, names_borne, due = (
        ibis.table(ibis.Schema.from_pyarrow(schema), name=name)
        for name, schema in (("register", _REGISTER), ("names", _NAMES), ("due", RECORDS_DUE))
    )
    index = index_register(register, names_borne, write)
    decide = to_query(decide_attachments(due, index))
    return _Plan(tuple(written), decide)


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


def load_register_tables(office: Office, engine: Engine) -> tuple[ir.Table, ir.Table]:
    """Load what ``index_register`` needs: codes of every enterprise of the register, and every name it bore.

    The register holds valid codes only, so that characters 9 to 17 are the organisation code.
    """
    former: list[pa.RecordBatch] = []

    def held() -> Iterator[pa.RecordBatch]:
        for batch in read_batches(office.bulk_url, _ENTERPRISES):
            renamed = batch.filter(pc.is_valid(batch.column("former_names")))
            former.append(_former_names(renamed.column("uscc"), renamed.column("former_names")))
            yield pa.RecordBatch.from_arrays(batch.columns[: len(_HELD)], schema=_HELD)

    enterprises = engine.load("held_enterprises", _HELD, held())
    borne = engine.load("former_names", _NAMES, former)
    register = engine.keep_view("register", enterprises.select(*_REGISTER.names))
    return register, engine.keep_view("names", enterprises.select(*_NAMES.names).union(borne))


def _former_names(uscc: pa.StringArray, listed_names: pa.StringArray) -> pa.RecordBatch:
    listed = pc.split_pattern_regex(listed_names, "[;；]")
    holders = uscc.take(pc.list_parent_indices(listed))
    keys = names.name_key(pc.list_flatten(listed))
    named = pc.and_(pc.is_valid(keys), pc.not_equal(keys, ""))
    columns = [holders, keys, pa.repeat(pa.scalar(False), len(keys))]
    return pa.RecordBatch.from_arrays(columns, schema=_NAMES).filter(pc.fill_null(named, False))


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
