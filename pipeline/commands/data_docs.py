"""``disclosure data-docs``: Great Expectations' counts of deliveries as pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.console import WRONG_USAGE, Json, answer, err, out


def build(
    as_of: Annotated[
        dt.datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Of this business day (业务日).")
    ] = None,
    delivery: Annotated[list[int] | None, typer.Option("--delivery", help="Of this delivery; may be repeated.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder; else data_docs/ under the home.")] = None,
    json_: Json = False,
) -> None:
    """Build Data Docs, a page per delivery that was checked: each expectation, rows looked at, rows that failed."""
    from pipeline.data_docs import build_data_docs
    from pipeline.office import open_office

    if (as_of is None) == (not delivery):
        err.print("say either --as-of or --delivery", style="red")
        raise typer.Exit(WRONG_USAGE)
    with err.status("Data Docs") as status:
        built = []
        for page in build_data_docs(
            open_office(), as_of=as_of.date() if as_of else None, delivery_ids=delivery or (), folder=to
        ):
            built.append(page)
            status.update(f"Data Docs: {len(built)} pages")

    def show() -> None:
        out.print(f"{len(built)} pages" + (f" in {built[0].parent}" if built else ": no delivery was checked"))

    answer(json_, [str(page) for page in built], show)
