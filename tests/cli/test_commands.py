"""Every command answers in JSON with stable keys, ends with the documented code, and shows nothing private."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import NEXT_DAY, SOMEONE, Company, as_csv, licence, penalty, registered

from store.database import sqlalchemy_url

DAY = ("--as-of", "2018-08-21")
PHONE = "13812345678"
PROBLEM_KEYS = {"rule", "severity", "message", "remedy", "file", "row", "field", "value", "text"}


@pytest.fixture(scope="module")
def at_work(terminal: Any) -> Any:
    """One day's work done."""
    register = terminal.folder / "register.csv"
    register.write_bytes(
        as_csv([registered(Company(n)) for n in range(1, 8)] + [registered(Company(8), UNISCID=SOMEONE)])
    )
    person = {"CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_MC": "仿某某", "CF_FRDB": ""}
    person |= {"CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": SOMEONE}
    rows = [
        penalty(1),
        penalty(2, Company(50)),
        penalty(3, CF_SY=f"当事人证件号{SOMEONE}"),
        penalty(4, CF_WSH=""),
        penalty(5, CF_NR=f"罚款人民币20000元, 联系电话{PHONE}"),
        penalty(6) | person,
    ]
    terminal.answers = {
        "register load": terminal.run("register", "load", register, *DAY, "--json"),
        "ingest": terminal.ingest("p.csv", as_csv(rows, extra_lines=[f"仿某,{SOMEONE},{PHONE}"]), "--json"),
        "ingest licence": terminal.ingest("l.csv", as_csv([licence(1)]), "--json", kind="licence"),
        "attach": terminal.run("attach", *DAY, "--json"),
        "publish": terminal.run("publish", "--site", "creditchina", *DAY, "--json"),
        "reconcile": terminal.run("reconcile", "--json"),
    }
    return terminal


def test_each_step_answers_in_json(at_work: Any) -> None:
    answers = {name: answer.json for name, answer in at_work.answers.items()}
    assert {answer.code for answer in at_work.answers.values()} == {0}
    assert set(answers["register load"]) == {
        "register_version", "rows", "added", "changed", "closed", "refused", "already_loaded", "problems",
    }  # fmt: skip
    assert set(answers["register load"]["problems"][0]) == PROBLEM_KEYS
    assert set(answers["ingest"]) == {
        "delivery_id", "state", "already_received", "rows", "row_states", "failures", "problems", "hold_id",
    }  # fmt: skip
    assert set(answers["ingest"]["problems"][0]) == PROBLEM_KEYS
    assert set(answers["attach"]) == {"register_version", "decided", "grades", "methods"}
    assert set(answers["publish"][0]) >= {
        "site", "sequence", "as_of", "already_published", "manifest_sha256", "tables", "directory",
    }  # fmt: skip
    assert set(answers["reconcile"]) == {"ok", "deliveries", "findings"}
    assert answers["reconcile"]["ok"]
    assert set(answers["reconcile"]["deliveries"][0]) == {
        "delivery_id", "agency", "kind", "as_of", "delivery_state", "received", "states", "unexplained",
    }  # fmt: skip


def test_a_person_gets_tables(at_work: Any) -> None:
    for words in (("reconcile",), ("attach", *DAY), ("diagnose", "aic"), ("publish", "--site", "creditchina", *DAY)):
        answer = at_work.run(*words)
        assert answer.code == 0
        assert answer.out.strip()


def test_attachments_are_exported_as_promised(at_work: Any) -> None:
    path = at_work.folder / "out" / "attachments.csv"
    answer = at_work.run("export", "attachments", path, "--json")
    assert answer.json == {"file": str(path), "rows": 5}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["document_no", "subject_name", "uscc", "method", "grade", "score", "evidence"]
    assert len(rows) == 5
    assert {row["method"] for row in rows} == {"uscc", "none", "natural_person"}
    at_work.shown.append(path.read_text(encoding="utf-8"))


def test_reviews_are_exported_as_promised(at_work: Any) -> None:
    path = at_work.folder / "reviews.csv"
    answer = at_work.run("export", "reviews", path, "--json")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert answer.json["rows"] == len(rows)
    assert list(rows[0]) == ["document_no", "subject_name", "rule_or_reason", "severity", "field", "value", "remedy"]
    assert all(row["remedy"] and row["rule_or_reason"] for row in rows)
    assert {row["severity"] for row in rows} == {"reject", "hold", "review"}
    assert {row["rule_or_reason"] for row in rows} >= {"R01.document_no", "R09.personal_id", "F13"}
    at_work.shown.append(path.read_text(encoding="utf-8"))


