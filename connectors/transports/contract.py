"""What every transport promises: pieces of bytes, each with the cursor that lies behind it.

``pull(stream, endpoint, *, cursor, as_of) -> Iterator[Piece]``

* ``cursor`` is ``{}`` for the very first pull, else the cursor of the last piece that was kept, be it the last one of
  a complete pull or one from the middle of a pull that was cut off. A transport goes on exactly behind it.
* Cursors are JSON objects that only their transport reads. The cursor of a ``last`` piece is where the next pull
  starts. Pulling without a new cursor in between changes nothing at the source.
* ``as_of`` bounds the pull: what the source dates after that day is left for a later one.
* Nothing new at the source: no piece at all.
* A source that refuses raises AgencyRefused, one that may recover AgencyUnavailable; a pull whose parts do not fit
  together raises PullInconsistentError. Files refused one by one do not stop the others: FilesRefusedError comes
  after the last good piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.problems import Problem

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One page or file exactly as it came.

    ``content`` is the bytes, or the path of a file that holds them. ``rows`` is what the source said it holds, null
    where it said nothing. ``sha256`` is set where the source declared it: the bytes kept must have it.
    """

    name: str
    content: bytes | Path
    cursor: Cursor
    last: bool
    rows: int | None = None
    sha256: str | None = None


class AgencyError(Exception):
    """An agency could not be read."""


class AgencyRefused(AgencyError):
    """Asking again changes nothing; the message says what a person has to put right."""


class AgencyUnavailable(AgencyError):
    """Asking again later may help. ``retry_after`` is the wait in seconds that the source asked for, if any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Carry the message and the wait."""
        super().__init__(message)
        self.retry_after = retry_after


class PullInconsistentError(AgencyUnavailable):
    """The parts of one pull do not fit together, the source moved meanwhile: the pull starts over."""


class FilesRefusedError(AgencyError):
    """Some files were left where they are; every other file of the pull was handed over before this is raised."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Carry one problem per file."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
