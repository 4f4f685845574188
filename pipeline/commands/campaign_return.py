"""``disclosure campaign return`` and ``form``: an agency's figures of a month of a special action (专项行动填报)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.console import REFUSED, STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, err, fail, out

app = typer.Typer()

Agency = Annotated[str, typer.Option("--agency", help="Agency, e.g. aic.")]
Period = Annotated[dt.datetime, typer.Option("--period", formats=["%Y-%m"], help="Month of the action, YYYY-MM.")]
Action = Annotated[str, typer.Option("--action", help="Id of the action in transforms/campaign/sheets.yaml.")]


@app.command("return")
def return_(  # noqa: PLR0917 (Typer reads the parameters)
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The form, filled in: XLSX or CSV.")],
    agency: Agency,
    period: Period,
    as_of: AsOf,
    person: Annotated[str, typer.Option("--as", help="Name of the person who submits it.")],
    action: Action = "wj2018",
    reason: Annotated[str, typer.Option("--reason", help="Why what looks implausible is right, in Chinese.")] = "",
    after: Annotated[int, typer.Option("--after", min=0, help="Version that this one follows; 0 for the first.")] = 0,
    *,
    json_: Json = False,
) -> None:
    """Submit an agency's return of a month. Exit 3 when the file or a figure is refused: nothing is entered then."""
    from pipeline.campaign.filling import ReturnInvalid, ReturnNotOpen, asked_for, submit
    from pipeline.campaign.return_file import read_return
    from pipeline.office import open_office
    from store.campaign_returns import ReturnChanged
    from transforms.campaign.sheets import ActionUnknown
    from transforms.problems import DeliveryRefused

    month = f"{period:%Y-%m}"
    try:
        of = asked_for(action, agency, month)
        with file.open("rb") as stream:
            found = read_return(stream, file.name, agency=agency, month=month)
    except (ReturnNotOpen, ActionUnknown) as error:
        fail(error, WRONG_USAGE)
    except DeliveryRefused as error:
        fail(error, REFUSED)
    if found.refused:
        _say([str(each) for each in found.problems])
        raise typer.Exit(REFUSED)
    try:
        entered, checked = submit(
            open_office(), of, found.cells, seen=after, person=person, reason=reason, as_of=as_of.date()
        )  # fmt: skip
    except ReturnInvalid as error:
        _say([*(str(found.problem_of(each)) for each in error.faults), str(error)])
        raise typer.Exit(REFUSED) from error
    except ReturnNotOpen as error:
        fail(error, WRONG_USAGE)
    except ReturnChanged as error:
        fail(error, STEP_FAILED)
    problems = [*found.problems, *(found.problem_of(each) for each in checked.warnings)]

    def show() -> None:
        _say([str(each) for each in problems])
        out.print(
            f"{agency} {month}: version {entered.version}, {len(checked.figures)} figures, {len(problems)} warnings"
        )

    told = {"version": entered.version, "figures": len(checked.figures), "warnings": [str(each) for each in problems]}
    answer(json_, told, show)


@app.command()
def form(
    to: Annotated[Path, typer.Argument(dir_okay=False, metavar="FORM.xlsx", help="Where to write it.")],
    agency: Agency,
    period: Period,
    as_of: AsOf,
    action: Action = "wj2018",
) -> None:
    """Write the empty form of an agency and month (XLSX), last month's figures beside."""
    from pipeline.campaign.filling import ReturnNotOpen, asked_for
    from pipeline.campaign.return_file import empty_form
    from pipeline.campaign.standing import city_figures, month_before
    from pipeline.office import open_office
    from store.campaign_returns import returned_figures
    from transforms.campaign.sheets import ActionUnknown

    month = f"{period:%Y-%m}"
    try:
        asked = asked_for(action, agency, month)
    except (ReturnNotOpen, ActionUnknown) as error:
        fail(error, WRONG_USAGE)
    with open_office().engine.connect() as connection:
        before = city_figures(returned_figures(connection, asked.action.id), agency, month_before(month))
    to.write_bytes(empty_form(asked, before=before, as_of=as_of.date()))
    out.print(str(to), soft_wrap=True)


def _say(lines: list[str]) -> None:
    for line in lines:
        err.print(line, markup=False, soft_wrap=True)
