"""The archive keeps its promises in a bucket too, over real HTTP."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from connectors.archive import Archive, ArchiveDamagedError, ManifestConflictError, object_store, open_archive
from connectors.archive.contract import Draft

A_HASH = hashlib.sha256(b"delivery").hexdigest()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A bucket ``raw`` on a server of S3, and its address in the environment."""
    with pytest.MonkeyPatch.context() as environment:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "archive")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "not a secret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        files = fsspec.filesystem("s3", use_listings_cache=False)
        files.mkdir("raw")
        yield files
        server.stop()


@pytest.fixture
def place(bucket: Any, request: pytest.FixtureRequest) -> str:
    return f"raw/{request.node.name.partition('[')[0]}"


@pytest.fixture
def archive(place: str) -> Archive:
    return open_archive(f"s3://{place}")


@pytest.mark.parametrize("content", [b"", b"CF_WSH,CF_NR\n" * 1000, os.urandom(100_000)])
def test_what_is_put_comes_back_under_its_own_hash(archive: Archive, content: bytes) -> None:
    stored = archive.put(content, "处罚.csv")
    assert stored.sha256 in archive
    with archive.open(stored.sha256) as stream:
        assert stream.read() == content
    assert stored.sha256 in list(archive.objects())
    assert list(archive.verify()) == []


def test_an_object_is_never_written_over(archive: Archive, bucket: Any, place: str) -> None:
    stored = archive.put(b"original", "x")
    (key,) = bucket.find(f"{place}/objects")
    bucket.pipe_file(key, b"what somebody else wrote")
    archive.put(b"original", "x")
    assert bucket.cat_file(key) == b"what somebody else wrote"
    assert [(fault.kind, fault.sha256) for fault in archive.verify()] == [("unreadable", stored.sha256)]


def test_of_two_writers_at_once_the_second_changes_nothing(
    archive: Archive, bucket: Any, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found the name free; the condition of the upload decides."""
    archive.put(b"original", "x")
    (key,) = bucket.find(f"{place}/objects")
    bucket.pipe_file(key, b"first")
    monkeypatch.setattr(object_store.ObjectStore, "has", lambda _store, _name: False)
    archive.put(b"original", "x")
    assert bucket.cat_file(key) == b"first"


def test_many_writers_of_the_same_content_make_one_object(archive: Archive) -> None:
    with ThreadPoolExecutor(4) as pool:
        hashes = {stored.sha256 for stored in pool.map(lambda _turn: archive.put(b"same" * 5000, "x"), range(8))}
    assert list(archive.objects()) == sorted(hashes)
    assert len(hashes) == 1


def test_a_large_file_goes_in_parts_and_is_not_held_in_memory(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "PART_BYTES", 5 << 20)
    noise = os.urandom(1 << 20)

    class Endless(io.RawIOBase):
        left = 48

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return noise[:7] + noise[7 + self.left : max(size, 0)] if self.left >= 0 else b""

    held = 0
    keep = object_store.ObjectStore.keep

    def measured(store: object_store.ObjectStore, draft: Draft, name: str) -> None:
        nonlocal held
        held = tracemalloc.get_traced_memory()[0]
        keep(store, draft, name)

    monkeypatch.setattr(object_store.ObjectStore, "keep", measured)
    tracemalloc.start()
    stored = archive.put(Endless(), "large")  # type: ignore[arg-type]
    tracemalloc.stop()
    assert stored.size > 40 << 20
    assert held < 8 << 20
    with archive.open(stored.sha256) as stream:
        digest = hashlib.sha256()
        while piece := stream.read(1 << 20):
            digest.update(piece)
    assert digest.hexdigest() == stored.sha256


def test_a_changed_object_is_noticed_while_it_is_read(archive: Archive, bucket: Any, place: str) -> None:
    original, forged = archive.put(b"original" * 100, "x"), archive.put(b"forged" * 100, "x")
    where = {key.rpartition("/")[2].removesuffix(".zst"): key for key in bucket.find(f"{place}/objects")}
    bucket.pipe_file(where[original.sha256], bucket.cat_file(where[forged.sha256]))
    with archive.open(original.sha256) as stream, pytest.raises(ArchiveDamagedError):
        stream.read()


def test_manifests_and_entries_never_change(archive: Archive) -> None:
    archive.write_manifest(A_HASH, {"rows": 2, "agency": "市工商局", "files": []})
    archive.write_manifest(A_HASH, {"agency": "市工商局", "rows": 2, "files": []})
    with pytest.raises(ManifestConflictError):
        archive.write_manifest(A_HASH, {"rows": 3})
    archive.write_entry(1001, {"step": "attach"})
    archive.write_entry(7, {"step": "ingest"})
    with pytest.raises(ManifestConflictError):
        archive.write_entry(7, {"step": "publish"})
    assert list(archive.manifests()) == [(A_HASH, {"rows": 2, "agency": "市工商局", "files": []})]
    assert list(archive.entries()) == [(7, {"step": "ingest"}), (1001, {"step": "attach"})]


def test_what_is_removed_is_gone(archive: Archive) -> None:
    stored = archive.put(b"old", "x")
    archive.remove(stored.sha256)
    archive.remove(stored.sha256)
    assert stored.sha256 not in archive
    with pytest.raises(KeyError):
        archive.open(stored.sha256)


@pytest.mark.parametrize("url", ["http://example.com/x", "s3://", "gs://bucket"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_archive(url)
