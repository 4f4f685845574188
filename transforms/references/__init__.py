"""What reports and subjects are delivered as (年报, 网监主体): recognised, standardised and keyed.

They are held against each other and never disclosed, so they are no records of a kind: no decision, no 文书号, no
sheet of 790号. Everything else about their intake is that of records. Nothing is invented: a value that cannot be read
becomes null, its text stays in ``source_text``, and a finding says so.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms import dates, identifiers, names, personal, sentinels
from transforms.columns import DAY, TEXT, Reference
from transforms.distinct import flat
from transforms.joining import join_present
from transforms.problems import DeliveryRefused, Problem
from transforms.sheets import fold_header
from transforms.yaml_text import read_yaml

DERIVED: Final = {"record_key": TEXT, "subject_key": TEXT, "content_hash": TEXT, "source_text": TEXT}
"""What standardising adds: key of the version, name folded, hash of every value, texts that could not be read."""

_NAMES: Final = {Reference.ANNUAL_REPORT: "enterprise_name", Reference.ONLINE_SUBJECT: "operator_name"}
_TYPES: Final = {"day": DAY}


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column of a form; ``choices`` gives the word of this system behind each value that is written."""

    code: str
    target: str
    label: str
    type: str
    required: bool = False
    may_be_absent: bool = False
    other_codes: tuple[str, ...] = ()
    other_labels: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Form:
    """The columns of one reference, and those that tell its versions apart."""

    reference: Reference
    key: tuple[str, ...]
    columns: tuple[FormColumn, ...]

    @functools.cached_property
    def by_header(self) -> dict[str, FormColumn]:
        """Every accepted spelling of a column, folded for comparison."""
        return {
            fold_header(spelling): column
            for column in self.columns
            for spelling in (column.code, column.label, *column.other_codes, *column.other_labels)
        }

    @property
    def types(self) -> dict[str, pa.DataType]:
        """Standard column names and types, derived ones included."""
        return {column.target: _TYPES.get(column.type, TEXT) for column in self.columns} | DERIVED

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of standard rows: row_no, standard columns, derived columns."""
        return pa.schema([pa.field("row_no", pa.int64()), *self.types.items()])

    def code_of(self, target: str) -> str:
        """Return the form's code of a standard column, for people who know the form."""
        return next((column.code for column in self.columns if column.target == target), target)

    def known_cells(self, header: Sequence[str]) -> int:
        """Return how many cells of a row name a column of the form."""
        return sum(fold_header(cell) in self.by_header for cell in header)


@functools.cache
def form_of(reference: Reference) -> Form:
    """Read the form of a reference."""
    content = read_yaml((Path(__file__).parent / f"{reference}.yaml").read_text(encoding="utf-8"))
    return Form(Reference(content["reference"]), tuple(content["key"]), tuple(map(_column, content["columns"])))


def _column(entry: dict[str, Any]) -> FormColumn:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    values["choices"] = tuple(
        (names.name_key(pa.array([t]))[0].as_py(), w) for t, w in entry.get("choices", {}).items()
    )
    return FormColumn(**values)


@dataclass(frozen=True, slots=True)
class FormHeader:
    """A header read: the form's column behind each header cell, and the cells that fit none."""

    form: Form
    columns: dict[str, FormColumn]
    unknown: tuple[str, ...]


def recognise_form(header: Sequence[str], reference: Reference, *, file: str) -> FormHeader:
    """Find the form's columns in a header, by code or label, never by place.

    Raises ``DeliveryRefused`` when no column is known (S01), one is given twice (S05) or one is missing (S03).
    """
    form = form_of(reference)
    columns = {cell: form.by_header[fold_header(cell)] for cell in header if fold_header(cell) in form.by_header}
    if not columns:
        raise _refused(
            "S01", file, "表头中没有一列属于报送表样", "请检查首行是否为列名, 以及报送种类(--kind)是否与文件对应。"
        )
    given = [column.code for column in columns.values()]
    if twice := sorted({code for code in given if given.count(code) > 1}):
        raise _refused("S05", file, f"同一列出现两次: {'、'.join(twice)}", "请只保留其中一列。")
    missing = [
        f"{column.code}({column.label})"
        for column in form.columns
        if not column.may_be_absent and column.code not in given
    ]
    if missing:
        raise _refused("S03", file, f"缺少必需的列: {'、'.join(missing)}", "请按表样补上整列后重新报送; 列的顺序不限。")
    return FormHeader(form, columns, tuple(cell for cell in header if cell not in columns))


def _refused(rule: str, file: str, message: str, remedy: str) -> DeliveryRefused:
    return DeliveryRefused(Problem(rule=rule, severity="refuse", message=message, remedy=remedy, file=file, row=1))


