"""The generated register and records: well-formed, seeded, with every stated defect and a truth for each row."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from stdnum.cn import uscc as stdnum_uscc
from stdnum.iso7064 import mod_11_2, mod_11_10

from simulator.business_days import DEMO_DAYS
from simulator.codes import credit_code, organisation_code, registration_number, resident_id
from simulator.defects import DEFECTS
from simulator.plan import plans
from simulator.population import COLUMNS, Form, Population, make_population, write_register
from simulator.records import TRUTH_COLUMNS, World, make_world
from simulator.templates import TEMPLATES

STATES = {"published", "withheld", "review", "returned", "superseded", "duplicate"}


def test_codes_are_those_of_the_standards() -> None:
    assert credit_code("91", "110105", "MACJ6K1C8") == "91110105MACJ6K1C8A"
    assert registration_number("110108", 273465) == "110108002734659"
    assert stdnum_uscc.is_valid(credit_code("92", "110114", organisation_code(39)))


def test_the_register_is_well_formed_and_nobody_real(population: Population) -> None:
    assert len(population.first) == 3_000
    assert all(stdnum_uscc.is_valid(enterprise.uscc) for enterprise in population.on(DEMO_DAYS[1]))
    assert all(enterprise.org_code.startswith("TE") for enterprise in population.on(DEMO_DAYS[1]))
    assert all(
        mod_11_10.is_valid(enterprise.regno)
        for enterprise in population.on(DEMO_DAYS[1])
        if len(enterprise.regno) == 15
    )
    assert len({enterprise.uscc for enterprise in population.on(DEMO_DAYS[1])}) == len(population.on(DEMO_DAYS[1]))


def test_the_register_is_as_awkward_as_a_real_one(population: Population) -> None:
    first = population.first
    shared = [name for name, count in Counter(e.name for e in first).items() if count > 1]
    assert 5 <= len(shared) <= 30
    assert Counter(e.uscc[:2] for e in first if e.form is Form.SHOP).keys() == {"92"}
    branches = [e for e in first if e.form is Form.BRANCH]
    assert branches
    assert all(any(b.name.startswith(e.name) for e in first if e is not b) for b in branches[:20])
    assert any("（北京）" in e.name for e in first)
    assert 200 < sum(not e.regno for e in first) < 400
    assert 100 < sum(bool(e.former_names) for e in first) < 400


def test_a_change_file_renames_without_losing_the_old_name(population: Population) -> None:
    before = {e.uscc: e for e in population.first}
    renamed = [e for e in population.changes[DEMO_DAYS[1]] if e.uscc in before and e.name != before[e.uscc].name]
    assert renamed
    assert all(e.former_names[-1] == before[e.uscc].name for e in renamed)
    assert any(e.uscc not in before for e in population.changes[DEMO_DAYS[1]])


def test_a_register_file_has_the_columns_of_the_registry(population: Population, tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    write_register(path, population.first)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 3_001


@pytest.mark.parametrize("enterprises", [0, 49, 900_000])
def test_a_register_of_an_impossible_size_is_refused(enterprises: int) -> None:
    with pytest.raises(ValueError, match="50 to"):
        make_population(1, enterprises)


def test_equal_seeds_give_equal_worlds_under_any_hash_seed() -> None:
    program = (
        "import hashlib; from simulator.business_days import DAYS; from simulator.population import make_population;"
        "from simulator.records import make_world; p = make_population(3, 300, DAYS); w = make_world(3, p, 0.1, DAYS);"
        "print(hashlib.sha256(repr((p, list(w.rows.items()), w.truth)).encode()).hexdigest())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
    assert make_population(3, 300) != make_population(4, 300)


def test_the_demo_size_is_made_in_three_seconds() -> None:
    start = time.perf_counter()
    make_world(1, make_population(1))
    assert time.perf_counter() - start < 3


def test_every_row_has_the_columns_of_its_sheet(world: World) -> None:
    for plan in plans():
        codes = [code for code, _ in TEMPLATES[plan.kind, plan.sheet]]
        for day in DEMO_DAYS:
            codes_and_marks = [*codes, *plan.mark(gone=False)]
            assert all(list(row) == codes_and_marks for row in world.rows[plan.agency, plan.stream, day])


def test_a_few_thousand_rows_each_with_its_truth(world: World) -> None:
    assert 4_000 < len(world.truth) < 7_000
    told = [(t.agency, t.stream, t.day, t.document_no, t.subject_name) for t in world.truth]
    sent = []
    for plan in plans():
        columns = {fact: code for code, fact in TEMPLATES[plan.kind, plan.sheet]}
        for day in DEMO_DAYS:
            rows = world.rows[plan.agency, plan.stream, day]
            sent += [(plan.agency, plan.stream, day, row[columns["document_no"]], row[columns["name"]]) for row in rows]
    assert Counter(told) == Counter(sent)
    assert {t.state_after(DEMO_DAYS[1]) for t in world.truth} == STATES


def test_every_defect_occurs_each_day_at_each_agency_that_can_have_it(world: World) -> None:
    seen = {(t.agency, t.day, t.defect) for t in world.truth}
    for defect in DEFECTS:
        able = {plan.agency for plan in plans() if plan.can_have(defect) and plan.agency in ("aic", "fda", "qtsb")}
        for agency in able:
            assert {(agency, day, defect.name) for day in DEMO_DAYS} <= seen


def test_most_records_are_sound(world: World) -> None:
    sound = sum(t.defect == "none" for t in world.truth)
    assert 0.65 < sound / len(world.truth) < 0.85


def test_the_second_day_brings_later_versions_and_withdrawals(world: World) -> None:
    later = [t for t in world.truth if t.defect in ("changed", "withdrawn")]
    earlier = {
        (t.agency, t.stream, t.document_no): t for t in world.truth if t.day == DEMO_DAYS[0] and t.defect == "none"
    }
    assert {t.defect for t in later} == {"changed", "withdrawn"}
    for item in later:
        first = earlier[item.agency, item.stream, item.document_no]
        assert first.state_after(DEMO_DAYS[0]) in ("published", "withheld")
        assert first.state_after(DEMO_DAYS[1]) == "superseded"
    statuses = Counter(row["XK_ZT"] for row in world.rows["aic", "licence", DEMO_DAYS[1]])
    assert statuses["2"] > 0
    assert any(row["CF_ZT"] == "1" for row in world.rows["fda", "penalty", DEMO_DAYS[1]])


def test_natural_persons_carry_a_well_formed_number_of_nobody(world: World) -> None:
    persons = [row for row in world.rows["aic", "licence", DEMO_DAYS[0]] if row["XK_XDR_LB"] == "自然人"]
    assert persons
    assert all(mod_11_2.is_valid(row["XK_XDR_ZJHM"]) for row in persons)
    assert not any(row["XK_XDR_SHXYM"] for row in persons)
    assert mod_11_2.is_valid(resident_id("110105", DEMO_DAYS[0], 1))


def test_the_truth_file_tells_only_of_days_published(world: World, tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    world.write_truth(path, DEMO_DAYS[:1])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == TRUTH_COLUMNS
    assert {row["day"] for row in rows} == {"2018-08-21"}
    assert not any(row["expected_state"] == "superseded" for row in rows)
