"""One agency as reviewed facts: who it is, which streams it delivers, and how its bytes travel.

A descriptor is one YAML file under ``connectors/agencies``. It is dated configuration: names, addresses and volumes
change by editing the file, never the code. Addresses, tokens and passwords are *not* in it, see
:mod:`connectors.endpoint`. A mistake in a file is reported with file, line and key in plain words.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from transforms.columns import Kind, Sheet

Location = tuple[str | int, ...]

_CRON_FIELD: Final = r"[0-9*/,\-]+"
_CRON: Final = re.compile(rf"{_CRON_FIELD}( {_CRON_FIELD}){{4}}")


class DescriptorError(Exception):
    """A descriptor that cannot be used; the message has one line per mistake: file, line, key and what is wrong."""


def _known_codec(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"{name!r} is not the name of a text encoding, e.g. utf-8 or gb18030") from None
    return name


def _five_field_cron(text: str) -> str:
    if not _CRON.fullmatch(text):
        raise ValueError(f"{text!r} is not a cron line of five fields, e.g. '30 6 * * *'")
    return text


def _dated_pattern(text: str) -> str:
    if text.count("{date}") != 1 or "/" in text:
        raise ValueError(f"{text!r} must be a file name with one {{date}} in it and no folder, e.g. 'XK_{{date}}*.csv'")
    return text


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgencyName(_Facts):
    """A name that the agency bore; both days included, ``to`` empty while it holds."""

    name: str = Field(min_length=1)
    from_: date | None = Field(default=None, alias="from")
    to: date | None = None
    successor: str | None = Field(default=None, description="name of the body that took its duties over after `to`")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"name {self.name!r} ends ({self.to}) before it begins ({self.from_})")
        return self


class Contact(_Facts):
    """Whom to write to when a delivery is late or wrong; office mailboxes only, never a person's telephone."""

    role: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class ChangeDates(_Facts):
    """The source is asked for what changed since a day; the last days are asked for again.

    ``overlap_days`` 0 asks from the day of the last complete pull on, that day included, because it was not over.
    """

    by: Literal["date"]
    overlap_days: int = Field(default=0, ge=0, le=31)


class ChangeNumbers(_Facts):
    """The source numbers its changes; ``overlap`` numbers below the highest one seen are asked for again.

    The overlap catches a change that took its number early and was committed late.
    """

    by: Literal["number"]
    overlap: int = Field(default=0, ge=0)
    highest: str = Field(default="change_no", description="key of a page that tells the highest number selected")


class Retries(_Facts):
    """How a busy or broken source is asked again: attempts per page, seconds of the first wait, longest wait."""

    attempts: int = Field(default=5, ge=1, le=20)
    first_wait: float = Field(default=1.0, ge=0)
    longest_wait: float = Field(default=60.0, ge=0)


class PagedApi(_Facts):
    """A JSON API over HTTPS with a bearer token, read page by page (:mod:`connectors.transports.paged_api`)."""

    type: Literal["paged_api"]
    path: str = Field(pattern=r"^/")
    page_size: int = Field(ge=1, le=5000, description="5,000 rows at most, the customary limit of a batch")
    watermark: Annotated[ChangeDates | ChangeNumbers, Field(discriminator="by")]
    since_parameter: str = "changed_since"
    until_parameter: str = "changed_until"
    rows: str = Field(default="rows", description="key of a page that holds its rows")
    connect_timeout: float = Field(default=10.0, gt=0, description="seconds")
    read_timeout: float = Field(default=60.0, gt=0, description="seconds without a byte")
    largest_page: int = Field(default=64 * 2**20, gt=0, description="bytes; a larger answer is refused")
    retries: Retries = Retries()


class DropFolder(_Facts):
    """Dated files in a folder, each with manifest and done-mark (:mod:`connectors.transports.drop_folder`)."""

    type: Literal["drop_folder"]
    pattern: Annotated[str, AfterValidator(_dated_pattern)]


class ExchangeDb(_Facts):
    """A table of a front-end exchange database 前置库 (:mod:`connectors.transports.exchange_db`)."""

    type: Literal["exchange_db"]
    table: str = Field(min_length=1)
    table_schema: str | None = None
    change_column: str = Field(default="CHANGE_NO", description="whole number that grows with every change")
    day_column: str | None = Field(default=None, description="when the change was put there; bounds a pull by its day")
    page_rows: int = Field(ge=1, le=5000)
    overlap: int = Field(default=0, ge=0, description="change numbers read again, for late commits")


class FileFormat(_Facts):
    """What the bytes are, as far as the agency has agreed to it; the reader still looks for itself."""

    type: Literal["csv", "json", "jsonl", "xml", "xlsx"]
    encoding: Annotated[str, AfterValidator(_known_codec)] = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    rows_at: str | None = Field(default=None, description="dotted path to the rows of a JSON or XML document")


class Volume(_Facts):
    """Rows that a business day usually brings; outside of it somebody should look."""

    least: int = Field(ge=0)
    most: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least ({self.least}) is above most ({self.most})")
        return self


Transport = Annotated[PagedApi | DropFolder | ExchangeDb, Field(discriminator="type")]


