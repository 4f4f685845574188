"""Load the enterprise register (企业登记主数据) as versions, so that every attachment can name the one it used.

A full set says who is registered: whoever is absent is closed. A change set replaces the rows it holds. Nothing is
overwritten: an enterprise has one row per span of versions in which it stood unchanged.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from connectors.beside import Beside
from connectors.descriptor import Limit
from connectors.formats.reader import TextTable, open_table
from pipeline.journal import journaled
from pipeline.masking import masked
from pipeline.office import Office
from pipeline.register_index import build_index
from store import register_versions, retention, runs
from store.bulk import copy_in
from store.runs import Step
from store.schema import register_version
from store.typed_text import masked_name
from transforms import dates, identifiers, names, sentinels
from transforms.problems import DeliveryRefused, Problem

COLUMNS: Final = {
    "UNISCID": "uscc",
    "ENTNAME": "name",
    "REGNO": "regno",
    "LEREP": "legal_rep",
    "DOM": "address",
    "ESTDATE": "established",
    "REGSTATE": "reg_state",
    "HISTNAMES": "former_names",
}
"""Columns of a register file; the first two are required in the header and in every row."""

Mode = Literal["full", "changes"]
Late = Literal["refuse", "leave", "load"]
"""What becomes of a set that speaks of a day before that of the newest version."""

_INCOMING: Final = """
CREATE TEMP TABLE incoming (
    uscc text, name text, name_key text, former_names text, regno text, legal_rep text, address text,
    established date, reg_state text, row_no bigint
) ON COMMIT DROP
"""
_REFUSED: Final = "CREATE TEMP TABLE refused (uscc text, name_key text, regno text) ON COMMIT DROP"
_KNOWN_BY: Final = pa.schema([("uscc", pa.string()), ("name_key", pa.string()), ("regno", pa.string())])
_SAME: Final = (
    "(e.name, e.former_names, e.regno, e.legal_rep, e.address, e.established, e.reg_state)"
    " IS NOT DISTINCT FROM (i.name, i.former_names, i.regno, i.legal_rep, i.address, i.established, i.reg_state)"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did; ``register_version`` is the version that now holds.

    The counts are those of the file's own load, which made an older version where it was loaded before and another
    followed; they are 0 where it came late and was left alone.
    """

    register_version: int
    rows: int
    added: int
    changed: int
    closed: int
    refused: int
    already_loaded: bool
    problems: tuple[Problem, ...]


class RegisterSuspect(Exception):
    """A full set that would close more enterprises than is usual: nothing of it was loaded."""


def load_register(
    office: Office,
    path: Path,
    *,
    as_of: dt.date,
    mode: Mode = "full",
    may_close: Limit | None = None,
    late: Late = "refuse",
) -> Loaded:
    """Load one register file.

    The bytes go to the raw archive first. Rows without a valid USCC or a name, and codes that stand twice with
    different content, are refused one by one and reported; what is known of an enterprise whose row was refused stays,
    whether the row names it by its code, its name or its registration number.
    Loading the newest version's file again does nothing, and so does loading any file again for its day. A set of a day
    before that of the newest version would undo what is known since: it is refused, left alone with a problem in the
    answer, or loaded all the same and if need be again, as ``late`` says.
    Raises ``DeliveryRefused`` when the file as a whole cannot be read or is refused as late, ``RegisterSuspect`` when a
    full set would close more enterprises than ``may_close``; by hand there is no such limit.
    """
    with journaled(office), office.engine.begin() as connection:
        runs.hold_still(connection, retention.LOCK)
        file = masked_name(path.name)
        stored = office.archive.put(path, file)
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('register'))"))
        newest = register_versions.newest(connection)
        known = None if newest is None else _loaded_before(connection, newest, stored.sha256, mode, as_of)
        if newest is not None and known is not None and (late != "load" or known == newest):
            return Loaded(
                newest.register_version, known.rows, known.added, known.changed, known.closed, known.refused,
                already_loaded=True, problems=(),
            )  # fmt: skip
        if newest is not None and as_of < newest.as_of and late != "load":
            problem = _came_late(file, as_of, newest)
            if late == "refuse":
                raise DeliveryRefused(problem)
            return Loaded(newest.register_version, 0, 0, 0, 0, 0, already_loaded=False, problems=(problem,))
        connection.execute(sa.text(_INCOMING))
        connection.execute(sa.text(_REFUSED))
        problems: list[Problem] = []
        try:
            table = open_table(office.archive.open(stored.sha256), file=file)
            _require_columns(table, file)
            with contextlib.closing(Beside(functools.partial(_write, connection))) as writing:
                for batch in table.batches():
                    writing.give(_read(batch, file, problems))
                writing.settle()
        except DeliveryRefused as refusal:
            raise DeliveryRefused(*masked([refusal.problem])) from None
        problems += table.problems
        problems += _refuse_conflicting(connection, file)
        refused = len({problem.row for problem in problems if problem.severity == "reject"})
        version = connection.execute(
            sa.insert(register_version)
            .values(
                mode=mode, as_of=as_of, sha256=stored.sha256, file=file, rows=table.rows,
                added=0, changed=0, closed=0, refused=refused,
            )
            .returning(register_version.c.register_version)
        ).scalar_one()  # fmt: skip
        counts = _merge(connection, version, mode)
        if may_close is not None:
            _require_few_closed(connection, counts["closed"], may_close, file)
        connection.execute(
            sa.update(register_version).where(register_version.c.register_version == version).values(**counts)
        )
        runs.enter(connection, Step.REGISTER, as_of, register_version=version)
    with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE enterprise"))
    build_index(office)
    return Loaded(version, table.rows, **counts, refused=refused, already_loaded=False, problems=masked(problems))


