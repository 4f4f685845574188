"""Invariant 1: every row received is in exactly one state, and nobody can change one without being seen."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import DAY, NEXT_DAY, SOMEONE, Company, Row, as_csv, legacy_penalty, licence, penalty

from pipeline import reading
from pipeline.ingest import ingest_file
from pipeline.reconcile import reconcile
from store.deliveries import register_delivery
from transforms.columns import Kind

SPOILT: tuple[dict[str, str], ...] = (
    {"CF_XDR_SHXYM": "91110105TE0000001X"},
    {"CF_WSH": ""},
    {"CF_XDR_MC": ""},
    {"CF_JDRQ": "2018-02-30"},
    {"CF_JDRQ": "2031/01/01"},
    {"CF_CFLB": "罚款;训诫"},
    {"CF_NR_FK": "20000"},
    {"CF_NR_FK": "-3"},
    {"CF_NR_FK": "1e30"},
    {"CF_NR_FK": "99999999999999"},
    {"CF_NR_FK": "0.0000001"},
    {"CF_CFJGDM": "91110105TE0000001X"},
    {"CF_SY": f"当事人证件号{SOMEONE}"},
    {"CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": SOMEONE},
    {"CF_NR": "\ufeff\u200b罚款人民币20000元\u202e"},
    {"CF_WSH": "未编号"},
    {"CF_WSH": "京工商朝处字[2018]第9号'; DROP TABLE penalty; --"},
)


def _delivery(rng: random.Random) -> bytes:
    """Good, spoilt, repeated, conflicting and damaged rows in any order."""
    rows: list[Row] = []
    for _ in range(rng.randint(1, 14)):
        row = penalty(rng.randint(1, 12))
        if rng.random() < 0.5:
            row |= rng.choice(SPOILT)
        if rng.random() < 0.2:
            row["CF_NR"] = "罚款人民币20000元, 另行改正"
        rows += [row] * rng.choice((1, 1, 1, 2))
    rng.shuffle(rows)
    damaged = [
        rng.choice(("只有一个字段", "a,b", f"{SOMEONE}," * 3, ",".join(["x"] * 40)))
        for _ in range(rng.choice((0, 0, 1, 3)))
    ]
    return as_csv(rows, extra_lines=damaged)


@pytest.mark.parametrize("seed", range(2))
def test_rows_received_are_rows_accounted_for(known: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(reading, "BATCH_ROWS", rng.choice((2, 5, 25_000)))
    for day in (DAY, DAY, NEXT_DAY):
        content = _delivery(rng)
        taken = known.ingest(content, day)
        assert taken.state == "checked"
        assert taken.rows == sum(taken.row_states.values()) == content.count(b"\n") - 1
    known.attach()
    result = reconcile(known.office)
    assert result.ok, result.findings
    for sums in result.deliveries:
        assert sum(sums.states.values()) == sums.received
    counted = known.query("SELECT sum(unexpected) AS n, (SELECT count(*) FROM verdict) AS m FROM check_result")
    assert counted[0]["n"] == counted[0]["m"]
    stored = known.query("SELECT p::text AS text FROM penalty p UNION ALL SELECT v::text FROM verdict v")
    assert not [row for row in stored if SOMEONE in row["text"]]


def test_how_a_delivery_is_cut_into_batches_changes_nothing(
    new_home: Any, office_of: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest_last = [legacy_penalty(n % 3 + 1, SJC=f"2018-08-{10 + n} 00:00:00", CF_JG=f"罚款{n}元") for n in range(9)]
    path = tmp_path / "d.csv"
    path.write_bytes(as_csv([*newest_last, *newest_last[:4]], extra_lines=["x"]))
    found = []
    for rows in (25_000, 2):
        monkeypatch.setattr(reading, "BATCH_ROWS", rows)
        office = office_of(new_home())
        ingest_file(office, path, agency="aic", kind=Kind.PENALTY, as_of=DAY)
        with office.engine.connect() as connection:
            found.append(
                connection.exec_driver_sql(
                    "SELECT p.row_no, p.state, p.content_hash, s.row_no FROM penalty p"
                    " LEFT JOIN penalty s ON s.record_id = p.superseded_by ORDER BY p.row_no"
                ).all()
            )
    assert found[0] == found[1]
    assert Counter(row.state for row in found[0]) == {"superseded": 6, "accepted": 3, "duplicate": 4, "returned": 1}
    assert all(row[3] for row in found[0] if row.state in ("superseded", "duplicate"))


TAMPERED = {
    "a row is gone": "DELETE FROM penalty WHERE row_no = 2",
    "a row came from nowhere": "INSERT INTO penalty (record_id, delivery_id, file_ordinal, row_no, agency, sheet,"
    " as_of, state) SELECT 99999, delivery_id, 0, 77, agency, sheet, as_of, 'accepted' FROM delivery LIMIT 1",
    "a verdict is gone": "DELETE FROM verdict WHERE severity = 'reject'",
    "a warning is gone": "DELETE FROM verdict WHERE severity = 'warn'",
    "a verdict came from nowhere": "INSERT INTO verdict SELECT record_id, 'R99.x', 'R99', 'warn', 'f', '', '', '', ''"
    " FROM penalty WHERE row_no = 2",
    "a returned row was let through": "UPDATE penalty SET state = 'accepted' WHERE state = 'returned'",
    "a good row was put aside": "UPDATE penalty SET state = 'returned' WHERE row_no = 2",
    "a row gave way to nothing": "UPDATE penalty SET state = 'superseded' WHERE row_no = 2",
    "a row has a state of its own": "UPDATE penalty SET state = 'lost' WHERE row_no = 2",
    "the ledger says another number": "UPDATE delivery SET rows = rows + 1",
    "the ledger forgot a file's rows": "UPDATE delivery_file SET rows = rows - 1",
    "the count of a rule was changed": "UPDATE check_result SET unexpected = unexpected + 1"
    " WHERE expectation = 'R01.document_no'",
    "the delivery was never read": "UPDATE delivery SET state = 'archived'",
}


def test_whoever_tampers_is_seen(known: Any) -> None:
    spoilt = [penalty(1), penalty(2, CF_WSH=""), penalty(3), penalty(4, CF_CFJGDM="12110000TE0000010T")]
    known.ingest(spoilt)
    assert reconcile(known.office).ok
    unseen = []
    for name, statement in TAMPERED.items():
        kept = [known.query(f"SELECT * FROM {table}") for table in ("penalty", "verdict")]
        with known.office.engine.connect() as connection:
            transaction = connection.begin()
            assert connection.execute(sa.text(statement)).rowcount, name
            if reconcile(_Within(connection)).ok:  # type: ignore[arg-type]
                unseen.append(name)
            transaction.rollback()
        assert kept == [known.query(f"SELECT * FROM {table}") for table in ("penalty", "verdict")]
    assert unseen == []


class _Within:
    """An office whose connections are one that has an open transaction."""

    def __init__(self, connection: Any) -> None:
        self.engine = self
        self._connection = connection

    def connect(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self._connection

    def __exit__(self, *_: object) -> None:
        return None


def test_a_delivery_that_was_archived_and_not_read_is_named(known: Any) -> None:
    stored = known.office.archive.put(_file(known, as_csv([penalty(1)])), "left.csv")
    with known.office.engine.begin() as connection:
        delivery_id, _ = register_delivery(
            connection, agency="aic", kind=Kind.PENALTY, as_of=DAY, files=[("left.csv", stored.sha256, stored.size)]
        )
    result = reconcile(known.office)
    assert [finding for finding in result.findings if f"delivery {delivery_id}" in finding and "archived" in finding]


def _file(desk: Any, content: bytes) -> Any:
    path = desk.folder / "left.csv"
    path.write_bytes(content)
    return path


def test_licences_are_accounted_for_too(known: Any) -> None:
    rows = [licence(1), licence(2, XK_YXQZ="2024/01/01"), licence(3, XK_ZT="2"), licence(1), licence(4, XK_WSH="")]
    taken = known.ingest(rows, DAY, Kind.LICENCE)
    known.attach()
    assert taken.rows == 5
    assert reconcile(known.office).ok
    assert known.states(taken.delivery_id)[5] == "duplicate"


def test_nothing_was_received_of_a_refused_delivery(known: Any) -> None:
    taken = known.ingest(b"<!DOCTYPE html><html><body>login</body></html>")
    assert (taken.state, taken.rows) == ("refused", 0)
    assert reconcile(known.office).ok
    assert known.query("SELECT count(*) AS n FROM penalty") == [{"n": 0}]
    assert known.query("SELECT rule, severity FROM problem") == [{"rule": "F02", "severity": "refuse"}]


def test_money_and_days_are_never_invented(known: Any) -> None:
    rows = [
        penalty(1, CF_NR_FK="1e30"),
        penalty(2, CF_NR_FK=""),
        penalty(3, CF_JDRQ="1900-01-01"),
        penalty(4, CF_NR_FK="0.123456"),
    ]
    known.ingest(rows)
    stored = known.query("SELECT fine_amount, decision_date FROM penalty ORDER BY row_no")
    assert [str(row["fine_amount"]) for row in stored] == ["None", "None", "2.000000", "0.123456"]
    assert stored[2]["decision_date"] is None
    assert stored[0]["decision_date"] == dt.date(2018, 8, 1)


def test_subjects_that_share_a_document_are_two_records(known: Any) -> None:
    taken = known.ingest([penalty(1), penalty(1, Company(2), CF_XDR_MC=Company(2).name)])
    assert dict(taken.row_states) == {"accepted": 2}
