"""The fault plan: what goes wrong at which agency on which day, what is expected of it, whether rows are lost for good.

Two sorts. A *server fault* befalls the conversation and is put right by noon or the next morning; the data stay at the
source. A *mishap* befalls what the agency hands over. Faults fit the transport of their agency: each kind of fault that
a server knows is planned at one agency that has such a server, agencies and days drawn by the seed.

Not planned is a clock that runs ahead (``NOT_PLANNED``): it brings two days in one pull, and of two versions of a
record that bear no time and come together nobody can tell which holds; both wait for a steward (R22), as they should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from typing import Final

from connectors.descriptor import (
    Absence,
    ChangeDates,
    DropFolder,
    ExchangeDb,
    HtmlList,
    PagedApi,
    RecordStream,
    Sftp,
    SoapService,
    load_agency,
)
from simulator.faults import MISLEADING, FaultKind
from simulator.offices import load_office
from simulator.plan import SERVED
from simulator.spoiling import can_spoil


class Mishap(StrEnum):
    """What happens to a delivery before anybody asks for it."""

    DOWN = "the agency is down for two days and catches up"
    SILENT = "the agency has nothing to say for a day"
    MASS_WITHDRAWAL = "everything sent so far is withdrawn by accident"
    ZIP_BOMB = "a workbook that unpacks to more than a machine can hold"
    DESTROYED = "the file is damaged and the agency has no other copy"
    KILLED = "the machine loses power while it takes the agency in, and again while it publishes"


class Heals(StrEnum):
    """When the data come after all."""

    WITHIN_THE_PULL = "within the pull"
    SAME_DAY = "at the second attempt of the same day"
    NEXT_DAY = "with the next day's pull"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault: when, where, what, and what is expected to become of it."""

    day: date
    agency: str
    what: FaultKind | Mishap
    heals: Heals
    expected: str

    @property
    def misleads(self) -> bool:
        """Whether what was handed over said something else than it should, until it was handed over anew."""
        return self.what in MISLEADING

    @property
    def lost(self) -> bool:
        """Whether rows are gone for good."""
        return self.heals is Heals.NEVER


_Expected = Mapping[FaultKind, tuple[Heals, str]] | Mapping[Mishap, tuple[Heals, str]]

NOT_PLANNED: Final = frozenset({FaultKind.CLOCK_AHEAD})
"""Faults after which records may differ for good, as no source says which of two versions is the later one."""

DAYS_DOWN: Final = 2
_DAYS_TO_GROW: Final = 8
"""In fewer days an agency does not send enough for a mass withdrawal to pass its limits."""
_RETRIED: Final = "the page is asked for again, nothing is noticed"
_REFUSED: Final = "the run fails and says what to put right; the others go on; the second attempt finds everything"
_STARTED_OVER: Final = "the pull does not fit together and starts over"

