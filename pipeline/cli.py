"""The command ``disclosure``: every step of the pipeline for a person or a script.

Exit codes: 0 done; 1 a step failed, or a replay differs; 2 wrong usage; 3 a delivery was refused as a whole; 4 rows
that cannot be accounted for; 5 a feed or the archive failed its verification; 6 a delivery is held until two people
approve. With ``--json`` the answer is one JSON document on standard output; messages go to standard error.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from pipeline.commands import (
    archive,
    audit,
    campaign,
    campaign_return,
    correction,
    exports,
    feeds,
    holds,
    receipts,
    returns,
    review,
    rules,
    scorecard,
    source,
    source_state,
    workbench,
)
from pipeline.commands.collect import collect
from pipeline.commands.console import (
    HELD,
    REFUSED,
    STEP_FAILED,
    UNEXPLAINED,
    AsOf,
    Json,
    answer,
    err,
    out,
    table,
)
from pipeline.commands.crosscheck import crosscheck
from pipeline.commands.data_docs import build as build_data_docs
from pipeline.commands.replay import replay
from transforms.columns import Kind, Reference, content_named
from transforms.problems import DeliveryRefused

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="信用信息归集与公示: pool records and publish feeds."
)
register_app = typer.Typer(no_args_is_help=True, help="The enterprise register.")
app.add_typer(register_app, name="register")
app.add_typer(exports.app, name="export")
app.add_typer(feeds.app, name="feeds")
feeds.app.add_typer(receipts.app)
app.add_typer(holds.app, name="hold")
app.add_typer(review.app, name="review")
app.add_typer(returns.app, name="return")
app.add_typer(audit.app, name="audit")
app.add_typer(scorecard.app, name="scorecard")
app.add_typer(campaign.app, name="campaign")
campaign.app.add_typer(campaign_return.app)
app.add_typer(correction.app, name="correction")
app.add_typer(source.app, name="source")
app.add_typer(rules.app, name="rules")
source.app.add_typer(source_state.app)
app.add_typer(archive.app, name="archive")
app.add_typer(workbench.app, name="workbench")
app.command()(collect)
app.command()(replay)
app.command()(crosscheck)
app.command("data-docs")(build_data_docs)


class Site(StrEnum):
    """The four publicity sites."""

    CREDITCHINA = "creditchina"
    CREDITBJ = "creditbj"
    GSXT = "gsxt"
    QYXY = "qyxy"


@contextlib.contextmanager
def _row_progress(name: str) -> Iterator[Callable[[str, int], None]]:
    """Show how many rows each step has done; the number of rows is not known before the last one is read."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, rows: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(f"{name}: rows {step}", total=None)
            progress.advance(tasks[step], rows)

        yield tell


@register_app.command("load")
def register_load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day the file speaks of; default: file date."),
    ] = None,
    changes: Annotated[bool, typer.Option("--changes", help="A change set instead of a full set.")] = False,
    late: Annotated[
        bool, typer.Option("--late", help="Load it even if it is older than the newest version, or was loaded before.")
    ] = False,
    json_: Json = False,
) -> None:
    """Load a register file (UNISCID, ENTNAME, REGNO, LEREP, DOM, ESTDATE, REGSTATE, HISTNAMES) as a new version."""
    from pipeline.office import open_office
    from pipeline.register import load_register

    day = as_of.date() if as_of else dt.date.fromtimestamp(file.stat().st_mtime)  # noqa: DTZ012 (a calendar day)
    with err.status(f"loading {file.name}"):
        try:
            loaded = load_register(
                open_office(), file, as_of=day, mode="changes" if changes else "full", late="load" if late else "refuse"
            )
        except DeliveryRefused as refusal:
            err.print(str(refusal), style="red")
            raise typer.Exit(REFUSED) from refusal

    def show() -> None:
        note = " holds (this file was loaded before and changes nothing)" if loaded.already_loaded else ""
        out.print(
            f"register version {loaded.register_version}{note}: {loaded.rows} rows, {loaded.added} added, "
            f"{loaded.changed} changed, {loaded.closed} closed, {loaded.refused} refused"
        )
        for problem in loaded.problems[:20]:
            out.print(str(problem))

    answer(json_, loaded, show)


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    agency: Annotated[str, typer.Option("--agency", help="Id of the delivering agency, e.g. aic.")],
    kind: Annotated[
        Any, typer.Option("--kind", parser=content_named, metavar="|".join((*Kind, *Reference)), help="What it holds.")
    ],
    as_of: AsOf,
    json_: Json = False,
) -> None:
    """Take in one file as a delivery: archive, standardise, judge, store."""
    from connectors.descriptor import DescriptorError
    from pipeline.ingest import ingest_file
    from pipeline.office import open_office

    with _row_progress(file.name) as tell:
        try:
            taken = ingest_file(open_office(), file, agency=agency, kind=kind, as_of=as_of.date(), tell=tell)
        except DescriptorError as error:
            err.print(str(error), style="red")
            raise typer.Exit(2) from error

    def show() -> None:
        note = " (received before: the same bytes are one delivery)" if taken.already_received else ""
        out.print(f"delivery {taken.delivery_id} {taken.state}{note}: {taken.rows} rows")
        if taken.row_states:
            table("rows by state", ["state", "rows"], [[state, n] for state, n in taken.row_states.items()])
        if taken.failures:
            table(
                "failures by expectation", ["expectation", "rows"], [[r, n] for r, n in sorted(taken.failures.items())]
            )
        for problem in taken.problems[:20]:
            out.print(str(problem))

    answer(json_, taken, show)
    if taken.state == "refused":
        raise typer.Exit(REFUSED)
    if taken.state == "held":
        err.print(f"held: two people have to approve, see `disclosure hold show {taken.hold_id}`", style="yellow")
        raise typer.Exit(HELD)


