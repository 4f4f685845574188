"""The options of each transport, as a descriptor states them.

A new transport is a model here with a ``type`` of its own, its name in ``Transport`` and its branch in
:func:`connectors.transports.pulling.pull`. Error places and the JSON Schema follow from the models.
How patiently and how politely a source is asked (``retries``, ``rate``) is said of the stream, for any transport.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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


class HttpFacts(Facts):
    """What holds for every transport over HTTPS: how long an answer may take and how large it may be."""

    connect_timeout: float = Field(default=10.0, gt=0, description="seconds")
    read_timeout: float = Field(default=60.0, gt=0, description="seconds without a byte")
    longest_answer: float = Field(default=600.0, gt=0, description="seconds from the first byte to the last")
    largest_page: int = Field(default=64 * 2**20, gt=0, description="bytes; a larger answer is refused")


class PageNumbers(Facts):
    """Pages are asked for by number, from 1; a page tells its number and how many there are."""

    by: Literal["page"]
    parameter: str = "page"
    number: str = Field(default="page", description="key of a page that holds its number")
    pages: str = Field(default="pages", description="key of a page that holds the number of pages")


class NextToken(Facts):
    """Each answer holds the token to ask for the next one with; the last has none (null, empty or no key)."""

    by: Literal["cursor"]
    parameter: str = "cursor"
    next: str = Field(default="next", description="key of a page that holds the token")


class TimeWindows(Facts):
    """The days are asked for in windows of a fixed length, each of them page by page, as ``PageNumbers`` says.

    Windows lie on a grid that begins on ``start``, so that a window asked again is the same question again.
    """

    by: Literal["window"]
    start: date = Field(description="first day that the source has; a first pull begins here")
    days: int = Field(ge=1, le=366)
    parameter: str = "page"
    number: str = Field(default="page", description="key of a page that holds its number")
    pages: str = Field(default="pages", description="key of a page that holds the number of pages of the window")


Watermark = Annotated[ChangeDates | ChangeNumbers, Field(discriminator="by")]


class PagedApi(HttpFacts):
    """A JSON API over HTTPS with a bearer token, read page by page (:mod:`connectors.transports.paged_api`)."""

    type: Literal["paged_api"]
    path: str = Field(pattern=r"^/")
    page_size: int = Field(ge=1, le=5000, description="5,000 rows at most, the customary limit of a batch")
    page_size_parameter: str = "page_size"
    paging: Annotated[PageNumbers | NextToken | TimeWindows, Field(discriminator="by")] = PageNumbers(by="page")
    watermark: Watermark
    since_parameter: str = "changed_since"
    until_parameter: str = "changed_until"
    rows: str = Field(default="rows", description="key of a page that holds its rows")
    total: str | None = Field(
        default="total", description="key of a page that tells the rows selected; null where tokens page without one"
    )
    row_id: str | None = Field(
        default=None, description="key of a row that holds the source's own number of it, one per row of a selection"
    )
    etags: bool = Field(default=False, description="a page asked again may be answered with 304 not modified")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if isinstance(self.paging, TimeWindows) and not isinstance(self.watermark, ChangeDates):
            raise ValueError("paging by window needs a watermark by date")
        if self.total is None and not isinstance(self.paging, NextToken):
            raise ValueError("total may be left out only where pages are asked for by token (paging by cursor)")
        if self.etags and isinstance(self.paging, NextToken):
            raise ValueError("etags are of no use where each page is asked for by a token of its own")
        return self


class SoapService(HttpFacts):
    """A SOAP service that hands out batches of rows as XML (:mod:`connectors.transports.soap`).

    The shape is that of the upload service of 2018: the token is the first argument, the rows are
    ``<ROWDATA><ROW>`` as text in the answer, beside a code that is ``accepted`` or else a bad line and its text.
    """

    type: Literal["soap"]
    wsdl: str = Field(
        pattern=r"^/", description="path of the service description, e.g. /service/PenaltyWebService?wsdl"
    )
    operation: str = Field(min_length=1)
    batch_rows: int = Field(ge=1, le=5000, description="5,000 rows at most, the customary limit of a batch")
    watermark: Watermark
    credential_parameter: str = "token"
    since_parameter: str = "since"
    until_parameter: str = "until"
    batch_parameter: str = "batch"
    batch_rows_parameter: str = "batchRows"
    code: str = Field(default="code", description="element of the answer that holds the outcome")
    accepted: str = Field(default="00", description="outcome that means: here are the rows")
    line: str = Field(default="line", description="element that names the bad line of the question")
    message: str = Field(default="message", description="element that says what was wrong")
    total: str = Field(default="total", description="element that holds the number of rows selected")
    batches: str = Field(default="batches", description="element that holds the number of batches")
    number: str = Field(default="batch", description="element that holds the number of this batch")
    rows: str = Field(default="xml", description="element that holds the rows, as XML text or as elements")
    row: str = Field(default="ROW", description="name of the element around one row")


class HtmlList(HttpFacts):
    """A list of links with days, newest first, on web pages, and a page behind each link.

    See :mod:`connectors.transports.html_list`. What stands where on a page is said in XPath 1.0.
    """

    type: Literal["html_list"]
    path: str = Field(pattern=r"^/", description="address of the list")
    page_parameter: str = "page"
    most_pages: int = Field(default=500, ge=1, le=10_000, description="list pages turned before something is wrong")
    entry: str = Field(description="XPath of one entry of the list, e.g. //ul[@class='list']/li")
    link: str = Field(default="string(.//a/@href)", description="XPath from an entry to the address behind it")
    day: str = Field(description="XPath from an entry to its day of publication, e.g. string(.//span)")
    pages: str = Field(description="XPath to the number of list pages, e.g. string(//span[@class='pages'])")
    label: str = Field(default="//tr/th", description="XPath to the labels of a detail page")
    overlap_days: int = Field(default=0, ge=0, le=60, description="days of publication that are looked at again")
    public: bool = Field(default=False, description="no token is needed to read")


class DropFolder(Facts):
    """Dated files in a folder, each with manifest and done-mark (:mod:`connectors.transports.drop_folder`)."""

    type: Literal["drop_folder"]
    pattern: DatedPattern


class Sftp(Facts):
    """Dated files on an SFTP server, each with manifest and done-mark (:mod:`connectors.transports.sftp`)."""

    type: Literal["sftp"]
    pattern: DatedPattern
    folder: str = Field(default="", pattern=r"^([^/]+(/[^/]+)*)?$", description="below the folder of the address")
    connect_timeout: float = Field(default=15.0, gt=0, description="seconds")
    read_timeout: float = Field(default=60.0, gt=0, description="seconds without a byte")


class ExchangeDb(Facts):
    """A table of a front-end exchange database 前置库 (:mod:`connectors.transports.exchange_db`)."""

    type: Literal["exchange_db"]
    table: str = Field(min_length=1)
    table_schema: str | None = None
    change_column: str = Field(default="CHANGE_NO", description="whole number that grows with every change")
    day_column: str | None = Field(default=None, description="when the change was put there; bounds a pull by its day")
    page_rows: int = Field(ge=1, le=5000)
    overlap: int = Field(default=0, ge=0, description="change numbers read again, for late commits")
    read_timeout: int = Field(default=120, gt=0, description="seconds that a statement may take")


Transport = Annotated[PagedApi | SoapService | HtmlList | DropFolder | Sftp | ExchangeDb, Field(discriminator="type")]
