"""What a site would not take is kept from that site alone, said with a reason, and shown when it is repaired."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, penalty, registered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations import suite as suites
from expectations.suite import RECEIVER_SUITES, SuiteInvalid, load_receiver_suite, read_suite
from feeds.sites import load_sites
from pipeline import acceptance, press
from pipeline.acceptance import LENGTH, AcceptanceBroken, judge_acceptance
from pipeline.engine import Engine
from pipeline.exports import NOT_ACCEPTED, export
from pipeline.publish import publish
from pipeline.reconcile import reconcile
from simulator.codes import credit_code
from store.acceptance import CountsDiffer
from transforms.columns import STANDARD_COLUMNS, Kind

SITES = ("creditbj", "creditchina", "gsxt", "qyxy")
CREDIT = {"creditbj", "creditchina"}
RULE = "A02.CF_XDR_SHXYM"


class Village(Company):
    """A rural collective: a right code of department N, which the pattern of the credit platforms leaves out."""

    @property
    def uscc(self) -> str:
        return credit_code("N1", "110105", self.organisation)


COLLECTIVE = Village(7)


def rows_of(desk: Any, site: str) -> dict[str, dict[str, str]]:
    """What a site shows of penalties, by 文书号."""
    table, number = ("CF", "CF_WSH") if site in CREDIT else ("E_OT_CASE", "PENDECNO")
    lines = (desk.office.settings.feeds / site / "current" / f"{table}.full.jsonl").read_text("utf-8").splitlines()
    return {row[number]: row for row in map(json.loads, lines)}


@pytest.fixture
def collective(desk: Any) -> Any:
    """A register with some companies and a rural collective, and a penalty on it between two others."""
    desk.register(registered(company) for company in [*map(Company, range(1, 4)), COLLECTIVE])
    desk.ingest([penalty(1), penalty(2, COLLECTIVE), penalty(3)])
    desk.attach()
    return desk


def test_a_row_that_one_family_of_sites_refuses_is_kept_from_it_alone(collective: Any) -> None:
    collective.publish(DAY, *SITES)
    wanted = penalty(2)["CF_WSH"]
    assert {site for site in SITES if wanted in rows_of(collective, site)} == set(SITES) - CREDIT
    assert {len(rows_of(collective, site)) for site in CREDIT} == {2}
    decided = collective.query(
        "SELECT d.site, d.shown, d.first_shown, d.reason FROM disclosure d JOIN penalty USING (record_id)"
        " WHERE document_no = :no ORDER BY site",
        no=wanted,
    )
    assert [(d["site"], d["shown"], d["reason"], d["first_shown"]) for d in decided if d["site"] in CREDIT] == [
        (site, False, "not_accepted", None) for site in sorted(CREDIT)
    ]
    counted = collective.query(
        "SELECT r.site, c.evaluated, c.unexpected, c.rows, c.suite FROM acceptance_check c JOIN release r"
        " USING (release_id) WHERE expectation = :rule ORDER BY site",
        rule=RULE,
    )
    assert [tuple(each.values()) for each in counted] == [
        (site, 3, 1, 1, f"{site}.penalty@2018.08.1") for site in sorted(CREDIT)
    ]
    told = collective.query("SELECT field, judged, value FROM not_accepted")
    assert told == [{"field": "CF_XDR_SHXYM", "judged": COLLECTIVE.uscc, "value": COLLECTIVE.uscc}] * 2
    assert reconcile(collective.office).ok


def test_great_expectations_is_asked_once_for_sites_that_ask_the_same_of_the_same_rows(
    collective: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def heard(*arguments: Any, **of_site: Any) -> acceptance.Acceptance:
        asked.append((of_site["site"].site, of_site["table"].kind))
        return judge_acceptance(*arguments, **of_site)

    monkeypatch.setattr(press, "judge_acceptance", heard)
    collective.publish(DAY, *SITES)
    assert asked == [("creditbj", Kind.PENALTY), ("gsxt", Kind.PENALTY)]
    labels = collective.query(
        "SELECT DISTINCT r.site, c.suite FROM acceptance_check c JOIN release r USING (release_id)"
    )
    assert {(each["site"], each["suite"].partition(".")[0]) for each in labels} == {(site, site) for site in SITES}


def test_who_was_shown_before_is_taken_down_and_comes_back_when_repaired(
    collective: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site changes its rules under a record that it shows, and changes them back."""
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.acceptance.load_receiver_suite", lambda _site, _kind: None)
        collective.publish(DAY, *SITES)
    assert {len(rows_of(collective, site)) for site in SITES} == {3}
    collective.publish(NEXT_DAY, *SITES)
    gone = (collective.office.settings.feeds / "creditchina/current/CF.tombstones.jsonl").read_text("utf-8")
    [tombstone] = map(json.loads, gone.splitlines())
    assert tombstone["REASON_CODE"] == "not_accepted"
    assert tombstone["EFFECTIVE_DATE"] == f"{NEXT_DAY:%Y/%m/%d}"
    assert penalty(2)["CF_WSH"] in rows_of(collective, "gsxt")
    assert reconcile(collective.office).ok
    third = NEXT_DAY.replace(day=NEXT_DAY.day + 1)
    collective.register([registered(COLLECTIVE, UNISCID=Company(7).uscc, HISTNAMES="")], third, mode="delta")
    collective.ingest([penalty(2, Company(7), CF_XDR_MC=COLLECTIVE.name, CF_NR="罚款人民币20000元。")], third)
    collective.attach(third)
    collective.publish(third, *SITES)
    assert {len(rows_of(collective, site)) for site in CREDIT} == {3}, "it comes back by itself"
    assert reconcile(collective.office).ok