_OF_HTTPS: Final = {
    FaultKind.TOO_MANY_REQUESTS: (Heals.WITHIN_THE_PULL, _RETRIED),
    FaultKind.SERVER_ERROR: (Heals.WITHIN_THE_PULL, _RETRIED),
    FaultKind.RESET: (Heals.WITHIN_THE_PULL, _RETRIED),
    FaultKind.TRUNCATED: (Heals.WITHIN_THE_PULL, _RETRIED),
    FaultKind.SLOW_DRIP: (Heals.WITHIN_THE_PULL, _RETRIED),
    FaultKind.HTML_AS_DATA: (Heals.SAME_DAY, _REFUSED),
    FaultKind.UNAUTHORIZED: (Heals.SAME_DAY, _REFUSED),
    FaultKind.FORBIDDEN: (Heals.SAME_DAY, _REFUSED),
    FaultKind.NOT_FOUND: (Heals.SAME_DAY, _REFUSED),
    FaultKind.LOGIN_PAGE: (Heals.SAME_DAY, _REFUSED),
    FaultKind.REDIRECT: (Heals.SAME_DAY, _REFUSED),
    FaultKind.SLOW: (Heals.SAME_DAY, _REFUSED),
}
_OF_PAGES: Final = {
    FaultKind.WRONG_TOTAL: (Heals.SAME_DAY, _STARTED_OVER),
    FaultKind.ROW_INSERTED: (Heals.SAME_DAY, _STARTED_OVER),
    FaultKind.ROW_REMOVED: (Heals.SAME_DAY, _STARTED_OVER),
    FaultKind.DUPLICATE_PAGE: (Heals.SAME_DAY, _STARTED_OVER),
    FaultKind.DROPPED_PAGE: (Heals.SAME_DAY, _STARTED_OVER),
}
_OF_ETAGS: Final = {
    FaultKind.STALE_ETAG: (
        Heals.SAME_DAY,
        "windows that are over alone are asked for with a tag: nothing is hidden",
    ),
}
_OF_DATES: Final = {
    FaultKind.CLOCK_BEHIND: (Heals.WITHIN_THE_PULL, "the days that are asked for again hold it"),
}
_OF_TABLES: Final = {
    FaultKind.LATE_COMMIT: (Heals.NEXT_DAY, "half is seen; the next day's pull looks below the numbers it knows"),
    FaultKind.NUMBER_GAP: (Heals.WITHIN_THE_PULL, "numbers that nobody bears mean nothing"),
}
_OF_ROWS: Final = {
    FaultKind.ROWS_REORDERED: (Heals.WITHIN_THE_PULL, "nothing is noticed"),
    FaultKind.COLUMNS_REORDERED: (Heals.WITHIN_THE_PULL, "nothing is noticed: columns go by their headings"),
    FaultKind.NEW_COLUMN: (Heals.WITHIN_THE_PULL, "the column is reported and kept, the rows are what they were"),
}
_MISREAD: Final = {
    FaultKind.SWAPPED_COLUMNS: "every row goes back; the right ones come the next day",
    FaultKind.ID_IN_CODE: "every row waits; the right ones come the next day and take their place",
    FaultKind.YUAN_FOR_WAN: "amounts contradict the text and wait; the right ones come the next day",
}
_OF_SFTP: Final = {
    FaultKind.WRONG_HOST_KEY: (
        Heals.NEXT_DAY,
        "nobody talks to a server of another key; the next day brings both",
    ),
    FaultKind.RESET: (Heals.SAME_DAY, _RETRIED),
    FaultKind.STALE_LISTING: (Heals.NEXT_DAY, "nothing new is seen; the next day brings both days"),
}
_OF_FILES: Final = {
    FaultKind.TRUNCATED: (Heals.SAME_DAY, "the file is not its manifest and stays where it is until it is put right"),
    FaultKind.LOGIN_PAGE: (
        Heals.SAME_DAY,
        "a web page named as a table stays where it is until it is put right",
    ),
    FaultKind.EARLY_MARK: (Heals.SAME_DAY, "the file is not whole and stays where it is until it is put right"),
    FaultKind.NO_MARK: (Heals.NEXT_DAY, "the file is not finished; the next day brings it"),
    FaultKind.STRAY_FILE: (Heals.WITHIN_THE_PULL, "the stray file is reported and left alone"),
}
_AT_DATED_FILES: Final = {
    Mishap.SILENT: (Heals.NEXT_DAY, "an empty day is entered; the next day brings both days"),
}
_AT_HTTPS: Final = {
    Mishap.DOWN: (Heals.NEXT_DAY, "no delivery for two days; on the third each missed day is asked for by itself"),
}
_OF_TEXT: Final = {
    FaultKind.SENT_TWICE: (Heals.WITHIN_THE_PULL, "every row of the second copy is a duplicate"),
    FaultKind.OTHER_CHARSET: (Heals.WITHIN_THE_PULL, "the reader finds the encoding by itself"),
}
_AT_FILES: Final = {
    Mishap.DESTROYED: (Heals.NEVER, "the delivery is refused; its rows never come"),
}
_AT_LARGE_FILES: Final = {
    Mishap.MASS_WITHDRAWAL: (
        Heals.NEXT_DAY,
        "the delivery is held, a person rejects it, the right one comes next day",
    ),
}
_ANYWHERE: Final = {
    Mishap.KILLED: (Heals.WITHIN_THE_PULL, "started again, each step ends as if it had never been cut off"),
}
_AT_WORKBOOKS: Final = {
    Mishap.ZIP_BOMB: (Heals.NEXT_DAY, "the workbook is refused unopened, the right one comes the next day"),
}


