"""``disclosure feeds``: the reference client of a published feed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.console import NOT_VERIFIED, Json, answer, err, out, table

app = typer.Typer(no_args_is_help=True, help="The reference client of a publicity site.")


@app.command("verify")
def feeds_verify(
    path: Annotated[Path, typer.Argument(exists=True, help="A release directory, or a site's folder.")],
    key: Annotated[Path | None, typer.Option("--key", exists=True, help="The office's public key (PEM).")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Parse every format and compare them row by row.")] = False,
    json_: Json = False,
) -> None:
    """Check signature, hashes, counts and full(n-1) + delta(n) = full(n); exit 5 when anything is wrong."""
    from feeds.verification import verify_release

    with err.status("verifying"):
        report = verify_release(path, public_key=key.read_bytes() if key else None, deep=deep)

    def show() -> None:
        table(
            str(path), ["check", "", "detail"], [[c.name, "ok" if c.ok else "FAILED", c.detail] for c in report.checks]
        )

    answer(json_, report, show)
    if not report.ok:
        raise typer.Exit(NOT_VERIFIED)


@app.command("apply")
def apply(
    path: Annotated[Path, typer.Argument(exists=True, help="A release directory, or a site's folder.")],
    to: Annotated[Path, typer.Option("--to", help="Where the client keeps its copy.")],
    key: Annotated[Path | None, typer.Option("--key", exists=True, help="The office's public key (PEM).")] = None,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", help="Write the receipt for the office here.", dir_okay=False)
    ] = None,
    json_: Json = False,
) -> None:
    """Bring a client's copy up to a release: by deltas where the chain is whole, else by the full files."""
    from feeds.client import ApplyError, apply_release
    from feeds.receipt import write_receipt

    with err.status("applying"):
        try:
            report = apply_release(path, to, public_key=key.read_bytes() if key else None)
        except ApplyError as error:
            err.print(str(error), style="red")
            raise typer.Exit(NOT_VERIFIED) from error
    if receipt is not None:
        write_receipt(report, receipt)
    answer(
        json_,
        report,
        lambda: out.print(f"{report.site} release {report.sequence} ({report.how}): {dict(report.tables)} in {to}"),
    )
