"""The four publicity sites, one YAML descriptor each: which columns of a record a site gets, and how they are written.

A descriptor names its tables (at most one per kind of record) or takes over tables of other sites word for word: with
``tables: <site>`` all of them, with ``tables: {<site>: [<table>, ...]}`` the ones named. What is known only by hearsay
(lengths, code tables) stands there as data, dated and tagged under ``facts``; none of it is in code. Field sets:
发改办财金〔2018〕790号 (信用中国 family), 国办函〔2016〕74号 (gsxt).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from transforms.columns import STANDARD_COLUMNS, Kind
from transforms.yaml_text import read_yaml

_FOLDER: Final = Path(__file__).parent

NEVER_PUBLISHED: Final = frozenset({"legal_rep_id_type", "legal_rep_id_no", "id_type", "id_no", "remarks"})
"""Standard columns that no site may name as a source: documents of persons (790号) and free remarks."""

ATTACHED: Final = ("record_key", "enterprise_uscc", "enterprise_name", "show_until", "first_shown", "last_changed")
"""Columns that a publishable relation has beside the standard ones."""

ColumnType = Literal["key", "text", "code", "date", "amount"]


class DescriptorError(Exception):
    """A site descriptor that cannot be used; the message names file, line and key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_sources(value: object) -> object:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


class Column(_Strict):
    """One published column.

    ``source`` lists standard columns: the first that is not missing counts; without any the column stays empty.
    ``values`` translates each part of a ``;``-joined text; ``unknown`` says what a part without a translation does:
    ``refuse`` stops the release, ``missing`` leaves the whole cell empty (a code is never guessed).
    ``max_length`` is in characters and, being hearsay, is told to the site but not enforced.
    """

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    label: str
    source: Annotated[tuple[str, ...], BeforeValidator(_as_sources)]
    type: ColumnType
    max_length: int | None = Field(default=None, gt=0)
    values: Mapping[str, str] | None = None
    unknown: Literal["refuse", "missing"] = "refuse"


class Table(_Strict):
    """The published form of one kind of record."""

    table: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    kind: Kind
    label: str
    columns: tuple[Column, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _fits_the_standard_record(self) -> Self:
        codes = [column.code for column in self.columns]
        if repeated := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"column codes occur twice: {', '.join(repeated)}")
        if [column.type for column in self.columns].count("key") != 1 or self.columns[0].source != ("record_key",):
            raise ValueError("the first column, and only it, is of type key with source record_key")
        known = {*STANDARD_COLUMNS[self.kind], *ATTACHED}
        for column in self.columns:
            if unknown := [name for name in column.source if name not in known]:
                raise ValueError(f"{column.code}: no such standard column of a {self.kind}: {', '.join(unknown)}")
            if forbidden := sorted(NEVER_PUBLISHED.intersection(column.source)):
                raise ValueError(f"{column.code}: {', '.join(forbidden)} is never published")
        return self

    @property
    def key(self) -> str:
        """Code of the key column."""
        return self.columns[0].code

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Column codes in the order of the sheet."""
        return tuple(column.code for column in self.columns)


class CsvForm(_Strict):
    """How a site reads CSV: always UTF-8, with or without a byte order mark."""

    bom: bool


class XmlForm(_Strict):
    """Element names around the rows of an XML file."""

    root: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    row: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")


class Fact(_Strict):
    """Where a choice of the descriptor comes from and on which day it was last looked at."""

    fact: str
    tag: Literal["found", "unverified", "our reading"]
    date: dt.date


class Site(_Strict):
    """One publicity site."""

    site: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str
    date_format: Literal["YYYY/MM/DD", "YYYYMMDD"]
    permanent_date: dt.date
    csv: CsvForm
    xml: XmlForm
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_table_per_kind(self) -> Self:
        for what in ([t.table for t in self.tables], [t.kind for t in self.tables]):
            if len(set(what)) < len(what):
                raise ValueError("table names and kinds must differ between tables")
        return self

    @property
    def strftime(self) -> str:
        """The date format in strftime letters."""
        return {"YYYY/MM/DD": "%Y/%m/%d", "YYYYMMDD": "%Y%m%d"}[self.date_format]


def _line(node: yaml.Node, location: tuple[int | str, ...]) -> int:
    for step in location:
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inner = node.value[step]
        else:
            inner = None
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) + 1


def _refuse_repeated_keys(node: yaml.Node, file: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise DescriptorError(f"{file.name}, line {key.start_mark.line + 1}, key {key.value}: occurs twice")
            seen.add(key.value)
            _refuse_repeated_keys(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(value, file)


def _read(file: Path) -> tuple[yaml.Node, dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        content = read_yaml(text)
    except yaml.YAMLError as error:
        raise DescriptorError(f"{file.name}: {error}") from error
    if node is None or not isinstance(content, dict):
        raise DescriptorError(f"{file.name}, line 1: a mapping of keys is expected")
    _refuse_repeated_keys(node, file)
    return node, content


def _borrowed(file: Path, node: yaml.Node, wanted: str | dict[str, list[str]]) -> list[dict[str, Any]]:
    """The tables of other sites that a descriptor takes over, in its own order."""
    place = f"{file.name}, line {_line(node, ('tables',))}, key tables"
    tables: list[dict[str, Any]] = []
    for site, names in ({wanted: None} if isinstance(wanted, str) else wanted).items():
        lender = file.with_name(f"{site}.yaml")
        if not lender.is_file():
            raise DescriptorError(f"{place}: no site {site}")
        theirs = {table.table: table for table in load_site(lender).tables}
        for name in theirs if names is None else names:
            if name not in theirs:
                raise DescriptorError(f"{place}: {site} has no table {name}")
            tables.append(theirs[name].model_dump(mode="json"))
    return tables


def load_site(file: Path) -> Site:
    """Read one descriptor.

    Raises:
        DescriptorError: the file is not YAML, has an unknown, missing or wrong key, or names a forbidden source.
    """
    node, content = _read(file)
    if isinstance(content.get("tables"), (str, dict)):
        content["tables"] = _borrowed(file, node, content["tables"])
    try:
        site = Site.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"]) or "(file)"
        message = f"{file.name}, line {_line(node, first['loc'])}, key {key}: {first['msg']}"
        raise DescriptorError(message) from error
    if site.site != file.stem:
        raise DescriptorError(f"{file.name}, line {_line(node, ('site',))}, key site: the file is named {file.stem}")
    return site


def load_sites(folder: Path | None = None) -> dict[str, Site]:
    """Return every site of ``folder`` by its id, in the order of the ids; without one, of those that we publish to.

    Raises:
        DescriptorError: one of the descriptors cannot be used.
    """
    return _read_all(folder) if folder else dict(_our_sites())


@cache
def _our_sites() -> dict[str, Site]:
    return _read_all(_FOLDER)


def _read_all(folder: Path) -> dict[str, Site]:
    return {file.stem: load_site(file) for file in sorted(folder.glob("*.yaml"))}