def _require_few_closed(connection: sa.Connection, closed: int, may_close: Limit, file: str) -> None:
    if closed <= may_close.rows:
        return
    current = connection.scalar(sa.text("SELECT count(*) FROM enterprise WHERE to_version IS NULL")) or 0
    most = may_close.most(current + closed)
    if closed > most:
        raise RegisterSuspect(
            f"{file}: {closed} enterprises of the register are missing from this full set, the limit is {most}: ask the"
            " registrar; if they are really gone, load the file by hand (disclosure register load)"
        )


def _write(connection: sa.Connection, read: tuple[pa.Table, pa.Table]) -> None:
    rows, known_by = read
    copy_in(connection, "incoming", rows)
    copy_in(connection, "refused", known_by)


def _loaded_before(
    connection: sa.Connection, newest: sa.Row[Any], sha256: str, mode: Mode, as_of: dt.date
) -> sa.Row[Any] | None:
    """Find the version that the file made: the newest, or an older one of the same day that holds no more."""
    if (newest.sha256, newest.mode) == (sha256, mode):
        return newest
    same = (register_version.c.sha256 == sha256, register_version.c.mode == mode, register_version.c.as_of == as_of)
    newest_first = sa.select(register_version).order_by(register_version.c.register_version.desc())
    return connection.execute(newest_first.where(*same).limit(1)).one_or_none()


def _came_late(file: str, as_of: dt.date, newest: sa.Row[Any]) -> Problem:
    return Problem(
        rule="G05",
        severity="refuse",
        message=f"登记主数据是 {as_of} 的, 早于现行第 {newest.register_version} 版的 {newest.as_of}, 未装载",
        remedy="请向登记机关索取现行数据; 确需退回该日数据的, 由人工装载: disclosure register load --late。",
        file=file,
    )


def _require_columns(table: TextTable, file: str) -> None:
    missing = [name for name in ("UNISCID", "ENTNAME") if name not in table.header]
    if missing:
        raise DeliveryRefused(
            Problem(
                rule="G01",
                severity="refuse",
                message=f"登记主数据缺少必需的列: {'、'.join(missing)}",
                remedy=f"首行须为列名: {', '.join(COLUMNS)}。",
                file=file,
                row=1,
            )
        )


def _read(batch: pa.RecordBatch, file: str, problems: list[Problem]) -> tuple[pa.Table, pa.Table]:
    """Return the usable rows of a batch, and what those that are not say of whose rows they are."""
    texts = {
        target: sentinels.missing_to_null(batch.column(code))
        if code in batch.schema.names
        else pa.nulls(batch.num_rows, pa.string())
        for code, target in COLUMNS.items()
    }
    uscc = identifiers.normalise_code(texts["uscc"])
    valid = pc.fill_null(identifiers.uscc_valid(uscc), False)
    usable = pc.and_(valid, pc.is_valid(texts["name"]))
    established, _ = dates.parse_days(texts["established"])
    display = names.display_name(texts["name"])
    read = pa.table(
        {
            "uscc": uscc,
            "name": display,
            "name_key": names.name_key(display),
            "former_names": texts["former_names"],
            "regno": identifiers.normalise_code(texts["regno"]),
            "legal_rep": texts["legal_rep"],
            "address": texts["address"],
            "established": established,
            "reg_state": texts["reg_state"],
            "row_no": batch.column("row_no"),
        }
    )
    problems.extend(_unusable(read.filter(pc.invert(usable)), batch, identifiers.uscc_finding(uscc), usable, file))
    known_by = read.set_column(0, "uscc", pc.if_else(valid, uscc, None)).filter(pc.invert(usable))
    return read.filter(usable), known_by.select(_KNOWN_BY.names)


