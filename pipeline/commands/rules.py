"""``disclosure rules``: the rules in force, one of them in full, and a changed suite tried on the archive.

Exit codes of ``try``: 0 it was tried, whatever it would change; 1 it asks for what nobody can answer; 2 the file is
no suite.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, Json, answer, err, fail, out, table
from transforms.columns import Kind, Sheet

if TYPE_CHECKING:
    from expectations.suite import Suite

app = typer.Typer(no_args_is_help=True, help="The rules in force: list, show one, try a changed suite on the archive.")


def _suites() -> list[Suite]:
    from expectations.suite import load_receiver_suite, load_suite
    from feeds.sites import load_sites
    from transforms.sheets import SHEETS

    legal = [load_suite(kind, sheet) for kind, sheet in SHEETS]
    asked = [load_receiver_suite(site, kind) for site in load_sites() for kind in Kind]
    return [*legal, *(suite for suite in asked if suite is not None)]


@app.command("list")
def list_rules(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Of one kind of record only.")] = None,
    sheet: Annotated[Sheet | None, typer.Option("--sheet", help="Of one sheet only.")] = None,
    json_: Json = False,
) -> None:
    """List every expectation in force: suite and version, id, severity, who acts, title."""
    listed = [
        {
            "suite": suite.label,
            "set": suite.set,
            "id": each.id,
            "severity": each.severity,
            "owner": each.owner,
            "scope": each.scope,
            "title": each.title,
        }
        for suite in _suites()
        if (kind is None or kind in suite.name.split(".")) and (sheet is None or suite.name.endswith(f".{sheet}"))
        for each in suite.expectations
    ]

    def show() -> None:
        rows = [[each["suite"], each["id"], each["severity"], each["owner"], each["title"]] for each in listed]
        table(f"{len(rows)} expectations", ["suite", "id", "severity", "owner", "title"], rows)

    answer(json_, listed, show)


@app.command("show")
def show_rule(
    rule: Annotated[str, typer.Argument(help="An id (R17.fine_in_text) or a rule of the catalogue (R17).")],
    json_: Json = False,
) -> None:
    """Show one rule in full, in every suite that has it: message, remedy, source, what Great Expectations runs."""
    found = [
        {"suite": suite.label, "set": suite.set, **asdict(each)}
        for suite in _suites()
        for each in suite.expectations
        if rule in (each.id, each.rule)
    ]
    if not found:
        fail(LookupError(f"no suite has {rule}: see disclosure rules list"), WRONG_USAGE)

    def show() -> None:
        for each in found:
            table(f"{each['id']} in {each['suite']}", ["", ""], [[key, _plain(value)] for key, value in each.items()])

    answer(json_, found, show)


def _plain(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)


@app.command("try")
def try_rules(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A changed suite file, anywhere on disk.")],
    samples: Annotated[int, typer.Option("--samples", min=0, help="Records named for each change.")] = 5,
    json_: Json = False,
) -> None:
    """Judge the whole archive by a changed suite and tell what it would judge otherwise; nothing is written."""
    from expectations.runner import SuiteFailed
    from expectations.suite import SuiteInvalid
    from pipeline.office import open_office
    from pipeline.rules_trial import try_suite

    try:
        trial = try_suite(
            open_office(),
            file,
            samples=samples,
            tell=lambda each: err.print(f"delivery {each.delivery_id} of {each.agency}, {each.as_of}"),
        )
    except SuiteInvalid as error:
        fail(error, WRONG_USAGE)
    except (SuiteFailed, KeyError) as error:
        fail(error, STEP_FAILED)

    def show() -> None:
        out.print(f"{trial.suite} against verdicts given so far (in force: {trial.in_force})")
        out.print(f"{trial.rows} rows of {trial.deliveries} deliveries judged, {trial.rows_changed} otherwise than now")
        for gone in trial.gone:
            out.print(f"not in the archive any more: {gone}")
        if trial.changes:
            changes = [[c.expectation, c.before or "pass", c.after or "pass", c.rows] for c in trial.changes]
            table("verdicts", ["expectation", "now", "then", "rows"], changes)
            table("rows", ["state now -> then", "rows"], [[name, rows] for name, rows in trial.states.items()])
            named = [
                [
                    c.expectation,
                    s.delivery_id,
                    s.file,
                    s.row_no,
                    s.document_no,
                    s.subject_name,
                    s.state_before,
                    s.state_after,
                ]
                for c in trial.changes
                for s in c.samples
            ]
            header = ["expectation", "delivery", "file", "row", "document", "subject", "now", "then"]
            table("samples", header, named)

    answer(json_, trial, show)
