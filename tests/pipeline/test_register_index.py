"""The register made ready for look-up: a copy that is never believed where the register says something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import NEXT_DAY, Company, penalty, registered

from pipeline.engine import Engine
from pipeline.office import Office
from pipeline.register_index import build_index, open_index
from store.database import create_database, migrate, open_engine


def files(desk: Any) -> list[Path]:
    return sorted(desk.office.settings.register_index.iterdir())


def methods(desk: Any, *numbers: int) -> dict[str, int]:
    rows = [penalty(n, CF_XDR_SHXYM=Company(n).uscc, CF_XDR_MC=Company(n).name) for n in numbers]
    desk.ingest(rows)
    return desk.attach()  # type: ignore[no-any-return]


def test_a_load_leaves_one_file_and_the_next_load_another(desk: Any) -> None:
    desk.register([registered(Company(1))])
    [first] = files(desk)
    assert methods(desk, 1, 2) == {"none": 1, "uscc": 1}
    assert files(desk) == [first]
    desk.register([registered(Company(2))], NEXT_DAY, "changes")
    [second] = files(desk)
    assert second != first
    assert desk.attach(NEXT_DAY) == {"uscc": 1}


@pytest.mark.parametrize("content", [None, b"", b"not a database"])
def test_a_file_that_is_gone_or_damaged_is_built_anew(desk: Any, content: bytes | None) -> None:
    desk.register([registered(Company(1))])
    [file] = files(desk)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert methods(desk, 1, 2) == {"none": 1, "uscc": 1}
    assert files(desk) == [file]
    assert file.stat().st_size > 1_000


def test_a_database_made_anew_beside_the_old_file_is_not_told_of_the_old_register(
    desk: Any, desk_of: Callable[[Office], Any]
) -> None:
    """The same bytes loaded under the same number: only the moment tells the two registers apart."""
    desk.register([registered(Company(1))], name="register.csv")
    desk.change("UPDATE enterprise SET uscc = :other", other=Company(3).uscc)
    engine = open_engine(create_database(desk.office.bulk_url, "made_anew"))
    migrate(engine)
    anew = desk_of(Office(desk.office.settings, engine))
    [of_the_old] = files(desk)
    anew.register([registered(Company(1))], name="register.csv")
    assert files(anew) != [of_the_old]
    assert methods(anew, 1) == {"uscc": 1}
    engine.dispose()


def test_no_index_is_built_while_a_load_is_under_way(desk: Any) -> None:
    """It would hold the rows of the load that is coming under the name of the one before."""
    desk.register([registered(Company(1))])
    [file] = files(desk)
    file.unlink()
    with ThreadPoolExecutor(1) as beside, desk.office.engine.begin() as loading:
        loading.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('register'))"))
        building = beside.submit(build_index, desk.office)
        with pytest.raises(TimeoutError):
            building.result(timeout=0.5)
        assert not files(desk)
        loading.commit()
        building.result()
    assert files(desk) == [file]


def test_readers_share_the_file_while_it_is_replaced(desk: Any) -> None:
    """Who began with the register of before goes on with it."""
    desk.register([registered(Company(1))])
    with (
        Engine(desk.folder) as one,
        Engine(desk.folder) as another,
        desk.office.engine.connect() as connection,
    ):
        version, index = open_index(desk.office, one, connection)
        assert open_index(desk.office, another, connection)[0] == version == 1
        connection.rollback()
        desk.register([registered(Company(2))], NEXT_DAY)
        assert one.answer(index.enterprises).column("uscc").to_pylist() == [Company(1).uscc]
        assert another.answer(index.names).num_rows == 1
