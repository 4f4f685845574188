"""The register as versions, and what they do to attachments."""

from __future__ import annotations

from typing import Any

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, as_csv, penalty, registered, write

from pipeline.register import load_register
from transforms.problems import DeliveryRefused


def held(desk: Any) -> dict[str, str]:
    return {
        row["uscc"]: row["name"] for row in desk.query("SELECT uscc, name FROM enterprise WHERE to_version IS NULL")
    }


def test_a_full_set_closes_whoever_is_absent_and_a_change_set_does_not(desk: Any) -> None:
    first = desk.register(registered(Company(n)) for n in (1, 2, 3))
    changed = desk.register([registered(Company(2), DOM="别处"), registered(Company(4))], NEXT_DAY, "changes")
    assert (first.added, changed.added, changed.changed, changed.closed) == (3, 1, 1, 0)
    last = desk.register([registered(Company(n)) for n in (1, 4)], NEXT_DAY)
    assert (last.added, last.changed, last.closed) == (0, 0, 2)
    assert set(held(desk)) == {Company(1).uscc, Company(4).uscc}
    spans = desk.query("SELECT from_version, to_version FROM enterprise WHERE uscc = :u ORDER BY 1", u=Company(2).uscc)
    assert [(row["from_version"], row["to_version"]) for row in spans] == [(1, 2), (2, 3)]


def test_what_is_refused_is_told_and_closes_nobody(desk: Any) -> None:
    desk.register(registered(Company(n)) for n in range(1, 8))
    rows = [
        registered(Company(1)),
        registered(Company(1)),
        registered(Company(2), DOM="一处"),
        registered(Company(2), DOM="另一处"),
        registered(Company(3), ENTNAME=""),
        registered(Company(4), UNISCID=""),
        registered(Company(5), UNISCID="911101050000000000"),
        registered(Company(6), UNISCID=SOMEONE),
    ]
    loaded = desk.register(rows, NEXT_DAY)
    assert [(p.rule, p.row) for p in loaded.problems] == [
        ("G03", 6), ("G02", 7), ("G02", 8), ("G02", 9), ("G04", 4), ("G04", 5),
    ]  # fmt: skip
    assert (loaded.rows, loaded.refused, loaded.closed) == (8, 6, 4)
    assert set(held(desk)) == {Company(n).uscc for n in (1, 2, 3)}
    assert SOMEONE not in str(loaded)
    assert all(problem.remedy and problem.file and problem.field for problem in loaded.problems)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "F01"),
        (b"<html><body>502</body></html>", "F02"),
        ("名称,代码\n甲,乙\n".encode(), "G01"),
        (b"UNISCID,ENTNAME,UNISCID\na,b,c\n", "F06"),
    ],
)
def test_a_register_that_cannot_be_read_leaves_the_old_one(known: Any, content: bytes, rule: str) -> None:
    before = held(known)
    with pytest.raises(DeliveryRefused) as refused:
        load_register(known.office, write(known.folder, "bad.csv", content), as_of=NEXT_DAY)
    assert refused.value.problem.rule == rule
    assert held(known) == before
    assert known.query("SELECT count(*) AS n FROM register_version") == [{"n": 1}]


def test_names_as_registers_write_them(desk: Any) -> None:
    """Full-width brackets, blanks, several former names; GB18030 with a rare character."""
    rows = [
        registered(
            Company(1),
            ENTNAME="仿真（北京）㐂科技有限公司",
            HISTNAMES="仿真旧一有限公司；仿真 旧名二（北京）有限公司;",
        ),
        registered(Company(2), LEREP="", DOM="", ESTDATE="1980-01-02", REGSTATE="", HISTNAMES=""),
    ]
    path = write(desk.folder, "r.csv", as_csv(rows).decode().encode("gb18030"))
    assert load_register(desk.office, path, as_of=DAY).added == 2
    no_code = {"CF_XDR_SHXYM": "", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_GSZC": Company(9).regno}
    desk.ingest(
        [
            penalty(1, **(no_code | {"CF_XDR_MC": "仿真(北京)㐂科技有限公司"})),
            penalty(2, **(no_code | {"CF_XDR_MC": "仿真旧名二(北京)有限公司"})),
            penalty(3, **(no_code | {"CF_XDR_MC": "仿真旧名三有限公司"})),
        ]
    )
    assert desk.attach() == {"former_name": 1, "name": 1, "none": 1}


def test_a_renamed_enterprise_is_found_by_its_old_name_and_versions_are_named(known: Any) -> None:
    old, renamed, new = Company(1), Company(2), Company(50)
    waiting = {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": Company(77).regno}
    known.ingest([penalty(1, old), penalty(2, renamed, **waiting), penalty(3, new, CF_XDR_GSZC="")])
    assert known.attach() == {"name": 1, "none": 1, "uscc": 1}
    known.register([registered(renamed, ENTNAME="仿真改名(北京)有限公司"), registered(new)], NEXT_DAY, "changes")
    known.ingest([penalty(4, renamed, **waiting)], NEXT_DAY)
    assert known.attach(NEXT_DAY) == {"former_name": 2, "uscc": 1}, "the new row, and what was not certain"
    rows = known.query(
        "SELECT p.row_no, p.delivery_id, a.method, a.grade, a.register_version, a.uscc FROM attachment a"
        " JOIN penalty p USING (record_id) ORDER BY attachment_id"
    )
    assert {row["register_version"] for row in rows} == {1, 2}
    assert all(row["register_version"] for row in rows)
    assert [row["uscc"] for row in rows if row["row_no"] == 4] == [None, new.uscc]
    assert known.attach(NEXT_DAY) == {}


def test_a_closed_enterprise_is_no_candidate_by_name_alone(known: Any) -> None:
    known.register([registered(Company(n)) for n in range(2, 41)], NEXT_DAY)
    known.ingest([penalty(1, CF_XDR_SHXYM="", CF_XDR_GSZC=Company(77).regno)], NEXT_DAY)
    assert known.attach(NEXT_DAY) == {"none": 1}
