"""The bytes of one file, to be read as often as a reader needs: the encoding is told before the first row is read."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from connectors.beside import Beside
from connectors.formats.limits import Limits
from connectors.formats.rules import TOO_LARGE
from connectors.formats.utf8 import Utf8Check

PIECE_BYTES: Final = 1 << 20


class Source:
    """One file, seekable. A stream that cannot seek (a decompressed archive object) is spooled to an unnamed file.

    Raises DeliveryRefused (F08) when it is larger than ``limits.file_bytes``. ``close`` closes only what this class
    opened or was given to own, never the caller's stream.
    """

    def __init__(self, origin: Path | BinaryIO, file: str, limits: Limits, *, owned: bool = False) -> None:
        """Open ``origin``; ``file`` is its name for messages, ``owned`` says that the stream is closed with it."""
        self._mine = True
        self._is_utf8: bool | None = None
        if isinstance(origin, Path):
            self.stream: BinaryIO = origin.open("rb")
        elif origin.seekable():
            self.stream = origin
            self._mine = owned
        else:
            self.stream, self._is_utf8 = _spooled(origin, limits.file_bytes)
        self.size: Final = self.stream.seek(0, io.SEEK_END)
        if self.size > limits.file_bytes:
            self.close()
            raise TOO_LARGE.refusal(file, what=f"文件超过 {limits.file_bytes >> 20} MB")

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes, fewer when the file is shorter."""
        self.stream.seek(0)
        return self.stream.read(size)

    def is_utf8(self) -> bool:
        """Tell whether all of it is valid UTF-8; it is read for that, unless it was spooled."""
        if self._is_utf8 is None:
            check = Utf8Check()
            for piece in self.pieces():
                check.update(piece)
                if check.failed:
                    break
            self._is_utf8 = check.valid()
        return self._is_utf8

    def pieces(self, piece_bytes: int = PIECE_BYTES, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to the end; each piece but the last has ``piece_bytes`` bytes."""
        self.stream.seek(start)
        while piece := self.stream.read(piece_bytes):
            yield piece

    def close(self) -> None:
        """Close the file if this class opened it; twice does no harm."""
        if self._mine:
            self.stream.close()


def _spooled(origin: BinaryIO, most: int) -> tuple[BinaryIO, bool]:
    """Return the content as a file, and whether it is valid UTF-8, which is checked beside: all of it passes here."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 closed by Source.close
    check = Utf8Check()
    with contextlib.closing(Beside(check.update)) as checking:
        while spool.tell() <= most and (piece := origin.read(PIECE_BYTES)):
            checking.give(piece)
            spool.write(piece)
        checking.settle()
    return spool, check.valid()
