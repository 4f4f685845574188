"""A source's own column names and code values are read as the sheet's, and what was written stays beside."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.sheet_rows import AUTHORITY, SOUND
from transforms.columns import Kind, Sheet
from transforms.problems import DeliveryRefused
from transforms.sheets import Recognition
from transforms.source_fields import SourceFields, recognise_source, translated, untranslated
from transforms.standardise import standardise

ROW = SOUND[Kind.LICENCE, Sheet.STANDARD]
FROM_01 = {"01": "普通", "05": "登记"}
FROM_0 = {"0": "普通", "1": "特许", "4": "登记"}
STATES = {"Y": "1", "N": "2"}


def batch_of(row: dict[str, str]) -> pa.RecordBatch:
    columns: dict[str, Any] = {"row_no": pa.array([2], pa.int64())}
    return pa.RecordBatch.from_pydict(columns | {cell: pa.array([text]) for cell, text in row.items()})


def read(row: dict[str, str], *sources: SourceFields) -> tuple[dict[str, Any], Recognition]:
    recognition = recognise_source(list(row), Kind.LICENCE, sources, file="t.csv")
    return standardise(batch_of(row), recognition, AUTHORITY).records.to_pylist()[0], recognition


def own_names(row: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The row under names of the source's own, and what they mean."""
    fields = {f"F{place:02d}": code for place, code in enumerate(row)}
    return {name: row[code] for name, code in fields.items()}, fields


def test_a_row_under_own_names_is_the_same_record() -> None:
    renamed, fields = own_names(ROW)
    record, recognition = read(renamed, SourceFields(Sheet.STANDARD, fields))
    assert record == read(ROW)[0]
    assert recognition.unknown == ()


def test_an_unknown_cell_is_named_as_the_source_wrote_it() -> None:
    renamed, fields = own_names(ROW)
    _, recognition = read(renamed | {"F99": "x"}, SourceFields(Sheet.STANDARD, fields))
    assert recognition.unknown == ("F99",)


def test_a_value_is_decoded_by_the_table_of_its_sheet_and_stays_beside() -> None:
    source = SourceFields(Sheet.STANDARD, code_tables={"XK_XKLB": FROM_01, "XK_ZT": STATES})
    other = SourceFields(Sheet.LEGACY, code_tables={"XK_SPLB": FROM_0})
    record, _ = read(ROW | {"XK_XKLB": "05", "XK_ZT": "N"}, source, other)
    assert (record["licence_category"], record["status"]) == ("登记", "invalid")
    assert json.loads(record["source_text"])["XK_XKLB"] == "05"
    assert json.loads(record["source_text"])["XK_ZT"] == "N"


def test_a_value_without_a_table_entry_is_left_to_the_ordinary_rules() -> None:
    source = SourceFields(Sheet.STANDARD, code_tables={"XK_XKLB": FROM_01})
    row = ROW | {"XK_XKLB": "09"}
    assert read(row, source)[0] == read(row)[0]
    recognition = read(row, source)[1]
    assert dict(untranslated(batch_of(row), recognition)) == {"XK_XKLB": Counter({"09": 1})}


def test_of_two_streams_the_one_that_knows_the_header_names_it() -> None:
    renamed, fields = own_names(ROW)
    for sources in ((SourceFields(Sheet.STANDARD, fields), SourceFields(Sheet.LEGACY, {"甲": "XK_WSH"})),) * 2:
        assert read(renamed, *sources)[0] == read(renamed, *reversed(sources))[0] == read(ROW)[0]


def test_two_cells_for_one_column_are_refused() -> None:
    with pytest.raises(DeliveryRefused, match="XK_WSH"):
        read(ROW | {"文号": "x"}, SourceFields(Sheet.STANDARD, {"文号": "XK_WSH"}))


@given(st.dictionaries(st.text("0123Aa中"), st.text()), st.lists(st.none() | st.text("0123Aa中 ")))
def test_translating_changes_what_is_in_the_table_and_nothing_else(
    table: dict[str, str], texts: list[str | None]
) -> None:
    told = translated(pa.array(texts, pa.string()), table).to_pylist()
    assert told == [text if text is None else table.get(text.strip(), text) for text in texts]


@pytest.mark.parametrize(("mark", "status"), [("D", "withdrawn"), (" D ", "withdrawn"), ("U", "valid"), ("", "valid")])
def test_a_tombstone_withdraws_its_record_and_leaves_what_was_written(mark: str, status: str) -> None:
    source = SourceFields(Sheet.STANDARD, tombstone=("OP", "D"))
    record, recognition = read({**ROW, "OP": mark}, source)
    plain, _ = read(ROW, source)
    assert record["status"] == status
    assert plain["status"] == "valid"
    assert recognition.unknown == ()
    assert json.loads(record["source_text"]).get("XK_ZT") == json.loads(plain["source_text"]).get("XK_ZT")
