"""机关成绩单: how completely, rightly and punctually each agency reported in a month (domain 3.6).

====================  ==============================================================================================
归集量 ``received``    rows received, kinds apart; what repeats a row held already is not counted [our reading]
合规率 ``conformity``  rows that failed no rule that returns or holds them / rows received
及时率 ``timeliness``  decisions first reported within the term / those whose term is known; 1 less 迟报率 [unverified]
上报率 ``reporting``   decisions of the month reported / 产生数量 CSSL [our reading]
公示率 ``publicity``   本单位公示数量 BDWGSSL / CSSL
瞒报率 ``concealed``   未报送数量 WBSSL / CSSL; where nobody gave WBSSL, what is missing of CSSL
====================  ==============================================================================================

CSSL, BDWGSSL and WBSSL are the agency's own numbers (``agency_output``). Without them a rate is unknown, never 100%.
A row that is still returned past its term counts as late. A term that falls into a year without a working-day table is
not counted as late: it is counted as unknown.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from connectors.descriptor import DescriptorError, agency_ids, load_agency
from pipeline.office import Office
from pipeline.press import Published
from pipeline.whole_file import write_whole
from store import scorecards as counts
from store.schema import agency_output, delivery, review_event, step_run
from store.scorecards import Counted, Output, Waiting
from transforms.columns import Kind
from transforms.timeliness import last_days_on_time
from transforms.workdays import CalendarMissing, is_workday

TOP_RULES: Final = 5
UNKNOWN: Final = "denominator unknown"
"""Stands for a rate whose denominator nobody told (分母未知)."""
CLOCK: Final = "credit"
"""Of the limits in ``transforms/policy/clocks.yaml`` the one that 及时率 counts: that of 双公示."""
FOLDER: Final = "scorecards"
"""Folder of a site's feed that holds the scorecards as of each release."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share; null where the denominator is unknown or nothing is there to be counted."""

    numerator: int | None
    denominator: int | None

    @property
    def value(self) -> float | None:
        """The share, to four places."""
        if self.numerator is None or not self.denominator:
            return None
        return round(self.numerator / self.denominator, 4)

    @property
    def unknown(self) -> bool:
        """Whether nobody told the denominator, or what is to be divided by it."""
        return self.denominator is None or self.numerator is None

    def as_json(self) -> dict[str, Any]:
        """Return numbers and share."""
        told = {"numerator": self.numerator, "denominator": self.denominator, "rate": self.value}
        return told | ({"why": UNKNOWN} if self.unknown else {})


NOT_TOLD: Final = Rate(None, None)


@dataclass(frozen=True, slots=True)
class KindCard:
    """One agency and kind of record. ``untimed``: first reports whose term is not known."""

    kind: Kind
    received: int
    late: int
    untimed: int
    conformity: Rate
    timeliness: Rate
    reporting: Rate
    publicity: Rate
    concealed: Rate


@dataclass(frozen=True, slots=True)
class Card:
    """One agency in one month. ``silent_days`` are working days on which nothing readable came.

    They are null where the working days of the year are not known.
    """

    agency: str
    name: str
    kinds: tuple[KindCard, ...]
    received: int
    conformity: Rate
    timeliness: Rate
    top_rules: tuple[tuple[str, int], ...]
    waiting: Waiting
    silent_days: tuple[dt.date, ...] | None
    workdays: int | None
    refused_deliveries: int

    @property
    def late(self) -> int:
        """Decisions reported late, or still not right past their term."""
        return sum(kind.late for kind in self.kinds)

    def as_json(self) -> dict[str, Any]:
        """Return the card as it is published."""
        return {
            "agency": self.agency, "name": self.name, "received": self.received, "late": self.late,
            "conformity": self.conformity.as_json(), "timeliness": self.timeliness.as_json(),
            "kinds": {
                kind.kind.value: {
                    name: value.as_json() if isinstance(value, Rate) else value
                    for name in ("received", "late", "untimed", *RATES)
                    for value in [getattr(kind, name)]
                }
                for kind in self.kinds
            },
            "top_rules": [{"rule": rule, "rows": rows} for rule, rows in self.top_rules],
            "open_reviews": asdict(self.waiting), "refused_deliveries": self.refused_deliveries,
            "workdays": self.workdays, "workdays_without_delivery": self.silent_days,
        }  # fmt: skip


