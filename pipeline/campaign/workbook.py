"""A summary report as XLSX: one sheet per table; the same report gives the same bytes."""

from __future__ import annotations

from typing import Any

from openpyxl.styles import Font

from pipeline.campaign import tables
from pipeline.campaign.report import CampaignReport
from pipeline.campaign.tables import Number, Table
from pipeline.text_workbook import add_sheet, new_book, number_cell, packed, text_cell
from transforms.campaign.plausible import WHOLE_ACTION


def write_workbook(report: CampaignReport, version: int) -> bytes:
    """Return the XLSX of a version of a report."""
    title = f"{report.title} 情况统计 截至 {report.as_of} 第 {version} 版"
    book = new_book(title, report.as_of)
    for table in (
        tables.by_month(report), tables.by_district(report, WHOLE_ACTION),
        *(tables.by_district(report, month) for month in report.begun), tables.by_kind(report),
        tables.by_agency(report), tables.contradictions(report), tables.missing(report), tables.returns(report),
        tables.cases(report), tables.notes(report),
    ):  # fmt: skip
        _add(book, table, title)
    return packed(book)


def _add(book: Any, table: Table, title: str) -> None:
    sheet = add_sheet(
        book, table.title, table.header, table.widths, keep_first_column=bool(table.rows) and table.is_numeric(-1)
    )
    sheet.oddHeader.center.text = f"{title} - {table.title}"
    sheet.page_setup.orientation = "landscape"
    for place, row in enumerate(table.rows):
        cells = [
            number_cell(sheet, each.value, each.decimals) if isinstance(each, Number) else text_cell(sheet, each)
            for each in row
        ]
        if place >= len(table.rows) - table.totals:
            for cell in cells:
                cell.font = Font(bold=True)
        sheet.append(cells)
