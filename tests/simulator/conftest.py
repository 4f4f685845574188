"""One simulator's worth of generated data for all tests of this folder."""

from __future__ import annotations

import pytest

from simulator.population import Population, make_population
from simulator.records import World, make_world

SEED = 7


@pytest.fixture(scope="session")
def population() -> Population:
    return make_population(SEED)


@pytest.fixture(scope="session")
def world(population: Population) -> World:
    return make_world(SEED, population)
