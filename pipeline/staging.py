"""First pass over a delivery: read, standardise, look, and spool to disk; memory stays flat.

The spool is a set of Arrow files in a scratch folder. Only eight bytes per row stay in memory, to find the keys that
stand more than once in the delivery (R22), which no batch can see alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.archive import Archive
from connectors.formats.limits import Limits
from connectors.formats.reader import TextTable, open_table
from store.deliveries import FileOfDelivery
from transforms.authority import Authority
from transforms.columns import TEXT, Kind, record_schema
from transforms.findings import rule_findings
from transforms.problems import Problem
from transforms.sheets import Recognition, SheetDefinition, recognise, unknown_column_problems
from transforms.standardise import standardise
from transforms.versions import Repeat, Version, within_delivery

READ_ROWS: Final = 12_500
"""Rows standardised at once."""
THREADS: Final = 2
JUDGED_ROWS: Final = 50_000
"""Rows judged at once: Great Expectations has a fixed cost per batch, memory grows with it."""
_REPEATS: Final = "R22.same_document"

Heard = Callable[[Sequence[str]], Mapping[tuple[str, str], bool]]
"""Answers, for record keys, which (key, content hash) are held from before, and whether each is accepted now."""
Tell = Callable[[str, int], object]
"""Hears what was done to how many more rows; for progress that a person sees."""


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """Records of one batch with the findings about them; ``first`` is the position of its first row."""

    file_ordinal: int
    first: int
    definition: SheetDefinition
    records: pa.Table
    findings: dict[str, pa.Array]


@dataclass
class Staged:
    """A delivery on the spool."""

    kind: Kind
    rows_of_file: dict[int, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    damaged: list[tuple[int, Problem]] = field(default_factory=list)
    definitions: list[SheetDefinition] = field(default_factory=list)
    repeats: dict[int, Repeat] = field(default_factory=dict)
    spools: list[tuple[int, SheetDefinition, Path]] = field(default_factory=list)
    short_keys: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows received, damaged ones included."""
        return sum(self.rows_of_file.values())

    def batches(self) -> Iterator[StagedBatch]:
        """Read the spool back, in the order of arrival."""
        first = 0
        conflicting = sorted(p for p, repeat in self.repeats.items() if repeat.outcome == "conflict")
        for ordinal, definition, path in self.spools:
            width = len(record_schema(self.kind))
            with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as reader:
                for table in _gathered(reader, JUDGED_ROWS):
                    findings = {name: table.column(name).combine_chunks() for name in table.column_names[width:]}
                    findings = {name.removeprefix("given:"): column for name, column in findings.items()}
                    findings[_REPEATS] = _conflicts(conflicting, first, table.num_rows)
                    yield StagedBatch(ordinal, first, definition, table.select(range(width)), findings)
                    first += table.num_rows


def _conflicts(conflicting: Sequence[int], first: int, rows: int) -> pa.Array:
    """R22 for the rows from ``first`` on; ``conflicting`` lists the positions in conflict in order."""
    finding: list[str | None] = [None] * rows
    for position in conflicting[bisect_left(conflicting, first) : bisect_left(conflicting, first + rows)]:
        finding[position - first] = "DIFFERENT_CONTENT"
    return pa.array(finding, TEXT)


def stage(
    files: tuple[FileOfDelivery, ...],
    *,
    kind: Kind,
    archive: Archive,
    delivering: Authority,
    as_of: dt.date,
    scratch: Path,
    tell: Tell = lambda _step, _rows: None,
) -> Staged:
    """Read every file of a delivery onto the spool under ``scratch``; ``tell`` hears of each batch.

    Raises ``DeliveryRefused`` when a file cannot be read as a whole; nothing has been stored by then.
    """
    staged = Staged(kind)
    for file in files:
        table = open_table(archive.open(file.sha256), file=file.name, limits=Limits(batch_rows=READ_ROWS))
        with table:
            _stage_table(
                staged,
                file,
                table,
                look=lambda batch, recognition: _look_at(batch, recognition, delivering, as_of),
                scratch=scratch,
                tell=tell,
            )
    return staged


