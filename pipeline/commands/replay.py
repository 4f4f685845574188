"""``disclosure replay``: make the record again from the raw archive and the order of steps, and compare."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, Json, answer, err, fail, out, table

if TYPE_CHECKING:
    from pipeline.office import Office
    from pipeline.replay import Compared, Replayed
    from store.runs import Run


def replay(
    *,
    since: Annotated[
        dt.datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First business day to show; days before are rebuilt too."),
    ] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last business day to rebuild. Default: all."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option("--into", help="Folder of a new system, or URL of an empty database. Default: beside the live."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Rebuild, compare, remove; exit 1 unless everything is equal.")
    ] = False,
    ledger: Annotated[
        str, typer.Option("--ledger", help="Who tells the order of steps: database, or archive when that is lost.")
    ] = "database",
    json_: Json = False,
) -> None:
    """Make the record again from the raw archive, step by step, into a system of its own, and compare the hashes.

    The live system is never changed. Exit 1 when the two differ, when something is gone from the archive, or when
    there is nothing to replay.
    """
    from pipeline import scratch
    from pipeline.office import open_office
    from pipeline.replay import ReplayImpossible, past_runs

    if ledger not in ("database", "archive") or (verify and into is not None):
        fail(ValueError("--ledger is database or archive; --verify goes without --into"), WRONG_USAGE)
    live = open_office()
    past = past_runs(live, "archive" if ledger == "archive" else "database")
    if not past:
        fail(ReplayImpossible(f"the {ledger} knows no step: try --ledger archive"), STEP_FAILED)
    days = [run.as_of for run in past]
    first, last = since.date() if since else min(days), until.date() if until else max(days)
    with contextlib.ExitStack() as stack:
        try:
            if verify:
                target = stack.enter_context(scratch.scratch_office(live))
            else:
                target = scratch.office_into(live, into) if into else scratch.kept_office(live, first, last)
                stack.callback(target.engine.dispose)
            done, compared = _run(live, target, past, last, with_live=ledger == "database")
        except ReplayImpossible as error:
            fail(error, STEP_FAILED)
        where = None if verify else str(target.settings.state)
    shown = {day: parts for day, parts in done.days.items() if first <= day <= last}
    value = {
        "equal": compared.equal if compared else None, "steps": done.steps, "gone": done.gone,
        "otherwise": done.otherwise, "days": {day.isoformat(): parts for day, parts in shown.items()},
        "differences": compared.differences if compared else [], "home": where,
    }  # fmt: skip
    answer(json_, value, lambda: _show(value, compared is not None))
    if done.gone or done.otherwise or (compared is not None and not compared.equal):
        raise typer.Exit(STEP_FAILED)


def _run(
    live: Office, target: Office, past: list[Run], last: dt.date, *, with_live: bool
) -> tuple[Replayed, Compared | None]:
    from pipeline.replay import compare, up_to
    from pipeline.replay import replay as play

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("replaying", total=len(up_to(past, last)))
        done = play(
            live, target, past, until=last,
            tell=lambda run: progress.update(task, advance=1, description=f"{run.as_of} {run.step}"),
        )  # fmt: skip
    with err.status("comparing"):
        return done, compare(live, target, done) if with_live else None


def _show(value: dict[str, Any], compared: bool) -> None:
    table(
        "hashes",
        ["day", "part", "lines", "sha256"],
        [[day, part, d.lines, d.sha256] for day, parts in value["days"].items() for part, d in parts.items()],
    )
    out.print(f"steps done: {', '.join(f'{count} {step}' for step, count in value['steps'].items())}")
    if value["gone"]:
        rows = [[gone.run_no, gone.as_of, gone.what, gone.because] for gone in value["gone"]]
        table("gone: these could not be done again", ["step", "day", "what", "because"], rows)
    for line in value["otherwise"]:
        err.print(line, style="red")
    for difference in value["differences"]:
        err.print(f"{difference.day} {difference.part} differ", style="red")
        for side, lines in (("live", difference.only_first), ("replay", difference.only_second)):
            for line in lines:
                err.print(f"  only {side}: {line}")
    if compared:
        out.print("equal to the live record" if value["equal"] else "NOT equal to the live record")
    if value["home"]:
        out.print(f"the replayed system: {value['home']}")
