"""What goes in by COPY comes out again, whatever text it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.office import Office
from store.bulk import copy_in, read_batches
from store.database import sqlalchemy_url

TEXTS = st.lists(
    st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
    | st.sampled_from(["", "\\.", "\\N", "NULL", '"', '""', "a,b", "x\r\ny", "\t", "\\", "'; DROP TABLE delivery; --"]),
    min_size=1, max_size=20,
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_any_text_comes_back_as_it_went_in(office: Office, texts: list[str | None]) -> None:
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE kept (n bigint, text text) ON COMMIT DROP"))
        copy_in(connection, "kept", pa.table({"n": range(len(texts)), "text": pa.array(texts, pa.string())}))
        assert list(connection.scalars(sa.text("SELECT text FROM kept ORDER BY n"))) == texts


NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
SMALL = st.none() | st.integers(-(2**31), 2**31 - 1)
DAYS = st.none() | st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
AMOUNTS = st.none() | st.decimals(1 - 10**12, 10**12 - 1, allow_nan=False, places=6)
RATES = st.none() | st.decimals(-1, 1, allow_nan=False, places=3)
ROWS = st.lists(st.tuples(NUMBERS, SMALL, DAYS, AMOUNTS, RATES, st.none() | st.booleans()), min_size=1, max_size=20)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(0, 5))
def test_any_number_day_and_truth_comes_back_as_it_went_in(office: Office, listed: list[Any], skipped: int) -> None:
    schema = pa.schema(
        [
            ("big", pa.int64()), ("small", pa.int32()), ("day", pa.date32()), ("amount", pa.decimal128(18, 6)),
            ("rate", pa.decimal128(18, 3)), ("said", pa.bool_()),
        ]
    )  # fmt: skip
    columns = [pa.array(values, field.type) for values, field in zip(zip(*listed, strict=True), schema, strict=True)]
    rows = pa.table(columns, schema=schema).append_column("place", pa.array(range(len(listed)))).slice(skipped)
    with office.engine.connect() as connection:
        connection.execute(
            sa.text(
                "CREATE TEMP TABLE kept (place integer, big bigint, small integer, day date, amount numeric(18, 6),"
                " rate numeric(4, 3), said boolean) ON COMMIT DROP"
            )
        )
        copy_in(connection, "kept", rows)
        found = connection.execute(sa.text("SELECT big, small, day, amount, rate, said FROM kept ORDER BY place"))
        assert [tuple(row) for row in found] == listed[skipped:]


def test_json_goes_in_as_text(office: Office) -> None:
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE kept (told json) ON COMMIT DROP"))
        copy_in(connection, "kept", pa.table({"told": ['{"name": "北京"}', None]}))
        assert list(connection.scalars(sa.text("SELECT told FROM kept"))) == [{"name": "北京"}, None]


def test_many_rows_and_long_texts_go_in_by_several_blocks(office: Office) -> None:
    texts = [f"{n}" if n % 400 else "长" * 300_000 for n in range(20_000)]
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE kept (n bigint, text text) ON COMMIT DROP"))
        copy_in(connection, "kept", pa.table({"n": range(len(texts)), "text": texts}))
        assert list(connection.scalars(sa.text("SELECT text FROM kept ORDER BY n"))) == texts


def test_rows_of_nothing_but_null_are_rows(office: Office) -> None:
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE kept (n bigint, text text) ON COMMIT DROP"))
        nothing = pa.table({"n": pa.nulls(3, pa.int64()), "text": pa.nulls(3, pa.string())})
        copy_in(connection, "kept", nothing)
        assert connection.execute(sa.text("SELECT count(*), count(n), count(text) FROM kept")).one() == (3, 0, 0)


def test_no_rows_go_in_as_none(office: Office) -> None:
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE kept (n bigint) ON COMMIT DROP"))
        copy_in(connection, "kept", pa.table({"n": pa.array([], pa.int64())}))
        assert connection.scalar(sa.text("SELECT count(*) FROM kept")) == 0


def test_values_take_the_type_of_their_column(office: Office) -> None:
    with office.engine.connect() as connection:
        connection.execute(
            sa.text("CREATE TEMP TABLE kept (n integer, day date, rate numeric, text text) ON COMMIT DROP")
        )
        copy_in(connection, "kept", pa.table({"n": [7], "day": ["2018-08-21"], "rate": ["0.950"], "text": [1]}))
        found = connection.execute(sa.text("SELECT n, day, rate, text FROM kept")).one()
        assert found == (7, dt.date(2018, 8, 21), Decimal("0.95"), "1")


@pytest.mark.parametrize(
    ("server_type", "value", "error"),
    [
        ("integer", 2**31, pa.ArrowInvalid),
        ("bigint", "12a", pa.ArrowInvalid),
        ("numeric", Decimal("1234567890123456789"), pa.ArrowInvalid),
        ("numeric", "0.0000001", pa.ArrowInvalid),
        ("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", TypeError),
    ],
)
def test_what_does_not_fit_its_column_is_refused_before_anything_is_stored(
    office: Office, server_type: str, value: object, error: type[Exception]
) -> None:
    with office.engine.connect() as connection:
        connection.execute(sa.text(f"CREATE TEMP TABLE kept (thing {server_type})"))
        connection.commit()
        with pytest.raises(error), connection.begin():
            copy_in(connection, "kept", pa.table({"thing": [value]}))
        assert connection.scalar(sa.text("SELECT count(*) FROM kept")) == 0
        connection.rollback()
        connection.execute(sa.text("DROP TABLE kept"))
        connection.commit()


def test_one_column_alone_is_copied_too(office: Office) -> None:
    texts = ["\\.", "", None, "a"]
    with office.engine.connect() as connection:
        connection.execute(sa.text("CREATE TEMP TABLE alone (text text) ON COMMIT DROP"))
        copy_in(connection, "alone", pa.table({"text": pa.array(texts, pa.string())}))
        assert sorted(connection.scalars(sa.text("SELECT coalesce(text, '(null)') FROM alone"))) == [
            "",
            "(null)",
            "\\.",
            "a",
        ]


def test_a_copy_belongs_to_its_transaction(office: Office) -> None:
    rows = pa.table({"reason": ["R"], "remedy": ["x"]})
    with office.engine.connect() as connection:
        with connection.begin() as transaction:
            copy_in(connection, "attach_remedy", rows)
            transaction.rollback()
        assert not connection.scalar(sa.text("SELECT count(*) FROM attach_remedy WHERE reason = 'R'"))


def test_bulk_reading_streams_with_parameters(office: Office) -> None:
    query = "SELECT n, n::text AS text FROM generate_series(1, $1) n"
    batches = list(read_batches(office.bulk_url, query, {"last": 5000}, batch_bytes=16_384))
    assert max(batch.num_rows for batch in batches) < 2_500
    assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(1, 5001))


def test_a_parameter_is_a_value_whatever_stands_in_it(office: Office) -> None:
    wicked = "o'hara \\' $1 '; DROP TABLE delivery; --"
    query = "SELECT $1 AS text, $2::date AS day, $1 = $3 AS same"
    [batch] = read_batches(office.bulk_url, query, {"a": wicked, "b": "2018-08-21", "c": wicked})
    assert batch.to_pylist() == [{"text": wicked, "day": dt.date(2018, 8, 21), "same": True}]


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://somewhere/x"])
def test_one_dialect_everywhere(url: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        sqlalchemy_url(url)


def test_a_password_never_stands_in_an_error() -> None:
    engine = sa.create_engine(sqlalchemy_url("postgresql://u:geheim@127.0.0.1:1/x"), hide_parameters=True)
    with pytest.raises(sa.exc.OperationalError) as caught:
        engine.connect()
    assert "geheim" not in str(caught.value)
