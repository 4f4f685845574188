"""Reports and subjects come in by the same door as records: every row counted, judged, kept by version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, Row
from reporting import report, subject

from pipeline.reconcile import reconcile
from transforms.columns import Reference

REPORT, SUBJECT = Reference.ANNUAL_REPORT, Reference.ONLINE_SUBJECT


def states(desk: Any, reference: Reference) -> list[str]:
    return [row["state"] for row in desk.query(f"SELECT state FROM {reference} ORDER BY record_id")]


def failed(desk: Any) -> set[str]:
    return {row["expectation"] for row in desk.query("SELECT expectation FROM verdict")}


def test_rows_are_standardised_and_accounted_for(desk: Any) -> None:
    row = report(
        Company(1), address="www.a-b.com", ISWEB="是", TYPOFWEB="网站", ANCHEYEAR="2017年", ANCHEDATE="2018/3/1"
    )
    taken = desk.ingest([row, report(Company(2))], kind=REPORT)
    assert (taken.state, taken.row_states, taken.failures) == ("checked", {"accepted": 2}, {})
    [stored, _] = desk.query("SELECT * FROM annual_report ORDER BY record_id")
    assert (stored["has_site"], stored["site_type"], stored["report_year"]) == ("yes", "site", "2017")
    assert stored["submitted_at"].startswith("2018-03-01")
    desk.ingest([subject(Company(1), address="www.a-b.com")], kind=SUBJECT)
    sums = reconcile(desk.office)
    assert sums.ok, sums.findings
    assert [d.states["withheld"] for d in sums.deliveries] == [2, 1]


@pytest.mark.parametrize(
    ("reference", "row", "state", "rule"),
    [
        (REPORT, report(Company(1), ANCHEID=""), "returned", "R01.report_id"),
        (REPORT, report(Company(1), ANCHEYEAR="去年"), "returned", "R10.report_year"),
        (REPORT, report(Company(1), UNISCID="", REGNO="", ENTNAME=""), "returned", "R01.enterprise"),
        (REPORT, report(Company(1), ISWEB="也许"), "review", "R14.has_site"),
        (REPORT, report(Company(1), ANCHEDATE="2018-12-01"), "review", "R11.submitted_at"),
        (REPORT, report(Company(1), UNISCID="123"), "accepted", "R03.uscc"),
        (SUBJECT, subject(Company(1), address="a-b.com", SNAPSHOT_DATE="2018-02-30"), "returned", "R10.snapshot_date"),
        (SUBJECT, subject(Company(1), address="a-b.com", LAST_SEEN="2015-01-01"), "review", "R12.seen"),
        (SUBJECT, subject(Company(1), address="", SITE_NAME="无"), "review", "R01.site"),
        (SUBJECT, subject(Company(1), address="a-b.com", SITE_STATE="?"), "accepted", "R14.site_state"),
    ],
)
def test_a_row_that_fails_says_what_to_do(desk: Any, reference: Reference, row: Row, state: str, rule: str) -> None:
    desk.ingest([row], kind=reference)
    assert states(desk, reference) == [state]
    assert rule in failed(desk)
    assert reconcile(desk.office).ok
    if state != "accepted":
        assert all(waiting["remedy"] for waiting in desk.query("SELECT remedy FROM open_review"))


def test_versions_are_kept_and_a_version_delivered_again_is_the_same_one(desk: Any) -> None:
    first = [report(Company(1), address="www.a-b.com"), report(Company(1), address="www.c-d.com")]
    desk.ingest(first, kind=REPORT)
    desk.ingest(first[::-1], day=NEXT_DAY, kind=REPORT)
    assert states(desk, REPORT) == ["accepted"] * 2 + ["duplicate"] * 2
    desk.ingest([row | {"ANCHEDATE": "2018-05-01"} for row in first], day=NEXT_DAY, kind=REPORT)
    assert states(desk, REPORT)[4:] == ["accepted"] * 2
    desk.ingest(first[:1], day=NEXT_DAY, kind=REPORT)
    assert states(desk, REPORT) == ["superseded"] * 2 + ["duplicate"] * 2 + ["accepted"] * 3
    assert reconcile(desk.office).ok


def test_rows_of_one_version_that_contradict_each_other_wait_for_a_person(desk: Any) -> None:
    desk.ingest(
        [report(Company(1), address="www.a-b.com"), report(Company(1), address="www.c-d.com", ISWEB="0")], kind=REPORT
    )
    twice = subject(Company(2), address="www.e-f.com")
    desk.ingest([twice, twice, twice | {"SUBJECT_ID": "S9"}], kind=SUBJECT)
    desk.ingest([twice | {"SNAPSHOT_DATE": "2018-08-02"}, twice | {"SNAPSHOT_DATE": "2018-08-02", "URL": "g-h.com"}],
                kind=SUBJECT)  # fmt: skip
    assert states(desk, REPORT) == ["review", "review"]
    assert states(desk, SUBJECT) == ["accepted", "duplicate", "accepted", "review", "review"]
    assert failed(desk) == {"R22.same_version"}
    assert reconcile(desk.office).ok


@pytest.mark.parametrize("header", ["A,B\n1,2\n", "ANCHEID,UNISCID\n1,2\n", "ANCHEID,年报标识,UNISCID\n1,2,3\n"])
def test_a_file_that_is_no_form_is_refused(desk: Any, header: str) -> None:
    taken = desk.ingest(header.encode(), kind=REPORT)
    assert taken.state == "refused"
    assert taken.problems[0].remedy


def test_a_damaged_row_is_returned_and_counted(desk: Any) -> None:
    good = ",".join(report(Company(1))) + "\n" + ",".join(report(Company(1)).values()) + "\n"
    taken = desk.ingest((good + "a,b,c\n").encode(), kind=REPORT)
    assert taken.row_states == {"accepted": 1, "returned": 1}
    assert reconcile(desk.office).ok


def test_no_id_number_is_kept(desk: Any) -> None:
    rows: Sequence[Row] = [report(Company(1), ENTNAME=f"张某{SOMEONE}", ISWEB=SOMEONE, DOMAIN=SOMEONE)]
    desk.ingest(rows, kind=REPORT)
    assert SOMEONE not in repr(desk.query("SELECT * FROM annual_report")) + repr(desk.query("SELECT * FROM verdict"))


def test_the_same_bytes_are_one_delivery(desk: Any) -> None:
    content = "\n".join([",".join(report(Company(1))), ",".join(report(Company(1)).values())]).encode()
    first, again = desk.ingest(content, kind=REPORT), desk.ingest(content, kind=REPORT, day=DAY + dt.timedelta(days=1))
    assert again.already_received
    assert (again.delivery_id, again.row_states) == (first.delivery_id, first.row_states)
