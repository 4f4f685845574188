"""The register as versions, and what they do to attachments."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

import pytest
from delivering import DAY, NEXT_DAY, SOMEONE, Company, as_csv, penalty, registered, write

from pipeline import steps
from pipeline.register import load_register
from transforms.problems import DeliveryRefused

LATER: Final = dt.date(2018, 8, 23)


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
    assert (loaded.rows, loaded.refused, loaded.closed) == (8, 6, 1)
    assert set(held(desk)) == {Company(n).uscc for n in range(1, 7)}, "a name or a number says whose row was refused"
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


SHARED = "仿真共名(北京)有限公司"


def test_the_name_of_an_enterprise_whose_code_was_mistyped_is_not_given_to_another(desk: Any) -> None:
    right = [registered(Company(1), ENTNAME=SHARED), registered(Company(2), HISTNAMES=SHARED)]
    desk.register(right)
    mistyped = right[0] | {"UNISCID": Company(1).uscc[:17] + ("0" if Company(1).uscc[17] != "0" else "1"), "REGNO": ""}
    desk.register([mistyped, right[1]], NEXT_DAY)
    desk.ingest([penalty(1, CF_XDR_MC=SHARED, CF_XDR_SHXYM="", CF_XDR_GSZC="1101052123456")], NEXT_DAY)
    desk.attach(NEXT_DAY)
    assert newest_attachment(desk) == ("review", None, "ambiguous_name")


def newest_attachment(desk: Any) -> tuple[str, str | None, str | None]:
    [row] = desk.query("SELECT grade, uscc, reason FROM attachment ORDER BY attachment_id DESC LIMIT 1")
    return row["grade"], row["uscc"], row["reason"]


def test_a_late_set_is_refused_and_loaded_by_hand_only(desk: Any) -> None:
    desk.register([registered(Company(1))], DAY, name="register_20180821_full.csv")
    desk.register([registered(Company(1), ENTNAME="仿真新名有限公司")], LATER)
    for mode in ("full", "changes"):
        with pytest.raises(DeliveryRefused) as refused:
            desk.register([registered(Company(2))], NEXT_DAY, mode)
        problem = refused.value.problem
        assert (problem.rule, problem.severity) == ("G05", "refuse")
        assert problem.remedy
        assert "2018-08-22" in problem.message
        assert "2018-08-23" in problem.message
    assert held(desk) == {Company(1).uscc: "仿真新名有限公司"}
    path = write(desk.folder, "late.csv", as_csv([registered(Company(2))]))
    left = load_register(desk.office, path, as_of=NEXT_DAY, late="leave")
    assert (left.register_version, left.rows, left.closed, [p.rule for p in left.problems]) == (2, 0, 0, ["G05"])
    assert held(desk) == {Company(1).uscc: "仿真新名有限公司"}
    loaded = load_register(desk.office, path, as_of=NEXT_DAY, late="load")
    assert (loaded.register_version, loaded.added, loaded.closed) == (3, 1, 1)


def test_a_file_that_another_has_replaced_does_not_hold_again_unless_by_hand(desk: Any) -> None:
    first, second = [registered(Company(1))], [registered(Company(1), ENTNAME="仿真错名有限公司")]
    desk.register(first)
    desk.register(second)
    again = desk.register(first)
    assert (again.already_loaded, again.register_version) == (True, 2)
    assert set(held(desk).values()) == {"仿真错名有限公司"}
    path = write(desk.folder, "again.csv", as_csv(first))
    assert load_register(desk.office, path, as_of=DAY, late="load").register_version == 3
    assert set(held(desk).values()) == {Company(1).name.replace("(", "（").replace(")", "）")}


def test_a_late_file_in_the_inbox_is_left_alone_and_told_of(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_office", lambda: desk.office)
    inbox = desk.office.settings.register_inbox
    inbox.mkdir(parents=True)
    write(inbox, "register_20180823_full.csv", as_csv([registered(Company(1))]))
    [first] = steps.load_register_files(LATER)
    write(inbox, "register_20180822_full.csv", as_csv([registered(Company(2))]))
    late, known = steps.load_register_files(LATER)
    assert (first["problems"], late["problems"], known["problems"]) == (0, 1, 0)
    assert (late["file"], late["register_version"], late["rows"]) == ("register_20180822_full.csv", 1, 0)
    assert set(held(desk)) == {Company(1).uscc}


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


LISTED: Final = "仿真甲&amp;仿真乙商贸有限公司；仿真丙＆amp；丁有限公司;仿真戊有限公司"


def test_an_html_entity_in_a_former_name_makes_no_name_of_its_second_half(desk: Any) -> None:
    desk.register([registered(Company(1), HISTNAMES=LISTED)])
    old = {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": "1101052123456"}
    names = ("仿真乙商贸有限公司", "丁有限公司", "仿真甲&仿真乙商贸有限公司", "仿真丙&amp;丁有限公司", "仿真戊有限公司")
    desk.ingest([penalty(n, CF_XDR_MC=name, **old) for n, name in enumerate(names, start=1)])
    desk.attach()
    grades = desk.query("SELECT grade FROM attachment JOIN penalty USING (record_id) ORDER BY row_no")
    assert [row["grade"] for row in grades] == ["none", "none", "certain", "certain", "certain"]


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


@pytest.mark.parametrize("regno", [Company(1).regno, "330203000030639", "3302032123456", "1101052123456"])
def test_a_number_that_the_bearer_of_the_name_does_not_bear_speaks_against_it(desk: Any, regno: str) -> None:
    """The name passed from one enterprise, now closed, to another whose number the register does not say."""
    desk.register([registered(Company(1), ENTNAME=SHARED), registered(Company(2), REGNO="")])
    taken = registered(Company(3), ENTNAME=SHARED, REGNO="")
    desk.register([registered(Company(2), REGNO=""), taken], NEXT_DAY)
    no_code = {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": regno}
    desk.ingest([penalty(1, CF_XDR_MC=SHARED, **no_code)], NEXT_DAY)
    desk.attach(NEXT_DAY)
    assert newest_attachment(desk) == ("review", None, "ambiguous_name")
    desk.ingest([penalty(2, Company(2), **no_code)], NEXT_DAY)
    desk.attach(NEXT_DAY)
    assert newest_attachment(desk) == ("review", None, "keys_disagree")


OLD: Final = {"CF_XDR_SHXYM": "", "CF_XDR_GSZC": "1101052123456"}


def attachments(desk: Any) -> list[tuple[int, str, str | None, str | None]]:
    rows = desk.query("SELECT register_version AS v, method, uscc, reason FROM attachment ORDER BY attachment_id")
    return [(row["v"], row["method"], row["uscc"], row["reason"]) for row in rows]


def shown(desk: Any) -> list[str]:
    feed = desk.office.settings.feeds / "creditchina" / "current" / "CF.full.jsonl"
    return [json.loads(line)["CF_XDR_SHXYM"] for line in feed.read_text().splitlines()]


@pytest.mark.parametrize(
    ("bears", "method"),
    [({"ENTNAME": SHARED}, "name"), ({"HISTNAMES": f"仿真旧名有限公司;{SHARED}"}, "former_name")],
)
def test_a_certain_name_is_asked_again_when_another_enterprise_comes_to_bear_it(
    desk: Any, bears: dict[str, str], method: str
) -> None:
    first = registered(Company(2), HISTNAMES=SHARED)
    desk.register([first])
    desk.ingest([penalty(1, CF_XDR_MC=SHARED, **OLD), penalty(2, Company(2)), penalty(3, Company(2), **OLD)])
    assert desk.attach() == {"former_name": 1, "name": 1, "uscc": 1}
    desk.publish()
    assert shown(desk) == [Company(2).uscc] * 3
    desk.register([first, registered(Company(1), **bears)], NEXT_DAY)
    assert desk.attach(NEXT_DAY) == {method: 1}
    assert attachments(desk)[3:] == [(2, method, None, "ambiguous_name")]
    desk.publish(NEXT_DAY)
    assert shown(desk) == [Company(2).uscc] * 2
    assert [row["rule"] for row in desk.query("SELECT rule FROM review WHERE state = 'open'")] == ["ambiguous_name"]
    assert desk.attach(NEXT_DAY) == {}


def test_a_number_that_comes_to_speak_for_another_enterprise_is_asked_again(desk: Any) -> None:
    """An old number said nothing against the name, until the register knew whose it is."""
    desk.register([registered(Company(1))])
    desk.ingest([penalty(1, **OLD)])
    desk.attach()
    desk.register([registered(Company(3), REGNO=OLD["CF_XDR_GSZC"])], NEXT_DAY, "changes")
    assert desk.attach(NEXT_DAY) == {"regno": 1}
    assert attachments(desk)[1:] == [(2, "regno", None, "code_and_name_disagree")]


def test_more_than_a_block_is_asked_again(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.attach.BLOCK_ROWS", 2)
    companies = [Company(n) for n in range(1, 6)]
    desk.register(map(registered, companies))
    desk.ingest([penalty(n, **OLD) for n in range(1, 6)])
    assert desk.attach() == {"name": 5}
    namesakes = [registered(Company(n + 10), ENTNAME=company.name) for n, company in enumerate(companies)]
    desk.register([*map(registered, companies), *namesakes], NEXT_DAY)
    desk.ingest([penalty(6, Company(3))], NEXT_DAY)
    assert desk.attach(NEXT_DAY) == {"name": 5, "uscc": 1}
    newest = desk.query("SELECT DISTINCT ON (record_id) grade FROM attachment ORDER BY record_id, attachment_id DESC")
    assert [row["grade"] for row in newest] == ["review"] * 5 + ["certain"]


def test_what_the_newer_register_bears_out_is_left_as_it_is(desk: Any) -> None:
    """Another address, another name of the same enterprise, its end: none of them says that it was the wrong one."""
    desk.register(registered(Company(n)) for n in (1, 2, 3, 4))
    desk.ingest([penalty(n, **OLD) for n in (1, 2, 3, 4)])
    assert desk.attach() == {"name": 4}
    moved = registered(Company(1), DOM="别处"), registered(Company(2), ENTNAME="仿真改名有限公司")
    desk.register([*moved, registered(Company(4))], NEXT_DAY)
    assert desk.attach(NEXT_DAY) == {}
    assert len(attachments(desk)) == 4