def test_the_same_day_again_says_nothing_new(collective: Any) -> None:
    collective.publish(DAY, *SITES)
    before = collective.query("SELECT count(*) AS n FROM release"), collective.query("SELECT * FROM acceptance_check")
    assert [each.already_published for each in publish(collective.office, list(SITES), as_of=DAY)] == [True] * 4
    assert (
        collective.query("SELECT count(*) AS n FROM release"), collective.query("SELECT * FROM acceptance_check")
    ) == before  # fmt: skip


def test_a_count_that_differs_from_that_of_great_expectations_stops_the_release(
    collective: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = acceptance._look_up

    def forgetful(database: Any, expectation: Any, failed: Any) -> Any:
        """Some rows lose their value between judging and looking up."""
        database.execute(f"UPDATE {acceptance._REDUCED} SET CF_XDR_SHXYM = NULL")
        return looked_up(database, expectation, failed)

    with monkeypatch.context() as patched:
        patched.setattr(acceptance, "_look_up", forgetful)
        with pytest.raises(AcceptanceBroken, match=f"creditchina.penalty@.* {RULE}: 1 values counted, 0 found"):
            collective.publish(DAY, "creditchina")
    assert collective.query("SELECT * FROM release") == []
    assert not (collective.office.settings.feeds / "creditchina" / "current").exists()
    with monkeypatch.context() as patched:
        patched.setattr("store.acceptance.copy_in", lambda *_: None)
        with pytest.raises(CountsDiffer, match="1 values and 1 records counted, 0 and 0 entered"):
            collective.publish(DAY, "creditchina")
    assert collective.query("SELECT * FROM release") == collective.query("SELECT * FROM acceptance_check") == []
    collective.publish(DAY, "creditchina")
    collective.change("DELETE FROM not_accepted")
    assert any(
        "creditchina penalty: 1 records kept back without" in each for each in reconcile(collective.office).findings
    )
    assert any(RULE in each for each in reconcile(collective.office).findings)


def test_what_is_kept_back_is_exported_without_anything_private(collective: Any, tmp_path: Path) -> None:
    collective.publish(DAY, *SITES)
    assert export(collective.office, NOT_ACCEPTED, tmp_path / "out.csv") == 2
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["site"] for row in rows} == CREDIT
    assert {row["expectation"] for row in rows} == {RULE}


# --- judging by different values -----------------------------------------------------------------------------------

