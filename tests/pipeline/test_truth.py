"""Two days of all agencies, row by row against what the simulator knows must become of each row.

The bar for attachments is zero: no row may be attached to an enterprise that is not its true subject.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from connectors.descriptor import Agency, load_agency
from pipeline.attach import attach
from pipeline.collect import collect
from pipeline.holds import decide, list_holds
from pipeline.ingest import ingest_delivery
from pipeline.office import Office
from pipeline.publish import publish
from pipeline.register import load_register
from pipeline.settings import Settings
from simulator.agencies import Simulator
from simulator.business_days import DEMO_DAYS
from store.database import open_engine
from transforms.columns import Kind

SITES: Final = ["creditchina", "creditbj", "gsxt", "qyxy"]
SEED: Final = 2018
Stream = tuple[str, str, str]
Rows = dict[Stream, list[dict[str, Any]]]

_ROWS: Final = " UNION ALL ".join(f"SELECT record_id, file_ordinal, row_no FROM {kind}" for kind in Kind)
_STATES: Final = sa.text(f"""
SELECT c.agency, c.stream, c.as_of::text AS day, s.document_no, s.state, s.uscc, s.method, s.attach_reason,
       (SELECT string_agg(v.expectation, ' ' ORDER BY v.expectation) FROM verdict v
        WHERE v.record_id = s.record_id AND v.severity <> 'warn') AS failed
FROM row_state s
JOIN collection c USING (delivery_id)
JOIN ({_ROWS}) r USING (record_id)
ORDER BY c.agency, c.stream, c.as_of, r.file_ordinal, r.row_no
""")


@dataclass(frozen=True)
class Day:
    """What the simulator expects and what the system says, per stream and day of delivery, in order of delivery."""

    truth: Rows
    actual: Rows
    sent_again: Rows


def hurried(agency_id: str) -> Agency:
    """Describe an agency that may be asked as often as one likes."""
    agency = load_agency(agency_id)
    return agency.model_copy(update={"streams": tuple(s.model_copy(update={"rate": 1000.0}) for s in agency.streams)})


def _by_stream(rows: list[dict[str, Any]]) -> Rows:
    streams: Rows = defaultdict(list)
    for row in rows:
        streams[row["agency"], row["stream"], row["day"]].append(row)
    return dict(streams)


def _read(office: Office, truth_file: Path) -> Day:
    with truth_file.open(encoding="utf-8", newline="") as file:
        truth = _by_stream(list(csv.DictReader(file)))
    with office.engine.connect() as connection:
        received = _by_stream([dict(row._mapping) for row in connection.execute(_STATES)])
    assert received.keys() == truth.keys()
    # A source that is asked with an overlap sends rows of the days before once more, first.
    again = {stream: len(received[stream]) - len(truth[stream]) for stream in truth}
    assert all(count >= 0 for count in again.values())
    return Day(
        truth,
        {stream: rows[again[stream] :] for stream, rows in received.items()},
        {stream: rows[: again[stream]] for stream, rows in received.items()},
    )


@pytest.fixture(scope="module")
def days(new_home: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Day]]:
    home, exchange = new_home(), new_home()
    settings = Settings(home=home.home, database_url=SecretStr(home.database_url))
    office = Office(settings, open_engine(home.database_url))
    found: list[Day] = []
    with Simulator(
        tmp_path_factory.mktemp("simulator"), exchange.database_url, SEED, enterprises=1_200, scale=0.35
    ) as simulator:
        for day in DEMO_DAYS:
            simulator.publish_day(day)
            mode = "full" if day == DEMO_DAYS[0] else "changes"
            load_register(office, simulator.register_file(day), as_of=day, mode=mode)
            for agency, endpoint in simulator.endpoints().items():
                collect(
                    agency, day, describe=hurried, engine=office.engine, archive=office.archive, endpoint=endpoint,
                    ingest=lambda delivery_id: ingest_delivery(office, delivery_id),
                )  # fmt: skip
            for hold in list_holds(office):
                for person in ("审核员甲", "审核员乙"):
                    decide(office, hold.hold_id, person=person, decision="approve", reason="已核对")
            attach(office, as_of=day)
            publish(office, SITES, as_of=day)
            found.append(_read(office, simulator.truth_file))
    yield found
    office.engine.dispose()


def _pairs(day: Day) -> Iterator[tuple[Stream, dict[str, Any], dict[str, Any]]]:
    for stream, expected in day.truth.items():
        for truth, actual in zip(expected, day.actual[stream], strict=True):
            yield stream, truth, actual


def test_every_row_ends_in_the_state_that_is_true_of_it(days: list[Day]) -> None:
    for day in days:
        wrong = []
        for stream, truth, actual in _pairs(day):
            expected = truth["expected_state"]
            # Which of two equal rows is the duplicate is nobody's truth.
            either = truth["defect"] == "exact_duplicate" and {expected, actual["state"]} == {"published", "duplicate"}
            if actual["state"] != expected and not either:
                wrong.append((*stream, truth["defect"], expected, actual))
        assert not wrong


def test_of_two_equal_rows_exactly_one_counts(days: list[Day]) -> None:
    states: dict[tuple[Stream, str], list[str]] = defaultdict(list)
    for stream, truth, actual in _pairs(days[-1]):
        if truth["defect"] == "exact_duplicate":
            states[stream, truth["document_no"]].append(actual["state"])
    assert states
    shown = {"basic_info": "withheld"}  # for inspectors, on no site
    for (stream, _), pair in states.items():
        assert sorted(pair) == ["duplicate", shown.get(stream[1], "published")], stream


def test_no_row_is_attached_to_an_enterprise_that_is_not_its_subject(days: list[Day]) -> None:
    attached: Counter[str] = Counter()
    for day in days:
        for stream, truth, actual in _pairs(day):
            assert actual["uscc"] in (None, truth["true_uscc"]), (stream, truth, actual)
            attached[actual["method"]] += actual["uscc"] is not None
    assert {"uscc", "regno", "org_code", "tax_no", "name"} <= {method for method, rows in attached.items() if rows}


def test_what_is_published_is_attached_and_what_is_sent_again_changes_nothing(days: list[Day]) -> None:
    for day in days:
        assert all(actual["uscc"] for _, _, actual in _pairs(day) if actual["state"] == "published")
        again = {row["state"] for rows in day.sent_again.values() for row in rows}
        assert again <= {"duplicate", "superseded", "returned"}
