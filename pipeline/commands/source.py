"""``disclosure source``: the agencies' descriptors, tried and begun.

Exit codes of ``check``: 0 the descriptor is sound, and with a sample every cell was understood and every row would be
accepted; 1 the sample shows something to mend; 2 the descriptor has mistakes; 3 the sample cannot be read as a whole.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.commands.console import REFUSED, STEP_FAILED, WRONG_USAGE, Json, answer, err, fail, out, table
from transforms.columns import Kind
from transforms.problems import DeliveryRefused

if TYPE_CHECKING:
    from connectors.descriptor import Agency
    from pipeline.source_check import SampleReport

app = typer.Typer(no_args_is_help=True, help="The agencies' descriptors: list, check, begin a new one.")

_ROOT: Final = Path(__file__).resolve().parents[2]
_MOST_SHOWN: Final = 20


@app.command("list")
def list_sources(json_: Json = False) -> None:
    """List the agencies: transport, streams, clock, freshness, and whether their records are held."""
    from connectors.descriptor import agency_ids, load_agency

    agencies = [_summary(load_agency(agency_id)) for agency_id in agency_ids()]

    def show() -> None:
        header = ["id", "agency", "transport", "streams", "clock", "fresh", "held", "ministry"]
        rows = [
            [
                each["id"],
                each["name"],
                each["transport"],
                ", ".join(each["streams"]),
                each["schedule"],
                f"{each['freshness_hours']} h",
                "yes" if each["default_hold"] else "",
                each["vertical"],
            ]
            for each in agencies
        ]
        table(f"{len(agencies)} agencies", header, rows)

    answer(json_, agencies, show)


def _summary(agency: Agency) -> dict[str, Any]:
    carried = [(stream.id, stream.kind.value) for stream in agency.streams]
    carried += [(stream.id, stream.content) for stream in agency.references]
    return {
        "id": agency.id,
        "name": agency.names[0].name,
        "transport": ", ".join(sorted({stream.transport.type for stream in agency.streams})),
        "streams": [what if stream_id == what else f"{stream_id} ({what})" for stream_id, what in carried],
        "schedule": ", ".join(sorted({stream.schedule for stream in agency.streams})),
        "freshness_hours": min(stream.freshness_hours for stream in agency.streams),
        "default_hold": agency.default_hold,
        "vertical": agency.vertical,
        "codes_verified": agency.codes_verified,
    }


@app.command()
def schema() -> None:
    """Print the JSON Schema of a descriptor, for editors."""
    from connectors.descriptor.schema import schema_text

    typer.echo(schema_text(), nl=False)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A descriptor, anywhere on disk.")],
    sample: Annotated[
        Path | None, typer.Option("--sample", exists=True, dir_okay=False, help="A file as the agency delivers it.")
    ] = None,
    stream: Annotated[str | None, typer.Option("--stream", help="Its stream; default: by its header.")] = None,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Business date of the sample; default: date of the file."),
    ] = None,
    json_: Json = False,
) -> None:
    """Check a descriptor, and try it on a sample delivery; nothing is stored."""
    from connectors.descriptor import DescriptorError, load_descriptor

    try:
        agency = load_descriptor(file)
    except DescriptorError as error:
        fail(error, WRONG_USAGE)
    if sample is None:
        answer(json_, _summary(agency), lambda: out.print(f"{file.name} is sound: {_in_words(_summary(agency))}"))
        return
    report = _tried(agency, sample, stream, as_of)
    answer(json_, report, lambda: _show(file, sample, report))
    if not report.sound:
        raise typer.Exit(STEP_FAILED)


def _in_words(summary: dict[str, Any]) -> str:
    return f"{summary['name']}, {', '.join(summary['streams'])} by {summary['transport']}"


def _tried(agency: Agency, sample: Path, stream: str | None, as_of: dt.datetime | None) -> SampleReport:
    from pipeline.source_check import check_sample

    day = as_of.date() if as_of else dt.date.fromtimestamp(sample.stat().st_mtime)  # noqa: DTZ012 (a calendar day)
    with err.status(f"reading {sample.name}"):
        try:
            return check_sample(agency, sample, as_of=day, stream_id=stream)
        except DeliveryRefused as refusal:
            fail(refusal, REFUSED)
        except KeyError as error:
            fail(ValueError(error.args[0]), WRONG_USAGE)


def _show(file: Path, sample: Path, report: SampleReport) -> None:
    out.print(f"{file.name} on {sample.name}: stream {report.stream}, {report.sheet} sheet, {report.rows} rows")
    table("columns", ["cell of the sample", "column of the sheet"], [[*pair] for pair in report.matched.items()])
    for title, cells in (("unknown cells", report.unknown), ("columns that no cell fills", report.absent)):
        if cells:
            out.print(f"{title}: {'、'.join(cells)}")
    for difference in report.differs:
        out.print(f"differs: {difference}", style="yellow")
    if report.failures:
        rows = [[each.expectation, each.severity, each.rows, each.title] for each in report.failures]
        table("rows that fail a rule", ["expectation", "severity", "rows", "rule"], rows)
    if report.untranslated:
        values = [[cell, value, n] for cell, found in report.untranslated.items() for value, n in found.items()]
        table("values that no code table translates", ["cell", "value", "rows"], values[:_MOST_SHOWN])
    for problem in report.problems[:_MOST_SHOWN]:
        out.print(str(problem))
    out.print("every row would be accepted" if report.sound else "there is something to mend")


@app.command()
def new(
    agency_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the new agency, e.g. water.")],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the agency, in Chinese.")],
    transport: Annotated[str, typer.Option("--transport", help="As `type` in the other descriptors, e.g. paged_api.")],
    kind: Annotated[Kind, typer.Option("--kind")],
    like: Annotated[str | None, typer.Option("--like", help="Agency whose stream of that kind is followed.")] = None,
    root: Annotated[Path, typer.Option("--root", file_okay=False, help="Where to write; default: here.")] = _ROOT,
    json_: Json = False,
) -> None:
    """Begin a new source: descriptor, its office in the simulator, its conformance test."""
    from connectors.descriptor import DescriptorError
    from pipeline.source_scaffold import ScaffoldError, scaffold

    try:
        done = scaffold(root, agency_id, name=name, transport=transport, kind=kind, like=like)
    except (ScaffoldError, DescriptorError) as error:
        fail(error, WRONG_USAGE)

    def show() -> None:
        for path in done.written:
            out.print(f"wrote {path}")
        out.print(f"no suite is needed: {done.suite} judges the rows")
        out.print("to do:")
        for text in done.to_do:
            out.print(f"  {text}", markup=False)

    answer(json_, done, show)
