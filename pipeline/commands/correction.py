"""``disclosure correction``: corrections of single records, their second signature, their undoing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, err, fail, out, table

if TYPE_CHECKING:
    from pipeline.rulings import Ruled

app = typer.Typer(no_args_is_help=True, help="Corrections by stewards (更正), laid over what was received.")

RecordNo = Annotated[int, typer.Argument(metavar="RECORD", help="record_id of the version that was looked at.")]
RulingNo = Annotated[int, typer.Argument(metavar="RULING", help="Number from `disclosure correction list`.")]
Person = Annotated[str, typer.Option("--as", help="Name of the person who acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads it later.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="CODE=TEXT", help="A cell as it should be.")]
Waives = Annotated[list[str] | None, typer.Option("--waive", metavar="RULE", help="A held rule to let pass.")]
SendBack = Annotated[bool, typer.Option("--send-back", help="Return the record to its agency for this reason.")]


def _cells(sets: list[str] | None) -> dict[str, str]:
    cells: dict[str, str] = {}
    for entry in sets or []:
        code, equals, text = entry.partition("=")
        if not equals:
            err.print(f"--set {entry}: write CODE=TEXT", style="red")
            raise typer.Exit(WRONG_USAGE)
        cells[code] = text
    return cells


@app.command()
def check(record: RecordNo, sets: Sets = None, waives: Waives = None, json_: Json = False) -> None:
    """Show what the rules would say of a record with other texts; nothing is stored."""
    from pipeline import rulings
    from pipeline.office import open_office
    from store.rulings import RulingRefused

    try:
        found = rulings.recheck(open_office(), record, cells=_cells(sets), waives=waives or ())
    except (LookupError, ValueError, RulingRefused) as error:
        fail(error, STEP_FAILED)

    def show() -> None:
        out.print(f"state: {found.state}")
        rows: list[list[Any]] = [[v["expectation"], v["severity"], v["field"], v["value"]] for v in found.verdicts]
        table("verdicts", ["rule", "severity", "field", "value"], rows)

    answer(json_, {"state": found.state, "verdicts": found.verdicts}, show)


@app.command()
def propose(
    record: RecordNo,
    as_of: AsOf,
    person: Person,
    reason: Reason,
    *,
    sets: Sets = None,
    waives: Waives = None,
    send_back: SendBack = False,
    json_: Json = False,
) -> None:
    """Correct a record, let a held rule pass, or send it back. Exit 1 when another version holds by now."""
    from pipeline import rulings
    from pipeline.office import open_office
    from store.rulings import RulingRefused

    try:
        ruled = rulings.propose(
            open_office(), record, cells=_cells(sets), waives=waives or (), sends_back=reason if send_back else None,
            person=person, reason=reason, as_of=as_of.date(),
        )  # fmt: skip
    except (rulings.VersionConflict, RulingRefused, LookupError) as error:
        fail(error, STEP_FAILED)
    except ValueError as error:
        fail(error, WRONG_USAGE)
    answer(json_, ruled, lambda: _show(ruled))


def _act(name: str, ruling: int, *, as_of: AsOf, person: str, reason: str, as_json: bool) -> None:
    from pipeline import rulings
    from pipeline.office import open_office
    from store.rulings import RulingRefused

    acts = {"approve": rulings.approve, "reject": rulings.reject, "undo": rulings.undo}
    try:
        ruled = acts[name](open_office(), ruling, person=person, reason=reason, as_of=as_of.date())
    except (rulings.VersionConflict, RulingRefused, LookupError) as error:
        fail(error, STEP_FAILED)
    except ValueError as error:
        fail(error, WRONG_USAGE)
    answer(as_json, ruled, lambda: _show(ruled))


@app.command()
def approve(ruling: RulingNo, as_of: AsOf, person: Person, reason: Reason, json_: Json = False) -> None:
    """Sign what another person proposed. Exit 1 when it waits for no signature, or not for this person's."""
    _act("approve", ruling, as_of=as_of, person=person, reason=reason, as_json=json_)


@app.command()
def reject(ruling: RulingNo, as_of: AsOf, person: Person, reason: Reason, json_: Json = False) -> None:
    """Refuse what waits for a signature."""
    _act("reject", ruling, as_of=as_of, person=person, reason=reason, as_json=json_)


@app.command()
def undo(ruling: RulingNo, as_of: AsOf, person: Person, reason: Reason, json_: Json = False) -> None:
    """Undo a correction in force; where it needed two people, so does this."""
    _act("undo", ruling, as_of=as_of, person=person, reason=reason, as_json=json_)


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option("--state", help="proposed, in_force, undone, stale ...")] = None,
    agency: Annotated[str | None, typer.Option("--agency", help="Only of this agency.")] = None,
    json_: Json = False,
) -> None:
    """List corrections with what happened to each."""
    from pipeline.office import open_office
    from store import rulings

    with open_office().engine.connect() as connection:
        found = rulings.list_rulings(connection, state=state, agency=agency)

    def show() -> None:
        rows: list[list[Any]] = [
            [
                r.ruling_id, r.what, r.agency, r.kind, r.received_id, r.state,
                "; ".join(f"{e.event} {e.person}: {e.reason}" for e in r.events),
            ]
            for r in found
        ]  # fmt: skip
        table("rulings", ["ruling", "what", "agency", "kind", "row received", "state", "events"], rows)

    answer(json_, found, show)


def _show(ruled: Ruled) -> None:
    out.print(f"ruling {ruled.ruling.ruling_id}: {ruled.ruling.state}")
    if ruled.waits:
        out.print("waits for another person's signature")
    if ruled.made is not None:
        out.print(f"record {ruled.made.record_id}: {ruled.made.state}")
