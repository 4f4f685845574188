"""Rows received, as records: stored by COPY, looked up by their keys, superseded in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from store.bulk import copy_in
from store.schema import RECORDS
from transforms.columns import STANDARD_COLUMNS, Kind
from transforms.natural_keys import NATURAL_KEYS
from transforms.versions import Held


def reserve_ids(connection: sa.Connection, count: int) -> npt.NDArray[np.int64]:
    """Take ``count`` record ids. They come as one value: as rows of the answer, each would cost as much as a record."""
    taken = connection.scalar(
        sa.text("SELECT string_agg(int8send(nextval('record_id_seq')), '') FROM generate_series(1, :n)"), {"n": count}
    )
    return np.frombuffer(taken or b"", dtype=">i8").astype(np.int64)


def any_rows(connection: sa.Connection, kind: Kind) -> bool:
    """Tell whether anything of a kind is held."""
    return connection.execute(sa.select(RECORDS[kind].c.record_id).limit(1)).first() is not None


def drop_key_indexes(connection: sa.Connection, kind: Kind) -> None:
    """Drop the indexes on keys of an empty table: a sort each at the end is cheaper than a descent each per row."""
    for index in _key_indexes(kind):
        index.drop(connection)


def create_key_indexes(connection: sa.Connection, kind: Kind) -> None:
    """Put the indexes back, in the transaction that dropped them."""
    for index in _key_indexes(kind):
        index.create(connection)


def _key_indexes(kind: Kind) -> list[sa.Index]:
    """Those whose keys come in no order."""
    wanted = {f"ix_{kind}_record_key", f"ix_{kind}_document_key"}
    return [index for index in RECORDS[kind].indexes if index.name in wanted]


def held_rows(
    connection: sa.Connection, kind: Kind, record_keys: Sequence[str], *, besides: int
) -> Mapping[str, list[Held]]:
    """Find the rows of these keys that are accepted, in review or returned, by key; delivery ``besides`` left out."""
    found: dict[str, list[Held]] = defaultdict(list)
    rows = connection.execute(
        sa.text(
            "SELECT record_id, record_key, content_hash, updated_at, sheet, as_of, state, status, agency"  # noqa: S608 (own table name)
            f" FROM {RECORDS[kind].name} WHERE record_key = ANY(:keys) AND delivery_id <> :besides"
            " AND state IN ('accepted', 'review', 'returned') ORDER BY record_id"
        ),
        {"keys": list(record_keys), "besides": besides},
    )
    for row in rows:
        found[row.record_key].append(Held(*row))
    return found


def file_names(connection: sa.Connection, kind: Kind, record_ids: Sequence[int], *, agency: str) -> dict[int, str]:
    """Return the name of the file that each of these rows came in, by record_id, of those that ``agency`` delivered."""
    rows = connection.execute(
        sa.text(
            f"SELECT r.record_id, f.name FROM {RECORDS[kind].name} r"  # noqa: S608 (own table name)
            " JOIN delivery_file f ON f.delivery_id = r.delivery_id AND f.ordinal = r.file_ordinal"
            " WHERE r.record_id = ANY(:ids) AND r.agency = :agency"
        ),
        {"ids": list(record_ids), "agency": agency},
    )
    return {row.record_id: row.name for row in rows}


def contents_heard(
    connection: sa.Connection, kind: Kind, record_keys: Sequence[str], *, besides: int
) -> dict[tuple[str, str], bool]:
    """Tell which contents of these keys earlier deliveries brought, and whether each is accepted now."""
    rows = connection.execute(
        sa.text(
            "SELECT record_key, content_hash, bool_or(state = 'accepted')"  # noqa: S608 (own table name)
            f" FROM {RECORDS[kind].name} WHERE record_key = ANY(:keys) AND delivery_id <> :besides"
            " GROUP BY record_key, content_hash"
        ),
        {"keys": list(record_keys), "besides": besides},
    )
    return {(key, content): accepted for key, content, accepted in rows}


@dataclass(frozen=True, slots=True)
class Displaced:
    """Records in force that a delivery gives another content (``changed``) or takes back (``withdrawn``)."""

    changed: int = 0
    withdrawn: int = 0


def count_displaced(connection: sa.Connection, kind: Kind, pairs: Sequence[tuple[int, int]]) -> Displaced:
    """Count what pairs of (older record_id, record_id that holds now) will do, before ``supersede`` does it."""
    if not pairs:
        return Displaced()
    table = RECORDS[kind].name
    row = connection.execute(
        sa.text(
            "SELECT count(DISTINCT new) FILTER (WHERE NOT gone), count(DISTINCT new) FILTER (WHERE gone)"  # noqa: S608
            " FROM (SELECT v.new, coalesce(n.status IN ('withdrawn', 'invalid'), false)"
            " AND coalesce(o.status, '') NOT IN ('withdrawn', 'invalid') AS gone"
            " FROM unnest(CAST(:old AS bigint[]), CAST(:new AS bigint[])) AS v(old, new)"
            f" JOIN {table} o ON o.record_id = v.old JOIN {table} n ON n.record_id = v.new"
            " WHERE o.state = 'accepted' AND n.state = 'accepted') d"
        ),
        {"old": [old for old, _ in pairs], "new": [new for _, new in pairs]},
    ).one()
    return Displaced(*row)


def count_in_force(connection: sa.Connection, kind: Kind, agency: str, *, besides: int) -> int:
    """Count the accepted records of an agency; delivery ``besides`` left out."""
    table = RECORDS[kind]
    query = sa.select(sa.func.count()).where(
        table.c.agency == agency, table.c.state == "accepted", table.c.delivery_id != besides
    )
    return int(connection.scalar(query) or 0)


def supersede(connection: sa.Connection, kind: Kind, pairs: Iterable[tuple[int, int]]) -> None:
    """Mark rows superseded: pairs of (older record_id, record_id that holds now)."""
    listed = list(pairs)
    if not listed:
        return
    connection.execute(
        sa.text(
            f"UPDATE {RECORDS[kind].name} SET state = 'superseded', superseded_by = v.new"  # noqa: S608 (own table name)
            " FROM unnest(CAST(:old AS bigint[]), CAST(:new AS bigint[])) AS v(old, new) WHERE record_id = v.old"
        ),
        {"old": [old for old, _ in listed], "new": [new for _, new in listed]},
    )


def settle_repeats(connection: sa.Connection, kind: Kind, changes: Sequence[tuple[int, str, int | None]]) -> list[int]:
    """Set the state of rows that repeat or contradict another of their delivery: (record_id, state, row that holds).

    Rows that were returned, or already gave way to an earlier delivery, stay as they are. Returns the ids that changed.
    """
    if not changes:
        return []
    return list(
        connection.scalars(
            sa.text(
                f"UPDATE {RECORDS[kind].name} SET state = v.state, superseded_by = v.holds"  # noqa: S608
                " FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:holds AS bigint[]))"
                " AS v(id, state, holds)"
                f" WHERE record_id = v.id AND {RECORDS[kind].name}.state IN ('accepted', 'review') RETURNING record_id"
            ),
            {
                "ids": [record_id for record_id, _, _ in changes],
                "states": [state for _, state, _ in changes],
                "holds": [holds for _, _, holds in changes],
            },
        )
    )


def rows_by_id(connection: sa.Connection, kind: Kind, record_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """Return what tells versions apart, code of the subject, sheet, file and natural key of rows by id, in order."""
    if not record_ids:
        return []
    table = RECORDS[kind]
    told = ("record_id", "record_key", "content_hash", "updated_at", "uscc", "sheet", "file_ordinal")
    columns = (*told, *sorted(NATURAL_KEYS[kind].columns))
    wanted = sa.bindparam("ids", list(record_ids), type_=sa.ARRAY(sa.BigInteger))
    query = sa.select(*(table.c[name] for name in columns)).where(table.c.record_id == sa.any_(wanted))
    found: dict[int, Mapping[str, Any]] = {row["record_id"]: dict(row) for row in connection.execute(query).mappings()}
    return [found[record_id] for record_id in record_ids]


def standard_values(connection: sa.Connection, kind: Kind, record_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return every standard column of the rows with these ids."""
    table = RECORDS[kind]
    wanted = sa.bindparam("ids", list(record_ids), type_=sa.ARRAY(sa.BigInteger))
    columns = [table.c[name] for name in ("record_id", *STANDARD_COLUMNS[kind])]
    rows = connection.execute(sa.select(*columns).where(table.c.record_id == sa.any_(wanted))).mappings()
    return {row["record_id"]: dict(row) for row in rows}


