"""Making a finished directory the current one by one atomic step, and clearing away what a killed process left.

Layout of a site root (and of a client's state, which has the same needs)::

    <site root>/releases/000001/  000002/ ...   finished, never changed again
    <site root>/current -> releases/000002      what readers follow; replaced by one rename(2)
    <site root>/.building-000003/               being written; no reader looks at it
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from feeds.manifest import MANIFEST

_RELEASES: Final = "releases"
_CURRENT: Final = "current"
_BUILDING: Final = ".building-"
_LINK_DRAFT: Final = ".current-"


class SequenceTakenError(Exception):
    """A release of this number exists with other content; a number is never used twice."""


def building_directory(site_root: Path, sequence: int) -> Path:
    """Return where release ``sequence`` is to be written: on the same file system, unseen by readers."""
    return site_root / f"{_BUILDING}{sequence:06d}"


def release_directory(site_root: Path, sequence: int) -> Path:
    """Return where release ``sequence`` lies once it is finished."""
    return site_root / _RELEASES / f"{sequence:06d}"


def current_release(site_root: Path) -> Path | None:
    """Return the directory readers are sent to, None before the first release."""
    link = site_root / _CURRENT
    return link.resolve() if link.is_symlink() else None


def sync(path: Path) -> None:
    """Wait until a file, or the list of names of a directory, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_visible(site_root: Path, release_dir: Path, sequence: int) -> None:
    """Move ``release_dir`` to its place under ``site_root`` and point ``current`` at it.

    Readers see the old release until the last instruction and the new one from then on. Calling it again after a kill
    ends in the same state.

    Raises:
        SequenceTakenError: the place is taken by a release with another manifest.
    """
    place = release_directory(site_root, sequence)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        release_dir.rename(place)
    elif release_dir.exists() and release_dir != place:
        if (place / MANIFEST).read_bytes() != (release_dir / MANIFEST).read_bytes():
            raise SequenceTakenError(f"第 {sequence} 期已经存在, 内容不同: {place.name}")
        shutil.rmtree(release_dir)
    sync(place.parent)
    point_at(site_root, place)


def point_at(site_root: Path, place: Path) -> None:
    """Replace the link ``current`` under ``site_root`` in one step."""
    draft = site_root / f"{_LINK_DRAFT}{os.getpid()}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path(_RELEASES) / place.name)
    draft.replace(site_root / _CURRENT)
    sync(site_root)


def discard_unfinished(site_root: Path) -> list[str]:
    """Remove what a killed process left: half-built directories, and releases above the current one.

    Several releases without a current one are no trace of a kill but of a lost link: they are left for a person.

    Returns:
        Names of what was removed, sorted.
    """
    current = current_release(site_root)
    finished = sorted((site_root / _RELEASES).glob("[0-9]*"))
    left = [*site_root.glob(f"{_BUILDING}*"), *site_root.glob(f"{_LINK_DRAFT}*")]
    if current is not None:
        left += [place for place in finished if place.name > current.name]
    elif len(finished) == 1:
        left += finished
    for place in left:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
    return sorted(place.name for place in left)
