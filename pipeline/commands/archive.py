"""``disclosure archive``: verify the raw archive, let go what is past its time, keep what a court may ask for."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.commands.console import NOT_VERIFIED, STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, err, fail, out, table

app = typer.Typer(no_args_is_help=True, help="The raw archive (原始报送文件).")
holds_app = typer.Typer(no_args_is_help=True, help="Legal holds (诉讼保全): what may not leave the archive.")
app.add_typer(holds_app, name="hold")

Person = Annotated[str, typer.Option("--as", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads the ledger later.")]

_SHOWN = 50
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


@app.command()
def verify(
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Read only so many objects.")] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", help="Decides which; default: today, so that they vary.")
    ] = None,
    json_: Json = False,
) -> None:
    """Compare every object with its name, and manifests, journal and ledger with the objects; exit 5 on a fault.

    Names, manifests, journal and ledger are always looked at in full; ``--sample`` only limits what is read.
    """
    from pipeline.archive_check import faults_by_kind, verify_archive
    from pipeline.office import open_office

    chosen = seed if seed is not None else dt.date.today().isoformat()  # noqa: DTZ011 (only varies the sample)
    with Progress(*_COLUMNS, console=err, transient=True) as progress:
        task = progress.add_task("objects read", total=sample)
        report = verify_archive(open_office(), sample=sample, seed=chosen, tell=lambda _: progress.advance(task))

    def show() -> None:
        out.print(
            f"{report.objects} objects, {report.read} read; {report.removed} removed by policy, "
            f"{report.unnamed} named by nothing in the ledger"
        )
        if report.faults:
            rows: list[list[Any]] = [[fault.kind, fault.name, fault.detail] for fault in report.faults[:_SHOWN]]
            table("faults", ["kind", "name", "detail"], rows)
        counted = ", ".join(f"{count} {kind}" for kind, count in faults_by_kind(report).items())
        out.print("the archive is whole" if report.ok else f"faults: {counted}")

    answer(json_, {"ok": report.ok, "report": report}, show)
    if not report.ok:
        raise typer.Exit(NOT_VERIFIED)


@app.command()
def expire(
    as_of: AsOf,
    apply: Annotated[bool, typer.Option("--apply", help="Delete; without it, only show what would go.")] = False,
    json_: Json = False,
) -> None:
    """Show, or delete, what is past its retention and needed by nothing; exit 1 when the archive is in use."""
    from pipeline import retention
    from pipeline.office import open_office

    with Progress(*_COLUMNS, console=err, transient=True) as progress:
        task = progress.add_task("objects removed", total=None)
        try:
            found = retention.expire(
                open_office(), as_of=as_of.date(), apply=apply, tell=lambda _: progress.advance(task)
            )
        except retention.ArchiveBusy as error:
            fail(error, STEP_FAILED)

    def show() -> None:
        rows: list[list[Any]] = [[r.due, r.policy, r.what, r.sha256[:16]] for r in found.removals]
        table("removed" if found.applied else "would go", ["due", "policy row", "what", "object"], rows)
        if found.kept:
            kept: list[list[Any]] = [[k.what, k.because, k.sha256[:16]] for k in found.kept]
            table("past its time, but kept", ["what", "because", "object"], kept)
        if not found.applied:
            out.print(f"{len(found.removals)} objects would go; nothing was removed (--apply removes)")

    answer(json_, found, show)


@holds_app.command("add")
def hold_add(
    *,
    as_of: AsOf,
    person: Person,
    reason: Reason,
    delivery: Annotated[int | None, typer.Option("--delivery", help="One delivery, by its number.")] = None,
    uscc: Annotated[str | None, typer.Option("--uscc", help="One enterprise (统一社会信用代码).")] = None,
    since: Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    until: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    json_: Json = False,
) -> None:
    """Keep one delivery, all about one enterprise, or a range of delivery days, until released."""
    from pipeline import retention
    from pipeline.office import open_office
    from store.retention import Scope

    office = open_office()
    try:
        if delivery is not None and uscc is None and since is None and until is None:
            scope = retention.scope_of_delivery(office, delivery)
        elif delivery is None:
            scope = Scope(None, uscc, since.date() if since else None, until.date() if until else None)
        else:
            raise ValueError("a legal hold names one delivery, or one enterprise, or a range of days")
        number = retention.add_hold(office, scope, person=person, reason=reason, as_of=as_of.date())
    except (ValueError, LookupError) as error:
        fail(error, WRONG_USAGE)
    answer(json_, {"hold": number}, lambda: out.print(f"legal hold {number} is in force"))


@holds_app.command("release")
def hold_release(
    hold: Annotated[int, typer.Argument(help="Number of the hold.")],
    as_of: AsOf,
    person: Person,
    reason: Reason,
    json_: Json = False,
) -> None:
    """Release a legal hold; the ledger keeps both events. Exit 1 when none of that number is in force."""
    from pipeline import retention
    from pipeline.office import open_office
    from store.retention import HoldUnknown

    try:
        retention.end_hold(open_office(), hold, person=person, reason=reason, as_of=as_of.date())
    except HoldUnknown as error:
        fail(error, STEP_FAILED)
    except ValueError as error:
        fail(error, WRONG_USAGE)
    answer(json_, {"released": hold}, lambda: out.print(f"legal hold {hold} is released"))


@holds_app.command("list")
def hold_list(
    every: Annotated[bool, typer.Option("--all", help="Released ones too.")] = False, json_: Json = False
) -> None:
    """List the legal holds."""
    from pipeline.office import open_office
    from store.retention import holds

    with open_office().engine.connect() as connection:
        found = [hold for hold in holds(connection) if every or hold.released_by is None]

    def show() -> None:
        header = ["hold", "delivery content", "enterprise", "from", "to", "person", "reason", "as of", "released by"]
        rows: list[list[Any]] = [
            [
                h.hold_no, (h.scope.content_sha256 or "")[:16], h.scope.uscc, h.scope.from_day, h.scope.to_day,
                h.person, h.reason, h.as_of, h.released_by,
            ]
            for h in found
        ]  # fmt: skip
        table("legal holds", header, rows)

    answer(json_, found, show)