RATES: Final = ("conformity", "timeliness", "reporting", "publicity", "concealed")


@dataclass(frozen=True, slots=True)
class Scorecards:
    """Every agency's card of a month, as it stood on a day."""

    month: dt.date
    as_of: dt.date
    cards: tuple[Card, ...]

    def of_agency(self, agency: str | None) -> Scorecards:
        """Return one agency's card alone, all of them where none is named."""
        kept = tuple(card for card in self.cards if agency in (None, card.agency))
        return Scorecards(self.month, self.as_of, kept)

    def as_json(self) -> dict[str, Any]:
        """Return the document as it is published."""
        agencies = [card.as_json() for card in self.cards]
        return {"month": f"{self.month:%Y-%m}", "as_of": self.as_of, "agencies": agencies}

    def json_bytes(self) -> bytes:
        """Return the document as UTF-8; the same numbers give the same bytes."""
        text = json.dumps(self.as_json(), ensure_ascii=False, indent=1, sort_keys=True, default=str)
        return f"{text}\n".encode()

    def csv_bytes(self) -> bytes:
        """Return a line per agency and kind as UTF-8, and one per agency over all kinds."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_CSV_HEADER)
        for card in self.cards:
            writer.writerow([*self._own(card), "all", card.received, card.late, *_rest(card)])
            for kind in card.kinds:
                rates = [_told(getattr(kind, name)) for name in RATES]
                writer.writerow([*self._own(card), kind.kind.value, kind.received, kind.late, *rates, *[""] * 6])
        return text.getvalue().encode()

    def _own(self, card: Card) -> list[Any]:
        return [f"{self.month:%Y-%m}", self.as_of, card.agency, card.name]


_CSV_HEADER: Final = (
    "month", "as_of", "agency", "name", "kind", "received", "late", *RATES, "open_reviews", "overdue_reviews",
    "oldest_review", "workdays_without_delivery", "refused_deliveries", "top_rules",
)  # fmt: skip


def _rest(card: Card) -> list[Any]:
    silent = "" if card.silent_days is None else len(card.silent_days)
    rules = ";".join(f"{rule}:{rows}" for rule, rows in card.top_rules)
    own = [_told(card.conformity), _told(card.timeliness), "", "", ""]
    waits = card.waiting
    return [*own, waits.open, waits.overdue, waits.oldest or "", silent, card.refused_deliveries, rules]


def _told(rate: Rate) -> str:
    return UNKNOWN if rate.unknown else "" if rate.value is None else f"{rate.value:.4f}"


def scorecards(office: Office, month: dt.date, *, as_of: dt.date) -> Scorecards:
    """Count a month (any day of it) as it stood on ``as_of``; days after that are not looked at."""
    first = month.replace(day=1)
    end = _end_of(first)
    last = min(end, as_of)
    with office.engine.connect() as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        outputs = counts.outputs(connection, first)
        counted = {kind: _count(connection, kind, first=first, last=last, today=as_of) for kind in Kind}
        reported = {
            kind: counts.count_reported(connection, kind, first=first, end=end, today=as_of, agencies=told)
            for kind in Kind
            if (told := [agency for agency, of in outputs if of is kind])
        }
        failed = counts.top_failures(connection, first=first, last=last, most=TOP_RULES)
        waiting = counts.waiting(connection, as_of)
        came, refused = counts.days_with_deliveries(connection, first=first, last=last)
        begun = connection.scalar(sa.select(sa.func.min(delivery.c.as_of)))
    workdays = _workdays(max(first, begun or first), last)
    known = sorted({*agency_ids(), *refused, *(agency for of_kind in counted.values() for agency in of_kind)})
    cards = []
    for agency in known:
        kinds = tuple(
            _kind_card(kind, of_kind.get(agency), outputs.get((agency, kind)), reported.get(kind, {}).get(agency, 0))
            for kind, of_kind in counted.items()
            if agency in of_kind or (agency, kind) in outputs
        )
        silent = None if workdays is None else tuple(day for day in workdays if day not in came.get(agency, ()))
        cards.append(
            Card(
                agency, _name(agency, as_of), kinds, sum(kind.received for kind in kinds),
                _sum([kind.conformity for kind in kinds]), _sum([kind.timeliness for kind in kinds]),
                tuple(failed.get(agency, ())), waiting.get(agency, Waiting(0, 0, None, None)), silent,
                None if workdays is None else len(workdays), refused.get(agency, 0),
            )
        )  # fmt: skip
    return Scorecards(first, as_of, tuple(cards))


def _count(
    connection: sa.Connection, kind: Kind, *, first: dt.date, last: dt.date, today: dt.date
) -> Mapping[str, Counted]:
    span = counts.span_of(connection, kind, first=first, last=last)
    if span is None:
        return {}
    last_days = last_days_on_time(kind, counts.decided_on(connection, span), clock=CLOCK)
    return counts.count_rows(connection, span, last_days=last_days, today=today)


def _kind_card(kind: Kind, counted: Counted | None, output: Output | None, reported: int) -> KindCard:
    c = counted or Counted(0, 0, 0, 0, 0)
    if output is None:
        reporting = publicity = concealed = NOT_TOLD
    else:
        missing = max(0, output.produced - reported) if output.unreported is None else output.unreported
        reporting = Rate(reported, output.produced)
        publicity = Rate(output.self_published, output.produced)
        concealed = Rate(missing, output.produced)
    return KindCard(
        kind, c.received, c.late, c.untimed, Rate(c.passed, c.received), Rate(c.timed - c.late, c.timed), reporting,
        publicity, concealed,
    )  # fmt: skip


def _sum(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(rate.numerator or 0 for rate in rates), sum(rate.denominator or 0 for rate in rates))


def _workdays(first: dt.date, last: dt.date) -> list[dt.date] | None:
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    try:
        return [day for day in days if is_workday(day)]
    except CalendarMissing:
        return None


def _name(agency: str, day: dt.date) -> str:
    try:
        return load_agency(agency).name_on(day)
    except DescriptorError:
        return agency


def newest_day(office: Office, month: dt.date) -> dt.date | None:
    """Return the newest business day of a month, or before it, on which a step ran."""
    with office.engine.connect() as connection:
        newest = connection.scalar(sa.select(sa.func.max(step_run.c.as_of)))
    return None if newest is None else min(newest, _end_of(month))


def _end_of(month: dt.date) -> dt.date:
    return (month.replace(day=1) + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def newest_change(office: Office) -> tuple[int, ...]:
    """Return a mark that changes whenever something happens that a scorecard counts."""
    newest = [step_run.c.run_no, review_event.c.event_id, agency_output.c.output_id]
    query = sa.select(*(sa.select(sa.func.coalesce(sa.func.max(each), 0)).scalar_subquery() for each in newest))
    with office.engine.connect() as connection:
        return tuple(connection.execute(query).one())


def tell_output(
    office: Office, agency: str, kind: Kind, month: dt.date, told: Output, *, source: str, person: str
) -> None:
    """Enter what an agency says that it decided in a month: the denominators of its rates.

    Raises ``connectors.descriptor.DescriptorError`` for an agency that is not known.
    """
    load_agency(agency)
    with office.engine.begin() as connection:
        counts.enter_output(connection, agency, kind, month.replace(day=1), told, source=source, person=person)


def publish_beside(office: Office, published: Sequence[Published]) -> list[Path]:
    """Write the scorecards of the month beside each release, as JSON and CSV under the release's number.

    What is there already stays: a release says what was known when it came out.
    """
    written: list[Path] = []
    made: dict[dt.date, Scorecards] = {}
    for each in published:
        folder = office.settings.feeds / each.site / FOLDER
        path = folder / f"{each.directory.name}.json"
        if path.exists():
            continue
        if each.as_of not in made:
            made[each.as_of] = scorecards(office, each.as_of, as_of=each.as_of)
        cards = made[each.as_of]
        written.append(write_whole(path.with_suffix(".csv"), cards.csv_bytes()))
        written.append(write_whole(path, cards.json_bytes()))
    return written
