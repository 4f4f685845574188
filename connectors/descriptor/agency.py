"""One agency: its names and codes with the days they hold, whom to write to, what becomes of its rows, its streams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.descriptor.facts import Facts
from connectors.descriptor.streams import Deletions, RecordStream, ReferenceStream, Tombstones
from transforms.authority import Authority
from transforms.columns import Kind, Sheet
from transforms.identifiers import uscc_check_character
from transforms.source_fields import SourceFields


def _with_check_digit(code: str) -> str:
    if code[17] != uscc_check_character(code[:17]):
        raise ValueError(f"{code!r} is not a unified social credit code: its check digit does not fit")
    return code


class _Dated(Facts):
    """Something that held on certain days; both days included, ``to`` empty while it holds."""

    from_: date | None = Field(default=None, alias="from")
    to: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"ends ({self.to}) before it begins ({self.from_})")
        return self


class AgencyName(_Dated):
    """A name that the agency bore."""

    name: str = Field(min_length=1)
    successor: str | None = Field(default=None, description="name of the body that took its duties over after `to`")


class AgencyCode(_Dated):
    """A unified social credit code of the agency."""

    code: Annotated[str, Field(pattern=r"^[0-9A-HJ-NP-RTUW-Y]{18}$"), AfterValidator(_with_check_digit)]
    synthetic: bool = Field(description="true while the real code has not been looked up")


class HandedOver(Facts):
    """A duty that went to another body while the agency itself went on, e.g. 价格监督检查 in November 2018."""

    duty: str = Field(min_length=1)
    successor: str = Field(min_length=1)
    since: date


class Contact(Facts):
    """Whom to write to when a delivery is late or wrong; office mailboxes only, never a person's telephone."""

    role: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Agency(Facts):
    """One of the thirteen authorities (plan of the 2018 campaign, part 3).

    ``vertical`` names the ministry that a vertically led agency (垂直管理) also reports through, so that the same
    decision may come twice. ``default_hold`` is the reason, in Chinese, why every record of the agency waits for a
    steward before it is shown. ``references`` are streams that carry no records of decisions.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    names: tuple[AgencyName, ...] = Field(min_length=1)
    codes: tuple[AgencyCode, ...] = Field(min_length=1)
    vertical: str | None = Field(default=None, min_length=1)
    default_hold: str | None = Field(default=None, min_length=1)
    handed_over: tuple[HandedOver, ...] = ()
    contacts: tuple[Contact, ...] = Field(min_length=1)
    streams: tuple[RecordStream, ...] = Field(min_length=1)
    references: tuple[ReferenceStream, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [stream.id for stream in (*self.streams, *self.references)]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"stream id given twice: {', '.join(twice)}")
        _refuse_overlap("names", [(name.name, name) for name in self.names])
        _refuse_overlap("codes", [(code.code, code) for code in self.codes])
        _refuse_contradiction(self.streams)
        return self

    @property
    def codes_verified(self) -> bool:
        """Whether every code was looked up in the official register of state organs."""
        return not any(code.synthetic for code in self.codes)

    @property
    def keeps_register(self) -> bool:
        """Whether it delivers the register of enterprises (企业登记主数据)."""
        return any(stream.content == "register" for stream in self.references)

    @property
    def authority(self) -> Authority:
        """Return the names and codes that its decisions may carry."""
        names, codes = tuple(name.name for name in self.names), tuple(code.code for code in self.codes)
        return Authority(self.id, names, codes, codes_verified=self.codes_verified)

    def name_on(self, day: date) -> str:
        """Return the name borne on a day; past the last name's end, still the last one, as its decisions carry it."""
        held = [name.name for name in self.names if name.from_ is None or name.from_ <= day]
        return held[-1] if held else self.names[0].name

    def source_fields(self, kind: Kind) -> tuple[SourceFields, ...]:
        """Return how the agency's streams of one kind write their sheets."""
        return tuple(
            SourceFields(
                stream.sheet, stream.fields, stream.code_tables, stream.format.worksheet, _tombstone(stream.deletions)
            )
            for stream in self.streams
            if stream.kind is kind
        )

    def stream(self, stream_id: str) -> RecordStream:
        """Return one stream of records; KeyError names those that exist."""
        for stream in self.streams:
            if stream.id == stream_id:
                return stream
        raise KeyError(f"agency {self.id} has no stream {stream_id!r}, only {', '.join(s.id for s in self.streams)}")


def _tombstone(deletions: Deletions) -> tuple[str, str] | None:
    return (deletions.column, deletions.value) if isinstance(deletions, Tombstones) else None


def _refuse_overlap(what: str, dated: Sequence[tuple[str, _Dated]]) -> None:
    for (earlier, held), (later, then) in pairwise(dated):
        if held.to is None or then.from_ is None or then.from_ <= held.to:
            raise ValueError(f"{what} {earlier!r} and {later!r} overlap or are out of order")


def _refuse_contradiction(streams: Sequence[RecordStream]) -> None:
    """Refuse two tables for one column: a file told by its header could be of either stream."""
    tables: dict[tuple[Kind, Sheet, str], dict[str, str]] = {}
    for stream in streams:
        for code, table in stream.code_tables.items():
            if tables.setdefault((stream.kind, stream.sheet, code), table) != table:
                raise ValueError(f"two code tables for {code} of the {stream.sheet} sheet of {stream.kind}")
