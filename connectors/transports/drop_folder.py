"""Dated files in a folder of this machine (a mounted share); what counts as a file is said in ``dated_files``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

from connectors.descriptor import DropFolder, Stream
from connectors.endpoint import Endpoint
from connectors.transports.contract import AgencyUnavailable, Cursor, Piece
from connectors.transports.dated_files import pull_dated_files


def pull(stream: Stream, endpoint: Endpoint, *, cursor: Cursor, as_of: date) -> Iterator[Piece]:
    """Yield each finished file dated up to ``as_of`` that was not handed over before, by date and name."""
    options = stream.transport
    if not isinstance(options, DropFolder):
        raise TypeError(f"stream {stream.id} is not read from a drop folder")
    yield from pull_dated_files(_LocalFolder(endpoint), options.pattern, cursor=cursor, as_of=as_of)


class _LocalFolder:
    """The folder that an endpoint names by path or ``file://`` URL; files are read where they lie."""

    def __init__(self, endpoint: Endpoint) -> None:
        address = urlsplit(endpoint.url)
        self._root = Path(unquote(address.path)) if address.scheme == "file" else Path(endpoint.url)

    def names(self) -> set[str]:
        try:
            return {entry.name for entry in self._root.iterdir()}
        except OSError as error:
            raise AgencyUnavailable(f"{self._root}: the drop folder cannot be read: {error.strerror}") from error

    def read(self, name: str, most: int) -> bytes:
        with (self._root / name).open("rb") as file:
            return file.read(most)

    def size(self, name: str) -> int:
        return (self._root / name).stat().st_size

    def fetch(self, name: str, size: int) -> Path:  # noqa: ARG002 - nothing is copied
        return self._root / name

    def release(self, path: Path) -> None:
        """Leave the file: it is the agency's."""