def _stage_table(
    staged: Staged,
    file: FileOfDelivery,
    table: TextTable,
    *,
    look: Callable[[pa.RecordBatch, Recognition], pa.RecordBatch],
    scratch: Path,
    tell: Tell,
) -> None:
    if table.header:
        recognition = recognise(table.header, staged.kind, file=file.name)
        staged.problems += unknown_column_problems(recognition, file=file.name)
        staged.definitions.append(recognition.definition)
        batches = _one_batch_each(_gathered(table.batches(), READ_ROWS))
        _spool(
            staged,
            file,
            recognition,
            _in_order(lambda batch: look(batch, recognition), batches),
            scratch=scratch,
            tell=tell,
        )
    elif any(True for _ in table.batches()):
        raise AssertionError("a table without columns has no rows")
    staged.damaged += [(file.ordinal, p) for p in table.problems if p.severity == "reject"]
    staged.problems += [p for p in table.problems if p.severity != "reject"]
    staged.rows_of_file[file.ordinal] = table.rows


def _spool(
    staged: Staged,
    file: FileOfDelivery,
    recognition: Recognition,
    batches: Iterator[pa.RecordBatch],
    *,
    scratch: Path,
    tell: Tell,
) -> None:
    path = scratch / f"{file.ordinal:06}.arrow"
    with contextlib.ExitStack() as opened:
        writer: pa.ipc.RecordBatchStreamWriter | None = None
        for batch in batches:
            if writer is None:
                writer = opened.enter_context(pa.ipc.new_stream(str(path), batch.schema))
                staged.spools.append((file.ordinal, recognition.definition, path))
            writer.write_batch(batch)
            staged.short_keys.append(_short_keys(batch.column("record_key")))
            tell("standardised", batch.num_rows)


def _look_at(batch: pa.RecordBatch, recognition: Recognition, delivering: Authority, as_of: dt.date) -> pa.RecordBatch:
    """Standardise one batch and put the findings about it beside it."""
    standardised = standardise(batch, recognition, delivering)
    found = rule_findings(standardised, recognition.definition, delivering=delivering, as_of=as_of)
    columns = dict(zip(standardised.records.column_names, standardised.records.columns, strict=True))
    columns |= {name if "." in name else f"given:{name}": column for name, column in found.items()}
    return pa.table(columns).combine_chunks().to_batches()[0]


def _in_order(
    work: Callable[[pa.RecordBatch], pa.RecordBatch], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Work on ``THREADS`` batches at once and yield the answers in the order of the batches.

    Arrow's kernels and the hashes let go of the interpreter, so threads share the cores; answers do not depend on it.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[pa.RecordBatch]] = deque()
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _gathered(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Put batches together until they hold about ``rows`` rows."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= rows:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _one_batch_each(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield table.combine_chunks().to_batches()[0]


def _short_keys(record_keys: pa.Array) -> npt.NDArray[np.uint64]:
    """The first 64 bits of each key; 0 where a row has none. Only a filter: equal keys are compared in full later."""
    texts = pc.fill_null(pc.utf8_slice_codeunits(record_keys, 0, 16), "0").to_pylist()
    return np.fromiter((int(text, 16) for text in texts), dtype=np.uint64, count=len(texts))


def find_repeats(staged: Staged, heard: Heard) -> None:
    """Compare the rows that share a key, and enter what becomes of them in ``staged.repeats``.

    ``heard`` is asked which contents of those keys earlier deliveries brought, to tell a correction from a text that
    is only sent again (R22).
    """
    if not staged.short_keys:
        return
    keys = np.concatenate(staged.short_keys)
    staged.short_keys.clear()
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)])
    if not len(repeated):
        return
    suspects = np.flatnonzero(np.isin(keys, repeated))
    versions = list(_versions_at(staged, suspects))
    staged.repeats = within_delivery(versions, known=heard(sorted({version.record_key for version in versions})))


def _versions_at(staged: Staged, positions: npt.NDArray[np.intp]) -> Iterator[Version]:
    for batch in staged.batches():
        inside = positions[(positions >= batch.first) & (positions < batch.first + batch.records.num_rows)]
        rows = batch.records.select(["record_key", "content_hash", "updated_at"]).take(pa.array(inside - batch.first))
        for position, row in zip(inside.tolist(), rows.to_pylist(), strict=True):
            yield Version(position, row["record_key"], row["content_hash"], row["updated_at"])
