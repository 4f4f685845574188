"""The raw archive: every byte that an agency ever sent, exactly as received. This docstring is its specification.

Layout under a folder (directories mode 0700, files mode 0600) or under ``s3://bucket/prefix``::

    objects/ab/ab12...ef.zst       one object: Zstandard frame(s) of the bytes whose SHA-256 is ab12...ef (64 digits)
    manifests/ab/ab12...ef.json    one manifest: what the delivery with that content hash consisted of
    journal/000012/000012345.json  one entry: the 12345th step that changed the record, and what it worked on
    temp/*                         writes under way (folder only); nothing there counts

An object is named by the SHA-256 of its uncompressed content, so the same bytes are held once, whatever they were
called and however often they came. The name a file had belongs to the manifest, not to the object. Objects, manifests
and journal entries never change. Manifests and entries are never deleted; an object is deleted only when its retention
has ended (``pipeline.retention``), and the ledger says so.

A manifest or entry is UTF-8 JSON with sorted keys, an indent of two and a line end, and holds no time of writing: the
same delivery makes the same bytes. The key ``files`` of a manifest, when present, lists objects with at least
``sha256``; each must exist. From the entries in the order of their numbers, and the objects, the record can be made
again when the database is lost (``pipeline.replay``).

Writing in a folder: into ``temp/`` under an exclusive ``flock``, then fsync, then rename, then fsync of the directory.
A process killed at any instruction leaves either nothing under ``objects/``, ``manifests/`` and ``journal/`` or the
whole file, and perhaps an unlocked file in ``temp/``, which the next write removes. Several processes may write at
once. What a bucket guarantees is said in ``connectors.archive.object_store``.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import pyarrow as pa

from connectors.archive.contract import Store
from connectors.archive.hashing import HashBeside
from connectors.archive.layered import LayeredStore
from connectors.archive.local import LocalStore
from connectors.archive.object_store import ObjectStore
from connectors.in_order import in_order

PIECE_BYTES: Final = 1 << 20

FRAME_BYTES: Final = 4 << 20
"""Most bytes in one frame."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ENTRY: Final = re.compile(r"journal/\d{6}/(\d{9})\.json")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was put: hash and size (bytes) of the uncompressed content, and the name it came by."""

    sha256: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class ArchiveFault:
    """One thing in the archive that is not as the specification says.

    ``changed``: the content does not have the hash it is named by. ``unreadable``: it cannot be decompressed, or is no
    JSON. ``missing``: a manifest names an object that is not there. ``misplaced``: a file with a name or in a folder
    that the layout does not know. ``sha256`` is that of the object, for ``misplaced`` the name found.
    """

    kind: Literal["changed", "unreadable", "missing", "misplaced"]
    sha256: str
    detail: str


class ArchiveDamagedError(Exception):
    """An object whose content does not have the hash it is named by."""


class ManifestConflictError(Exception):
    """A delivery or a step already has another manifest or entry; these never change."""


