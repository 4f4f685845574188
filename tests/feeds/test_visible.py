"""A release is seen whole or not at all, also when the process that makes it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import World

from feeds.release import ReleaseError
from feeds.sites import Site
from feeds.verification import verify_release
from feeds.visible import (
    SequenceTakenError,
    building_directory,
    current_release,
    discard_unfinished,
    make_visible,
    release_directory,
)
from transforms.columns import Kind


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_nothing_is_current_before_the_first_release(world: World, creditchina: Site, tmp_path: Path) -> None:
    assert current_release(tmp_path) is None
    world.build(creditchina, tmp_path, 1)
    assert current_release(tmp_path) is None
    make_visible(tmp_path, building_directory(tmp_path, 1), 1)
    assert current_release(tmp_path) == release_directory(tmp_path, 1)


def test_making_visible_again_changes_nothing_but_never_hides_another_content(
    world: World, creditchina: Site, tmp_path: Path
) -> None:
    world.publish(creditchina, tmp_path, 1)
    (tmp_path / "current").unlink()
    make_visible(tmp_path, building_directory(tmp_path, 1), 1)  # killed between the move and the link
    assert current_release(tmp_path) == release_directory(tmp_path, 1)
    (tmp_path / "current").unlink()
    world.build(creditchina, tmp_path, 1)  # killed, then built again
    make_visible(tmp_path, building_directory(tmp_path, 1), 1)
    assert _names(tmp_path) == ["current", "releases"]
    (tmp_path / "current").unlink()
    world.put(Kind.PENALTY, "n9")
    world.build(creditchina, tmp_path, 1)
    with pytest.raises(SequenceTakenError):
        make_visible(tmp_path, building_directory(tmp_path, 1), 1)


def test_what_a_killed_process_left_is_discarded(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.publish(creditchina, tmp_path, 1)
    world.build(creditchina, tmp_path, 2)
    building_directory(tmp_path, 2).rename(release_directory(tmp_path, 2))
    building_directory(tmp_path, 3).mkdir()
    (tmp_path / ".current-17").symlink_to("releases/000002")
    assert discard_unfinished(tmp_path) == [".building-000003", ".current-17", "000002"]
    assert _names(tmp_path / "releases") == ["000001"]
    assert verify_release(tmp_path, deep=True).ok
    assert discard_unfinished(tmp_path) == []


def test_a_lost_link_does_not_cost_the_history(world: World, creditchina: Site, tmp_path: Path) -> None:
    world.publish(creditchina, tmp_path, 1)
    world.publish(creditchina, tmp_path, 2)
    (tmp_path / "current").unlink()
    assert discard_unfinished(tmp_path) == []
    assert _names(tmp_path / "releases") == ["000001", "000002"]


def test_a_place_that_is_taken_is_left_alone(world: World, creditchina: Site, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.mkdir()
    (place / "theirs").write_text("x")
    with pytest.raises(FileExistsError):
        world.build(creditchina, tmp_path, 1, into=place)
    world.drop(Kind.PENALTY, "a1")
    world.database.execute("UPDATE shown_licence SET record_key = NULL")
    with pytest.raises(ReleaseError):
        world.build(creditchina, tmp_path, 1)
    assert _names(place) == ["theirs"]
    assert _names(tmp_path) == ["taken"]


PUBLISH = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import World
from feeds.sites import load_sites
from feeds.visible import discard_unfinished
from transforms.columns import Kind
world = World(threads=1)
world.put(Kind.PENALTY, "seed")
world.database.execute("INSERT INTO shown_penalty SELECT shown_penalty.* REPLACE (md5(i::VARCHAR) AS record_key) "
                       "FROM shown_penalty, range(20000) t(i)")
root = Path({root!r})
root.mkdir(exist_ok=True)
discard_unfinished(root)
print("go", flush=True)
world.publish(load_sites()["creditchina"], root, 1)
"""


def test_a_kill_at_any_moment_leaves_nothing_half_visible(tmp_path: Path) -> None:
    root = tmp_path / "site"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    code = PUBLISH.format(tests=str(Path(__file__).parent), root=str(root))
    for wait in (0.05, 0.4, 0.9):
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"go\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        current = current_release(root)
        assert current is None or verify_release(root).ok
    (root / "current").unlink(missing_ok=True)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert verify_release(root, deep=True).ok
    assert _names(root) == ["current", "releases"]
