"""Reading back the files of one part: every row is counted in every format, a spread of rows is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from lxml import etree

from feeds.algebra import keyed_rows
from feeds.hashed_file import BLOCK
from feeds.manifest import FORMATS, FileEntry, Part, part_file
from feeds.row_text import csv_text, xml_head, xml_tail, xml_text
from feeds.site_schema import part_columns, xml_schema
from feeds.sites import Site, Table

SAMPLE_ROWS: Final = 500
"""Rows that are compared; of a smaller part, all."""


class ReadBackError(Exception):
    """Files that do not say the same, have another number of rows than was written, or are not valid XML."""


def _lines(path: Path, skip: int) -> Iterator[bytes]:
    with path.open("rb", buffering=BLOCK) as stream:
        yield from islice(stream, skip, None)


def check_sample(directory: Path, table: Table, part: Part, site: Site, files: Mapping[str, FileEntry]) -> None:
    """Count all rows of one part in each format, compare about ``SAMPLE_ROWS`` of them, validate these as XML.

    Raises:
        CanonicalFormError: the keys of the CSV file do not rise.
        ReadBackError: with the file that differs.
    """
    names = {form: part_file(table.table, part, form) for form in FORMATS}
    for name in names.values():
        if (directory / name).stat().st_size != files[name].bytes:
            raise ReadBackError(f"{name} 的大小不符")
    rows = files[names["csv"]].rows or 0
    codes = [column.code for column in part_columns(table, part)]
    head, tail = xml_head(site.xml.root), xml_tail(site.xml.root)
    ordinals = sorted({*range(0, rows, max(1, rows // SAMPLE_ROWS)), rows - 1}) if rows else []
    csv_rows = (row for _, row in keyed_rows(directory / names["csv"]))
    json_rows = _lines(directory / names["jsonl"], 0)
    xml_rows = _lines(directory / names["xml"], head.count(b"\n"))
    document = [head]
    at = 0
    for ordinal in ordinals:
        csv_row, json_row, xml_row = (
            next(islice(each, ordinal - at, None), b"") for each in (csv_rows, json_rows, xml_rows)
        )
        at = ordinal + 1
        if not json_row.endswith(b"\n"):
            raise ReadBackError(f"{names['jsonl']} 少于 {rows} 行")
        record = json.loads(json_row)
        values = [record.get(code) for code in codes]
        if csv_row != csv_text(values).encode():
            raise ReadBackError(f"{names['csv']} 第 {ordinal + 1} 条记录与 {names['jsonl']} 不同")
        if xml_row != xml_text(site.xml.row, codes, values).encode():
            raise ReadBackError(f"{names['xml']} 第 {ordinal + 1} 条记录与 {names['jsonl']} 不同")
        document.append(xml_row)
    if next(csv_rows, b"") or next(json_rows, b"") or b"".join(islice(xml_rows, 2)) != tail:
        raise ReadBackError(f"{table.table}.{part} 多于 {rows} 行")
    schema = etree.XMLSchema(etree.fromstring(xml_schema(site)))
    try:
        schema.assertValid(etree.fromstring(b"".join([*document, tail]), etree.XMLParser(huge_tree=True)))
    except etree.LxmlError as error:
        raise ReadBackError(f"{names['xml']}: {error}") from error
