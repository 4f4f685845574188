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
* A pull is a full set when any of its pieces says ``full_set``: what the source holds is what the pieces hold
  together, and a record of the stream that stands in none of them has been deleted there. It says nothing of records
  before the pull is complete. Full sets of two days in one pull are one set: a record that left between them is
  missed by the next pull, never withdrawn wrongly. Else a pull holds changes, and a record is deleted only by a row
  that says so (``deletions: tombstone`` of its descriptor; the record becomes withdrawn as by 撤销).

Errors tell for machines, too, what happened: ``reason`` is one of ``Reason``. Whether asking again may help is told by
the class alone; a message never holds a secret, nor user and password of an address, nor a number of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from transforms.problems import Problem

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """One page or file exactly as it came.

    ``content`` is the bytes, or the path of a file that holds them. ``rows`` is what the source said it holds, null
    where it said nothing. ``sha256`` is set where the source declared it: the bytes kept must have it. ``full_set``
    says that the pull is everything the source holds and not only what changed.
    """

    name: str
    content: bytes | Path
    cursor: Cursor
    last: bool
    rows: int | None = None
    sha256: str | None = None
    full_set: bool = False


class Reason(StrEnum):
    """What befell a pull. Refused: ``credential`` to ``other``; may recover: ``busy`` to ``inconsistent``."""

    CREDENTIAL = "credential"
    """401, or a wrong password: the token or password is missing, wrong or expired."""
    RIGHT = "right"
    """403: known to the agency, but not entitled to this stream."""
    ADDRESS = "address"
    """404, an address that is no address, or a redirect: URL of the connection or a path of the descriptor is wrong."""
    TRUST = "trust"
    """The certificate or the host key is not the one that is trusted."""
    LOGIN_PAGE = "login page"
    """A web page came instead of data."""
    INTERFACE = "interface"
    """The answer is sound but not what was agreed: a key is missing, a file is of another kind."""
    TOO_LARGE = "too large"
    """More bytes than agreed."""
    REJECTED = "rejected"
    """The agency's service read the question and answered that it will not."""
    OTHER = "other"
    """Refused for a reason that has no name of its own."""

    BUSY = "busy"
    """429 and its like: asked too often, or not ready yet."""
    BROKEN = "broken"
    """5xx: the source has a fault of its own."""
    TIMEOUT = "timeout"
    """No byte, or no end, in the time that was agreed."""
    CONNECTION = "connection"
    """Not reachable, or the connection broke."""
    CUT_OFF = "cut off"
    """The answer is whole for the protocol but ends early."""
    UNAVAILABLE = "unavailable"
    """May recover, for a reason that has no name of its own."""
    INCONSISTENT = "inconsistent"
    """The parts of one pull do not fit together."""


class AgencyError(Exception):
    """An agency could not be read.

    What an agency answered may stand in the message, which is logged, kept and shown: no number of a person is left in
    it.
    """

    def __init__(self, message: str, reason: Reason = Reason.OTHER) -> None:
        """Carry the message and what befell the pull."""
        from connectors.quoting import without_numbers  # noqa: PLC0415 (policies of DAGs name this class: keep it light)

        super().__init__(without_numbers(message))
        self.reason = reason


class AgencyRefused(AgencyError):
    """Asking again changes nothing; the message says what a person has to put right."""


class AgencyUnavailable(AgencyError):
    """Asking again later may help. ``retry_after`` is the wait in seconds that the source asked for, if any."""

    def __init__(self, message: str, retry_after: float | None = None, reason: Reason = Reason.UNAVAILABLE) -> None:
        """Carry the message, the wait and what befell the pull."""
        super().__init__(message, reason)
        self.retry_after = retry_after


class PullInconsistentError(AgencyUnavailable):
    """The parts of one pull do not fit together, the source moved meanwhile: the pull starts over."""

    def __init__(self, message: str) -> None:
        """Carry the message."""
        super().__init__(message, reason=Reason.INCONSISTENT)


class FilesRefusedError(AgencyError):
    """Some files were left where they are; every other file of the pull was handed over before this is raised."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Carry one problem per file."""
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
