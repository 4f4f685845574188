"""Files that are hashed while they are written or read, in blocks, without holding them in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FileHashes:
    """Size in bytes and digests in hex: SHA-256 (FIPS 180-4) and SM3 (GB/T 32905-2016)."""

    bytes: int
    sha256: str
    sm3: str


class HashedFile:
    """A new file that knows size and digests of what was written to it; usable from one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, which must not exist."""
        self._stream = path.open("xb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._sm3 = hashlib.new("sm3")
        self._bytes = 0

    def write(self, block: bytes | memoryview) -> None:
        """Append ``block`` (both digests let other threads run meanwhile)."""
        rest = memoryview(block)
        while rest:
            rest = rest[self._stream.write(rest) :]
        self._sha256.update(block)
        self._sm3.update(block)
        self._bytes += len(block)

    def hashes(self) -> FileHashes:
        """Return what was written so far."""
        return FileHashes(self._bytes, self._sha256.hexdigest(), self._sm3.hexdigest())

    def __enter__(self) -> Self:
        """Enter; the file is open since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._stream.close()


def write_lines(path: Path, lines: Iterable[bytes]) -> FileHashes:
    """Write ``lines`` to the new file ``path`` in blocks of about 1 MB."""
    with HashedFile(path) as file:
        pending = bytearray()
        for line in lines:
            pending += line
            if len(pending) >= BLOCK:
                file.write(bytes(pending))
                pending.clear()
        file.write(bytes(pending))
        return file.hashes()


def hash_file(path: Path) -> FileHashes:
    """Read ``path`` once and return its size and digests."""
    sha256, sm3, size = hashlib.sha256(), hashlib.new("sm3"), 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            sha256.update(block)
            sm3.update(block)
            size += len(block)
    return FileHashes(size, sha256.hexdigest(), sm3.hexdigest())
