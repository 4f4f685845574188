"""``disclosure hold``: deliveries that wait for two people, and what these decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, Json, answer, fail, out, table

if TYPE_CHECKING:
    from store.holds import Hold

app = typer.Typer(no_args_is_help=True, help="Deliveries held until two people approve (大批量变动、默认待批).")

HoldNo = Annotated[int, typer.Argument(metavar="HOLD", help="Number of the hold, from `disclosure hold list`.")]
Person = Annotated[str, typer.Option("--as", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads the ledger later.")]


@app.command("list")
def list_(
    agency: Annotated[str | None, typer.Option("--agency", help="Only of this agency.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    json_: Json = False,
) -> None:
    """List the deliveries that wait, with their numbers."""
    from pipeline import holds
    from pipeline.office import open_office

    found = holds.list_holds(open_office(), state=None if every else "open", agency=agency)

    def show() -> None:
        header = ["hold", "delivery", "agency", "kind", "as of", "reasons", "rows", "state", "approved by"]
        rows = [
            [
                h.hold_id, h.delivery_id, h.agency, h.kind, h.as_of, ";".join(h.reasons), h.numbers["rows"], h.state,
                "、".join(h.approved_by),
            ]
            for h in found
        ]  # fmt: skip
        table("holds", header, rows)

    answer(json_, found, show)


@app.command()
def show(hold: HoldNo, json_: Json = False) -> None:
    """Show one hold: numbers, limits, every decision. Exit 1 when there is none with that number."""
    from pipeline import holds
    from pipeline.office import open_office
    from store.holds import HoldUnknown

    try:
        found = holds.read_hold(open_office(), hold)
    except HoldUnknown as error:
        fail(error, STEP_FAILED)
    answer(json_, found, lambda: _show(found))


@app.command()
def approve(hold: HoldNo, person: Person, reason: Reason, json_: Json = False) -> None:
    """Approve a hold; the second person's approval takes the delivery in. Exit 1 when it is decided already."""
    _decide(hold, person, "approve", reason, json_)


@app.command()
def reject(hold: HoldNo, person: Person, reason: Reason, json_: Json = False) -> None:
    """Reject a hold: the delivery is refused as a whole. One person is enough."""
    _decide(hold, person, "reject", reason, json_)


def _decide(hold: int, person: str, decision: Literal["approve", "reject"], reason: str, as_json: bool) -> None:
    from pipeline import holds
    from pipeline.office import open_office
    from store.holds import HoldDecided, HoldUnknown

    try:
        decided = holds.decide(open_office(), hold, person=person, decision=decision, reason=reason)
    except (HoldUnknown, HoldDecided) as error:
        fail(error, STEP_FAILED)
    except ValueError as error:
        fail(error, WRONG_USAGE)

    def show() -> None:
        _show(decided.hold)
        if decided.still_needed:
            out.print(f"waits for {decided.still_needed} more, by another person")
        if decided.ingested is not None:
            out.print(f"delivery {decided.ingested.delivery_id} {decided.ingested.state}: {decided.ingested.rows} rows")

    answer(as_json, decided, show)


def _show(hold: Hold) -> None:
    out.print(
        f"hold {hold.hold_id} of delivery {hold.delivery_id} ({hold.agency} {hold.kind} {hold.as_of}): {hold.state}"
    )
    out.print(hold.explanation)
    rows: list[list[Any]] = [[name, number] for name, number in hold.numbers.items()]
    table("numbers", ["", "records"], rows)
    decisions: list[list[Any]] = [[d.person, d.decision, d.reason, d.via, d.at] for d in hold.decisions]
    table("decisions", ["person", "decision", "reason", "via", "at"] if decisions else ["no decisions"], decisions)
