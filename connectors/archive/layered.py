"""An archive to work on without touching it: objects are read where they are, what is written goes into a folder."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

import pyarrow as pa

from connectors.archive.contract import Draft, Store

_SHARED: Final = "objects/"


class LayeredStore:
    """The objects of ``below`` and the files of ``own``; manifests and journal of ``below`` are not seen."""

    def __init__(self, below: Store, own: Store) -> None:
        """Take both; ``below`` is only read."""
        self._below: Final = below
        self._own: Final = own

    def draft(self) -> AbstractContextManager[Draft]:
        """Give a draft of the own store."""
        return self._own.draft()

    def keep(self, draft: Draft, name: str) -> None:
        """Keep what neither store has."""
        if not self.has(name):
            self._own.keep(draft, name)

    def has(self, name: str) -> bool:
        """Say whether one of the stores has it."""
        return self._own.has(name) or (name.startswith(_SHARED) and self._below.has(name))

    def open(self, name: str) -> pa.NativeFile:
        """Open a file of the own store, or an object of the one below; raises KeyError when there is none."""
        if name.startswith(_SHARED) and not self._own.has(name):
            return self._below.open(name)
        return self._own.open(name)

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names in both, in their order."""
        shared = self._below.names(folder) if f"{folder}/".startswith(_SHARED) else iter(())
        last = None
        for name in heapq.merge(self._own.names(folder), shared):
            if name != last:
                yield name
            last = name

    def remove(self, name: str) -> None:
        """Remove a file of the own store."""
        self._own.remove(name)
