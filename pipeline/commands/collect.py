"""``disclosure collect``: pull agencies for one business day, or for every day of a past range (back-fill 补采)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, Json, answer, err, fail, out


def collect(
    agency: Annotated[list[str], typer.Argument(metavar="AGENCY...", help="Agency ids, e.g. aic qtsb.")],
    from_: Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business date.")],
    to: Annotated[
        dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last one. Default: the first.")
    ] = None,
    json_: Json = False,
) -> None:
    """Pull agencies for each day of a range, oldest first, and take in what comes; attach and publish are not run.

    A day that was collected before is not asked for again. An agency that fails is left at that day, the others go on.
    Exit 1: one failed.
    """
    from connectors.descriptor import DescriptorError
    from connectors.endpoint import EndpointError
    from connectors.transports.contract import AgencyError
    from pipeline import steps

    first, last = from_.date(), (to or from_).date()
    if last < first:
        fail(ValueError(f"--to {last} lies before --from {first}"), WRONG_USAGE)
    done: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    with err.status("collecting") as status:
        for day in (first + dt.timedelta(days=n) for n in range((last - first).days + 1)):
            for agency_id in (each for each in agency if each not in failed):
                status.update(f"{day}: collecting {agency_id}")
                try:
                    done.append(steps.collect_agency(agency_id, day, now=dt.datetime.now(dt.UTC)))
                except DescriptorError as error:
                    fail(error, WRONG_USAGE)
                except (EndpointError, AgencyError) as error:
                    failed[agency_id] = f"{day}: {error}"

    def show() -> None:
        for told in done:
            streams = ", ".join(
                f"{stream} {counts['state']} ({counts['rows']} rows)" for stream, counts in told["streams"].items()
            )
            out.print(f"{told['as_of']} {told['agency']}: {streams}")
        for agency_id, reason in failed.items():
            err.print(f"{agency_id} failed at {reason}", style="red")

    answer(json_, {"done": done, "failed": failed}, show)
    if failed:
        raise typer.Exit(STEP_FAILED)
