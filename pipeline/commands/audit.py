"""``disclosure audit``: who decided what, and whether the log still says so."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands.console import NOT_VERIFIED, WRONG_USAGE, Json, answer, err, out, table

app = typer.Typer(no_args_is_help=True, help="The audit log (审计): every decision, in one chain of hashes.")


@app.command()
def verify(
    noted: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:HASH", help="An end of the log that was noted earlier.")
    ] = None,
    json_: Json = False,
) -> None:
    """Check that no event was changed, taken out or moved; exit 5 when one was.

    Note the end of the log that is printed somewhere else, and give it with ``--head`` next time.
    """
    from pipeline.office import open_office
    from store import audit

    earlier = None
    if noted is not None:
        number, _, digest = noted.partition(":")
        if not number.isdecimal() or len(digest) != len(audit.GENESIS):
            err.print("--head is NUMBER:HASH as `disclosure audit verify` printed it", style="red")
            raise typer.Exit(WRONG_USAGE)
        earlier = audit.Head(int(number), digest)
    with open_office().engine.connect() as connection, err.status("verifying"):
        found = list(audit.faults(connection, earlier))
        end = audit.head(connection)

    def show() -> None:
        for fault in found:
            err.print(fault, style="red")
        out.print(f"{end.sequence} events, {'all in order' if not found else f'{len(found)} faults'}")
        out.print(f"end of the log: {end.sequence}:{end.hash}")

    answer(json_, {"ok": not found, "faults": found, "head": end}, show)
    if found:
        raise typer.Exit(NOT_VERIFIED)


@app.command("list")
def list_(
    about: Annotated[str | None, typer.Option("--about", help="Only of one object, e.g. review:7.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only of one person or step.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    json_: Json = False,
) -> None:
    """Show the newest events."""
    from pipeline.office import open_office
    from store import audit

    with open_office().engine.connect() as connection:
        found = audit.events(connection, about=about, actor=actor, limit=limit)

    def show() -> None:
        rows = [[e.sequence, e.at, e.actor, e.action, e.object, e.details] for e in found]
        table("audit", ["no", "at", "actor", "action", "about", "details"], rows)

    answer(json_, found, show)
