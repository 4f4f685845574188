"""Read single rows of a delivery again from the archive, and judge them as the ingest of a million rows does.

The path is the same: text of the row -> ``standardise`` -> ``rule_findings`` -> the suite of the sheet -> state. What
rulings of stewards say is laid over the text before it is read, and over the verdicts after (``Overlay``): nothing that
was received is edited.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.archive import Archive
from connectors.descriptor import Agency
from connectors.formats.limits import Limits
from connectors.formats.reader import open_table
from expectations.judging import judge_of_this_process
from expectations.suite import load_suite
from pipeline.reading import BATCH_ROWS, ReadBatch
from pipeline.verdicts import state_of, verdicts_of
from store.deliveries import FileOfDelivery
from transforms import personal
from transforms.columns import ID_COLUMNS, TEXT, Kind
from transforms.findings import rule_findings
from transforms.sheets import Recognition
from transforms.source_fields import cells_known, only_worksheet, recognise_source
from transforms.standardise import standardise
from transforms.versions import RowState

MASKED: Final = "********"
"""What is shown of a document number of a person."""
SENT_BACK: Final = "S01.sent_back"
"""The verdict of a steward who returns a held row to its agency (退回机关)."""


class RowGone(LookupError):
    """The archive does not hold the row any more, or it could never be split into fields."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it should be: ``replaces`` is the text that it stood for, ID numbers masked; empty for none."""

    replaces: str
    text: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the rulings in force say about one row received.

    ``cells`` by column code of the sheet; ``waives`` maps a held rule that a steward let pass to its finding;
    ``sent_back`` is the reason for which a steward returned the row.
    """

    cells: Mapping[str, Cell] = field(default_factory=dict)
    waives: Mapping[str, str | None] = field(default_factory=dict)
    sent_back: str | None = None

    def __bool__(self) -> bool:
        """Tell whether it says anything."""
        return bool(self.cells or self.waives or self.sent_back is not None)

    def over(self, earlier: Overlay) -> Overlay:
        """Return both, this one where both speak; a cell stands for the text that was received."""
        cells = dict(earlier.cells)
        for code, cell in self.cells.items():
            cells[code] = replace(cell, replaces=cells[code].replaces) if code in cells else cell
        sent_back = earlier.sent_back if self.sent_back is None else self.sent_back
        return Overlay(cells, {**earlier.waives, **self.waives}, sent_back)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as received: a batch of one (``row_no`` and the cells of its header) and what the header means."""

    file: FileOfDelivery
    batch: pa.RecordBatch
    recognition: Recognition

    @property
    def row_no(self) -> int:
        """Number of the row in its file."""
        return int(self.batch.column("row_no")[0].as_py())

    def shown(self) -> dict[str, str]:
        """Return the texts by column code of the sheet, as they may be shown: ID numbers masked."""
        cells = self.recognition.columns
        return {column.code: _shown(self._text(cell), column.target) for cell, column in cells.items()}

    def _text(self, cell: str) -> str:
        return self.batch.column(cell)[0].as_py() or ""

    def with_cells(self, texts: Mapping[str, str]) -> Row:
        """Return the row with other texts, by column code; a column that its file lacks is added."""
        columns = dict(zip(self.batch.schema.names, self.batch.columns, strict=True))
        by_code = {column.code: cell for cell, column in self.recognition.columns.items()}
        recognised = dict(self.recognition.columns)
        for code, text in texts.items():
            cell = by_code.get(code, code)
            columns[cell] = pa.array([text], TEXT)
            recognised[cell] = next(c for c in self.recognition.definition.columns if c.code == code)
        return replace(
            self, batch=pa.RecordBatch.from_pydict(columns), recognition=replace(self.recognition, columns=recognised)
        )


def _shown(text: str, target: str) -> str:
    if target in ID_COLUMNS and text:
        return MASKED
    return str(personal.mask_ids(pa.array([text], TEXT))[0].as_py())


def rows_of_file(
    archive: Archive, agency: Agency, kind: Kind, file: FileOfDelivery, row_nos: Iterable[int]
) -> dict[int, Row]:
    """Read rows of one file by their numbers, in one pass that ends with the last of them. Raises ``RowGone``."""
    wanted = set(row_nos)
    batch, recognition = batch_of_file(archive, agency, kind, file, wanted)
    numbers = batch.column("row_no").to_pylist()
    if missing := sorted(wanted.difference(numbers)):
        raise RowGone(f"{file.name} 第 {missing[0]} 行无法拆分成字段, 只能由报送机关重报")
    return {number: Row(file, batch.slice(place, 1), recognition) for place, number in enumerate(numbers)}