class Stream(_Facts):
    """One kind of record from one agency by one transport."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    sheet: Sheet = Field(description="what the agency agreed to send; intake still decides by the header of each file")
    transport: Transport
    format: FileFormat
    schedule: Annotated[str, AfterValidator(_five_field_cron)]
    daily_rows: Volume
    freshness_hours: int = Field(ge=1, description="a stream without a complete pull for so long is stale")


class Agency(_Facts):
    """One of the thirteen authorities (plan of the 2018 campaign, part 3)."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    names: tuple[AgencyName, ...] = Field(min_length=1)
    code: str = Field(pattern=r"^[0-9A-HJ-NP-RTUW-Y]{18}$", description="unified social credit code of the agency")
    code_is_synthetic: bool = Field(description="true while the real code has not been looked up")
    contacts: tuple[Contact, ...] = Field(min_length=1)
    streams: tuple[Stream, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [stream.id for stream in self.streams]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"stream id given twice: {', '.join(twice)}")
        for earlier, later in zip(self.names, self.names[1:], strict=False):
            if earlier.to is None or later.from_ is None or later.from_ <= earlier.to:
                raise ValueError(f"names {earlier.name!r} and {later.name!r} overlap or are out of order")
        return self

    def name_on(self, day: date) -> str:
        """Return the name borne on a day; past the last name's end, still the last one, as its decisions carry it."""
        held = [name.name for name in self.names if name.from_ is None or name.from_ <= day]
        return held[-1] if held else self.names[0].name

    def stream(self, stream_id: str) -> Stream:
        """Return one stream; KeyError names those that exist."""
        for stream in self.streams:
            if stream.id == stream_id:
                return stream
        raise KeyError(f"agency {self.id} has no stream {stream_id!r}, only {', '.join(s.id for s in self.streams)}")


def load_descriptor(path: Path) -> Agency:
    """Read one descriptor file. Raises DescriptorError that names file, line and key of every mistake."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DescriptorError(f"{path.name} line {line}: not readable as YAML: {error.problem}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptorError(f"{path.name}: cannot be read: {error}") from error
    if not isinstance(root, MappingNode):
        raise DescriptorError(f"{path.name} line 1: must be a list of keys and values, starting with id")
    lines: dict[Location, int] = {(): 1}
    repeated = list(_walk(root, (), lines))
    if repeated:
        raise DescriptorError("\n".join(f"{path.name} line {n}: {_key(at)}: is given twice" for at, n in repeated))
    try:
        agency = Agency.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise DescriptorError(_in_plain_words(path.name, lines, error)) from error
    if agency.id != path.stem:
        raise DescriptorError(f"{path.name} line {lines['id',]}: id: {agency.id!r} must be the name of the file")
    return agency


_AGENCIES: Final = resources.files("connectors") / "agencies"


@cache
def load_agency(agency_id: str) -> Agency:
    """Return a known agency. Raises DescriptorError where there is no such agency or its file has a mistake."""
    if agency_id not in agency_ids():
        raise DescriptorError(f"no agency {agency_id!r}; known are: {', '.join(agency_ids())}")
    with resources.as_file(_AGENCIES / f"{agency_id}.yaml") as path:
        return load_descriptor(path)


def agency_ids() -> tuple[str, ...]:
    """Return the ids of all agencies that have a descriptor, sorted."""
    return tuple(sorted(Path(entry.name).stem for entry in _AGENCIES.iterdir() if entry.name.endswith(".yaml")))


def _walk(node: Node, at: Location, lines: dict[Location, int]) -> list[tuple[Location, int]]:
    """Note the line of every key below a node; return the keys that stand twice in one mapping."""
    repeated = []
    if isinstance(node, MappingNode):
        for key, value in node.value:
            here = (*at, key.value if isinstance(key, ScalarNode) else str(key.value))
            if here in lines:
                repeated.append((here, key.start_mark.line + 1))
            lines[here] = key.start_mark.line + 1
            repeated += _walk(value, here, lines)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*at, index)] = value.start_mark.line + 1
            repeated += _walk(value, (*at, index), lines)
    return repeated


def _key(at: Location) -> str:
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the whole file"


_QUOTE: Final = "'"
_VARIANTS: Final = frozenset({"paged_api", "drop_folder", "exchange_db", "date", "number"})
"""Parts of an error's place that are no keys of the file: the names of a union's alternatives."""


def _in_plain_words(file: str, lines: dict[Location, int], error: ValidationError) -> str:
    # A list whose entries are wrong is also reported as too short: only an empty one really is.
    mistakes = [item for item in error.errors() if item["type"] != "too_short" or not item["input"]]
    return "\n".join(_plain(file, lines, item) for item in mistakes)


def _plain(file: str, lines: dict[Location, int], error: ErrorDetails) -> str:
    """Say one pydantic error in plain words, at the nearest line that exists in the file."""
    written: Location = ()
    for part in error["loc"]:
        if part not in _VARIANTS or (*written, part) in lines:
            written = (*written, part)
    known = written
    while known not in lines:
        known = known[:-1]
    match error["type"]:
        case "missing":
            words = "is missing"
        case "extra_forbidden":
            words = "is not a key that belongs here (misspelt?)"
        case "union_tag_not_found":
            words = f"needs the key {error['ctx']['discriminator'].strip(_QUOTE)}"
        case "union_tag_invalid":
            context = error["ctx"]
            key = context["discriminator"].strip(_QUOTE)
            words = f"{key} is {context['tag']!r}, must be one of {context['expected_tags']}"
        case "too_short":
            words = "must not be empty"
        case "value_error":
            words = str(error["ctx"]["error"])
        case _:
            words = f"{error['msg'][0].lower()}{error['msg'][1:]}, but is {error['input']!r}"
    return f"{file} line {lines[known]}: {_key(written)}: {words}"
