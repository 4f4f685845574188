"""The same records, day and key give the same bytes, whatever the number of threads, the hash seed or the row order."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import World

from feeds import sorted_rows
from feeds.sites import load_sites
from transforms.columns import Kind

BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import World
from feeds.sites import load_sites
from transforms.columns import Kind
world = World(threads={threads})
world.put(Kind.PENALTY, "seed")
names = [row[0] for row in world.database.execute("DESCRIBE shown_penalty").fetchall()]
new = {{"record_key": "md5(i::VARCHAR)", "violation_type": "'第' || i || '条<&>'"}}
values = ", ".join(new.get(name, name) for name in names)
world.database.execute(
    f"INSERT INTO shown_penalty SELECT {{values}} FROM shown_penalty, "
    "(SELECT i FROM range(130000) t(i) ORDER BY {order}) WHERE record_key = 'seed'"
)
root = Path({root!r})
site = load_sites()["gsxt"]
world.publish(site, root, 1)
world.database.execute("UPDATE shown_penalty SET content = '更正' WHERE record_key LIKE '0%'")
world.withdraw(Kind.PENALTY, "seed")
world.publish(site, root, 2)
"""


def _bytes_of(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_two_builds_are_byte_identical(tmp_path: Path) -> None:
    results = []
    for threads, seed, order in ((1, "0", "i"), (2, "4711", "hash(i)")):
        root = tmp_path / seed
        root.mkdir()
        code = BUILD.format(tests=str(Path(__file__).parent), threads=threads, root=str(root), order=order)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        results.append(_bytes_of(root))
    assert len(results[0]) > 40
    assert results[0] == results[1]


def test_a_table_sorted_range_by_range_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put(Kind.PENALTY, "seed", content="\x07=罚款")
    world.database.execute(
        "INSERT INTO shown_penalty SELECT shown_penalty.* REPLACE (md5(i::VARCHAR) AS record_key) "
        "FROM shown_penalty, range(3000) t(i)"
    )
    site = load_sites()["qyxy"]
    world.publish(site, tmp_path / "whole", 1)
    monkeypatch.setattr(sorted_rows, "RANGE_ROWS", 700)
    world.publish(site, tmp_path / "ranges", 1)
    assert _bytes_of(tmp_path / "whole") == _bytes_of(tmp_path / "ranges")
    assert world.database.execute("SELECT current_setting('preserve_insertion_order')").fetchone() == (True,)