_CODES = st.sampled_from([None, Company(1).uscc, Company(2).uscc, COLLECTIVE.uscc, "91110105", "电话13800138000"])
_TEXTS = st.sampled_from([None, "罚款", "警告", "罚款;警告", "长" * 65, "长" * 5001, f"人{SOMEONE[:6]}"])


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(_CODES, _TEXTS), min_size=0, max_size=12), at_once=st.integers(1, 4))
def test_each_rule_finds_the_rows_that_it_would_find_one_by_one(
    rows: list[tuple[str | None, str | None]], at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.acceptance._JUDGED_AT_ONCE", at_once)
    site = load_sites()["creditchina"]
    [table] = [table for table in site.tables if table.kind is Kind.PENALTY]
    suite = load_receiver_suite("creditchina", Kind.PENALTY)
    assert suite is not None
    names = {**STANDARD_COLUMNS[Kind.PENALTY], "enterprise_uscc": pa.string(), "show_until": pa.date32()}
    columns: dict[str, pa.Array] = {name: pa.nulls(len(rows), kind) for name, kind in names.items()}
    columns |= {
        "record_id": pa.array(range(1, len(rows) + 1), pa.int64()),
        "enterprise_uscc": pa.array([code for code, _ in rows], pa.string()),
        "facts": pa.array([text for _, text in rows], pa.string()),
        "penalty_category": pa.array([text for _, text in rows], pa.string()),
    }
    held = pa.table(columns)
    with Engine(tmp_path) as engine:
        engine.load("rows", held.schema, held.to_batches())
        with engine.cursor() as database:
            answer = judge_acceptance(database, site=site, table=table, relation="rows", suite=suite)
    counted = {each.expectation: each.rows for each in answer.counts}
    assert counted["A01.CF_XDR_SHXYM"] == sum(code is None for code, _ in rows)
    assert counted["A01.CF_SY"] == sum(text is None for _, text in rows)
    assert counted["A03.CF_SY"] == sum(len(text or "") > 5000 for _, text in rows)
    assert counted["A05.CF_CFLB"] == sum(text not in (None, "罚款", "警告") for _, text in rows)
    assert counted[RULE] == sum(code in (COLLECTIVE.uscc, "91110105", "电话13800138000") for code, _ in rows)
    wrong = {n for n, (code, text) in enumerate(rows, 1) if code not in (Company(1).uscc, Company(2).uscc) or not text}
    every = set(range(1, len(rows) + 1))
    assert set(answer.refused["refused_id"].to_pylist()) == every, "no row has a 文书号"
    by_rule = {
        row["record_id"]
        for row in answer.rows.to_pylist()
        if row["field"] in ("CF_XDR_SHXYM", "CF_SY")
    }  # fmt: skip
    assert by_rule == wrong
    assert "13800138000" not in "".join(filter(None, answer.rows["value"].to_pylist()))


# --- the files -----------------------------------------------------------------------------------------------------


def test_every_table_of_every_site_has_a_suite_that_asks_for_columns_it_has() -> None:
    files = {path.name for path in RECEIVER_SUITES.iterdir()}
    expected = {f"{site.site}.{table.kind}.yaml" for site in load_sites().values() for table in site.tables}
    assert files == expected
    for site in load_sites().values():
        for table in site.tables:
            suite = load_receiver_suite(site.site, table.kind)
            assert suite is not None
            assert (suite.name, suite.set) == (f"{site.site}.{table.kind}", "receiver")
            for each in suite.expectations:
                assert each.column.removesuffix(LENGTH) == each.field
                assert each.field in table.codes, each.id
                assert each.id == f"{each.rule}.{each.field}"
                assert each.remedy.endswith("。") and each.message.endswith("。")


def test_what_nobody_verified_only_warns() -> None:
    for path in sorted(RECEIVER_SUITES.iterdir()):
        for each in read_suite(path).expectations:
            assert each.source
            assert each.severity == "warn" or "unverified" not in each.source, (path.name, each.id)
            assert each.severity == "withhold" or "unverified" in each.source or "our reading" in each.source


def test_a_rule_is_asked_from_its_first_day_to_its_last() -> None:
    suite = load_receiver_suite("creditchina", Kind.PENALTY)
    assert suite is not None
    [dated] = [each for each in suite.expectations if each.until is not None]
    assert dated in suite.on(dated.until).expectations
    after = dated.until.replace(month=dated.until.month + 1, day=1)
    assert dated not in suite.on(after).expectations
    assert len(suite.on(after).expectations) == len(suite.expectations) - 1


def test_a_suite_that_takes_over_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nset: receiver\nversion: 1\ntakes: b\n", encoding="utf-8")
    with pytest.raises(SuiteInvalid, match=r"a\.yaml: takes b, which is not there"):
        suites.read_suite(tmp_path / "a.yaml")
