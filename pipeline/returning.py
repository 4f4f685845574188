"""退回机关: send failing rows back to their agency, in a workbook to be mended and with a cover to be filed.

A notice holds rows in state ``returned``, as they were received, with every rule that they failed. It changes nothing
about them: what mends them is the agency's next delivery, by the ordinary ingest, which closes their items by itself.
What was issued stays as issued: both files are kept with their hashes, and who was told which item.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import sqlalchemy as sa

from connectors.descriptor import Agency, load_agency
from pipeline.letters import rendered
from pipeline.office import Office
from pipeline.rereading import MASKED, RowGone, batch_of_file
from pipeline.return_workbook import Problem, ReturnedRow, ReturnedSheet, write_workbook
from pipeline.rule_titles import titles_of
from pipeline.sentences import Failed, sentences
from store import deliveries, returns
from store.deliveries import Delivery, FileOfDelivery
from store.returns import ROWS_AT_MOST, Failure, Notice, Returnable
from store.typed_text import masked_name, require_no_number
from transforms import personal
from transforms.columns import ID_COLUMNS, KIND_NAMES, TEXT, Kind, Sheet
from transforms.sheets import SHEETS, Recognition

_NOT_SPLIT: Final = "无法拆分的行"


class NothingToReturn(RuntimeError):
    """The agency has nothing to mend that a notice has not told it of."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the cover: a rule, on how many rows, and what to do about it."""

    kind: str
    rule: str
    title: str
    remedy: str
    rows: int


def notice_number(notice_id: int, as_of: dt.date) -> str:
    """Return the number under which a notice goes out."""
    return f"信用退〔{as_of.year}〕{notice_id}号"


def file_name(notice: Notice, which: str) -> str:
    """Return the name of a file of a notice: ``workbook`` or ``cover``."""
    return (
        f"return_{notice.agency}_{notice.as_of:%Y%m%d}_{notice.notice_id}.{'xlsx' if which == 'workbook' else 'html'}"
    )


def returnable(office: Office, agency: str | None = None) -> list[Returnable]:
    """Return per agency how many rows it has to mend, and of how many no notice has told it."""
    with office.engine.connect() as connection:
        return returns.returnable(connection, agency=agency)


def make_notice(
    office: Office,
    agency_id: str,
    *,
    person: str,
    as_of: dt.date,
    remark: str = "",
    rules: Sequence[str] = (),
    again: bool = False,
) -> Notice:
    """Make a return notice of an agency's failing rows, the oldest first, ``ROWS_AT_MOST`` of them.

    ``rules``: only rows that failed one of these. ``again``: also what an earlier notice has told (催办). Raises
    ``NothingToReturn``, ``connectors.descriptor.DescriptorError`` for an agency that is not known,
    ``store.typed_text.NumberTyped`` for a remark that holds a number of a person: the cover is printed and sent.
    """
    require_no_number("姓名", person)
    require_no_number("附言", remark)
    agency = load_agency(agency_id)
    with office.engine.begin() as connection:
        notice_id = returns.next_notice(connection, agency_id)
        chosen = _choose(connection, agency_id, rules=rules, again=again)
        told = [failure for _, failures in chosen for failure in failures]
        if not told:
            raise NothingToReturn(f"{agency_id}: nothing to return{'' if again else ' that no notice has told'}")
        number = notice_number(notice_id, as_of)
        sheets = list(_sheets(office, connection, agency, chosen))
        workbook = write_workbook(sheets, number=number, as_of=as_of)
        cover = _cover(agency, chosen, workbook, number=number, notice_id=notice_id, as_of=as_of, remark=remark)
        return returns.enter(
            connection, notice_id, agency=agency_id, as_of=as_of, person=person, remark=remark, told=told,
            workbook=workbook, cover=cover,
        )  # fmt: skip


def read_notice(office: Office, notice_id: int) -> Notice:
    """Read one notice. Raises ``store.returns.NoticeUnknown``."""
    with office.engine.connect() as connection:
        return returns.read_notice(connection, notice_id)


