"""What a site validates with: one XML Schema for all files of a site, and a Data Package over its CSV files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from feeds.manifest import FileEntry, Part, part_file
from feeds.sites import Column, Site, Table

REASONS: Final = (
    Column(code="REASON_CODE", label="撤下原因代码", source=("reason_code",), type="code"),
    Column(code="REASON", label="撤下原因", source=("reason",), type="text"),
    Column(code="LEGAL_BASIS", label="依据", source=("legal_basis",), type="text"),
    Column(code="EFFECTIVE_DATE", label="生效日期", source=("effective_date",), type="date"),
    Column(code="SUCCESSOR_KEY", label="替代记录标识", source=("successor_key",), type="text"),
)
"""Columns of a tombstone after the key."""


def tombstone_columns(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table's tombstones: its own key column, then why the record was taken down."""
    return (table.columns[0], *REASONS)


def part_columns(table: Table, part: Part) -> tuple[Column, ...]:
    """Return the columns of one part of a table."""
    return tombstone_columns(table) if part is Part.TOMBSTONES else table.columns


# --- XML Schema --------------------------------------------------------------------------------------------------

_XSD_TYPE: Final = {"key": "key", "text": "text", "code": "text", "date": "date", "amount": "amount"}
_DATE_PATTERN: Final = {"YYYY/MM/DD": "[0-9]{4}/[0-9]{2}/[0-9]{2}", "YYYYMMDD": "[0-9]{8}"}


_SCHEMA: Final = """<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:annotation><xs:documentation xml:lang="zh">{name}</xs:documentation></xs:annotation>
<xs:simpleType name="key">
<xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction>
</xs:simpleType>
<xs:simpleType name="text">
<xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction>
</xs:simpleType>
<xs:simpleType name="date">
<xs:restriction base="xs:string"><xs:pattern value="{date}"/></xs:restriction>
</xs:simpleType>
<xs:simpleType name="amount">
<xs:restriction base="xs:decimal"><xs:totalDigits value="18"/><xs:fractionDigits value="6"/></xs:restriction>
</xs:simpleType>
<xs:element name="{root}"><xs:complexType><xs:sequence>
<xs:element name="{row}" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:choice>
{rows}
</xs:choice></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""


def _element(column: Column) -> str:
    length = f", 最大长度 {column.max_length}" if column.max_length else ""
    note = f"<xs:annotation><xs:documentation>{escape(column.label)}{length}</xs:documentation></xs:annotation>"
    optional = "" if column.type == "key" else ' minOccurs="0"'
    return f'<xs:element name="{column.code}" type="{_XSD_TYPE[column.type]}"{optional}>{note}</xs:element>'


def _sequence(columns: Iterable[Column]) -> str:
    return f"<xs:sequence>{''.join(_element(column) for column in columns)}</xs:sequence>"


def xml_schema(site: Site) -> bytes:
    """Return the XML Schema 1.0 of every XML file of ``site``.

    All files share root and row element, so a row is its key followed by the columns of a table that has this key or
    by those of a tombstone. Lengths are annotations: they are hearsay, and a decision is never cut.
    """
    bodies: dict[str, list[str]] = {}
    for table in site.tables:
        bodies.setdefault(table.key, []).append(_sequence(table.columns[1:]))
    rows = "".join(
        f"<xs:sequence>{_element(Column(code=key, label='记录标识', source=('record_key',), type='key'))}"
        f"<xs:choice>{''.join(alternatives)}{_sequence(REASONS)}</xs:choice></xs:sequence>"
        for key, alternatives in bodies.items()
    )
    return _SCHEMA.format(
        name=escape(site.name),
        date=_DATE_PATTERN[site.date_format],
        root=site.xml.root,
        row=site.xml.row,
        rows=rows,
    ).encode()


# --- Data Package ------------------------------------------------------------------------------------------------

_FIELD_TYPE: Final = {"key": "string", "text": "string", "code": "string", "date": "date", "amount": "number"}


def _field(column: Column, site: Site) -> dict[str, object]:
    field: dict[str, object] = {"name": column.code, "title": column.label, "type": _FIELD_TYPE[column.type]}
    if column.type == "date":
        field["format"] = site.strftime
    if column.type == "key":
        field["constraints"] = {"required": True, "unique": True}
    return field


def _resource(table: Table, part: Part, site: Site, entry: FileEntry) -> dict[str, object]:
    columns: Sequence[Column] = part_columns(table, part)
    path = part_file(table.table, part, "csv")
    return {
        "name": f"{table.table}-{part}".lower().replace("_", "-"),
        "title": f"{table.label} {part}",
        "profile": "tabular-data-resource",
        "type": "table",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8-sig" if site.csv.bom else "utf-8",
        "bytes": entry.bytes,
        "hash": f"sha256:{entry.sha256}",
        "schema": {
            "fields": [_field(column, site) for column in columns],
            "missingValues": [""],
            "primaryKey": [table.key],
        },
    }


def data_package(site: Site, sequence: int, files: Mapping[str, FileEntry]) -> bytes:
    """Return the Data Package descriptor (frictionless) of the CSV files of a release; ``files`` as in the manifest."""
    resources = [
        _resource(table, part, site, files[part_file(table.table, part, "csv")])
        for table in site.tables
        for part in Part
    ]
    package = {
        "name": f"{site.site}-{sequence:06d}",
        "title": f"{site.name} {sequence:06d}",
        "profile": "tabular-data-package",
        "resources": resources,
    }
    return (json.dumps(package, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