def store_verdicts(connection: sa.Connection, verdicts: pa.Table) -> None:
    """Append verdicts."""
    if verdicts.num_rows:
        copy_in(connection, "verdict", verdicts)


def store_rows(connection: sa.Connection, kind: Kind, records: pa.Table, verdicts: pa.Table) -> None:
    """Append records and the verdicts about them."""
    copy_in(connection, RECORDS[kind].name, records)
    store_verdicts(connection, verdicts)


def counts_of_delivery(
    connection: sa.Connection, kind: Kind, delivery_id: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Count the rows received of a delivery as they are stored, by state, and the verdicts about them, by expectation.

    The rows are read once. Their ids stand close together, and only verdicts between the first and the last are looked
    at: all at once, not a look-up for each row, which a server would choose that does not know yet how many there are.
    """
    connection.execute(sa.text("SET LOCAL enable_nestloop = off"))
    counted = connection.execute(
        sa.text(
            "WITH received AS MATERIALIZED ("  # noqa: S608 (own table name)
            f"  SELECT record_id, state FROM {RECORDS[kind].name} WHERE delivery_id = :delivery AND corrects IS NULL"
            ") SELECT 'rows' AS what, state AS name, count(*) AS number FROM received GROUP BY state"
            " UNION ALL SELECT 'verdicts', v.expectation, count(*) FROM verdict v JOIN received USING (record_id)"
            " WHERE v.record_id BETWEEN (SELECT min(record_id) FROM received) AND (SELECT max(record_id) FROM received)"
            " GROUP BY v.expectation ORDER BY what, name"
        ),
        {"delivery": delivery_id},
    ).all()
    connection.execute(sa.text("SET LOCAL enable_nestloop = on"))
    rows, verdicts = ({row.name: row.number for row in counted if row.what == what} for what in ("rows", "verdicts"))
    return rows, verdicts
