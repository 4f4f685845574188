"""Mishaps carried out: what an agency hands over in place of, or beside, what it should."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from typing import Final

from connectors.descriptor import RecordStream, load_agency
from simulator.agencies import Simulator
from simulator.chaos.faults import DAYS_DOWN, Mishap, Planned
from simulator.desks import FolderDesk, TableDesk, dated_pattern, writer_of
from simulator.dialect import as_source_writes
from simulator.plan import plans
from simulator.servers import dated_files
from simulator.templates import TEMPLATES, Row
from transforms.columns import Kind, Sheet

_BOMB: Final = 600 * 2**20
"""Bytes that the workbook unpacks to."""


def damage(simulator: Simulator, mishap: Planned) -> None:
    """Do what the mishap says with the agency's delivery of its day."""
    agency, day = mishap.agency, mishap.day
    match mishap.what:
        case Mishap.DOWN | Mishap.SILENT:
            return
        case Mishap.MASS_WITHDRAWAL:
            _put_instead(simulator, mishap, lambda stream, _: _all_withdrawn(simulator, stream, agency, day))
        case Mishap.ZIP_BOMB:
            _put_instead(simulator, mishap, lambda _stream, _rows: _bomb())
        case Mishap.DESTROYED:
            _put_instead(simulator, mishap, lambda stream, rows: _noise(f"{agency}:{stream.id}:{day}", 100 * len(rows)))
        case _:
            raise ValueError(f"{mishap.what} is no mishap")


def _put_instead(
    simulator: Simulator, mishap: Planned, content: Callable[[RecordStream, Sequence[Row]], bytes | None]
) -> None:
    """Hand over that content instead of each stream's delivery; where it is none the delivery stays."""
    agency, day = mishap.agency, mishap.day
    for stream, rows in _of_day(simulator, agency, day):
        instead = content(stream, rows)
        if instead is not None:
            _drop(simulator, agency, _name(stream, day), instead)


def _noise(seed: str, size: int) -> bytes:
    return Random(seed).randbytes(size)  # noqa: S311


def restore(simulator: Simulator, mishap: Planned, today: date) -> None:
    """Put in place what the mishap kept back before today; a second time changes nothing."""
    desk = simulator.desks[mishap.agency]
    desk.faults.turn_off()
    if isinstance(desk, TableDesk):
        desk.server.commit_late()
        return
    since = simulator.days.index(mishap.day)
    for day in simulator.days[since : since + (DAYS_DOWN if mishap.what is Mishap.DOWN else 1)]:
        if day < today:
            simulator.publish_agency(mishap.agency, day)


def put_late(simulator: Simulator, agency: str, day: date) -> None:
    """Have half of a day's rows be seen late, of those first that the next day says nothing new about.

    Nobody could tell which of two versions of a record holds that are seen in one pull of a table without a time.
    """
    following = simulator.days[simulator.days.index(day) + 1]
    for stream, rows in _of_day(simulator, agency, day):
        number = next(code for code, fact in TEMPLATES[stream.kind, stream.sheet] if fact == "document_no")
        later = {
            row[number] for each, told in _of_day(simulator, agency, following) if each.sheet is stream.sheet
            for row in told if number in row
        }  # fmt: skip
        settled_first = sorted(rows, key=lambda row: row[number] in later)
        first = 1 + sum(len(simulator.world.rows[agency, stream.id, d]) for d in simulator.days if d < day)
        simulator.desks[agency].publish(stream.id, day, settled_first, first)


def _of_day(simulator: Simulator, agency: str, day: date) -> list[tuple[RecordStream, Sequence[Row]]]:
    descriptor = load_agency(agency)
    return [(stream, simulator.world.rows[agency, stream.id, day]) for stream in descriptor.streams]


def _written(stream: RecordStream, rows: Sequence[Row]) -> list[Row]:
    return [as_source_writes(row, stream) for row in rows]


def _text(stream: RecordStream, rows: Sequence[Row]) -> bytes:
    return writer_of(stream)(_written(stream, rows))


def _name(stream: RecordStream, day: date) -> str:
    return dated_files.file_name(dated_pattern(stream, day), day)


def _drop(simulator: Simulator, agency: str, name: str, content: bytes) -> None:
    desk = simulator.desks[agency]
    if not isinstance(desk, FolderDesk):
        raise TypeError(f"agency {agency} hands over no files")
    dated_files.drop_content(desk.drop.folder, name, content, None)


def _all_withdrawn(simulator: Simulator, stream: RecordStream, agency: str, day: date) -> bytes | None:
    """Everything that the stream brought before the day, as if it had been withdrawn; none where no column says so."""
    [plan] = [each for each in plans() if each.key == (agency, stream.id)]
    column, gone = ("XK_ZT", "2") if (plan.kind, plan.sheet) == (Kind.LICENCE, Sheet.STANDARD) else ("CF_ZT", "1")
    earlier = [d for d in simulator.days if d < day]
    rows = [row for d in earlier for row in simulator.world.rows[agency, stream.id, d]]
    later = {"SJC": f"{day:%Y/%m/%d} 11:00:00"} if plan.sheet is Sheet.LEGACY else {}
    withdrawn = [row | {column: gone, "BZ": "误撤销"} | later for row in rows if column in row]
    return _text(stream, withdrawn) if withdrawn else None


def _bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        with book.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(_BOMB // 2**20):
                sheet.write(bytes(2**20))
    return content.getvalue()