def test_a_document_is_explained_whatever_its_brackets(at_work: Any) -> None:
    found = at_work.run("explain", "京工商朝处字[2018] 第1号", "--json")
    assert found.code == 0
    [chain] = found.json
    assert set(chain) >= {
        "kind", "record_id", "record_key", "state", "superseded_by", "delivery", "values", "source", "flags",
        "verdicts", "attachments", "disclosures",
    }  # fmt: skip
    assert chain["state"] == "published"
    assert chain["delivery"]["file"] == "p.csv"
    assert chain["delivery"]["row"] == 2
    assert len(chain["delivery"]["sha256"]) == 64
    [attachment] = chain["attachments"]
    assert (attachment["method"], attachment["uscc"], attachment["register_version"]) == ("uscc", Company(1).uscc, 1)
    [shown] = chain["disclosures"]
    assert (shown["site"], shown["sequence"], shown["reason"]) == ("creditchina", 1, "credit.penalty.2015")
    assert len(shown["manifest_sha256"]) == 64
    for words in ("京工商朝处字〔2018〕第1号", "京工商朝处字（2018）第1号"):
        assert at_work.run("explain", words).code == 0


@pytest.mark.parametrize("unknown", ["京工商朝处字〔2018〕第999号", "", " "])
def test_a_document_that_nobody_sent_ends_with_one(at_work: Any, unknown: str) -> None:
    answer = at_work.run("explain", unknown, "--json")
    assert answer.code == 1
    assert answer.json == []


def test_feeds_are_verified_and_applied(at_work: Any) -> None:
    site = at_work.home / "feeds" / "creditchina"
    verified = at_work.run("feeds", "verify", site, "--json")
    assert verified.code == 0
    assert verified.json["ok"] if "ok" in verified.json else verified.json["checks"]
    applied = at_work.run("feeds", "apply", site, "--to", at_work.folder / "client", "--json")
    assert applied.code == 0
    assert applied.json["sequence"] == 1
    spoilt = next((site / "current").glob("*.full.csv"))
    kept = spoilt.read_bytes()
    spoilt.chmod(0o644)
    spoilt.write_bytes(kept + b"x")
    assert at_work.run("feeds", "verify", site).code == 5
    assert at_work.run("feeds", "apply", site, "--to", at_work.folder / "other").code == 5
    spoilt.write_bytes(kept)


def test_an_agency_is_diagnosed_without_its_secrets(at_work: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = at_work.run("diagnose", "aic", "--json")
    assert answer.code == 0
    assert set(answer.json) == {"agency", "names", "streams", "connection", "pulls", "deliveries", "open_items"}
    assert not answer.json["connection"]["ok"]


def test_history_is_not_rewritten(at_work: Any) -> None:
    assert at_work.run("publish", "--site", "creditchina", "--as-of", "2018-08-20").code == 1


def test_a_row_that_cannot_be_accounted_for_ends_with_four(at_work: Any) -> None:
    engine = sa.create_engine(sqlalchemy_url(at_work.database_url))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET rows = rows + 1 WHERE delivery_id = 1"))
    answer = at_work.run("reconcile", "--json")
    assert answer.code == 4
    assert not answer.json["ok"]
    assert at_work.run("reconcile").code == 4
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET rows = rows - 1 WHERE delivery_id = 1"))
    engine.dispose()
    assert at_work.run("reconcile").code == 0


def test_attaching_without_a_register_ends_with_one(new_home: Any, terminal: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("DATABASE_URL", new_home().database_url)
    answer = terminal.run("attach", "--as-of", NEXT_DAY.isoformat())
    assert answer.code == 1
    assert "register" in answer.err


def test_nothing_private_was_shown_or_published(at_work: Any) -> None:
    secret = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v"
    written = [path for path in at_work.home.rglob("*") if path.is_file() and "archive" not in path.parts]
    said = "\n".join([*at_work.shown, *(_text(path) for path in written)])
    for private in (SOMEONE, secret):
        assert private not in said
    published = "\n".join(_text(path) for path in written if "feeds" in path.parts)
    assert PHONE not in published
    assert "仿某某" not in published


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
