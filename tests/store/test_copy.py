"""What goes in by COPY comes out again, whatever text it is."""

from __future__ import annotations

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


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
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
        copy_in(connection, "attach_remedy", rows)
        connection.rollback()
        assert not connection.scalar(sa.text("SELECT count(*) FROM attach_remedy WHERE reason = 'R'"))


def test_bulk_reading_streams_with_parameters(office: Office) -> None:
    query = "SELECT n, n::text AS text FROM generate_series(1, $1) n"
    batches = list(read_batches(office.bulk_url, query, {"last": 5000}, batch_bytes=16_384))
    assert len(batches) > 1
    assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(1, 5001))


@pytest.mark.parametrize("url", ["sqlite:///x.db", "mysql://somewhere/x"])
def test_one_dialect_everywhere(url: str) -> None:
    with pytest.raises(ValueError, match="PostgreSQL"):
        sqlalchemy_url(url)


def test_a_password_never_stands_in_an_error() -> None:
    engine = sa.create_engine(sqlalchemy_url("postgresql://u:geheim@127.0.0.1:1/x"), hide_parameters=True)
    with pytest.raises(sa.exc.OperationalError) as caught:
        engine.connect()
    assert "geheim" not in str(caught.value)