def plan_faults(seed: int, days: Sequence[date], agencies: Sequence[str] = SERVED) -> tuple[Planned, ...]:
    """Plan every fault once, none on the first day nor so late that it could not heal, one at a time at each agency.

    Equal arguments give equal plans. What finds no free day any more, because the days are few, is left out.
    """
    rng = Random(f"faults:{seed}")  # noqa: S311
    taken: set[tuple[str, date]] = set()
    planned = []
    for what, (heals, expected), able in _wanted(agencies):
        lasts = DAYS_DOWN + 1 if what is Mishap.DOWN else 2 if heals is Heals.NEXT_DAY else 1
        earliest = len(days) // 2 if what is Mishap.MASS_WITHDRAWAL else 1
        free = [
            (agency, days[place : place + lasts])
            for agency in able
            for place in range(earliest, len(days) - lasts + 1)
            if not any((agency, day) in taken for day in days[place : place + lasts])
        ]
        if free and (what is not Mishap.MASS_WITHDRAWAL or len(days) >= _DAYS_TO_GROW):
            agency, span = rng.choice(free)
            taken |= {(agency, day) for day in span}
            planned.append(Planned(span[0], agency, what, heals, expected))
    return tuple(sorted(planned, key=lambda each: (each.day, each.agency)))


def _wanted(agencies: Sequence[str]) -> Iterator[tuple[FaultKind | Mishap, tuple[Heals, str], Sequence[str]]]:
    """Yield every fault with what is expected and the agencies that it can befall, those of few agencies first."""
    by_transport: dict[type, list[str]] = {}
    for agency in agencies:
        by_transport.setdefault(type(load_agency(agency).streams[0].transport), []).append(agency)
    https = [agency for each in (PagedApi, SoapService, HtmlList) for agency in by_transport.get(each, [])]
    sftp = by_transport.get(Sftp, [])
    folders = by_transport.get(DropFolder, [])
    text = [agency for agency in folders if _first(agency).format.type == "csv"]
    workbooks = [agency for agency in folders if _first(agency).format.type == "xlsx"]
    dated = [agency for agency in https if _asks_by_date(_first(agency))]
    partial = [agency for agency in folders if all(not _is_full_set(each) for each in load_agency(agency).streams)]
    for kind, told in _MISREAD.items():
        yield kind, (Heals.NEXT_DAY, told), [agency for agency in partial if _can_show(agency, kind)]
    groups: tuple[tuple[_Expected, Sequence[str]], ...] = (
        (_AT_WORKBOOKS, workbooks),
        (_OF_TABLES, by_transport.get(ExchangeDb, [])),
        (_OF_ETAGS, [agency for agency in by_transport.get(PagedApi, []) if _has_etags(_first(agency))]),
        (_OF_SFTP, sftp),
        (_AT_HTTPS, https),
        (_AT_LARGE_FILES, [agency for agency in text if load_office(agency).shows_all]),
        (_OF_TEXT, text),
        (_AT_FILES, text),
        (_OF_DATES, dated),
        (_OF_FILES, folders),
        (_OF_PAGES, by_transport.get(PagedApi, [])),
        (_OF_HTTPS, https),
        (_AT_DATED_FILES, [*sftp, *folders]),
        (_OF_ROWS, [*text, *sftp]),
        (_ANYWHERE, agencies),
    )
    for faults, able in groups:
        for what, becomes in faults.items():
            yield what, becomes, able


def _first(agency: str) -> RecordStream:
    return load_agency(agency).streams[0]


def _is_full_set(stream: RecordStream) -> bool:
    return isinstance(stream.deletions, Absence)


def _has_etags(stream: RecordStream) -> bool:
    return isinstance(stream.transport, PagedApi) and stream.transport.etags


def _asks_by_date(stream: RecordStream) -> bool:
    """Whether days that were read are asked for again, so that what is dated back is found."""
    match stream.transport:
        case PagedApi(watermark=by) | SoapService(watermark=by):
            return isinstance(by, ChangeDates) and by.overlap_days > 0
        case HtmlList(overlap_days=days):
            return days > 0
        case _:
            return False


def _can_show(agency: str, kind: FaultKind) -> bool:
    return any(can_spoil(stream, kind) for stream in load_agency(agency).streams)
