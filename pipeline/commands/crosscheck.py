"""``disclosure crosscheck``: annual reports against the monitoring base."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands.console import STEP_FAILED, AsOf, Json, answer, err, out, table


def crosscheck(
    as_of: AsOf,
    year: Annotated[int, typer.Option("--year", help="Year that the reports are of.")],
    json_: Json = False,
) -> None:
    """Compare the reports of a year with the monitoring base on a day, and keep what was found (瞒报, 漏报, 错报)."""
    from pipeline.crosscheck import crosscheck as compare
    from pipeline.office import open_office
    from pipeline.register_faults import IndexSuspect, NoRegister
    from store.discrepancies import LaterRunExists

    with err.status("comparing"):
        try:
            compared = compare(open_office(), year=year, as_of=as_of.date())
        except (NoRegister, IndexSuspect, LaterRunExists, ValueError) as error:
            err.print(str(error), style="red")
            raise typer.Exit(STEP_FAILED) from error

    def show() -> None:
        out.print(
            f"{compared.reported} enterprises reported {compared.year}; {compared.sites} sites in the base, "
            f"the operator of {compared.operators_known} known"
        )
        table("findings", ["kind", "findings"], [[kind, n] for kind, n in compared.findings.items()])
        table("since the last run", ["event", "findings"], [[event, n] for event, n in compared.events.items()])

    answer(json_, compared, show)
