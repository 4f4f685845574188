from __future__ import annotations

from pathlib import Path

import pytest

from feeds.release import build_release
from feeds.sites import load_sites
from feeds.twin import Twin
from feeds.verification import verify_release
from tests.feeds.conftest import DAY, World
from transforms.columns import Kind

SITES = load_sites()
RELATIONS = {kind: f"shown_{kind}" for kind in Kind}


def _build(world: World, site: str, into: Path, twin: Twin | None = None) -> None:
    build_release(
        world.database,
        site=SITES[site],
        relations=RELATIONS,
        withdrawals="withdrawal",
        previous=None,
        into=into,
        sequence=1,
        as_of=DAY,
        signer=world.signer,
        twin=twin,
    )


def _files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("first", "second"), [("creditbj", "creditchina"), ("gsxt", "qyxy"), ("creditbj", "gsxt")])
def test_a_release_made_from_a_twin_is_the_release_made_alone(
    world: World, tmp_path: Path, first: str, second: str
) -> None:
    for number in range(5):
        world.put(Kind.PENALTY, f"p{number}")
        world.put(Kind.LICENCE, f"l{number}")
    _build(world, first, tmp_path / "first")
    _build(world, second, tmp_path / "alone")
    twin = Twin(SITES[first], tmp_path / "first", frozenset(Kind))
    _build(world, second, tmp_path / "together", twin)
    assert _files(tmp_path / "together") == _files(tmp_path / "alone")
    assert verify_release(tmp_path / "together", deep=True).ok


def test_only_kinds_with_the_same_rows_are_taken_from_a_twin(world: World, tmp_path: Path) -> None:
    world.put(Kind.PENALTY, "p1")
    _build(world, "creditbj", tmp_path / "first")
    world.put(Kind.PENALTY, "p2")
    twin = Twin(SITES["creditbj"], tmp_path / "first", frozenset({Kind.LICENCE}))
    _build(world, "creditchina", tmp_path / "second", twin)
    assert b"p2" in (tmp_path / "second" / "CF.full.csv").read_bytes()
