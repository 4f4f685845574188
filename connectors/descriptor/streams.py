"""One stream of an agency: what it carries, how it is written, how much of it is usual, how it is asked for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.descriptor.facts import Codec, CronLine, Facts
from connectors.descriptor.transports import Transport
from transforms.columns import Kind, Sheet
from transforms.sheets import SHEETS


class FileFormat(Facts):
    """What the bytes are, as far as the agency has agreed to it; the reader still looks for itself."""

    type: Literal["csv", "json", "jsonl", "xml", "html", "xlsx"]
    encoding: Codec = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    rows_at: str | None = Field(default=None, description="dotted path to the rows of a JSON or XML document")
    worksheet: str | None = Field(default=None, description="pattern of the worksheet's title, e.g. 行政许可*")


class Volume(Facts):
    """Rows that a business day usually brings; outside of it somebody should look."""

    least: int = Field(ge=0)
    most: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least ({self.least}) is above most ({self.most})")
        return self


class Limit(Facts):
    """How much one delivery may do unseen: ``rows``, or ``share`` of the records held from the stream if that is more.

    The absolute number lets a small stream live, the share lets a big one grow.
    """

    rows: int = Field(ge=0)
    share: float = Field(ge=0, le=1)

    def most(self, held: int) -> int:
        """Return how many rows may go through when ``held`` records of the stream are held already."""
        return max(self.rows, int(self.share * held))


class MassChange(Facts):
    """Above any of these limits a delivery is held until two people approve it (大批量变动)."""

    added: Limit
    changed: Limit
    withdrawn: Limit


class NoDeletions(Facts):
    """The source takes no row back by omission or mark; a withdrawal (撤销) comes as a state of the record."""

    by: Literal["none"]


class Tombstones(Facts):
    """A row says that its record is gone: ``column``, as the source names it, holds ``value``."""

    by: Literal["tombstone"]
    column: str = Field(min_length=1)
    value: str = Field(min_length=1)


class Absence(Facts):
    """Each delivery is the full set: a record that is missing from it is gone."""

    by: Literal["absence"]


Deletions = NoDeletions | Tombstones | Absence


class Retries(Facts):
    """How a busy or broken source is asked again: attempts per page, seconds of the first wait, longest wait."""

    attempts: int = Field(default=5, ge=1, le=20)
    first_wait: float = Field(default=1.0, ge=0)
    longest_wait: float = Field(default=60.0, ge=0)


class Circuit(Facts):
    """When a source that fails is left alone: failures in a row by class, then minutes, doubled each time.

    ``refused`` counts answers that a person has to mend (401, 403, 404), ``unavailable`` those that pass (429, 5xx).
    """

    refused: int = Field(default=3, ge=1)
    unavailable: int = Field(default=4, ge=1)
    first_minutes: int = Field(default=15, ge=1)
    longest_minutes: int = Field(default=720, ge=1)


class Stream(Facts):
    """What every stream states, whatever it carries."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    transport: Transport
    format: FileFormat
    schedule: CronLine
    daily_rows: Volume
    freshness_hours: int = Field(ge=1, description="a stream without a complete pull for so long is stale")
    mass_change: MassChange
    deletions: Annotated[Deletions, Field(discriminator="by")] = NoDeletions(by="none")
    retries: Retries = Retries()
    circuit: Circuit = Circuit()
    rate: float = Field(default=5.0, gt=0, description="requests per second that the host is asked at most")


class RecordStream(Stream):
    """One kind of record.

    ``fields`` names, for a source with column names of its own, the code of the sheet behind each of its columns.
    ``code_tables`` gives, per column of the sheet, the text behind each value that the source writes; it holds for
    this stream only, because the same value means another thing elsewhere. A value that is not in the table is kept
    and judged by the ordinary rules.
    """

    kind: Kind
    sheet: Sheet = Field(description="what the agency agreed to send; intake still decides by the header of each file")
    fields: dict[str, str] = Field(default={}, description="column of the source: code of the sheet's column")
    code_tables: dict[str, dict[str, str]] = Field(
        default={}, description="code of the sheet's column: {value of the source: text}"
    )

    @model_validator(mode="after")
    def _refer_to_the_sheet(self) -> Self:
        definition = SHEETS.get((self.kind, self.sheet))
        if definition is None:
            raise ValueError(f"there is no {self.sheet} sheet for {self.kind}")
        codes = {column.code for column in definition.columns}
        strange = sorted({*self.fields.values(), *self.code_tables} - codes)
        if strange:
            raise ValueError(f"not a column of the {self.sheet} sheet of {self.kind}: {', '.join(strange)}")
        filled = list(self.fields.values())
        twice = sorted({code for code in filled if filled.count(code) > 1})
        if twice:
            raise ValueError(f"two columns of the source are given for: {', '.join(twice)}")
        return self


class ReferenceStream(Stream):
    """What records are held against: the enterprise register, annual reports 年报, online-trading subjects 网监主体."""

    content: Literal["register", "annual_report", "online_subject"]