def _unusable(
    rows: pa.Table, batch: pa.RecordBatch, finding: pa.Array, usable: pa.Array, file: str
) -> Iterator[Problem]:
    raw = batch.column("UNISCID").filter(pc.invert(usable)).to_pylist()
    findings = finding.filter(pc.invert(usable)).to_pylist()
    for row_no, name, text, found in zip(
        rows["row_no"].to_pylist(), rows["name"].to_pylist(), raw, findings, strict=True
    ):
        wrong_code = found is not None or text is None
        yield Problem(
            rule="G02" if wrong_code else "G03",
            severity="reject",
            message="统一社会信用代码缺失或不正确" if wrong_code else "企业名称缺失",
            remedy="请向登记机关核对后重报该行; 该行未入库, 其余各行不受影响。",
            file=file,
            row=row_no,
            field="UNISCID" if wrong_code else "ENTNAME",
            value=(text or "") if wrong_code else (name or ""),
        )


def _refuse_conflicting(connection: sa.Connection, file: str) -> list[Problem]:
    """Drop exact repeats; refuse every row of a code that stands twice with different content."""
    repeated = (
        connection.execute(sa.text("SELECT uscc FROM incoming GROUP BY uscc HAVING count(*) > 1")).scalars().all()
    )
    if not repeated:
        return []
    connection.execute(
        sa.text(
            "DELETE FROM incoming a USING incoming b WHERE a.uscc = b.uscc AND a.row_no > b.row_no"
            " AND a.uscc = ANY(:repeated) AND"
            " (a.name, a.former_names, a.regno, a.legal_rep, a.address, a.established, a.reg_state)"
            " IS NOT DISTINCT FROM"
            " (b.name, b.former_names, b.regno, b.legal_rep, b.address, b.established, b.reg_state)"
        ),
        {"repeated": repeated},
    )
    conflicting = connection.execute(
        sa.text(
            "DELETE FROM incoming WHERE uscc IN (SELECT uscc FROM incoming GROUP BY uscc HAVING count(*) > 1)"
            " RETURNING row_no, uscc, name_key, regno"
        )
    ).all()
    known_by = [{name: getattr(row, name) for name in _KNOWN_BY.names} for row in conflicting]
    copy_in(connection, "refused", pa.Table.from_pylist(known_by, schema=_KNOWN_BY))
    return [
        Problem(
            rule="G04",
            severity="reject",
            message="同一统一社会信用代码出现多行, 内容不同",
            remedy="请向登记机关核对后只保留正确的一行。",
            file=file,
            row=row_no,
            field="UNISCID",
            value=uscc,
        )
        for row_no, uscc in sorted((row.row_no, row.uscc) for row in conflicting)
    ]


def _merge(connection: sa.Connection, version: int, mode: Mode) -> dict[str, int]:
    parameters = {"version": version}
    connection.execute(sa.text("ANALYZE incoming"))
    closed = 0
    if mode == "full":
        closed = connection.execute(
            sa.text(
                "UPDATE enterprise e SET to_version = :version WHERE to_version IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM incoming i WHERE i.uscc = e.uscc)"
                " AND NOT EXISTS (SELECT 1 FROM refused r WHERE r.uscc = e.uscc)"
                " AND NOT EXISTS (SELECT 1 FROM refused r WHERE r.name_key = e.name_key)"
                " AND NOT EXISTS (SELECT 1 FROM refused r WHERE r.regno = e.regno)"
            ),
            parameters,
        ).rowcount
    changed = connection.execute(
        sa.text(
            "UPDATE enterprise e SET to_version = :version FROM incoming i"  # noqa: S608 (own constant)
            f" WHERE e.uscc = i.uscc AND e.to_version IS NULL AND NOT ({_SAME})"
        ),
        parameters,
    ).rowcount
    inserted = connection.execute(
        sa.text(
            "INSERT INTO enterprise (uscc, from_version, name, name_key, former_names, regno, legal_rep, address,"
            " established, reg_state) SELECT i.uscc, :version, i.name, i.name_key, i.former_names, i.regno,"
            " i.legal_rep, i.address, i.established, i.reg_state FROM incoming i"
            " WHERE NOT EXISTS (SELECT 1 FROM enterprise e WHERE e.uscc = i.uscc AND e.to_version IS NULL)"
            " ORDER BY i.uscc"
        ),
        parameters,
    ).rowcount
    return {"added": inserted - changed, "changed": changed, "closed": closed}
