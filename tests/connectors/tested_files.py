"""Files to read in tests of the formats, and the reading of one."""

from __future__ import annotations

import io

from openpyxl import Workbook

from connectors.formats.limits import Limits
from connectors.formats.reader import TextTable, open_table

HEAD = "CF_WSH,名称,CF_NR\n"


def read(content: bytes, limits: Limits = Limits()) -> tuple[TextTable, dict[int, list[str | None]]]:  # noqa: B008
    """Return the table, and the cells of each row by row number."""
    table = open_table(io.BytesIO(content), file="cf.csv", limits=limits)
    rows: dict[int, list[str | None]] = {}
    for batch in table.batches():
        for row in batch.to_pylist():
            number = row.pop("row_no")
            rows[number] = list(row.values())
    rejected = [problem for problem in table.problems if problem.severity == "reject"]
    assert table.rows == len(rows) + len(rejected)
    assert len({problem.row for problem in rejected}) == len(rejected)
    return table, rows


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
