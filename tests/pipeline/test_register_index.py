"""The register made ready for look-up: a copy that is never believed where the register says something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from delivering import NEXT_DAY, Company, penalty, registered

from pipeline.engine import Engine
from pipeline.office import Office
from pipeline.register_faults import IndexSuspect
from pipeline.register_index import build_index, open_index


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


def rows_of_index(desk: Any) -> dict[str, list[str]]:
    with (
        Engine(desk.folder) as engine,
        desk.office.engine.connect() as connection,
        open_index(desk.office, engine, connection) as (_, index),
    ):
        tables = {each.name: getattr(index, each.name) for each in fields(index)}
        return {name: sorted(map(str, engine.answer(table).to_pylist())) for name, table in tables.items()}


def test_a_file_that_is_gone_is_built_by_the_run_that_misses_it(desk: Any) -> None:
    desk.register([registered(Company(1))])
    [file] = files(desk)
    file.unlink()
    assert methods(desk, 1, 2) == {"none": 1, "uscc": 1}
    assert files(desk) == [file]


def test_a_damaged_file_fails_the_run_that_reads_it_and_is_gone_for_the_next(desk: Any) -> None:
    """Whatever is damaged, wherever: the rows read are right, or the run says so and the next try reads them right."""
    desk.register(registered(Company(n), HISTNAMES="仿真旧名有限公司") for n in (1, 2))
    right = rows_of_index(desk)
    assert all(right[name] for name in ("enterprises", "organisations", "numbers", "names", "shared_names"))
    [file] = files(desk)
    whole = file.read_bytes()
    damaged = [b"", b"no database", whole[:5000], whole[: len(whole) // 2], whole[:-1]]
    damaged += [whole[:at] + bytes(64) + whole[at + 64 :] for at in range(0, len(whole), len(whole) // 40)]
    noticed = 0
    for content in damaged:
        file.write_bytes(content)
        try:
            found = rows_of_index(desk)
        except IndexSuspect:
            noticed += 1
            assert not files(desk)
            found = rows_of_index(desk)
        assert found == right
    assert noticed >= 4


def test_a_database_made_anew_beside_the_old_file_is_not_told_of_the_old_register(
    desk: Any, desk_of: Callable[[Office], Any], new_home: Callable[[], Any], office_of: Callable[[Any], Office]
) -> None:
    """The same bytes loaded under the same number: only the moment tells the two registers apart."""
    desk.register([registered(Company(1))], name="register.csv")
    anew = desk_of(Office(desk.office.settings, office_of(new_home()).engine))
    [of_the_old] = files(desk)
    anew.register([registered(Company(1))], name="register.csv")
    assert files(anew) != [of_the_old]
    assert methods(anew, 1) == {"uscc": 1}


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
        open_index(desk.office, one, connection) as (version, index),
        open_index(desk.office, another, connection) as (same_version, _),
    ):
        connection.rollback()
        assert version == same_version == 1
        desk.register([registered(Company(2))], NEXT_DAY)
        assert one.answer(index.enterprises).column("uscc").to_pylist() == [Company(1).uscc]
        assert another.answer(index.names).num_rows == 1