def batch_of_file(
    archive: Archive, agency: Agency, kind: Kind, file: FileOfDelivery, row_nos: Iterable[int]
) -> tuple[pa.RecordBatch, Recognition]:
    """Read rows of one file by their numbers into one batch, and what its header means.

    Rows that could never be split into fields are not in it. Raises ``RowGone`` where the archive does not hold the
    file any more.
    """
    wanted = pa.array(sorted(set(row_nos)), pa.int64())
    if file.sha256 not in archive:
        raise RowGone(f"原始文件 {file.name} 已按保存期限移出归档, 不能再读")
    sources = agency.source_fields(kind)
    with open_table(
        archive.open(file.sha256),
        file=file.name,
        limits=Limits(batch_rows=BATCH_ROWS),
        fits=lambda row: cells_known(row, kind, sources),
        worksheet=only_worksheet(sources),
    ) as table:
        recognition = recognise_source(table.header, kind, sources, file=file.name)
        nothing = {"row_no": pa.array([], pa.int64()), **{cell: pa.array([], TEXT) for cell in table.header}}
        found = [pa.RecordBatch.from_pydict(nothing)]
        left = len(wanted)
        for batch in table.batches():
            chosen = batch.filter(pc.is_in(batch.column("row_no"), value_set=wanted))
            found.append(chosen)
            left -= chosen.num_rows
            if not left:
                break
    return pa.concat_batches(found), recognition


@dataclass(frozen=True, slots=True)
class Reread:
    """A row judged with an overlay: its standard record (one row, ``record_schema``), verdicts and state.

    ``verdicts`` are rows of ``pipeline.verdicts.VERDICT_SCHEMA`` without a record.
    """

    record: pa.Table
    verdicts: tuple[Mapping[str, Any], ...]
    state: RowState
    says_status: bool

    @property
    def values(self) -> dict[str, Any]:
        """Standard and derived values by name."""
        row: dict[str, Any] = self.record.to_pylist()[0]
        return row


def judge_again(row: Row, overlay: Overlay, *, agency: Agency, as_of: dt.date) -> Reread:
    """Judge one row with what rulings say; ``as_of`` is the business day on which it was received.

    R22, which needs the whole delivery, is the caller's to add.
    """
    laid = row.with_cells({code: cell.text for code, cell in overlay.cells.items()})
    definition = laid.recognition.definition
    standardised = standardise(laid.batch, laid.recognition, agency.authority)
    findings = rule_findings(standardised, definition, delivering=agency.authority, as_of=as_of)
    suite = load_suite(definition.kind, definition.sheet).of_scope("row")
    outcomes = judge_of_this_process().judge(findings, suite)
    batch = ReadBatch(row.file.ordinal, definition, standardised.records, findings)
    verdicts = verdicts_of(batch, np.zeros(1, np.int64), outcomes, suite).to_pylist()
    says_status = any(column.target == "status" for column in definition.columns)
    return _ruled(standardised.records, verdicts, overlay, says_status=says_status)


def with_verdict(reread: Reread, verdict: Mapping[str, Any], overlay: Overlay) -> Reread:
    """Return the reading with one verdict more, the overlay applied to it too."""
    listed = [*reread.verdicts, dict(verdict)]
    return _ruled(reread.record, listed, _without_return(overlay), says_status=reread.says_status)


def _without_return(overlay: Overlay) -> Overlay:
    """Return the overlay without its return, which stands among the verdicts already."""
    return replace(overlay, sent_back=None)


def _ruled(record: pa.Table, verdicts: Iterable[Mapping[str, Any]], overlay: Overlay, *, says_status: bool) -> Reread:
    ruled = [_waived(verdict, overlay) for verdict in verdicts]
    if overlay.sent_back is not None:
        ruled.append(
            {
                "expectation": SENT_BACK, "rule": "S01", "severity": "reject", "field": "", "value": None,
                "finding": "SENT_BACK", "remedy": overlay.sent_back, "suite": "steward",
            }
        )  # fmt: skip
    return Reread(record, tuple(ruled), state_of(verdict["severity"] for verdict in ruled), says_status)


def _waived(verdict: Mapping[str, Any], overlay: Overlay) -> Mapping[str, Any]:
    """A held rule that a steward let pass only warns, while it finds the same."""
    rule = verdict["expectation"]
    if verdict["severity"] == "hold" and rule in overlay.waives and overlay.waives[rule] == verdict["finding"]:
        return {**verdict, "severity": "warn"}
    return verdict
