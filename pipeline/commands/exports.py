"""``disclosure export``: answers of the ledger as CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.console import Json, answer, out

app = typer.Typer(no_args_is_help=True, help="Tables as CSV.")


def _export(query_name: str, path: Path, as_json: bool) -> None:
    from pipeline import exports
    from pipeline.office import open_office

    rows = exports.export(open_office(), getattr(exports, query_name), path)
    answer(as_json, {"file": str(path), "rows": rows}, lambda: out.print(f"{path}: {rows} rows"))


@app.command("attachments")
def export_attachments(path: Annotated[Path, typer.Argument(metavar="OUT.csv")], json_: Json = False) -> None:
    """Write document_no, subject_name, uscc, method, grade, score, evidence of each record attached or tried."""
    _export("ATTACHMENTS", path, json_)


@app.command("reviews")
def export_reviews(path: Annotated[Path, typer.Argument(metavar="OUT.csv")], json_: Json = False) -> None:
    """Write document_no, subject_name, rule_or_reason, severity, field, value, remedy of everything that waits."""
    _export("REVIEWS", path, json_)


@app.command("discrepancies")
def export_discrepancies(path: Annotated[Path, typer.Argument(metavar="OUT.csv")], json_: Json = False) -> None:
    """Write the findings of the cross-check as they stand: enterprise, year, kind, case, site, fields, state."""
    _export("DISCREPANCIES", path, json_)


@app.command("gaps")
def export_gaps(path: Annotated[Path, typer.Argument(metavar="OUT.csv")], json_: Json = False) -> None:
    """Write the reported sites that the monitoring base does not have, to be added there (cross-check, case 6)."""
    _export("BASE_GAPS", path, json_)


@app.command("refusals")
def export_refusals(path: Annotated[Path, typer.Argument(metavar="OUT.csv")], json_: Json = False) -> None:
    """Write what each site's newest release left out because the site would not take it, with rule and value."""
    _export("NOT_ACCEPTED", path, json_)