class Archive:
    """The raw archive in a folder, which is made when it does not exist, or in another store."""

    def __init__(self, place: Path | Store) -> None:
        """Open or make the archive."""
        self._store: Final[Store] = LocalStore(place) if isinstance(place, Path) else place

    def beside(self, folder: Path) -> Archive:
        """Return an archive with the same objects that never writes here: all it is given goes into ``folder``."""
        return Archive(LayeredStore(self._store, LocalStore(folder)))

    def put(self, source: Path | BinaryIO | bytes, name: str) -> StoredFile:
        """Store the content of ``source`` as it is, once; memory does not grow with its size.

        A stream is read from where it stands and not closed. When ``put`` returns, the bytes survive a power cut.
        """
        with contextlib.ExitStack() as stack:
            if isinstance(source, Path):
                stream: BinaryIO = stack.enter_context(source.open("rb"))
            else:
                stream = io.BytesIO(source) if isinstance(source, bytes) else source
            draft = stack.enter_context(self._store.draft())
            digest = stack.enter_context(contextlib.closing(HashBeside()))
            size = 0

            def content() -> Iterator[bytes]:
                nonlocal size
                while piece := stream.read(FRAME_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    yield piece

            with draft.path.open("wb") as packed:
                packed.writelines(in_order(_frame, content()))
                if not size:
                    packed.write(_frame(b""))
            sha256 = digest.hexdigest()
            self._store.keep(draft, _object(sha256))
        return StoredFile(sha256, size, name)

    def open(self, sha256: str) -> BinaryIO:
        """Return the content as a stream that cannot seek.

        Raises KeyError when there is no such object; reading to the end raises ArchiveDamagedError when the content
        does not have the hash it is named by (or OSError when it cannot be decompressed).
        """
        return io.BufferedReader(_Verified(self._store.open(_object(sha256)), sha256), PIECE_BYTES)

    def __contains__(self, sha256: object) -> bool:
        """Say whether there is an object of that hash."""
        return isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256)) and self._store.has(_object(sha256))

    def objects(self) -> Iterator[str]:
        """Yield the hashes of all objects, in order."""
        for name in self._store.names("objects"):
            if (sha256 := _sha256_of(name, _object)) is not None:
                yield sha256

    def remove(self, sha256: str) -> None:
        """Delete an object for good; nothing happens when there is none. Only the end of its retention allows it."""
        self._store.remove(_object(sha256))

    def write_manifest(self, delivery_sha256: str, manifest: Mapping[str, Any]) -> None:
        """Store the manifest of a delivery; the same one again changes nothing.

        Raises ManifestConflictError when the delivery has another manifest, TypeError when it is not plain JSON.
        """
        if not self._write_json(_manifest(delivery_sha256), manifest):
            raise ManifestConflictError(delivery_sha256)

    def read_manifest(self, delivery_sha256: str) -> dict[str, Any]:
        """Return the manifest of a delivery; raises KeyError when there is none."""
        return self._read_json(_manifest(delivery_sha256))

    def manifests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the hash and content of every manifest, in the order of hashes."""
        for sha256 in self.manifest_hashes():
            yield sha256, self.read_manifest(sha256)

    def manifest_hashes(self) -> Iterator[str]:
        """Yield the hashes that manifests are named by, in order."""
        for name in self._store.names("manifests"):
            if (sha256 := _sha256_of(name, _manifest)) is not None:
                yield sha256

    def write_entry(self, number: int, entry: Mapping[str, Any]) -> None:
        """Store a journal entry; the same one again changes nothing. Raises as ``write_manifest`` does."""
        if not self._write_json(_entry(number), entry):
            raise ManifestConflictError(f"journal entry {number}")

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield number and content of every journal entry, in the order of numbers."""
        for number in self.entry_numbers():
            yield number, self.read_entry(number)

    def entry_numbers(self) -> Iterator[int]:
        """Yield the numbers of the journal entries, in order."""
        for name in self._store.names("journal"):
            if (found := _ENTRY.fullmatch(name)) and name == _entry(int(found[1])):
                yield int(found[1])

    def read_entry(self, number: int) -> dict[str, Any]:
        """Return a journal entry; raises KeyError when there is none of that number."""
        return self._read_json(_entry(number))

    def verify(
        self, *, chosen: Callable[[str], bool] = lambda _sha256: True, tell: Callable[[str], object] = str
    ) -> Iterator[ArchiveFault]:
        """Read everything again and yield what is not as it should be, objects first, in order of names.

        Of the objects only those ``chosen`` by their hash are read; ``tell`` hears of each. Names and manifests are
        looked at in full.
        """
        present: set[str] = set()
        for name in self._store.names("objects"):
            if (sha256 := _sha256_of(name, _object)) is None:
                yield ArchiveFault("misplaced", name.rpartition("/")[2], "objects")
                continue
            present.add(sha256)
            if chosen(sha256):
                yield from self._object_faults(sha256)
                tell(sha256)
        for name in self._store.names("manifests"):
            yield from self._manifest_faults(name, present)
        for name in self._store.names("journal"):
            yield from self._entry_faults(name)

    def _object_faults(self, sha256: str) -> Iterator[ArchiveFault]:
        try:
            with self.open(sha256) as stream:
                while stream.read(PIECE_BYTES):
                    pass
        except ArchiveDamagedError as error:
            yield ArchiveFault("changed", sha256, str(error))
        except OSError as error:
            yield ArchiveFault("unreadable", sha256, str(error))

    def _manifest_faults(self, name: str, present: set[str]) -> Iterator[ArchiveFault]:
        sha256 = _sha256_of(name, _manifest)
        if sha256 is None:
            yield ArchiveFault("misplaced", name.rpartition("/")[2], "manifests")
            return
        try:
            named = [str(entry["sha256"]) for entry in self._read_json(name).get("files", [])]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield ArchiveFault("unreadable", sha256, f"manifest: {error}")
            return
        for other in named:
            if other not in present:
                yield ArchiveFault("missing", other, f"named by manifest {sha256}")

    def _entry_faults(self, name: str) -> Iterator[ArchiveFault]:
        found = _ENTRY.fullmatch(name)
        if not found or name != _entry(int(found[1])):
            yield ArchiveFault("misplaced", name.rpartition("/")[2], "journal")
            return
        try:
            self._read_json(name)
        except ValueError as error:
            yield ArchiveFault("unreadable", name.rpartition("/")[2], f"journal: {error}")

    def _write_json(self, name: str, content: Mapping[str, Any]) -> bool:
        """Store a document where there is none, and say whether what stands there now is this one."""
        text = json.dumps(dict(content), ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n"
        if not self._store.has(name):
            with self._store.draft() as draft:
                draft.path.write_bytes(text.encode())
                self._store.keep(draft, name)
        with self._store.open(name) as file:
            return bytes(file.read()) == text.encode()

    def _read_json(self, name: str) -> dict[str, Any]:
        with self._store.open(name) as file:
            content: dict[str, Any] = json.loads(file.read())
        return content


def open_archive(place: str | Path) -> Archive:
    """Open the archive at a folder or at ``s3://bucket/prefix``; raises ValueError for an address of another kind."""
    if isinstance(place, str) and "://" in place:
        return Archive(ObjectStore(place))
    return Archive(Path(place))


def _frame(piece: bytes) -> bytes:
    """Pack a piece so that it can be unpacked by itself."""
    packed: bytes = pa.Codec("zstd").compress(piece, asbytes=True)
    return packed


class _Verified(io.RawIOBase):
    """The decompressed content of one object, hashed while it is read."""

    def __init__(self, packed: pa.NativeFile, sha256: str) -> None:
        self._packed: Final = pa.CompressedInputStream(packed, "zstd")
        self._sha256: Final = sha256
        self._digest: Final = HashBeside()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._packed.read(len(buffer))
        buffer[: len(piece)] = piece
        self._digest.update(piece)
        if not piece and len(buffer) and self._digest.hexdigest() != self._sha256:
            raise ArchiveDamagedError(f"content has SHA-256 {self._digest.hexdigest()}")
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._digest.close()
            self._packed.close()
        super().close()


def _object(sha256: str) -> str:
    return f"objects/{_checked(sha256)[:2]}/{sha256}.zst"


def _manifest(sha256: str) -> str:
    return f"manifests/{_checked(sha256)[:2]}/{sha256}.json"


def _entry(number: int) -> str:
    return f"journal/{number // 1000:06}/{number:09}.json"


def _sha256_of(name: str, layout: Callable[[str], str]) -> str | None:
    """The hash that a file is named by, None where the layout does not know the name."""
    sha256 = name.rpartition("/")[2].partition(".")[0]
    return sha256 if _SHA256.fullmatch(sha256) and layout(sha256) == name else None


def _checked(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise KeyError(sha256)
    return sha256
