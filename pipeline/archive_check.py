"""Hold the raw archive against itself and against the ledger: is every byte there that anybody may ask for?"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from pipeline.journal import JournalForked, write_journal
from pipeline.office import Office
from store import retention, runs

Kind = Literal["changed", "unreadable", "missing", "misplaced", "no_manifest", "journal"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    ``changed``, ``unreadable``, ``misplaced`` as in ``connectors.archive``. ``missing``: a manifest or the ledger names
    an object that is not there and was not removed by the end of its retention. ``no_manifest``: a delivery was decided
    about and has none. ``journal``: an entry is missing, or says something else than the ledger.
    """

    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What a verification found. ``read`` objects were read of ``objects`` that are there.

    ``removed`` are gone by policy; ``unnamed`` are there and belong to nothing in the ledger, such as pages of a pull
    that was started over; they are no fault.
    """

    objects: int
    read: int
    removed: int
    unnamed: int
    journal_written: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.faults


def verify_archive(
    office: Office, *, sample: int | None = None, seed: str = "", tell: Callable[[str], object] = str
) -> ArchiveReport:
    """Read the objects again, all or a ``sample`` of that many, and compare names, manifests, journal and ledger.

    ``seed`` decides which objects are in the sample; ``tell`` hears of each object read. Entries of the journal that a
    killed process left unwritten are written first.
    """
    faults: list[Fault] = []
    written = 0
    try:
        written = write_journal(office)
    except JournalForked as forked:
        faults.append(Fault("journal", "", str(forked)))
    present = set(office.archive.objects())
    chosen = _sample(present, sample, seed)
    with office.engine.connect() as connection:
        removals = retention.newest_removals(connection)
        removed = {sha256 for sha256, each in removals.items() if each.event != "spared"}
        named = _named(connection)
    faults += (
        Fault(fault.kind, fault.sha256, fault.detail)
        for fault in office.archive.verify(chosen=chosen.__contains__, tell=tell)
        if fault.kind != "missing" or fault.sha256 not in removed
    )
    lost = sorted(named.keys() - present - removed)
    faults += (Fault("missing", sha256, f"named by {named[sha256]}") for sha256 in lost)
    faults += _without_manifest(office)
    faults += _journal_faults(office)
    return ArchiveReport(
        objects=len(present), read=len(chosen), removed=len(removed - present), unnamed=len(present - named.keys()),
        journal_written=written, faults=tuple(faults),
    )  # fmt: skip


def faults_by_kind(report: ArchiveReport) -> dict[str, int]:
    """Count the faults of each kind."""
    return dict(sorted(Counter(fault.kind for fault in report.faults).items()))


def _sample(present: set[str], size: int | None, seed: str) -> set[str]:
    if size is None or size >= len(present):
        return present
    return set(sorted(present, key=lambda sha256: hashlib.sha256(f"{seed} {sha256}".encode()).digest())[:size])


def _named(connection: sa.Connection) -> dict[str, str]:
    named = dict.fromkeys(retention.collected_pieces(connection), "a pull")
    for holder in retention.holders(connection):
        named[holder.sha256] = f"{holder.what} {holder.holder_id} of {holder.agency} {holder.day}"
    return named


def _without_manifest(office: Office) -> Iterator[Fault]:
    known = set()
    for sha256 in office.archive.manifest_hashes():
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # told of as unreadable before
            manifest = office.archive.read_manifest(sha256)
            files = tuple(file["sha256"] for file in manifest.get("files", []))
            known.add((manifest["agency"], manifest["kind"], files))
    query = (
        "SELECT d.delivery_id, d.agency, d.kind, array_agg(f.sha256 ORDER BY f.ordinal) AS files FROM delivery d"
        " JOIN delivery_file f USING (delivery_id) WHERE d.state IN ('checked', 'refused')"
        " GROUP BY d.delivery_id ORDER BY d.delivery_id"
    )
    with office.engine.connect() as connection:
        for row in connection.execute(sa.text(query)):
            if (row.agency, row.kind, tuple(row.files)) not in known:
                yield Fault("no_manifest", f"delivery {row.delivery_id}", f"{row.agency} {row.kind}: no manifest")


def _journal_faults(office: Office) -> Iterator[Fault]:
    there = set(office.archive.entry_numbers())
    with office.engine.connect() as connection:
        for run in runs.runs(connection):
            if run.run_no not in there:
                yield Fault("journal", str(run.run_no), f"{run.step} of {run.as_of} has no entry in the archive")
                continue
            with contextlib.suppress(ValueError):  # told of as unreadable before
                if office.archive.read_entry(run.run_no) == run.as_entry():
                    continue
                yield Fault("journal", str(run.run_no), f"{run.step} of {run.as_of} stands otherwise in the archive")
