"""``disclosure scorecard``: how the agencies reported in a month, and the numbers that only they can tell."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, Json, answer, err, fail, out, table
from transforms.columns import Kind

if TYPE_CHECKING:
    from pipeline.scorecard import Rate, Scorecards

app = typer.Typer(invoke_without_command=True, help="Scorecards of the agencies (机关成绩单), month by month.")

Month = Annotated[dt.datetime, typer.Option("--month", formats=["%Y-%m"], help="Month, YYYY-MM.")]


@app.callback(invoke_without_command=True)
def show(  # noqa: PLR0917 (Typer reads the parameters)
    context: typer.Context,
    month: Annotated[dt.datetime | None, typer.Option("--month", formats=["%Y-%m"], help="Month, YYYY-MM.")] = None,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="As it stood on this day; default: the newest known."),
    ] = None,
    agency: Annotated[str | None, typer.Option("--agency", help="Only this agency.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a CSV too.", dir_okay=False)] = None,
    json_: Json = False,
) -> None:
    """Show a month: received, conform, on time, late, reported, concealed, open items, silent days."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.office import open_office
    from pipeline.scorecard import newest_day, scorecards

    if month is None:
        err.print("--month YYYY-MM is missing", style="red")
        raise typer.Exit(WRONG_USAGE)
    office = open_office()
    day = as_of.date() if as_of else newest_day(office, month.date())
    if day is None:
        err.print("nothing has ever been taken in", style="red")
        raise typer.Exit(STEP_FAILED)
    found = scorecards(office, month.date(), as_of=day).of_agency(agency)
    if csv is not None:
        csv.write_bytes(found.csv_bytes())
    answer(json_, found.as_json(), lambda: _show(found))


@app.command()
def output(  # noqa: PLR0917 (Typer reads the parameters)
    agency: Annotated[str, typer.Argument(help="Agency, e.g. aic.")],
    kind: Annotated[Kind, typer.Option("--kind")],
    month: Month,
    produced: Annotated[int, typer.Option("--produced", min=0, help="产生数量 CSSL.")],
    source: Annotated[str, typer.Option("--source", help="Where the numbers come from, e.g. a letter's number.")],
    person: Annotated[str, typer.Option("--as", help="Name of the person who enters them.")],
    *,
    self_published: Annotated[int | None, typer.Option("--self-published", min=0, help="本单位公示数量.")] = None,
    unreported: Annotated[int | None, typer.Option("--unreported", min=0, help="未报送数量 WBSSL.")] = None,
) -> None:
    """Enter how many decisions an agency made in a month: without it 上报率 and 瞒报率 are unknown."""
    from connectors.descriptor import DescriptorError
    from pipeline.office import open_office
    from pipeline.scorecard import tell_output
    from store.scorecards import Output
    from store.typed_text import NumberTyped

    told = Output(produced, self_published, unreported)
    try:
        tell_output(open_office(), agency, kind, month.date(), told, source=source, person=person)
    except (DescriptorError, NumberTyped) as error:
        fail(error, WRONG_USAGE)


def _show(found: Scorecards) -> None:
    header = [
        "agency", "kind", "received", "conform", "on time", "late", "reported", "own site", "concealed", "open",
        "overdue", "silent days",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for card in found.cards:
        silent = "?" if card.silent_days is None else f"{len(card.silent_days)}/{card.workdays}"
        waits = [card.waiting.open, card.waiting.overdue, silent]
        own = [_told(card.conformity), _told(card.timeliness), card.late, "", "", ""]
        rows.append([card.agency, "", card.received, *own, *waits])
        rows += [
            [
                "", k.kind.value, k.received, _told(k.conformity), _told(k.timeliness), k.late, _told(k.reporting),
                _told(k.publicity), _told(k.concealed),
            ] + [""] * 3
            for k in card.kinds
        ]  # fmt: skip
    table(f"{found.month:%Y-%m} as of {found.as_of}", header, rows)
    if any(kind.reporting.unknown for card in found.cards for kind in card.kinds):
        out.print("unknown: nobody told the denominator, see `disclosure scorecard output --help`")


def _told(rate: Rate) -> str:
    return "unknown" if rate.unknown else "" if rate.value is None else f"{rate.value:.1%}"
