"""An archive in a folder of this machine: ``flock`` while writing, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from connectors.archive.contract import Draft

FOLDERS: Final = ("objects", "manifests", "journal", "temp")


class LocalStore:
    """The files under ``root``, which is made when it does not exist."""

    def __init__(self, root: Path) -> None:
        """Open or make the folders."""
        self._root: Final = root
        self._temp: Final = root / "temp"
        for folder in (root, *(root / name for name in FOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def draft(self) -> Iterator[Draft]:
        """Clear orphans, then give a new locked file in ``temp/`` that is gone afterwards unless it was kept."""
        self._clear_orphans()
        while True:
            handle, name = tempfile.mkstemp(dir=self._temp)
            draft = Draft(Path(name), handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if os.fstat(handle).st_nlink == 0:  # taken for an orphan before it was locked
                    continue
                yield draft
                return
            finally:
                draft.path.unlink(missing_ok=True)
                os.close(handle)

    def keep(self, draft: Draft, name: str) -> None:
        """Rename the draft into its place when its bytes are on the disk."""
        path = self._root / name
        os.fsync(draft.handle)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(path.parent.parent)
        if not path.exists():
            draft.path.rename(path)
            _sync_folder(path.parent)

    def has(self, name: str) -> bool:
        """Say whether there is a file of that name."""
        return (self._root / name).is_file()

    def open(self, name: str) -> pa.NativeFile:
        """Open a file for reading; raises KeyError when there is none."""
        if not self.has(name):
            raise KeyError(name)
        return pa.OSFile(str(self._root / name), "r")

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of all files at any depth of a folder, in their order."""
        for path in sorted((self._root / folder).rglob("*")):
            if not path.is_dir():
                yield path.relative_to(self._root).as_posix()

    def remove(self, name: str) -> None:
        """Remove a file and see that a power cut does not bring it back."""
        path = self._root / name
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync_folder(path.parent)

    def _clear_orphans(self) -> None:
        for path in self._temp.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as orphan:
                fcntl.flock(orphan, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
