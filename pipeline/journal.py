"""The journal: the order of steps, written to the raw archive as well, so that the archive alone can give it all back.

The ledger's ``step_run`` is written first, in the transaction of the step. Its entry goes to the archive when that is
committed; what a killed process left unwritten is written by the next step, or by ``disclosure archive verify``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from connectors.archive import ManifestConflictError
from pipeline.office import Office
from store import runs


class JournalForked(RuntimeError):
    """The archive tells another story than the database: one of them was restored to an earlier day."""


@contextlib.contextmanager
def journaled(office: Office) -> Iterator[None]:
    """Write the journal when the step inside is done and committed."""
    yield
    write_journal(office)


def write_journal(office: Office) -> int:
    """Write the entries that the archive does not have yet, and return their number.

    Raises ``JournalForked`` when the archive has another entry under one of the numbers.
    """
    with office.engine.begin() as connection:
        waiting = runs.unjournaled(connection)
        for run in waiting:
            try:
                office.archive.write_entry(run.run_no, run.as_entry())
            except ManifestConflictError as conflict:
                raise JournalForked(
                    f"step {run.run_no} stands otherwise in the archive's journal: the database is older than the "
                    "archive, or the archive belongs to another system. Rebuild the database with "
                    "`disclosure replay --ledger archive --into` before any further step."
                ) from conflict
        if waiting:
            runs.mark_journaled(connection, [run.run_no for run in waiting])
    return len(waiting)