def list_notices(office: Office, agency: str | None = None) -> list[Notice]:
    """Return notices, newest first."""
    with office.engine.connect() as connection:
        return returns.list_notices(connection, agency=agency)


def notice_file(office: Office, notice_id: int, which: str) -> bytes:
    """Return a file of a notice as issued. Raises ``store.returns.NoticeUnknown``."""
    with office.engine.connect() as connection:
        return returns.file_of(connection, notice_id, which)


def _choose(
    connection: sa.Connection, agency: str, *, rules: Sequence[str], again: bool
) -> list[tuple[Kind, list[Failure]]]:
    room = ROWS_AT_MOST
    chosen = []
    for kind in Kind:
        found = returns.failures(connection, kind, agency=agency, rules=rules, again=again, rows=room)
        room -= len({each.record_id for each in found})
        chosen.append((kind, found))
    return chosen


def _sheets(
    office: Office, connection: sa.Connection, agency: Agency, chosen: Sequence[tuple[Kind, list[Failure]]]
) -> Iterator[ReturnedSheet]:
    """Put rows that came under one header together, in the order in which they came."""
    titles: set[str] = set()
    for kind, failures in chosen:
        failed = [Failed(kind.value, each.record_id, each.rule, each.value, each.finding) for each in failures]
        told = zip(failures, sentences(connection, failed), strict=True)
        said = {each.review_id: text for each, text in told}
        known: dict[int, Delivery] = {}
        by_file: dict[tuple[int, int], list[Failure]] = defaultdict(list)
        for failure in _without_numbers(failures):
            by_file[failure.delivery_id, failure.file_ordinal].append(failure)
        rows: dict[tuple[str, tuple[str, ...]], list[ReturnedRow]] = defaultdict(list)
        for (delivery_id, ordinal), of_file in by_file.items():
            if delivery_id not in known:
                known[delivery_id] = deliveries.read_delivery(connection, delivery_id)
            file = next(file for file in known[delivery_id].files if file.ordinal == ordinal)
            file = replace(file, name=masked_name(file.name))
            for header, row in _rows(office, agency, kind, file, of_file, said=said):
                rows[of_file[0].sheet if header != (_NOT_SPLIT,) else "", header].append(row)
        for (sheet, header), of_header in rows.items():
            yield ReturnedSheet(_title(kind, sheet, titles), header, of_header)


def _without_numbers(failures: Sequence[Failure]) -> list[Failure]:
    """Return failures with what a row says of itself as it may leave."""
    masked = {
        name: personal.without_numbers(pa.array([getattr(each, name) for each in failures], TEXT)).to_pylist()
        for name in ("document_no", "subject_name", "value")
    }
    return [
        replace(each, **{name: texts[place] for name, texts in masked.items()}) for place, each in enumerate(failures)
    ]


def _title(kind: Kind, sheet: str, taken: set[str]) -> str:
    form = {"": _NOT_SPLIT, Sheet.LEGACY.value: "旧表样"}.get(sheet, "")
    wanted = title = f"{KIND_NAMES[kind]}{form}"
    number = 1
    while title in taken:
        number += 1
        title = f"{wanted}{number}"
    taken.add(title)
    return title


def _rows(
    office: Office,
    agency: Agency,
    kind: Kind,
    file: FileOfDelivery,
    failures: Sequence[Failure],
    *,
    said: Mapping[int, str],
) -> Iterator[tuple[tuple[str, ...], ReturnedRow]]:
    """Yield the header and each failing row of a file; a row that could not be split is one cell."""
    by_row: dict[int, list[Failure]] = defaultdict(list)
    for failure in failures:
        by_row[failure.row_no].append(failure)
    try:
        batch, recognition = batch_of_file(office.archive, agency, kind, file, by_row)
    except RowGone as gone:
        for of_row in by_row.values():
            yield (_NOT_SPLIT,), _row([str(gone)], {}, of_row, kind, file, said=said)
        return
    header = tuple(name for name in batch.schema.names if name != "row_no")
    received = dict(zip(batch.column("row_no").to_pylist(), _shown(batch, recognition, header), strict=True))
    for row_no, of_row in by_row.items():
        if row_no in received:
            yield header, _row(received[row_no], _places(header, recognition, of_row), of_row, kind, file, said=said)
        else:
            text = json.loads(of_row[0].source_text or "{}").get("", "")
            yield (_NOT_SPLIT,), _row([text], {0: "reject"}, of_row, kind, file, said=said)


