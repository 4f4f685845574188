"""机关成绩单: counted by hand here, by SQL there; what nobody told is unknown and never 100%."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, Company, document_no, licence, penalty

from connectors.descriptor import DescriptorError
from pipeline.publish import publish
from pipeline.scorecard import Card, publish_beside, scorecards, tell_output
from store.scorecards import Output
from transforms.columns import Kind
from transforms.timeliness import last_days_on_time

WRONG_CODE = "91110105MA0000000X"
AUGUST = dt.date(2018, 8, 1)
END = dt.date(2018, 8, 31)


def card(desk: Any, as_of: dt.date = END, agency: str = "aic") -> Card:
    [found] = scorecards(desk.office, AUGUST, as_of=as_of).of_agency(agency).cards
    return found


@pytest.mark.parametrize(
    ("decided", "last"),
    [
        ("2018-08-21", "2018-08-30"), ("2018-09-21", "2018-10-08"), ("2018-12-28", "2019-01-09"),
    ],
)  # fmt: skip
def test_the_term_counts_working_days_with_those_made_up(decided: str, last: str) -> None:
    day = dt.date.fromisoformat(decided)
    assert last_days_on_time(Kind.PENALTY, [day], clock="credit") == {day: dt.date.fromisoformat(last)}


def test_a_year_without_a_calendar_and_a_kind_without_a_term_are_left_out() -> None:
    assert last_days_on_time(Kind.PENALTY, [dt.date(2035, 1, 5), dt.date(1999, 1, 4)], clock="credit") == {}
    assert last_days_on_time(Kind.INSPECTION, [DAY], clock="credit") == {}


def test_rows_are_counted_once_and_lateness_by_the_first_report(known: Any) -> None:
    in_time = {"CF_JDRQ": "2018/08/13"}  # seven working days later: 22 August
    known.ingest(
        [
            penalty(1, **in_time), penalty(2), penalty(3, **in_time, CF_XDR_SHXYM=WRONG_CODE),
            penalty(4, **in_time, CF_GSJZQ="2018/07/01"), penalty(5, CF_JDRQ="2018/13/01"),
        ]
    )  # fmt: skip
    known.ingest([penalty(1, **in_time), penalty(3, **in_time), penalty(2, BZ="更正"), penalty(6, **in_time)], NEXT_DAY)
    known.ingest([licence(1, XK_JDRQ="2018/08/14")], NEXT_DAY, Kind.LICENCE)
    found = card(known)
    penalties = next(kind for kind in found.kinds if kind.kind is Kind.PENALTY)
    assert (penalties.received, penalties.conformity.numerator) == (8, 5), "the repeated row is not counted"
    assert (penalties.timeliness.denominator, penalties.late, penalties.untimed) == (5, 2, 1)
    assert [kind.timeliness.value for kind in found.kinds if kind.kind is Kind.LICENCE] == [1.0]
    assert (found.received, found.late, found.conformity.value) == (9, 2, round(6 / 9, 4))
    assert dict(found.top_rules) == {"R03.uscc": 1, "R12.date_order": 1, "R10.decision_date": 1}
    early = card(known, as_of=NEXT_DAY)
    assert early.late == 1, "what is still wrong is late only past its term"


def test_without_the_agencys_own_numbers_a_rate_is_unknown(known: Any) -> None:
    known.ingest([penalty(serial, CF_JDRQ="2018/08/13") for serial in (1, 2, 3)])
    [kind] = card(known).kinds
    assert kind.reporting.unknown and kind.concealed.unknown and kind.reporting.value is None
    tell_output(known.office, "aic", Kind.PENALTY, DAY, Output(9, 9, None), source="函", person="王平台")
    tell_output(known.office, "aic", Kind.PENALTY, DAY, Output(4, None, None), source="更正函", person="王平台")
    [kind] = card(known).kinds
    assert (kind.reporting.value, kind.concealed.value, kind.publicity.unknown) == (0.75, 0.25, True)
    tell_output(known.office, "aic", Kind.PENALTY, DAY, Output(4, 4, 0), source="抽查", person="王平台")
    [kind] = card(known).kinds
    assert (kind.publicity.value, kind.concealed.value) == (1.0, 0.0)
    with pytest.raises(DescriptorError):
        tell_output(known.office, "none", Kind.PENALTY, DAY, Output(1, None, None), source="x", person="y")


def test_open_items_and_silent_working_days_are_those_of_the_day_asked_about(known: Any) -> None:
    known.ingest([penalty(1, CF_XDR_SHXYM=WRONG_CODE), penalty(2, CF_GSJZQ="2018/07/01")])
    known.ingest([penalty(1)], dt.date(2018, 8, 24))
    found = card(known, dt.date(2018, 8, 27))
    assert (found.waiting.open, found.waiting.overdue, found.waiting.oldest) == (1, 1, DAY)
    assert found.waiting.median_age == 6
    assert found.silent_days == tuple(dt.date(2018, 8, day) for day in (22, 23, 27)), "from the first day of all"
    assert card(known, dt.date(2018, 8, 23)).waiting.open == 2
    other = card(known, dt.date(2018, 8, 27), agency="fda")
    assert (other.received, other.conformity.value, len(other.silent_days or ())) == (0, None, 5)


def test_json_and_csv_stand_beside_each_release_and_do_not_change(known: Any) -> None:
    known.ingest([penalty(1), penalty(2, CF_XDR_SHXYM=WRONG_CODE)])
    known.attach()
    published = publish(known.office, ["creditchina", "gsxt"], as_of=DAY)
    written = publish_beside(known.office, published)
    feeds = known.office.settings.feeds
    assert sorted(str(path.relative_to(feeds)) for path in written) == [
        f"{site}/scorecards/000001.{form}" for site in ("creditchina", "gsxt") for form in ("csv", "json")
    ]
    told = json.loads((feeds / "gsxt/scorecards/000001.json").read_bytes())
    mine = next(each for each in told["agencies"] if each["agency"] == "aic")
    assert (told["month"], told["as_of"], mine["received"]) == ("2018-08", "2018-08-21", 2)
    assert mine["kinds"]["penalty"]["reporting"] == {
        "denominator": None, "numerator": None, "rate": None, "why": "denominator unknown",
    }  # fmt: skip
    lines = list(csv.DictReader(io.StringIO((feeds / "gsxt/scorecards/000001.csv").read_text("utf-8"))))
    [penalties] = [line for line in lines if (line["agency"], line["kind"]) == ("aic", "penalty")]
    assert (penalties["conformity"], penalties["concealed"]) == ("0.5000", "denominator unknown")
    assert publish_beside(known.office, published) == []
    assert document_no(2) not in str(told) and Company(2).name not in str(told)
