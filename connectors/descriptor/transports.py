"""The options of each transport, as a descriptor states them.

A new transport is a model here with a ``type`` of its own, its name in ``Transport`` and its branch in
:func:`connectors.transports.pulling.pull`. Error places and the JSON Schema follow from the models.
How patiently and how politely a source is asked (``retries``, ``rate``) is said of the stream, for any transport.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from connectors.descriptor.facts import DatedPattern, Facts


class ChangeDates(Facts):
    """The source is asked for what changed since a day; the last days are asked for again.

    ``overlap_days`` 0 asks from the day of the last complete pull on, that day included, because it was not over.
    """

    by: Literal["date"]
    overlap_days: int = Field(default=0, ge=0, le=31)


class ChangeNumbers(Facts):
    """The source numbers its changes; ``overlap`` numbers below the highest one seen are asked for again.

    The overlap catches a change that took its number early and was committed late.
    """

    by: Literal["number"]
    overlap: int = Field(default=0, ge=0)
    highest: str = Field(default="change_no", description="key of a page that tells the highest number selected")


class PagedApi(Facts):
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


class DropFolder(Facts):
    """Dated files in a folder, each with manifest and done-mark (:mod:`connectors.transports.drop_folder`)."""

    type: Literal["drop_folder"]
    pattern: DatedPattern


class ExchangeDb(Facts):
    """A table of a front-end exchange database 前置库 (:mod:`connectors.transports.exchange_db`)."""

    type: Literal["exchange_db"]
    table: str = Field(min_length=1)
    table_schema: str | None = None
    change_column: str = Field(default="CHANGE_NO", description="whole number that grows with every change")
    day_column: str | None = Field(default=None, description="when the change was put there; bounds a pull by its day")
    page_rows: int = Field(ge=1, le=5000)
    overlap: int = Field(default=0, ge=0, description="change numbers read again, for late commits")


Transport = Annotated[PagedApi | DropFolder | ExchangeDb, Field(discriminator="type")]
