"""Column names and code values of one source, told in the words of the sheet (来源字段与代码对照).

Code tables that count from 0, from 1 and from 01 are in use at the same time (domain 1.5): a value is decoded by the
table of the source and sheet that sent it, never by the value alone. The text as received stays in ``source_text``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from transforms.columns import Kind, Sheet
from transforms.problems import DeliveryRefused, Problem
from transforms.sheets import Recognition, known_cells, recognise


@dataclass(frozen=True, slots=True)
class SourceFields:
    """How one stream writes a sheet.

    ``fields`` names the sheet's column behind a column of the source; ``code_tables`` the text behind a value, per
    column of the sheet; ``worksheet`` the pattern of the worksheet's title in a workbook;
    ``tombstone`` the column of the source, and its value, that say that a record is gone.
    """

    sheet: Sheet
    fields: Mapping[str, str] = field(default_factory=dict)
    code_tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    worksheet: str | None = None
    tombstone: tuple[str, str] | None = None


def recognise_source(header: Sequence[str], kind: Kind, sources: Iterable[SourceFields], *, file: str) -> Recognition:
    """Tell which sheet a header belongs to, its cells read as the agency's streams of that kind name them.

    Of several streams, the one that knows most of the cells names them. Raises ``DeliveryRefused`` as ``recognise``
    does, and where two cells are the same column.
    """
    sources = tuple(sources)
    fields = max((source.fields for source in sources), key=lambda known: len(known.keys() & set(header)), default={})
    told = {cell: fields.get(cell, cell) for cell in header}
    _refuse_twice_named(told, file)
    recognition = recognise(list(told.values()), kind, file=file)
    cells = {name: cell for cell, name in told.items()}
    tables = {
        code: table
        for source in sources
        if source.sheet is recognition.definition.sheet
        for code, table in source.code_tables.items()
    }
    marks = [source.tombstone for source in sources if source.tombstone and source.tombstone[0] in header]
    tombstone = marks[0] if marks else None
    return replace(
        recognition,
        columns={cells[name]: column for name, column in recognition.columns.items()},
        unknown=tuple(cells[name] for name in recognition.unknown if tombstone is None or cells[name] != tombstone[0]),
        tombstone=tombstone,
        code_tables=tables,
    )


def cells_known(header: Sequence[str], kind: Kind, sources: Iterable[SourceFields]) -> int:
    """Return how many cells of a row name a column of the kind, in the words of a sheet or of one of the streams."""
    named = set().union(*(source.fields for source in sources)) & set(header)
    return len(named) + known_cells([cell for cell in header if cell not in named], kind)


def only_worksheet(sources: Iterable[SourceFields]) -> str | None:
    """Return the worksheet that the streams of a kind agree on; null where they name none or several."""
    patterns = {source.worksheet for source in sources}
    return patterns.pop() if len(patterns) == 1 else None


def _refuse_twice_named(told: Mapping[str, str], file: str) -> None:
    cells: dict[str, str] = {}
    for cell, name in told.items():
        if name in cells:
            raise DeliveryRefused(
                Problem(
                    rule="S05",
                    severity="refuse",
                    message=f"列“{cells[name]}”与“{cell}”是同一列({name})",
                    remedy="请只保留其中一列, 或更正来源字段对照(fields)。",
                    file=file,
                    row=1,
                    field=cell,
                )
            )
        cells[name] = cell


def translated(texts: pa.Array, table: Mapping[str, str] | None) -> pa.Array:
    """Return each text, or what the table says for it; a value that is not in the table stays as it is."""
    if not table:
        return texts
    known = pc.index_in(pc.utf8_trim_whitespace(texts), value_set=pa.array(list(table), pa.string()))
    return pc.coalesce(pa.array(list(table.values()), pa.string()).take(known), texts)


def marked_as_gone(batch: pa.RecordBatch, tombstone: tuple[str, str]) -> pa.Array:
    """Say of each row whether it is a tombstone."""
    cell, value = tombstone
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(batch.column(cell)), value), False)


def untranslated(batch: pa.RecordBatch, recognition: Recognition) -> Iterator[tuple[str, Counter[str]]]:
    """Yield, per header cell that has a code table, the values that are neither in it nor one of its texts."""
    for cell, column in recognition.columns.items():
        if table := recognition.code_tables.get(column.code):
            texts = pc.utf8_trim_whitespace(batch.column(cell))
            expected = pa.array([*table, *table.values(), ""], pa.string())
            strange = texts.filter(pc.and_(pc.is_valid(texts), pc.invert(pc.is_in(texts, value_set=expected))))
            yield cell, Counter(strange.to_pylist())
