"""``disclosure source status|retry|resync``: how each source answers, asking it again, asking it for everything."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, fail, out, table

app = typer.Typer()

AgencyId = Annotated[str, typer.Argument(metavar="AGENCY", help="Agency id, e.g. aic.")]
StreamId = Annotated[str, typer.Argument(metavar="STREAM", help="Stream id of the agency's descriptor.")]
Person = Annotated[str, typer.Option("--as", help="Name of the person who asks for it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads the ledger later.")]


@app.command()
def status(
    agency: Annotated[list[str] | None, typer.Argument(metavar="[AGENCY]...", help="Default: all.")] = None,
    json_: Json = False,
) -> None:
    """Show watermark, last pull, failures, circuit, silence against its limit, held deliveries. Exit 1: one is late."""
    from connectors.descriptor import DescriptorError
    from pipeline.office import open_office
    from pipeline.silence import source_status

    now = dt.datetime.now(dt.UTC)
    try:
        found = source_status(open_office(), now, tuple(agency or ()))
    except DescriptorError as error:
        fail(error, WRONG_USAGE)

    def show() -> None:
        header = [
            "agency",
            "stream",
            "last day",
            "circuit",
            "failures",
            "silent h",
            "limit h",
            "",
            "held",
            "last failure",
        ]
        rows: list[list[Any]] = [
            [
                s["agency"], s["stream"], s["last_complete_day"], s["circuit"], (s["health"] or {}).get("failures", 0),
                s["silent_hours"], s["limit_hours"], "LATE" if s["late"] else "", s["held"],
                (s["health"] or {}).get("last_failure"),
            ]
            for s in found
        ]  # fmt: skip
        table("sources", header, rows)

    answer(json_, found, show)
    if any(source["late"] for source in found):
        raise typer.Exit(STEP_FAILED)


@app.command()
def retry(agency: AgencyId, stream: StreamId, json_: Json = False) -> None:
    """Close the circuit of a source: the next collection asks it at once. Exit 1 when it was never asked."""
    from pipeline.office import open_office
    from pipeline.resync import NeverAsked, close_circuit

    stream_id = _known(agency, stream)
    try:
        health = close_circuit(open_office(), agency, stream_id)
    except NeverAsked as error:
        fail(error, STEP_FAILED)
    answer(json_, health, lambda: out.print(f"{agency} {stream_id}: circuit closed, the next collection asks it"))


@app.command()
def resync(  # noqa: PLR0917 (Typer reads the parameters)
    agency: AgencyId, stream: StreamId, as_of: AsOf, person: Person, reason: Reason, json_: Json = False
) -> None:
    """Set a stream back to its beginning: the next pull asks for everything, equal rows become duplicates."""
    from pipeline.office import open_office
    from pipeline.resync import resync as set_back
    from store.typed_text import masked_told

    stream_id = _known(agency, stream)
    try:
        before = set_back(open_office(), agency, stream_id, as_of=as_of.date(), person=person, reason=reason)
    except ValueError as error:
        fail(error, WRONG_USAGE)
    was = masked_told(before)
    done = {"agency": agency, "stream": stream_id, "watermark_before": was}
    answer(json_, done, lambda: out.print(f"{agency} {stream_id}: the next pull asks for everything; was at {was}"))


def _known(agency: str, stream: str) -> str:
    from connectors.descriptor import DescriptorError, load_agency

    try:
        return load_agency(agency).stream(stream).id
    except DescriptorError as error:
        fail(error, WRONG_USAGE)
    except KeyError as error:
        fail(LookupError(error.args[0]), WRONG_USAGE)
