"""The agencies' rows as files that can be taken in by hand, without serving anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.descriptor import load_agency
from simulator.desks import writer_of
from simulator.dialect import as_source_writes
from simulator.population import Population, write_register_of
from simulator.records import World


def write_files(home: Path, population: Population, world: World, agencies: Sequence[str]) -> list[str]:
    """Write ``<agency>/<stream>_<day>.<csv or xlsx>`` per stream and day, the register of each day and ``truth.csv``.

    Workbooks stay workbooks; what an agency does not deliver as a file is written as CSV, under the columns and in
    the encoding that its stream uses. Returns the names below the home, in their order.
    """
    home.mkdir(parents=True, exist_ok=True)
    names = [write_register_of(population, day, home).name for day in world.days]
    for agency in agencies:
        (home / agency).mkdir(exist_ok=True)
        for stream in load_agency(agency).streams:
            for day in world.days:
                if rows := [as_source_writes(row, stream) for row in world.rows[agency, stream.id, day]]:
                    suffix = "xlsx" if stream.format.type == "xlsx" else "csv"
                    names.append(f"{agency}/{stream.id}_{day:%Y%m%d}.{suffix}")
                    (home / names[-1]).write_bytes(writer_of(stream)(rows))
    world.write_truth(home / "truth.csv", world.days)
    return [*sorted(names), "truth.csv"]