@app.command()
def attach(as_of: AsOf, json_: Json = False) -> None:
    """Attach accepted records to enterprises on the newest register version."""
    from pipeline.attach import attach as attach_due
    from pipeline.office import open_office
    from pipeline.register_faults import IndexSuspect, NoRegister

    with err.status("attaching"):
        try:
            attached = attach_due(open_office(), as_of=as_of.date())
        except (NoRegister, IndexSuspect) as error:
            err.print(str(error), style="red")
            raise typer.Exit(STEP_FAILED) from error

    def show() -> None:
        out.print(f"{attached.decided} records decided on register version {attached.register_version}")
        table("by grade", ["grade", "records"], [[k, v] for k, v in attached.grades.items()])
        table("by method", ["method", "records"], [[k, v] for k, v in attached.methods.items()])

    answer(json_, attached, show)


@app.command()
def publish(
    as_of: AsOf,
    site: Annotated[list[Site] | None, typer.Option("--site", help="Site; may be repeated. Default: all four.")] = None,
    json_: Json = False,
) -> None:
    """Publish the next release of each site: full, delta, tombstones, manifest, signature; scorecards beside it."""
    from feeds.release import ReleaseError
    from pipeline.office import open_office
    from pipeline.press import PublishError
    from pipeline.publish import publish as publish_sites
    from pipeline.scorecard import publish_beside

    with err.status("publishing"):
        try:
            office = open_office()
            published = publish_sites(office, [s.value for s in site or list(Site)], as_of=as_of.date())
            publish_beside(office, published)
        except (ReleaseError, PublishError) as error:
            err.print(str(error), style="red")
            raise typer.Exit(STEP_FAILED) from error

    def show() -> None:
        rows = [
            [
                p.site,
                p.sequence,
                name,
                t["full"],
                t["delta"],
                t["tombstones"],
                "was there" if p.already_published else "new",
            ]
            for p in published
            for name, t in p.tables.items()
        ]
        table("releases", ["site", "no", "table", "full", "delta", "tombstones", ""], rows)
        for p in published:
            out.print(f"{p.site}: {p.directory}")

    answer(json_, published, show)


@app.command()
def run(
    as_of: AsOf,
    agency: Annotated[list[str] | None, typer.Option("--agency", help="Agency; may be repeated. Default: all.")] = None,
    json_: Json = False,
) -> None:
    """Run one business day without a scheduler: register, every agency, attach, publish."""
    from connectors.descriptor import agency_ids
    from connectors.endpoint import EndpointError
    from connectors.transports.contract import AgencyError
    from pipeline import steps
    from pipeline.register import RegisterSuspect
    from pipeline.register_faults import IndexSuspect, NoRegister

    day = as_of.date()
    done: dict[str, Any] = {}
    failed: dict[str, str] = {}
    with err.status("register") as status:
        try:
            done["register"] = steps.refresh_register(day, now=dt.datetime.now(dt.UTC))
        except (AgencyError, RegisterSuspect, DeliveryRefused) as error:
            failed["register"] = str(error)
        for agency_id in agency or agency_ids():
            status.update(f"collecting {agency_id}")
            try:
                done[f"collect {agency_id}"] = steps.collect_agency(agency_id, day, now=dt.datetime.now(dt.UTC))
            except (EndpointError, AgencyError) as error:
                failed[agency_id] = str(error)
        try:
            status.update("attaching")
            done["attach"] = steps.attach(day)
            for site in Site:
                status.update(f"publishing {site}")
                done[f"publish {site}"] = steps.publish(site.value, day)
        except (NoRegister, IndexSuspect) as error:
            failed["attach"] = str(error)

    def show() -> None:
        for step, counts in done.items():
            out.print(f"{step}: {json.dumps(counts, ensure_ascii=False, default=str)}")
        for step, reason in failed.items():
            err.print(f"{step} failed: {reason}", style="red")

    answer(json_, {"done": done, "failed": failed}, show)
    if failed:
        raise typer.Exit(STEP_FAILED)


