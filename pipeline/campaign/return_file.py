"""A return as a file: the form to be filled in (XLSX), and reading it back from XLSX or CSV.

One row an item. Columns: 机关, 月份, 项目编码, 项目, 计量单位, 全市, each district by its name, 上月全市数. Read are
项目编码, 全市 and the districts; 机关 and 月份 are held against the return that the file is given for. Every cell is
text. Nothing is skipped in silence: a column or an item that is not known is a problem.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import BinaryIO, Final

from connectors.descriptor import load_agency
from connectors.formats.limits import Limits
from connectors.formats.reader import open_table
from pipeline.campaign.filling import LARGEST_FILE, Asked, Fault
from pipeline.text_workbook import add_sheet, new_book, packed, text_cell
from transforms.campaign.sheets import sheets
from transforms.problems import Problem

AGENCY, MONTH, CODE, CITY = "机关", "月份", "项目编码", "全市"
_IGNORED: Final = ("项目", "计量单位", "上月全市数")
_LIMITS: Final = Limits(batch_rows=500, cell_chars=1_000, columns=100, file_bytes=LARGEST_FILE, unpacked_bytes=32 << 20)
_WIDTHS: Final = {AGENCY: 24, MONTH: 10, CODE: 20, "项目": 30, "计量单位": 10, CITY: 12, "上月全市数": 14}


class ReturnFile:
    """What a file tells: ``cells`` by district and item, the row of each item, and what is wrong with the file."""

    def __init__(self, file: str) -> None:
        """Nothing is read yet."""
        self.file = file
        self.cells: dict[tuple[str, str], str] = {}
        self.rows: dict[str, int] = {}
        self.columns: dict[str, str] = {}
        self.problems: list[Problem] = []

    @property
    def refused(self) -> bool:
        """Whether something is wrong that the file has to be mended for."""
        return any(each.severity in ("refuse", "reject") for each in self.problems)

    def problem_of(self, fault: Fault) -> Problem:
        """Return a fault of the return with its place in the file."""
        rows = [self.rows[code] for code in fault.items if code in self.rows]
        return Problem(
            rule=fault.rule, severity="reject" if fault.severity == "error" else "warn", message=fault.message,
            remedy=fault.remedy, file=self.file, row=min(rows, default=None),
            field=self.columns.get(fault.district, ""), value=fault.value,
        )  # fmt: skip

    def _problem(self, rule: str, message: str, remedy: str, *, row: int | None = None, field: str = "") -> None:
        self.problems.append(Problem(rule, "reject", message, remedy, self.file, row, field))


def empty_form(of: Asked, *, before: Mapping[str, Decimal], as_of: dt.date) -> bytes:
    """Return the form of an agency and month (XLSX); ``before``: the city's figures of the month before, by item."""
    table = sheets()
    name = load_agency(of.agency).name_on(as_of)
    header = [AGENCY, MONTH, CODE, "项目", "计量单位", CITY, *(each.name for each in table.districts), "上月全市数"]
    book = new_book(f"{of.action.title}统计表 {name} {of.month}", as_of)
    sheet = add_sheet(book, "统计表", header, [_WIDTHS.get(column, 10) for column in header])
    for item in table.asked_of(of.agency):
        last = before.get(item.code)
        row = [name, of.month, item.code, item.title, item.unit, "", *("" for _ in table.districts)]
        shown = "" if last is None else f"{last:.{item.decimals}f}"
        sheet.append([text_cell(sheet, text) for text in [*row, shown]])
    return packed(book)


def read_return(stream: BinaryIO, file: str, *, agency: str, month: str) -> ReturnFile:
    """Read a filled form. Raises ``transforms.problems.DeliveryRefused`` for a file that cannot be read at all."""
    found = ReturnFile(file)
    names = {name.name for name in load_agency(agency).names} | {agency}
    known = {CODE, CITY, AGENCY, MONTH} | {each.name for each in sheets().districts}
    with open_table(stream, file=file, limits=_LIMITS, fits=lambda cells: len(known & set(cells))) as table:
        places = _places(found, table.header)
        if CODE not in table.header:
            found._problem("column", f"没有“{CODE}”一列", "请用下载的空表填报, 不要改动表头", row=1)
        for batch in table.batches():
            for row in batch.to_pylist():
                _row(found, row, places, names=names, month=month)
        found.problems += table.problems
    return found


def _places(found: ReturnFile, header: tuple[str, ...]) -> dict[str, str]:
    """Return the district of each column of figures; tell of columns that are none of the form's."""
    table = sheets()
    districts = {each.name: each.code for each in table.districts} | {each.code: each.code for each in table.districts}
    districts |= {CITY: table.whole_city, table.whole_city: table.whole_city}
    for column in header:
        if column not in districts and column not in (AGENCY, MONTH, CODE, *_IGNORED):
            found._problem("column", f"不认识“{column}”一列", "请用空表中的列名, 或删去此列", row=1, field=column)
    places = {column: districts[column] for column in header if column in districts}
    found.columns = {code: column for column, code in places.items()}
    return places


def _row(
    found: ReturnFile, row: Mapping[str, object], places: Mapping[str, str], *, names: set[str], month: str
) -> None:
    number = int(str(row["row_no"]))
    texts = {column: str(value or "").strip() for column, value in row.items()}
    code = texts.get(CODE, "")
    if not code:
        if any(texts[column] for column in places):
            found._problem("item", "有数而没有项目编码", "请用空表中的项目编码", row=number, field=CODE)
        return
    if texts.get(AGENCY) and texts[AGENCY] not in names:
        found._problem("agency", f"此行是“{texts[AGENCY]}”的", "请核对所选的机关和文件", row=number, field=AGENCY)
    if texts.get(MONTH) and texts[MONTH] != month:
        found._problem(
            "month", f"此行是 {texts[MONTH]} 的, 不是 {month} 的", "请核对所选的月份和文件", row=number, field=MONTH
        )
    if code in found.rows:
        found._problem("item", f"{code} 已在第 {found.rows[code]} 行填过", "请合并为一行", row=number, field=CODE)
        return
    found.rows[code] = number
    found.cells |= {(district, code): texts[column] for column, district in places.items() if texts[column]}


def form_name(of: Asked) -> str:
    """Return the name under which a form is saved."""
    return f"{of.action.id}_{of.agency}_{of.month}.xlsx"