def _shown(batch: pa.RecordBatch, recognition: Recognition, header: Sequence[str]) -> Iterator[list[str]]:
    """Yield rows of texts as they may leave: no document number of a person, no telephone."""
    columns = []
    for cell in header:
        column = recognition.columns.get(cell)
        texts = batch.column(cell)
        if column is not None and column.target in ID_COLUMNS:
            columns.append([MASKED if text else "" for text in texts.to_pylist()])
        else:
            masked = personal.without_numbers(texts)
            columns.append([text or "" for text in masked.to_pylist()])
    return map(list, zip(*columns, strict=True))


def _places(header: Sequence[str], recognition: Recognition, failures: Sequence[Failure]) -> dict[int, str]:
    """Return which cells of a row are wrong; what is rejected outweighs what is held."""
    wrong: dict[int, str] = {}
    for failure in sorted(failures, key=lambda each: each.severity):  # hold, then reject
        named = set(failure.field.split(";"))
        for place, cell in enumerate(header):
            column = recognition.columns.get(cell)
            if column is not None and {column.code, column.target} & named:
                wrong[place] = failure.severity
    return wrong


def _row(
    cells: Sequence[str],
    wrong: dict[int, str],
    failures: Sequence[Failure],
    kind: Kind,
    file: FileOfDelivery,
    *,
    said: Mapping[int, str],
) -> ReturnedRow:
    first = failures[0]
    labels = {column.code: column.label for column in SHEETS[kind, Sheet(first.sheet)].columns}
    problems = [
        Problem(
            each.rule, each.severity, _rule_title(kind, Sheet(each.sheet), each), said[each.review_id], each.remedy,
            each.value or "",
            "、".join(labels.get(code, code) for code in each.field.split(";")),
        )
        for each in failures
    ]  # fmt: skip
    dues = [each.due for each in failures if each.due is not None]
    return ReturnedRow(
        cells, wrong, problems, first.document_no or "", first.subject_name or "", min(dues, default=None), file.name,
        first.row_no,
    )  # fmt: skip


def _rule_title(kind: Kind, sheet: Sheet, failure: Failure) -> str:
    return titles_of(kind, sheet).get(failure.rule) or failure.finding or failure.rule


def _cover(
    agency: Agency,
    chosen: Sequence[tuple[Kind, list[Failure]]],
    workbook: bytes,
    *,
    number: str,
    notice_id: int,
    as_of: dt.date,
    remark: str,
) -> bytes:
    told: dict[tuple[str, str], list[Failure]] = defaultdict(list)
    for kind, failures in chosen:
        for failure in failures:
            told[KIND_NAMES[kind], failure.rule].append(failure)
    kinds = {name: kind for kind, name in KIND_NAMES.items()}
    lines = [
        Told(
            name, rule, _rule_title(kinds[name], Sheet(found[0].sheet), found[0]), found[0].remedy, len(found)
        )
        for (name, rule), found in told.items()
    ]  # fmt: skip
    every = [failure for _, failures in chosen for failure in failures]
    dues = [each.due for each in every if each.due is not None]
    text = rendered(
        "return_cover.html",
        number=number, agency=agency.name_on(as_of), as_of=as_of, remark=remark,
        rows=len({each.record_id for each in every}), lines=sorted(lines, key=lambda line: (-line.rows, line.rule)),
        due=min(dues, default=None), workbook=f"return_{agency.id}_{as_of:%Y%m%d}_{notice_id}.xlsx",
        sha256=returns.sha256(workbook),
    )  # fmt: skip
    return text.encode()
