"""A row of a sheet as its source writes it: columns under the source's own names, codes in place of texts."""

from __future__ import annotations

from connectors.descriptor import RecordStream, Tombstones
from simulator.templates import TEMPLATES, Row


def columns_of(stream: RecordStream) -> dict[str, str]:
    """Return the columns of a source, each with the code of the sheet behind it."""
    codes = [code for code, _ in TEMPLATES[stream.kind, stream.sheet]]
    if not stream.fields:
        return {code: code for code in codes}
    return {name: code for name, code in stream.fields.items() if code in codes}


def facts_told(stream: RecordStream) -> frozenset[str]:
    """Return the facts that a source has a column for."""
    told = set(columns_of(stream).values())
    return frozenset(fact for code, fact in TEMPLATES[stream.kind, stream.sheet] if code in told)


def as_source_writes(row: Row, stream: RecordStream) -> Row:
    """Undo what the descriptor's ``fields`` and ``code_tables`` say; several texts joined in one cell stay texts."""
    values = {
        code: {text: value for value, text in reversed(table.items())} for code, table in stream.code_tables.items()
    }
    written = {name: values.get(code, {}).get(row[code], row[code]) for name, code in columns_of(stream).items()}
    return written | {name: row[name] for name in marks_of(stream)}


def marks_of(stream: RecordStream) -> tuple[str, ...]:
    """Return the column beside those of the sheet by which a source says that a record is gone, if it has one."""
    return (stream.deletions.column,) if isinstance(stream.deletions, Tombstones) else ()
