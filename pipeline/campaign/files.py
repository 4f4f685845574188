"""A kept report as files, workbook and page, from the ledger's text alone: the same version gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from pipeline.campaign.page import write_page
from pipeline.campaign.report import CampaignReport
from pipeline.campaign.workbook import write_workbook
from store.campaign_reports import KeptReport

FOLDER = "campaign"
"""Folder of a home that reports lie in where nobody says another."""


def write_files(kept: KeptReport, folder: Path) -> list[Path]:
    """Write ``campaign_<action>_<day>_v<version>.xlsx`` and ``.html`` and return where they lie.

    A file appears whole or not at all.
    """
    report = CampaignReport.model_validate_json(kept.content)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"campaign_{kept.action}_{kept.as_of:%Y%m%d}_v{kept.version}"
    written = []
    for suffix, content in (
        ("xlsx", write_workbook(report, kept.version)),
        ("html", write_page(report, kept.version).encode()),
    ):
        target = folder / f"{name}.{suffix}"
        draft = folder / f".{target.name}"
        draft.write_bytes(content)
        draft.replace(target)
        written.append(target)
    return written