@app.command()
def reconcile(json_: Json = False) -> None:
    """Account for every row received; exit 4 when one cannot be explained."""
    from pipeline.office import open_office
    from pipeline.reconcile import STATES
    from pipeline.reconcile import reconcile as account

    with err.status("reconciling"):
        result = account(open_office())

    def show() -> None:
        rows = [
            [d.delivery_id, d.agency, d.kind, d.as_of, d.delivery_state, d.received, *(d.states[s] for s in STATES)]
            for d in result.deliveries
        ]
        table("rows per delivery", ["delivery", "agency", "kind", "as of", "state", "received", *STATES], rows)
        for finding in result.findings:
            err.print(finding, style="red")
        out.print("every row is accounted for" if result.ok else f"{len(result.findings)} findings")

    answer(json_, {"ok": result.ok, "deliveries": result.deliveries, "findings": result.findings}, show)
    if not result.ok:
        raise typer.Exit(UNEXPLAINED)


@app.command()
def explain(
    document_no: Annotated[str, typer.Argument(help="决定书文号, 来源编号或公示数据中的记录标识")], json_: Json = False
) -> None:
    """Show the whole chain of one decision: delivery, file, row, verdicts, attachment, disclosure, release."""
    from pipeline.explain import explain as chains_of
    from pipeline.office import open_office

    chains = chains_of(open_office(), document_no)

    def show() -> None:
        for chain in chains:
            out.rule(f"{chain['kind']} {chain['record_id']}: {chain['state']}")
            delivery = chain["delivery"]
            out.print(
                f"delivery {delivery['delivery_id']} of {delivery['agency']}, {delivery['as_of']}: "
                f"{delivery['file']} row {delivery['row']} ({delivery['sheet']} sheet), archive {delivery['sha256']}"
            )
            values = [
                [v["code"], name, v["value"], chain["source"].get(v["code"], "")] for name, v in chain["values"].items()
            ]
            table("values", ["column", "standard name", "value", "as received, where it differs"], values)
            for part in ("verdicts", "rulings", "attachments", "withdrawals", "disclosures"):
                rows = [list(row.values()) for row in chain[part]]
                table(part, list(chain[part][0]) if rows else [f"no {part}"], rows)

    answer(json_, chains, show)
    if not chains:
        err.print(f"no row carries {document_no}", style="red")
        raise typer.Exit(STEP_FAILED)


@app.command()
def diagnose(agency: Annotated[str, typer.Argument(help="Agency id, e.g. aic.")], json_: Json = False) -> None:
    """Say whether an agency is reachable, what came last from it, and what is wrong with what came."""
    from connectors.descriptor import DescriptorError
    from pipeline.diagnose import diagnose as examine
    from pipeline.office import open_office

    try:
        found = examine(open_office(), agency)
    except DescriptorError as error:
        err.print(str(error), style="red")
        raise typer.Exit(2) from error

    def show() -> None:
        out.print(f"{agency} {'、'.join(found['names'])}: streams {found['streams']}")
        connection = found["connection"]
        out.print(f"connection: {'ok' if connection['ok'] else 'NOT OK'}, {connection['detail']}")
        for part in ("pulls", "deliveries", "open_items"):
            rows = [list(row.values()) for row in found[part]]
            table(part, list(found[part][0]) if rows else [f"no {part}"], rows)

    answer(json_, found, show)


@app.command()
def up() -> None:
    """Start PostgreSQL, Airflow with its UI and the workbench on this machine and leave them running."""
    from pipeline.airflow_runtime import AirflowFailedError
    from pipeline.local_service import start_workbench
    from pipeline.local_service import up as start_all

    with err.status("starting") as status:
        try:
            instance = start_all(tuple(site.value for site in Site), lambda text: status.update(str(text)))
            workbench_url = start_workbench().url
        except AirflowFailedError as error:
            err.print(str(error), style="red")
            raise typer.Exit(STEP_FAILED) from error
    out.print(f"Airflow: {instance.url}  user {instance.user}, password in {instance.password_file}")
    out.print(f"workbench: {workbench_url}  enter people with `disclosure workbench user add NAME --role ROLE`")
    out.print("Stop it with `make down` (or `disclosure down`).")


@app.command()
def down() -> None:
    """Stop what `up` started."""
    from pipeline.local_service import down as stop_all

    stopped = stop_all()
    out.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def _start(module: str, *arguments: str) -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 (own modules; signals reach it)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def demo(context: typer.Context) -> None:
    """Run two business days of thirteen simulated agencies through the real scheduler and show the numbers."""
    _start("simulator.demo", *context.args)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def simulate(context: typer.Context) -> None:
    """Serve or write thirteen seeded agencies with their truth, and switch their faults (`simulate --help`)."""
    _start("simulator", *context.args)
