"""``disclosure feeds acknowledge`` and ``receipts``: what sites answered to their releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.console import NOT_VERIFIED, STEP_FAILED, WRONG_USAGE, Json, answer, fail, table

if TYPE_CHECKING:
    from store.receipts import Received

app = typer.Typer()


@app.command()
def acknowledge(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The receipt of a site (JSON).")],
    person: Annotated[str, typer.Option("--as", help="Name of the person who enters it.")],
    json_: Json = False,
) -> None:
    """Enter a site's receipt; exit 5 when it does not acknowledge what was released."""
    from feeds.receipt import Receipt, ReceiptError
    from pipeline.office import open_office
    from store import receipts
    from store.typed_text import NumberTyped

    try:
        told = Receipt.from_bytes(file.read_bytes())
        with open_office().engine.begin() as connection:
            received = receipts.enter(
                connection, site=told.site, sequence=told.sequence, manifest_sha256=told.manifest_sha256,
                outcome=told.outcome, tables=told.tables, problems=told.problems, person=person,
            )  # fmt: skip
    except (ReceiptError, NumberTyped) as error:
        fail(error, WRONG_USAGE)
    except receipts.ReleaseUnknown as error:
        fail(error, STEP_FAILED)
    answer(json_, received, lambda: _table([received]))
    if not received.acknowledged:
        raise typer.Exit(NOT_VERIFIED)


@app.command("receipts")
def list_(site: Annotated[str, typer.Argument(help="Site, e.g. gsxt.")], json_: Json = False) -> None:
    """List the receipts of a site, newest first."""
    from pipeline.office import open_office
    from store import receipts

    with open_office().engine.connect() as connection:
        found = receipts.receipts_of(connection, site)
    answer(json_, found, lambda: _table(found))


def _table(found: list[Received]) -> None:
    header = ["receipt", "site", "release", "outcome", "acknowledged", "differs", "problems", "person", "at"]
    rows = [
        [
            r.receipt_id, r.site, r.sequence, r.outcome, "yes" if r.acknowledged else "no", "、".join(r.differs),
            "; ".join(r.problems), r.person, r.at,
        ]
        for r in found
    ]  # fmt: skip
    table("receipts", header, rows)
