"""Read a delivery as a stream: files -> text -> standard records with the findings about them; memory stays flat.

Batches are worked on by threads, also while the caller is busy with the ones before; they come in the order of the rows
whatever the threads do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from connectors.archive import Archive
from connectors.formats.limits import Limits
from connectors.formats.reader import open_table
from connectors.in_order import in_order
from pipeline.gathering import gathered
from store.deliveries import FileOfDelivery
from transforms.authority import Authority
from transforms.columns import Kind
from transforms.findings import rule_findings
from transforms.problems import Problem
from transforms.sheets import Recognition, SheetDefinition, unknown_column_problems
from transforms.source_fields import SourceFields, cells_known, only_worksheet, recognise_source
from transforms.standardise import standardise

BATCH_ROWS: Final = 20_000
"""Fewest rows standardised and judged at once, where there are as many; fewer than three times as many at the most.

Standardising costs 35 ms and Great Expectations 110 ms of a core for each batch, however few its rows; memory grows.
"""

Tell = Callable[[str, int], object]
"""Hears what was done to how many more rows; for progress that a person sees."""


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Records of one batch (``record_schema``) and the findings about them, by the column that a suite names."""

    file_ordinal: int
    definition: SheetDefinition
    records: pa.Table
    findings: dict[str, pa.Array]


class DeliveryReader:
    """The files of one delivery; ``rows_of_file``, ``problems``, ``damaged`` fill while ``batches`` is consumed."""

    def __init__(
        self,
        files: tuple[FileOfDelivery, ...],
        *,
        kind: Kind,
        archive: Archive,
        delivering: Authority,
        as_of: dt.date,
        sources: tuple[SourceFields, ...] = (),
        tell: Tell = lambda _step, _rows: None,
    ) -> None:
        """Nothing is opened yet. ``sources`` say how the agency writes that kind; ``tell`` hears of each batch."""
        self.rows_of_file: dict[int, int] = {}
        self.problems: list[Problem] = []
        self.damaged: list[tuple[int, Problem]] = []
        self.definitions: list[SheetDefinition] = []
        self._files = files
        self._kind = kind
        self._archive = archive
        self._delivering = delivering
        self._as_of = as_of
        self._sources = sources
        self._tell = tell

    @property
    def rows(self) -> int:
        """Rows received so far, damaged ones included."""
        return sum(self.rows_of_file.values())

    def batches(self) -> Iterator[ReadBatch]:
        """Yield what the files hold, ``BATCH_ROWS`` rows and more at a time, never two files in one batch.

        Raises ``DeliveryRefused`` when a file cannot be read as a whole, perhaps after some of its rows.
        """
        for file in self._files:
            yield from self._batches_of(file)

    def _batches_of(self, file: FileOfDelivery) -> Iterator[ReadBatch]:
        with open_table(
            self._archive.open(file.sha256),
            file=file.name,
            limits=Limits(batch_rows=2 * BATCH_ROWS),
            fits=lambda row: cells_known(row, self._kind, self._sources),
            worksheet=only_worksheet(self._sources),
        ) as table:
            if table.header:
                recognition = recognise_source(table.header, self._kind, self._sources, file=file.name)
                self.problems += unknown_column_problems(recognition, file=file.name)
                self.definitions.append(recognition.definition)
                raw = map(_as_one, gathered(table.batches(), BATCH_ROWS))
                yield from map(self._told, in_order(lambda batch: self._look_at(batch, file, recognition), raw))
            elif any(True for _ in table.batches()):
                raise AssertionError("a table without columns has no rows")
            self.damaged += [(file.ordinal, p) for p in table.problems if p.severity == "reject"]
            self.problems += [p for p in table.problems if p.severity != "reject"]
            self.rows_of_file[file.ordinal] = table.rows

    def _look_at(self, raw: pa.RecordBatch, file: FileOfDelivery, recognition: Recognition) -> ReadBatch:
        """Standardise one batch and put the findings about it beside it."""
        standardised = standardise(raw, recognition, self._delivering)
        findings = rule_findings(standardised, recognition.definition, delivering=self._delivering, as_of=self._as_of)
        return ReadBatch(file.ordinal, recognition.definition, standardised.records, findings)

    def _told(self, batch: ReadBatch) -> ReadBatch:
        self._tell("read", batch.records.num_rows)
        return batch


def _as_one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Put batches together; a single one stays what it is."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
