"""``disclosure return``: failing rows go back to their agency, in a workbook with a cover (退回机关)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.console import STEP_FAILED, WRONG_USAGE, AsOf, Json, answer, fail, out, table

if TYPE_CHECKING:
    from pipeline.office import Office
    from store.returns import Notice

app = typer.Typer(no_args_is_help=True, help="Return notices to agencies (退回机关): failing rows, rule, remedy.")

NoticeNo = Annotated[int, typer.Argument(metavar="NOTICE", help="Number from `disclosure return list`.")]
Folder = Annotated[Path, typer.Option("--to", help="Folder for workbook and cover.", file_okay=False)]


@app.command()
def waiting(json_: Json = False) -> None:
    """Count per agency the rows that it has to mend, and those that no notice has told it of."""
    from pipeline.office import open_office
    from pipeline.returning import returnable

    found = returnable(open_office())
    header = ["agency", "rows", "not told yet", "oldest"]
    rows = [[each.agency, each.rows, each.untold, each.oldest] for each in found]
    answer(json_, found, lambda: table("to be mended", header, rows))


@app.command()
def make(
    agency: Annotated[str, typer.Argument(help="Agency, e.g. aic.")],
    as_of: AsOf,
    person: Annotated[str, typer.Option("--as", help="Name of the person who sends the rows back.")],
    to: Folder,
    *,
    remark: Annotated[str, typer.Option("--remark", help="A sentence more for the cover, in Chinese.")] = "",
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only rows that failed it; may be repeated.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what an earlier notice has told (催办).")] = False,
    json_: Json = False,
) -> None:
    """Make a return notice: XLSX and HTML into a folder, both kept in the ledger. Exit 1 when nothing is to return."""
    from connectors.descriptor import DescriptorError
    from pipeline.office import open_office
    from pipeline.returning import NothingToReturn, make_notice
    from store.typed_text import NumberTyped

    office = open_office()
    try:
        notice = make_notice(
            office, agency, person=person, as_of=as_of.date(), remark=remark, rules=rule or (), again=again
        )
    except NothingToReturn as error:
        fail(error, STEP_FAILED)
    except (DescriptorError, NumberTyped) as error:
        fail(error, WRONG_USAGE)
    paths = _save(office, notice, to)
    answer(json_, {"notice": notice, "files": paths}, lambda: _show(notice, paths))


@app.command("list")
def list_(
    agency: Annotated[str | None, typer.Option("--agency", help="Only to this agency.")] = None, json_: Json = False
) -> None:
    """List return notices, newest first, with what became of their items."""
    from pipeline.office import open_office
    from pipeline.returning import list_notices

    found = list_notices(open_office(), agency)
    header = ["notice", "agency", "as of", "person", "rows", "items", "still open"]
    rows = [[n.notice_id, n.agency, n.as_of, n.person, n.rows, n.reviews, n.left] for n in found]
    answer(json_, found, lambda: table("return notices", header, rows))


@app.command()
def save(notice: NoticeNo, to: Folder, json_: Json = False) -> None:
    """Write workbook and cover of a notice as they were issued. Exit 1 when there is none with that number."""
    from pipeline.office import open_office
    from pipeline.returning import read_notice
    from store.returns import NoticeUnknown

    office = open_office()
    try:
        found = read_notice(office, notice)
    except NoticeUnknown as error:
        fail(error, STEP_FAILED)
    paths = _save(office, found, to)
    answer(json_, {"notice": found, "files": paths}, lambda: _show(found, paths))


def _save(office: Office, notice: Notice, to: Path) -> list[Path]:
    from pipeline.returning import file_name, notice_file

    to.mkdir(parents=True, exist_ok=True)
    paths = []
    for which in ("workbook", "cover"):
        paths.append(to / file_name(notice, which))
        paths[-1].write_bytes(notice_file(office, notice.notice_id, which))
    return paths


def _show(notice: Notice, paths: list[Path]) -> None:
    out.print(f"return notice {notice.notice_id} to {notice.agency}: {notice.rows} rows, {notice.reviews} items")
    for path in paths:
        out.print(str(path))
