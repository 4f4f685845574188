"""``disclosure review``: the stewards' work list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, fail, out, table
from transforms.columns import Kind

if TYPE_CHECKING:
    from store.reviews import Review

app = typer.Typer(no_args_is_help=True, help="What waits for a steward (待办): claim it, pass it on, remark on it.")

ReviewNo = Annotated[int, typer.Argument(metavar="REVIEW", help="Number from `disclosure review list`.")]
Person = Annotated[str, typer.Option("--as", help="Name of the person who acts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for whoever reads it later.")]
Agency = Annotated[str | None, typer.Option("--agency", help="Only of this agency.")]
Rule = Annotated[str | None, typer.Option("--rule", help="Only of this rule or reason, e.g. R03.uscc.")]


@app.command()
def groups(as_of: AsOf, agency: Agency = None, rule: Rule = None, json_: Json = False) -> None:
    """Count the open items by agency and rule, with their age on a business day."""
    from pipeline.office import open_office
    from store import reviews

    with open_office().engine.connect() as connection:
        found = reviews.grouped(connection, reviews.Filters(agency=agency, rule=rule), today=as_of.date())

    def show() -> None:
        header = ["agency", "rule", "severity", "open", "oldest", "overdue", "nobody's", "for example"]
        rows = [
            [
                g.agency, g.rule, g.severity, g.count, g.oldest, g.overdue, g.unassigned,
                "、".join(sample.document_no or str(sample.review_id) for sample in g.samples),
            ]
            for g in found
        ]  # fmt: skip
        table("reviews", header, rows)

    answer(json_, found, show)


@app.command("list")
def list_(
    agency: Agency = None,
    rule: Rule = None,
    *,
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    assignee: Annotated[str | None, typer.Option("--assignee", help="Only of this person; - for nobody's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    json_: Json = False,
) -> None:
    """List open items, oldest first."""
    from pipeline.office import open_office
    from store import reviews

    filters = reviews.Filters(
        agency=agency,
        rule=rule,
        kind=kind.value if kind else None,
        unassigned=assignee == "-",
        assignee=None if assignee == "-" else assignee,
    )
    with open_office().engine.connect() as connection:
        found = reviews.list_reviews(connection, filters, limit=limit)
    answer(json_, found, lambda: _table(found))


@app.command()
def show(review: ReviewNo, json_: Json = False) -> None:
    """Show one item and what happened to it. Exit 1 when there is none with that number."""
    from pipeline.office import open_office
    from store import reviews

    try:
        with open_office().engine.connect() as connection:
            found = reviews.read_review(connection, review)
            events = reviews.events_of(connection, review)
    except reviews.ReviewUnknown as error:
        fail(error, STEP_FAILED)

    def tell() -> None:
        _table([found])
        out.print(f"{found.field}: {found.value or ''} {found.finding or ''}")
        out.print(found.remedy or "")
        table("events", ["event", "person", "reason", "at"], [[e.event, e.person, e.reason, e.at] for e in events])

    answer(json_, {"review": found, "events": events}, tell)


@app.command()
def claim(review: ReviewNo, person: Person, reason: Reason = "", json_: Json = False) -> None:
    """Take an item. Exit 1 when it is closed or another person's."""
    from pipeline.office import open_office
    from store import reviews
    from store.typed_text import NumberTyped

    try:
        with open_office().engine.begin() as connection:
            found = reviews.claim(connection, review, person=person, reason=reason)
    except (reviews.ReviewUnknown, reviews.ReviewTaken) as error:
        fail(error, STEP_FAILED)
    except NumberTyped as error:
        fail(error, WRONG_USAGE)
    answer(json_, found, lambda: _table([found]))


@app.command()
def assign(
    review: ReviewNo,
    person: Person,
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="Whom to give it to; nobody when left out.")] = None,
    json_: Json = False,
) -> None:
    """Give an item to a person, whoever had it."""
    from pipeline.office import open_office
    from store import reviews
    from store.typed_text import NumberTyped

    try:
        with open_office().engine.begin() as connection:
            found = reviews.assign(connection, review, to=to, person=person, reason=reason)
    except (reviews.ReviewUnknown, reviews.ReviewTaken) as error:
        fail(error, STEP_FAILED)
    except NumberTyped as error:
        fail(error, WRONG_USAGE)
    answer(json_, found, lambda: _table([found]))


@app.command()
def comment(review: ReviewNo, person: Person, reason: Reason) -> None:
    """Add a remark to an item, open or closed."""
    from pipeline.office import open_office
    from store import reviews
    from store.typed_text import NumberTyped

    try:
        with open_office().engine.begin() as connection:
            reviews.comment(connection, review, person=person, reason=reason)
    except reviews.ReviewUnknown as error:
        fail(error, STEP_FAILED)
    except NumberTyped as error:
        fail(error, WRONG_USAGE)


def _table(found: list[Review]) -> None:
    header = ["review", "agency", "kind", "document", "subject", "rule", "severity", "opened", "due", "state", "whose"]
    rows = [
        [
            r.review_id, r.agency, r.kind, r.document_no, r.subject_name, r.rule, r.severity, r.opened, r.due,
            r.closed_as or r.state, r.assignee,
        ]
        for r in found
    ]  # fmt: skip
    table("reviews", header, rows)
