"""A kept report as files, workbook and page, from the ledger's text alone: the same version gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from pipeline.campaign.page import write_page
from pipeline.campaign.report import CampaignReport
from pipeline.campaign.workbook import write_workbook
from pipeline.whole_file import write_whole
from store.campaign_reports import KeptReport

FOLDER = "campaign"
"""Folder of a home that reports lie in where nobody says another."""


def write_files(kept: KeptReport, folder: Path) -> list[Path]:
    """Write ``campaign_<action>_<day>_v<version>.xlsx`` and ``.html`` and return where they lie.

    A file appears whole or not at all.
    """
    report = CampaignReport.model_validate_json(kept.content)
    name = f"campaign_{kept.action}_{kept.as_of:%Y%m%d}_v{kept.version}"
    return [
        write_whole(folder / f"{name}.xlsx", write_workbook(report, kept.version)),
        write_whole(folder / f"{name}.html", write_page(report, kept.version).encode()),
    ]
