"""The raw archive keeps every byte, once, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.archive import (
    FRAME_BYTES,
    Archive,
    ArchiveDamagedError,
    ArchiveFault,
    ManifestConflictError,
    StoredFile,
)

ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""What each frame begins with (RFC 8878, 3.1.1): an object of no bytes has one too."""
A_HASH = hashlib.sha256(b"delivery").hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def files_below(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@settings(max_examples=30)
@given(st.binary(max_size=5000), st.sampled_from([100, 1000, FRAME_BYTES]))
def test_what_is_put_comes_back_under_its_own_hash_in_however_many_frames(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, frame_bytes: int
) -> None:
    root = tmp_path_factory.mktemp("archive")
    archive = Archive(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.archive.FRAME_BYTES", frame_bytes)
        stored = archive.put(content, "处罚.csv")
    assert stored == StoredFile(hashlib.sha256(content).hexdigest(), len(content), "处罚.csv")
    [kept] = files_below(root)
    assert kept.read_bytes().startswith(ZSTANDARD)
    with archive.open(stored.sha256) as stream:
        assert stream.read() == content
    assert list(archive.verify()) == []


def test_a_path_a_stream_and_bytes_are_stored_alike_and_once(archive: Archive, tmp_path: Path) -> None:
    content = b"CF_WSH,CF_NR\n" * 1000
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    by_path = archive.put(path, "a.csv")
    by_stream = archive.put(io.BytesIO(content), "b.csv")
    by_bytes = archive.put(content, "c.csv")
    assert by_path.sha256 == by_stream.sha256 == by_bytes.sha256
    assert by_path.sha256 in archive
    (kept,) = files_below(tmp_path / "archive")
    assert kept.stat().st_size < len(content) / 10


def test_files_and_folders_are_for_the_owner_only(archive: Archive, tmp_path: Path) -> None:
    archive.put(b"x", "x")
    archive.write_manifest(A_HASH, {"rows": 1})
    for path in (tmp_path / "archive").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_large_file_is_not_held_in_memory(archive: Archive) -> None:
    noise = os.urandom(FRAME_BYTES)

    class Endless(io.RawIOBase):
        left = 16

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return noise[: max(size, 0)] if self.left >= 0 else b""

    tracemalloc.start()
    stored = archive.put(Endless(), "large")  # type: ignore[arg-type]
    with archive.open(stored.sha256) as stream:
        while stream.read(1 << 20):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert stored.size == 64 << 20
    assert peak < 32 << 20


def test_a_changed_object_is_noticed_while_it_is_read(archive: Archive, tmp_path: Path) -> None:
    stored = archive.put(b"original" * 100, "x")
    other = Archive(tmp_path / "other").put(b"forged" * 100, "x")
    forged = next((tmp_path / "other" / "objects").rglob(f"{other.sha256}.zst"))
    next((tmp_path / "archive" / "objects").rglob("*.zst")).write_bytes(forged.read_bytes())
    with archive.open(stored.sha256) as stream, pytest.raises(ArchiveDamagedError):
        stream.read()
    assert [(fault.kind, fault.sha256) for fault in archive.verify()] == [("changed", stored.sha256)]


def test_verify_names_each_kind_of_fault(archive: Archive, tmp_path: Path) -> None:
    stored = archive.put(os.urandom(5000), "x")
    whole = next((tmp_path / "archive" / "objects").rglob("*.zst"))
    whole.write_bytes(gzip.compress(b"not zstd"))
    (whole.parent / "note.txt").write_text("stray")
    archive.write_manifest(A_HASH, {"files": [{"sha256": "0" * 64}]})
    other = hashlib.sha256(b"other").hexdigest()
    archive.write_manifest(other, {"files": []})
    next((tmp_path / "archive" / "manifests").rglob(f"{other}.json")).write_text("{")
    faults = {(fault.kind, fault.sha256) for fault in archive.verify()}
    assert faults == {
        ("unreadable", stored.sha256),
        ("misplaced", "note.txt"),
        ("missing", "0" * 64),
        ("unreadable", other),
    }


def test_a_truncated_object_is_a_fault(archive: Archive, tmp_path: Path) -> None:
    archive.put(os.urandom(5000), "x")
    path = next((tmp_path / "archive" / "objects").rglob("*.zst"))
    path.write_bytes(path.read_bytes()[:-100])
    (fault,) = archive.verify()
    assert isinstance(fault, ArchiveFault)
    assert fault.kind in ("changed", "unreadable")


def test_a_manifest_never_changes(archive: Archive) -> None:
    archive.write_manifest(A_HASH, {"rows": 2, "agency": "市工商局"})
    archive.write_manifest(A_HASH, {"agency": "市工商局", "rows": 2})
    with pytest.raises(ManifestConflictError):
        archive.write_manifest(A_HASH, {"rows": 3})
    assert archive.read_manifest(A_HASH) == {"agency": "市工商局", "rows": 2}


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "ABC", ""])
def test_an_unknown_hash_is_a_key_error(archive: Archive, name: str) -> None:
    assert name not in archive
    with pytest.raises(KeyError):
        archive.open(name)
    with pytest.raises(KeyError):
        archive.read_manifest(name)


KILLED = """
import os, signal, sys
from pathlib import Path
from connectors.archive import Archive

def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

root, moment = Path(sys.argv[1]), sys.argv[2]

class Source:
    left = 3
    def read(self, size):
        self.left -= 1
        if moment == "read" and self.left == 1:
            die()
        return b"x" * size if self.left >= 0 else b""

if moment == "fsync":
    os.fsync = die
elif moment == "rename":
    Path.rename = die
elif moment == "after rename":
    rename = Path.rename
    def rename_and_die(self, target):
        rename(self, target)
        die()
    Path.rename = rename_and_die
Archive(root).put(Source(), "x")
"""


@pytest.mark.parametrize("moment", ["read", "fsync", "rename", "after rename"])
def test_killed_at_any_moment_it_holds_the_whole_object_or_nothing(tmp_path: Path, moment: str) -> None:
    root = tmp_path / "archive"
    done = subprocess.run([sys.executable, "-c", KILLED, str(root), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    archive = Archive(root)
    assert list(archive.verify()) == []
    assert len(files_below(root / "objects")) == (moment == "after rename")
    if moment != "after rename":
        assert len(files_below(root / "temp")) == 1
    archive.put(b"next", "y")
    assert files_below(root / "temp") == []
    content = b"x" * (3 << 20)
    assert archive.put(content, "x").sha256 == hashlib.sha256(content).hexdigest()
    assert list(archive.verify()) == []


def test_a_write_under_way_is_not_taken_for_a_leftover(archive: Archive) -> None:
    class Nested(io.RawIOBase):
        pieces = (b"a", b"b", b"")
        turn = 0

        def read(self, _size: int = -1) -> bytes:
            archive.put(f"inner {self.turn}".encode(), "inner")
            self.turn += 1
            return self.pieces[self.turn - 1]

    stored = archive.put(Nested(), "outer")  # type: ignore[arg-type]
    assert archive.open(stored.sha256).read() == b"ab"
