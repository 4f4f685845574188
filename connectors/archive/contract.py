"""What a store must do to hold an archive: keep files under names, whole or not at all, and never change one.

A name is relative, with ``/`` between its parts. A store knows nothing of hashes and manifests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Draft:
    """A local file that is being written; ``handle`` is an open descriptor of it."""

    path: Path
    handle: int


class Store(Protocol):
    """Where the files of an archive lie."""

    def draft(self) -> AbstractContextManager[Draft]:
        """Give a new, empty local file that is gone afterwards unless it was kept."""

    def keep(self, draft: Draft, name: str) -> None:
        """Make the draft's content durable under ``name``; where that is taken, what stands there stays."""

    def has(self, name: str) -> bool:
        """Say whether there is a file of that name."""

    def open(self, name: str) -> pa.NativeFile:
        """Open a file for reading from its start; raises KeyError when there is none."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of all files at any depth of a folder, in their order."""

    def remove(self, name: str) -> None:
        """Remove a file for good; nothing happens when there is none."""
