"""``disclosure campaign``: the summary report of a special action (专项行动), and what of it is due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, err, fail, out, table

app = typer.Typer(no_args_is_help=True, help="Special actions (专项行动): figures, reports, due dates.")

Action = Annotated[str, typer.Option("--action", help="Id of the action in transforms/campaign/sheets.yaml.")]


@app.command()
def report(
    as_of: AsOf,
    to: Annotated[Path, typer.Option("--to", help="Folder for the workbook and the page.", file_okay=False)],
    action: Action = "wj2018",
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Write this version again, as it was made; count nothing.")
    ] = None,
    *,
    json_: Json = False,
) -> None:
    """Count an action as it stood on a day and write the report as XLSX and as one HTML page."""
    from pipeline.campaign.files import write_files
    from pipeline.campaign.making import make_report, read_report
    from pipeline.campaign.report import CampaignReport
    from pipeline.office import open_office
    from store.campaign_reports import ReportUnknown
    from transforms.campaign.sheets import ActionUnknown

    day = as_of.date()
    with err.status("counting"):
        try:
            office = open_office()
            if version is None:
                kept = make_report(office, action, as_of=day, person="disclosure campaign report")
            else:
                kept = read_report(office, action, as_of=day, version=version)
        except (ActionUnknown, ValueError) as error:
            fail(error, WRONG_USAGE)
        except ReportUnknown as error:
            fail(error, STEP_FAILED)
        written = write_files(kept, to)
    made = CampaignReport.model_validate_json(kept.content)
    told: dict[str, Any] = {
        "action": kept.action, "as_of": day, "version": kept.version, "new": kept.new, "sha256": kept.sha256,
        "files": [str(path) for path in written],
        "figures": {line.code: line.written(line.spans["action"].city) for line in made.lines},
        "contradictions": len(made.contradictions), "cases": len(made.cases),
        "missing": {name: [each.month for each in wanting] for name, wanting in made.missing.items()},
    }  # fmt: skip

    def show() -> None:
        note = "" if kept.new else " (as made before: nothing changed)"
        out.print(f"{made.title}, as of {day}: version {kept.version}{note}")
        lines = [[line.title, line.written(line.spans["action"].city), line.unit, line.origin] for line in made.lines]
        table("figures of the action", ["item", "city", "unit", "origin"], lines)
        out.print(f"{len(made.contradictions)} contradictions, {len(made.cases)} typical cases")
        for name, months in told["missing"].items():
            out.print(f"未报 missing: {name} {'、'.join(months)}")
        for path in written:
            out.print(str(path), soft_wrap=True)

    answer(json_, told, show)


@app.command()
def due(as_of: AsOf, json_: Json = False) -> None:
    """Tell what of every action is due on a day, or overdue, and which agencies' returns are missing."""
    from pipeline.campaign.missing import due_notices
    from pipeline.office import open_office

    notices = due_notices(open_office(), as_of.date())

    def show() -> None:
        for each in notices:
            out.print(each.told(), soft_wrap=True)
        if not notices:
            out.print("nothing is due")

    answer(
        json_, [{"key": each.key, "due": each.due, "days": each.days, "told": each.told()} for each in notices], show
    )