@dataclass(frozen=True, slots=True)
class StandardRows:
    """Standard rows (``Form.schema``) and, per standard column, what reading each text showed (null: nothing)."""

    rows: pa.Table
    readings: dict[str, pa.Array]


def standardise_form(batch: pa.RecordBatch, header: FormHeader) -> StandardRows:
    """Turn rows as received (``row_no`` and the header's cells as text) into standard rows."""
    cell_of = {column.target: cell for cell, column in header.columns.items()}
    values: dict[str, pa.Array] = {"row_no": batch.column("row_no")}
    readings: dict[str, pa.Array] = {}
    unread: list[pa.Array] = []
    for column in header.form.columns:
        if column.target not in cell_of:
            values[column.target] = pa.nulls(batch.num_rows, _TYPES.get(column.type, TEXT))
            readings[column.target] = pa.nulls(batch.num_rows, TEXT)
            continue
        texts = flat(batch.column(cell_of[column.target]))
        values[column.target], readings[column.target] = _READ[column.type](texts, column)
        unread.append(_told(column.code, pc.if_else(pc.is_valid(readings[column.target]), texts, None)))
    name = values[_NAMES[header.form.reference]]
    values["record_key"] = pc.binary_join_element_wise(*(_text(values[part]) for part in header.form.key), "|")
    values["subject_key"] = names.name_key(name)
    values["content_hash"] = _hashes([_text(values[column.target]) for column in header.form.columns])
    listed = join_present(unread, batch.num_rows, ",")
    values["source_text"] = pc.binary_join_element_wise("{", listed, "}", "")
    schema = header.form.schema()
    return StandardRows(pa.table([values[name] for name in schema.names], schema=schema), readings)


def _told(code: str, texts: pa.Array) -> pa.Array:
    shown = personal.without_numbers(texts)
    return pa.array(
        [None if t is None else f"{json.dumps(code)}:{json.dumps(t, ensure_ascii=False)}" for t in shown.to_pylist()],
        TEXT,
    )


def _text(values: pa.Array) -> pa.Array:
    return values if values.type == TEXT else values.cast(TEXT)


def _hashes(columns: list[pa.Array]) -> pa.Array:
    joined = pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\x1e")
    return pa.array([hashlib.blake2b(t.encode(), digest_size=16).hexdigest() for t in joined.to_pylist()], TEXT)


def _read_text(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    plain = sentinels.missing_to_null(texts)
    return personal.without_numbers(plain), pa.nulls(len(texts), TEXT)


def _read_address(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    """Keep what was written, 无 as well: digits of a host or a shop number are no telephone."""
    plain = pc.utf8_trim_whitespace(texts)
    plain = pc.if_else(pc.equal(plain, ""), None, plain)
    hosted = pc.match_substring(plain, ".")
    safe = pc.if_else(hosted, plain, personal.without_numbers(plain))
    return safe, pa.nulls(len(texts), TEXT)


def _read_code(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    codes = identifiers.normalise_code(sentinels.missing_to_null(texts))
    return personal.mask_ids(codes), pa.nulls(len(texts), TEXT)


def _read_day(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    days, findings = dates.parse_days(sentinels.missing_to_null(texts))
    return days, findings


def _read_moment(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    moments, findings = dates.parse_timestamps(sentinels.missing_to_null(texts))
    return moments, findings


def _read_year(texts: pa.StringArray, _: FormColumn) -> tuple[pa.Array, pa.Array]:
    plain = pc.utf8_normalize(sentinels.missing_to_null(texts), form="NFKC")
    found = pc.struct_field(pc.extract_regex(plain, r"^\s*(?P<year>(?:19|20)\d{2})\s*(?:年|年度)?\s*$"), "year")
    unread = pc.and_(pc.is_valid(plain), pc.is_null(found))
    return found, pc.if_else(unread, pa.scalar("UNREADABLE"), pa.scalar(None, TEXT))


def _read_choice(texts: pa.StringArray, column: FormColumn) -> tuple[pa.Array, pa.Array]:
    known = pa.array([text for text, _ in column.choices])
    words = pa.array([word for _, word in column.choices])
    folded = names.name_key(pc.utf8_trim_whitespace(texts))
    word = words.take(pc.index_in(folded, value_set=known))
    unread = pc.and_(pc.is_null(word), pc.is_valid(sentinels.missing_to_null(texts)))
    return word, pc.if_else(unread, pa.scalar("UNKNOWN_VALUE"), pa.scalar(None, TEXT))


_READ: Final = {
    "text": _read_text,
    "address": _read_address,
    "code": _read_code,
    "day": _read_day,
    "moment": _read_moment,
    "year": _read_year,
    "choice": _read_choice,
}
