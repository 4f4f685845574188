"""The bytes of one file, to be read as often as a reader needs: the encoding is told before the first row is read."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from connectors.formats.limits import Limits
from connectors.formats.rules import TOO_LARGE

PIECE_BYTES: Final = 1 << 20


class Source:
    """One file, seekable. A stream that cannot seek (a decompressed archive object) is spooled to an unnamed file.

    Raises DeliveryRefused (F08) when it is larger than ``limits.file_bytes``. ``close`` closes only what this class
    opened or was given to own, never the caller's stream.
    """

    def __init__(self, origin: Path | BinaryIO, file: str, limits: Limits, *, owned: bool = False) -> None:
        """Open ``origin``; ``file`` is its name for messages, ``owned`` says that the stream is closed with it."""
        self._mine = True
        if isinstance(origin, Path):
            self.stream: BinaryIO = origin.open("rb")
        elif origin.seekable():
            self.stream = origin
            self._mine = owned
        else:
            self.stream = _spooled(origin, limits.file_bytes)
        self.size: Final = self.stream.seek(0, io.SEEK_END)
        if self.size > limits.file_bytes:
            self.close()
            raise TOO_LARGE.refusal(file, what=f"文件超过 {limits.file_bytes >> 20} MB")

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes, fewer when the file is shorter."""
        self.stream.seek(0)
        return self.stream.read(size)

    def pieces(self, piece_bytes: int = PIECE_BYTES, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to the end; each piece but the last has ``piece_bytes`` bytes."""
        self.stream.seek(start)
        while piece := self.stream.read(piece_bytes):
            yield piece

    def close(self) -> None:
        """Close the file if this class opened it; twice does no harm."""
        if self._mine:
            self.stream.close()


def _spooled(origin: BinaryIO, most: int) -> BinaryIO:
    spool = tempfile.TemporaryFile()  # noqa: SIM115 closed by Source.close
    while spool.tell() <= most and (piece := origin.read(PIECE_BYTES)):
        spool.write(piece)
    return spool
