"""The register made ready for look-up by every key, kept as a file per version of the register.

Whatever is attached or compared reads the same index, and the register changes once a day at the most: it is built when
a register is loaded. The file is a copy that may be deleted at any time; who finds none builds it. Its name says what
it was made of, the load and the code, so that no other register is ever taken for it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from pipeline.engine import Engine, EngineFailed, to_query
from pipeline.office import Office
from pipeline.register_faults import IndexSuspect, NoRegister
from store import register_versions, runs
from store.bulk import read_batches
from transforms import attach, former_names, names
from transforms.attach import Index, index_register
from transforms.columns import TEXT

_ENTERPRISES: Final = """
SELECT e.uscc, substr(e.uscc, 9, 9) AS org_code, e.regno, e.name_key, e.to_version IS NULL AS holds,
       e.to_version IS NOT NULL AND c.uscc IS NULL AS closed, nullif(e.former_names, '') AS former_names
FROM enterprise e LEFT JOIN enterprise c ON e.to_version IS NOT NULL AND c.uscc = e.uscc AND c.to_version IS NULL
"""
_HELD: Final = pa.schema(
    [
        ("uscc", TEXT), ("org_code", TEXT), ("regno", TEXT), ("name_key", TEXT), ("current", pa.bool_()),
        ("closed", pa.bool_()),
    ]
)  # fmt: skip
_REGISTER: Final = pa.schema([("uscc", TEXT), ("org_code", TEXT), ("regno", TEXT), ("closed", pa.bool_())])
_NAMES: Final = pa.schema([("uscc", TEXT), ("name_key", TEXT), ("current", pa.bool_()), ("closed", pa.bool_())])
_MADE_BY: Final = (Path(__file__), Path(attach.__file__), Path(names.__file__), Path(former_names.__file__))


@contextlib.contextmanager
def open_index(office: Office, engine: Engine, connection: sa.Connection) -> Iterator[tuple[int, Index]]:
    """Give an engine the index of the newest register, building it where no file of it is here.

    Gives the version of the register and the tables of its index. ``connection`` keeps the register still. Raises
    ``NoRegister`` when no register is loaded, and ``IndexSuspect`` in place of what an engine raises meanwhile.
    """
    version, file = _newest(office, connection)
    index, queries = _plan()
    tables = [name for name, _ in queries]
    if not file.exists():
        _build(office, file)
    try:
        engine.borrow(file, tables)
        yield version, index
    except EngineFailed as failure:
        file.unlink(missing_ok=True)
        raise IndexSuspect(
            f"the copy of the register in {file} may be damaged and was removed; nothing was stored; run the step again"
            f" and it is built anew ({failure})"
        ) from failure


def build_index(office: Office) -> None:
    """Build the index of the newest register, for those who will ask for it. Raises ``NoRegister``."""
    with office.engine.begin() as connection:
        runs.hold_still(connection, "register")
        _build(office, _newest(office, connection)[1])


def _newest(office: Office, connection: sa.Connection) -> tuple[int, Path]:
    """Return the version of the newest register, and where its index is or is to be."""
    newest = register_versions.newest(connection)
    if newest is None:
        raise NoRegister("no register is loaded: run `disclosure register load FILE` first")
    made_of = [newest.register_version, newest.sha256, newest.loaded_at.isoformat(), _code()]
    name = hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]
    return newest.register_version, office.settings.register_index / f"{name}.duckdb"


def _build(office: Office, file: Path) -> None:
    """Build beside, then put in place in one step; files of registers before it go."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=office.scratch(), prefix="index-") as scratch:
        made = Path(scratch, file.name)
        with Engine(Path(scratch)) as engine:
            _load_register(office, engine)
            _, queries = _plan()
            for name, query in queries:
                engine.keep_answer(name, query)
            engine.lend(made, [name for name, _ in queries])
        made.replace(file)
    for older in file.parent.glob("*.duckdb"):
        if older != file:
            older.unlink(missing_ok=True)


@functools.cache
def _plan() -> tuple[Index, tuple[tuple[str, str], ...]]:
    """The tables of the index, and by name the queries that build them, in their order: schemas say all."""
    written: list[tuple[str, str]] = []

    def write(name: str, expression: ir.Table) -> ir.Table:
        written.append((name, to_query(expression)))
        return ibis.table(expression.schema(), name=name)

    register, borne = (
        ibis.table(ibis.Schema.from_pyarrow(schema), name=name)
        for name, schema in (("register", _REGISTER), ("names", _NAMES))
    )
    return index_register(register, borne, write), tuple(written)


@functools.cache
def _code() -> str:
    """Say which code makes an index: another one might make another index of the same register."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in _MADE_BY)).hexdigest()


def _load_register(office: Office, engine: Engine) -> None:
    """Load what ``index_register`` needs: codes of every enterprise that is or was, and every name it bore.

    The register holds valid codes only, so that characters 9 to 17 are the organisation code.
    """
    former: list[pa.RecordBatch] = []

    def held() -> Iterator[pa.RecordBatch]:
        for batch in read_batches(office.bulk_url, _ENTERPRISES):
            renamed = batch.filter(pc.is_valid(batch.column("former_names")))
            former.append(_former_names(renamed))
            yield pa.RecordBatch.from_arrays(batch.columns[: len(_HELD)], schema=_HELD)

    enterprises = engine.load("held_enterprises", _HELD, held())
    borne = engine.load("former_names", _NAMES, former)
    engine.keep_view("register", enterprises.select(*_REGISTER.names))
    engine.keep_view("names", enterprises.select(*_NAMES.names).union(borne))


def _former_names(renamed: pa.RecordBatch) -> pa.RecordBatch:
    listed = former_names.split(renamed.column("former_names"))
    holders = pc.list_parent_indices(listed)
    keys = names.name_key(pc.list_flatten(listed))
    named = pc.and_(pc.is_valid(keys), pc.not_equal(keys, ""))
    never = pa.repeat(pa.scalar(False), len(keys))
    columns = [renamed.column("uscc").take(holders), keys, never, renamed.column("closed").take(holders)]
    return pa.RecordBatch.from_arrays(columns, schema=_NAMES).filter(pc.fill_null(named, False))
