"""Try a descriptor on a sample delivery: the path of ingest as far as the verdicts; nothing is stored.

What a delivery as a whole would show (R22, repeats and contradictions between rows) and what depends on records held
is not tried.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.archive import Archive
from connectors.descriptor import Agency, RecordStream
from connectors.formats.reader import open_table
from expectations import runner
from expectations.suite import load_suite
from pipeline.masking import masked
from pipeline.reading import DeliveryReader
from store.deliveries import FileOfDelivery
from transforms.problems import DeliveryRefused, Problem
from transforms.sheets import Recognition
from transforms.source_fields import recognise_source, untranslated


@dataclass(frozen=True, slots=True)
class Failures:
    """Rows of the sample that fail one expectation."""

    expectation: str
    severity: str
    title: str
    rows: int


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What became of a sample.

    ``matched``: header cell -> code and label of the sheet's column. ``absent``: columns of the sheet that no cell
    fills. ``differs``: where the file is not what the descriptor says. ``untranslated``: header cell -> value -> rows.
    ``problems`` are about the file and its damaged rows, ID numbers masked.
    """

    stream: str
    sheet: str
    format: str
    encoding: str
    differs: tuple[str, ...]
    matched: dict[str, str]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]
    rows: int
    damaged: int
    failures: tuple[Failures, ...]
    untranslated: dict[str, dict[str, int]]
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether every row would be accepted and every cell was understood; warnings of rules do not count."""
        return not (
            self.differs
            or self.unknown
            or self.damaged
            or self.untranslated
            or any(failure.severity != "warn" for failure in self.failures)
        )


def check_sample(agency: Agency, sample: Path, *, as_of: dt.date, stream_id: str | None = None) -> SampleReport:
    """Read a sample as a delivery of an agency and judge its rows.

    Without ``stream_id`` the stream is the one whose columns the header names most of. Raises ``DeliveryRefused`` when
    the sample cannot be read as a whole, KeyError for a stream that the agency does not have.
    """
    streams = (agency.stream(stream_id),) if stream_id else agency.streams
    stream = _stream_of(agency, streams, sample)
    with open_table(sample, file=sample.name, rows_at=stream.format.rows_at) as table:
        recognition = _recognised(agency, stream, table.header, sample.name)
        strange: dict[str, Counter[str]] = {}
        for batch in table.batches():
            for cell, values in untranslated(batch, recognition):
                strange.setdefault(cell, Counter()).update(values)
        told = (table.format, table.encoding)
    failures, reader = _judged(agency, stream, sample, as_of)
    definition = recognition.definition
    filled = {column.code for column in recognition.columns.values()}
    return SampleReport(
        stream=stream.id,
        sheet=definition.sheet.value,
        format=told[0],
        encoding=told[1],
        differs=_differences(stream, recognition, *told),
        matched={cell: f"{column.code} {column.label}" for cell, column in recognition.columns.items()},
        unknown=recognition.unknown,
        absent=tuple(f"{column.code} {column.label}" for column in definition.columns if column.code not in filled),
        rows=reader.rows,
        damaged=len(reader.damaged),
        failures=failures,
        untranslated={cell: dict(values.most_common()) for cell, values in strange.items() if values},
        problems=(*masked(reader.problems), *masked(problem for _, problem in reader.damaged)),
    )


def _stream_of(agency: Agency, streams: Sequence[RecordStream], sample: Path) -> RecordStream:
    """Return the stream that recognises most cells of the header; the refusal of the first when all refuse it."""
    found: list[tuple[int, RecordStream]] = []
    refusals: list[DeliveryRefused] = []
    for stream in streams:
        with open_table(sample, file=sample.name, rows_at=stream.format.rows_at) as table:
            try:
                recognition = _recognised(agency, stream, table.header, sample.name)
            except DeliveryRefused as refusal:
                refusals.append(refusal)
            else:
                same_sheet = recognition.definition.sheet is stream.sheet
                found.append((2 * len(recognition.columns) + same_sheet, stream))
    if not found:
        raise refusals[0]
    return max(found, key=lambda each: each[0])[1]


def _recognised(agency: Agency, stream: RecordStream, header: Sequence[str], file: str) -> Recognition:
    return recognise_source(header, stream.kind, agency.source_fields(stream.kind), file=file)


def _judged(
    agency: Agency, stream: RecordStream, sample: Path, as_of: dt.date
) -> tuple[tuple[Failures, ...], DeliveryReader]:
    rows: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        archive = Archive(Path(folder))
        stored = archive.put(sample, sample.name)
        reader = DeliveryReader(
            (FileOfDelivery(1, sample.name, stored.sha256, stored.size),),
            kind=stream.kind,
            archive=archive,
            delivering=agency.authority,
            as_of=as_of,
            sources=agency.source_fields(stream.kind),
        )
        for batch in reader.batches():
            suite = load_suite(batch.definition.kind, batch.definition.sheet).of_scope("row")
            for expectation, outcome in runner.judge(batch.findings, suite).items():
                rows[expectation] += outcome.unexpected
    definition = reader.definitions[0]
    suite = load_suite(definition.kind, definition.sheet)
    return tuple(
        Failures(each.id, each.severity, each.title, rows[each.id]) for each in suite.expectations if rows[each.id]
    ), reader


def _differences(stream: RecordStream, recognition: Recognition, told: str, encoding: str) -> tuple[str, ...]:
    agreed = stream.format
    differs = []
    if told != agreed.type:
        differs.append(f"format is {told}, the descriptor says {agreed.type}")
    elif told in ("csv", "xml") and encoding.removesuffix("-sig") != agreed.encoding:
        differs.append(f"encoding is {encoding}, the descriptor says {agreed.encoding}")
    if recognition.definition.sheet is not stream.sheet:
        differs.append(f"sheet is {recognition.definition.sheet}, the descriptor says {stream.sheet}")
    return tuple(differs)
