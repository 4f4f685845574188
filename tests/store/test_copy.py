"""What goes in by COPY comes out again, whatever text it is."""

from __future__ import annotations

import datetime as dt

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
