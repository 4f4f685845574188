"""The raw archive: every byte that an agency ever sent, exactly as received. This docstring is its specification.

Layout under the root (directories mode 0700, files mode 0600)::

    objects/ab/ab12...ef.zst      one object: Zstandard frame(s) of the bytes whose SHA-256 is ab12...ef (64 hex digits)
    manifests/ab/ab12...ef.json   one manifest: what the delivery with that content hash consisted of
    temp/*                        writes under way; nothing there counts

An object is named by the SHA-256 of its uncompressed content, so the same bytes are held once, whatever they were
called and however often they came. The name a file had belongs to the manifest, not to the object. Objects and
manifests never change and are never deleted.

A manifest is UTF-8 JSON with sorted keys, an indent of two and a line end, and holds no time of writing: the same
delivery makes the same bytes. Its key ``files``, when present, lists objects with at least ``sha256``; each must exist.

Writing: into ``temp/`` under an exclusive ``flock``, then fsync, then rename, then fsync of the directory. A process
killed at any instruction leaves either nothing under ``objects/`` and ``manifests/`` or the whole file, and perhaps an
unlocked file in ``temp/``, which the next write removes. Several processes may write at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import pyarrow as pa

PIECE_BYTES: Final = 1 << 20

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


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
    """A delivery already has another manifest; manifests never change."""


class Archive:
    """The raw archive under ``root``, which is made when it does not exist."""

    def __init__(self, root: Path) -> None:
        """Open or make the archive."""
        self._objects: Final = root / "objects"
        self._manifests: Final = root / "manifests"
        self._temp: Final = root / "temp"
        for folder in (root, self._objects, self._manifests, self._temp):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, source: Path | BinaryIO | bytes, name: str) -> StoredFile:
        """Store the content of ``source`` as it is, once; memory does not grow with its size.

        A stream is read from where it stands and not closed. When ``put`` returns, the bytes survive a power cut.
        """
        with contextlib.ExitStack() as stack:
            if isinstance(source, Path):
                stream: BinaryIO = stack.enter_context(source.open("rb"))
            else:
                stream = io.BytesIO(source) if isinstance(source, bytes) else source
            temp = stack.enter_context(self._temp_file())
            digest = hashlib.sha256()
            size = 0
            with pa.CompressedOutputStream(pa.OSFile(str(temp.path), "w"), "zstd") as packed:
                while piece := stream.read(PIECE_BYTES):
                    digest.update(piece)
                    packed.write(piece)
                    size += len(piece)
            self._keep(temp, self._object(digest.hexdigest()))
        return StoredFile(digest.hexdigest(), size, name)

    def open(self, sha256: str) -> BinaryIO:
        """Return the content as a stream that cannot seek.

        Raises KeyError when there is no such object; reading to the end raises ArchiveDamagedError when the content
        does not have the hash it is named by (or OSError when it cannot be decompressed).
        """
        path = self._object(sha256)
        if not path.is_file():
            raise KeyError(sha256)
        return io.BufferedReader(_Verified(path, sha256), PIECE_BYTES)

    def __contains__(self, sha256: object) -> bool:
        """Say whether there is an object of that hash."""
        return isinstance(sha256, str) and bool(_SHA256.fullmatch(sha256)) and self._object(sha256).is_file()

    def write_manifest(self, delivery_sha256: str, manifest: Mapping[str, Any]) -> None:
        """Store the manifest of a delivery; the same one again changes nothing.

        Raises ManifestConflictError when the delivery has another manifest, TypeError when it is not plain JSON.
        """
        text = json.dumps(dict(manifest), ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n"
        path = self._manifest(delivery_sha256)
        if not path.exists():
            with self._temp_file() as temp:
                temp.path.write_bytes(text.encode())
                self._keep(temp, path)
        if path.read_bytes() != text.encode():
            raise ManifestConflictError(delivery_sha256)

    def read_manifest(self, delivery_sha256: str) -> dict[str, Any]:
        """Return the manifest of a delivery; raises KeyError when there is none."""
        path = self._manifest(delivery_sha256)
        if not path.is_file():
            raise KeyError(delivery_sha256)
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        return manifest

    def verify(self) -> Iterator[ArchiveFault]:
        """Read everything again and yield what is not as it should be, objects first, in order of names."""
        for path in sorted(self._objects.rglob("*")):
            sha256 = path.name.removesuffix(".zst")
            if path.is_dir():
                continue
            if not _SHA256.fullmatch(sha256) or path != self._object(sha256):
                yield ArchiveFault("misplaced", path.name, "objects")
                continue
            try:
                with self.open(sha256) as stream:
                    while stream.read(PIECE_BYTES):
                        pass
            except ArchiveDamagedError as error:
                yield ArchiveFault("changed", sha256, str(error))
            except OSError as error:
                yield ArchiveFault("unreadable", sha256, str(error))
        for path in sorted(self._manifests.rglob("*")):
            if path.is_file():
                yield from self._manifest_faults(path)

    def _manifest_faults(self, path: Path) -> Iterator[ArchiveFault]:
        sha256 = path.name.removesuffix(".json")
        if not _SHA256.fullmatch(sha256) or path != self._manifest(sha256):
            yield ArchiveFault("misplaced", path.name, "manifests")
            return
        try:
            named = [str(entry["sha256"]) for entry in self.read_manifest(sha256).get("files", [])]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield ArchiveFault("unreadable", sha256, f"manifest: {error}")
            return
        for other in named:
            if other not in self:
                yield ArchiveFault("missing", other, f"named by manifest {sha256}")

    def _object(self, sha256: str) -> Path:
        return self._objects / _checked(sha256)[:2] / f"{sha256}.zst"

    def _manifest(self, sha256: str) -> Path:
        return self._manifests / _checked(sha256)[:2] / f"{sha256}.json"

    @contextlib.contextmanager
    def _temp_file(self) -> Iterator[_TempFile]:
        """Clear orphans, then give a new locked file in ``temp/`` that is gone afterwards unless it was kept."""
        self._clear_orphans()
        while True:
            handle, name = tempfile.mkstemp(dir=self._temp)
            temp = _TempFile(Path(name), handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if os.fstat(handle).st_nlink == 0:  # taken for an orphan before it was locked
                    continue
                yield temp
                return
            finally:
                temp.path.unlink(missing_ok=True)
                os.close(handle)

    def _clear_orphans(self) -> None:
        for path in self._temp.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as orphan:
                fcntl.flock(orphan, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()

    def _keep(self, temp: _TempFile, path: Path) -> None:
        os.fsync(temp.handle)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(path.parent.parent)
        if not path.exists():
            temp.path.rename(path)
            _sync_folder(path.parent)


@dataclass(frozen=True, slots=True)
class _TempFile:
    """A file in ``temp/``; ``handle`` holds its lock."""

    path: Path
    handle: int


class _Verified(io.RawIOBase):
    """The decompressed content of one object, hashed while it is read."""

    def __init__(self, path: Path, sha256: str) -> None:
        self._packed: Final = pa.CompressedInputStream(pa.OSFile(str(path), "r"), "zstd")
        self._sha256: Final = sha256
        self._digest: Final = hashlib.sha256()

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
            self._packed.close()
        super().close()


def _checked(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise KeyError(sha256)
    return sha256


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
