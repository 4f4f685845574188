"""Show the system at work: ``python -m simulator.demo [--home DIR] [--enterprises N] [--scale X] [--json]``.

Two business days of thirteen simulated agencies through the real Airflow scheduler; then the feeds are verified and
applied as a client would, every row is accounted for, and the numbers are shown as tables and as a page. Data and page
stay in the home, processes do not, however the demo ends. Exit codes: 0 all well; 1 something failed; 2 wrong usage;
130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from feeds.client import ApplyError
from pipeline.airflow_client import FINISHED, AirflowApiError, Run, RunsMissingError
from pipeline.airflow_runtime import AirflowFailedError
from pipeline.campaign.files import FOLDER as REPORTS
from pipeline.campaign.files import write_files
from pipeline.campaign.making import make_report
from pipeline.data_docs import FOLDER as DOCS
from pipeline.reconcile import reconcile
from simulator.business_days import DEMO_DAYS
from simulator.demo_numbers import DemoNumbers, FeedCheck, ReleaseNumbers, check_feeds, count
from simulator.demo_page import READ_TWICE, Outcome, agency_lines, page
from simulator.demo_run import AIRFLOW, DAG_IDS, HomeInUseError, running_system
from simulator.returned_sheets import ACTION, submit_returns

FAILED, USAGE, INTERRUPTED = 1, 2, 130

_REMEDY = (
    "What to do: the error lines above name the cause; mend it and run the demo again, it starts from nothing. "
    "All logs are in {logs}; DISCLOSURE_HOME={home} disclosure diagnose AGENCY shows what came from an agency."
)

_DAY_TIMEOUT = 300.0
_SET_UP_STEPS = 9


class Reporter:
    """Tells what happens on standard error: lines with the time, and below them a bar where there is a terminal."""

    def __init__(self) -> None:
        """Prepare the bar; ``with`` shows it."""
        self._started = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("set-up", total=_SET_UP_STEPS)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Take the bar away; the lines stay."""
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def say(self, text: str, style: str = "") -> None:
        """Write a line and move the bar on by one step."""
        self._console.print(f"[dim]{self.seconds:6.1f} s[/dim]  {escape(text)}", style=style, soft_wrap=True)
        self._bar.advance(self._task)

    def begin(self, what: str, steps: int) -> None:
        """Start the bar anew for another part of the work."""
        self._bar.reset(self._task, total=steps, description=what)

    def tell_run(self, run: Run) -> None:
        """Report a run that has begun or ended."""
        if run.state in FINISHED:
            style = "green" if run.state == "success" else "red"
            self.say(f"{run.business_date}  {run.dag_id:<22} {run.state}  {run.seconds or 0:.1f} s", style)

    def fail(self, text: str) -> None:
        """Write what went wrong and what helps."""
        self._console.print(text, style="red", markup=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Result:
    """What a demo that came to its end has to show; ``campaign``: the report of the special action, as files."""

    numbers: DemoNumbers
    findings: tuple[str, ...]
    feeds: tuple[FeedCheck, ...]
    campaign: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        """True when every row is accounted for and every feed is what it says."""
        return not self.findings and not any(feed.problems for feed in self.feeds)


def run(home: Path, enterprises: int, scale: float, reporter: Reporter) -> Result:
    """Run the days in a fresh ``home``; every process has ended when this returns or raises."""
    with running_system(home, enterprises=enterprises, scale=scale, progress=reporter.say) as system:
        for day in DEMO_DAYS:
            reporter.begin(f"business day {day}", len(DAG_IDS) + 1)
            reporter.say(f"{day}: the agencies deliver, the scheduler runs {len(DAG_IDS)} DAGs")
            system.run_day(day, _DAY_TIMEOUT, reporter.tell_run)
        reporter.begin("verify", 5)
        reporter.say("four feeds: verifying signatures and hashes, following both days as a client")
        feeds = check_feeds(system.office, home / "clients")
        reporter.say("reconciling: every row received against the state it is in")
        findings = reconcile(system.office).findings
        numbers = count(system.office, system.simulator.truth_file)
        reporter.say("special action: ten agencies return July's sheet, the report is made of that and of the records")
        submit_returns(system.office, "2018-07", DEMO_DAYS[0])
        report = make_report(system.office, ACTION, as_of=DEMO_DAYS[-1], person="demo")
        campaign = write_files(report, home / REPORTS)
    return Result(numbers, findings, tuple(feeds), tuple(campaign))


def next_steps(home: Path, numbers: DemoNumbers, campaign: Sequence[Path] = ()) -> list[tuple[str, str]]:
    """Return where to look next: what it is, and the command or the path."""
    with_home = f"DISCLOSURE_HOME={shlex.quote(str(home))}"
    command = f"{with_home} {shlex.quote(str(Path(sys.executable).with_name('disclosure')))}"
    example = [("一条被撤下的决定 the whole chain of a withdrawn decision", f"{command} explain {numbers.example}")]
    return [
        ("图表 this page", str(home / "report.html")),
        *(("专项行动统计 report of the special action", str(path)) for path in campaign),
        *(
            [
                (
                    "重新统计 make it again",
                    f"{command} campaign report --as-of {DEMO_DAYS[-1]} --to {shlex.quote(str(home / REPORTS))}",
                )
            ]
            if campaign
            else []
        ),
        ("检查结果 Data Docs, a page per delivery", str(home / DOCS)),
        ("公示文件 feeds of the four sites", str(home / "feeds")),
        ("站点客户端副本 the clients' copies", str(home / "clients")),
        *(example if numbers.example else []),
        ("对账 account for every row", f"{command} reconcile"),
        ("待办 what waits for a steward", f"{command} export reviews reviews.csv"),
        ("待批 deliveries that wait for two people (公安, 海关)", f"{command} hold list"),
        ("比对结果 findings of the cross-check", f"{command} export discrepancies findings.csv"),
        ("归属 how each record was attached", f"{command} export attachments attachments.csv"),
        ("验证 verify a feed", f"{command} feeds verify {shlex.quote(str(home / 'feeds' / 'gsxt'))}"),
        ("Airflow 网页 its web page (user admin)", f"{with_home} make up"),
        ("网页密码 where its password is", str(home / AIRFLOW / "passwords.json")),
    ]


def show(result: Result, home: Path, seconds: float) -> None:
    """Print one table per agency, the releases, and where to look next."""
    out = Console(highlight=False)
    days = [day.isoformat() for day in DEMO_DAYS]
    for agency in result.numbers.agencies:
        table = Table(title=f"{agency.name} {agency.agency}", title_justify="left", title_style="bold", show_edge=False)
        table.add_column("", no_wrap=True)
        for header in (*days, "合计 total", "模拟器 truth"):
            table.add_column(header, justify="right")
        for line in agency_lines(agency, days):
            if line.total is None:
                table.add_section()
                table.add_row(f"[dim]{line.label}[/dim]")
            else:
                expected = "" if line.expected is None else str(line.expected)
                table.add_row(line.label, *map(str, line.per_day), str(line.total), expected)
        out.print(table)
        out.print()
    out.print(_release_table(result.numbers.releases, result.feeds))
    out.print()
    out.print("\n".join(READ_TWICE))
    out.print()
    for what, how in next_steps(home, result.numbers, result.campaign):
        out.print(f"[dim]{what}[/dim]\n  {escape(how)}", soft_wrap=True)
    out.print()
    verdict = "every row is accounted for, all feeds verified" if result.ok else "FAILED, see above"
    out.print(f"{verdict}; {seconds:.0f} s", style="bold green" if result.ok else "bold red")


def _release_table(releases: Sequence[ReleaseNumbers], feeds: Sequence[FeedCheck]) -> Table:
    table = Table(title="公示站点 feeds", title_justify="left", title_style="bold", show_edge=False)
    for header in ("site", "day", "no", "full", "delta", "tombstones", "verified", "client"):
        table.add_column(header, justify="right" if header in ("no", "full", "delta") else "left")
    found = {feed.site: feed for feed in feeds}
    for release in releases:
        feed = found[release.site]
        marks = ", ".join(f"{reason} {rows}" for reason, rows in release.tombstones.items()) or "0"
        verified = "[red]NO[/red]" if feed.problems else "[green]yes[/green]"
        how = feed.how[release.sequence - 1] if release.sequence <= len(feed.how) else ""
        full = str(sum(release.full.values()))
        row = [release.site, release.day, str(release.sequence), full, str(release.delta), marks, verified, how]
        table.add_row(*row, end_section=release.sequence == feed.sequence)
    return table


def as_json(result: Result, home: Path, seconds: float) -> str:
    """Return the answer of ``--json``: ok, seconds, home, page, campaign, findings, feeds, numbers by agency, site."""
    answer = {
        "ok": result.ok,
        "seconds": round(seconds, 1),
        "home": str(home),
        "page": str(home / "report.html"),
        "campaign": [str(path) for path in result.campaign],
        "findings": result.findings,
        "feeds": result.feeds,
        "numbers": result.numbers,
    }
    return json.dumps(answer, ensure_ascii=False, sort_keys=True, default=_fields)


def _fields(value: object) -> dict[str, object]:
    """Return a dataclass as a dictionary; ``asdict`` cannot copy a counter."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is not part of the answer")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the clean-up that follows is not to be cut off
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and show what came of it."""
    parser = argparse.ArgumentParser(
        prog="disclosure demo", description="Two business days through the real scheduler."
    )
    parser.add_argument("--home", type=Path, default=Path("var/demo"), help="made anew; default var/demo")
    parser.add_argument("--enterprises", type=int, default=3_000, help="size of the register")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of records")
    parser.add_argument("--json", action="store_true", help="answer with one JSON document")
    chosen = parser.parse_args(arguments)
    home = chosen.home.expanduser().resolve()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with Reporter() as reporter:
        try:
            result = run(home, chosen.enterprises, chosen.scale, reporter)
        except HomeInUseError as error:
            reporter.fail(str(error))
            return USAGE
        except (RunsMissingError, AirflowFailedError, AirflowApiError, ApplyError) as error:
            reporter.fail(f"{error}\n\n{_REMEDY.format(logs=home / AIRFLOW / 'logs', home=home)}")
            return FAILED
        except KeyboardInterrupt:
            reporter.fail(f"interrupted: every process has been ended, the data stay in {home}")
            return INTERRUPTED
        seconds = reporter.seconds
    outcome = Outcome(result.findings, result.feeds, next_steps(home, result.numbers, result.campaign))
    (home / "report.html").write_text(page(result.numbers, outcome), encoding="utf-8")
    for problem in [*result.findings, *(f"{feed.site}: {text}" for feed in result.feeds for text in feed.problems)]:
        reporter.fail(problem)
    if chosen.json:
        sys.stdout.write(as_json(result, home, seconds) + "\n")
    else:
        show(result, home, seconds)
    return 0 if result.ok else FAILED


if __name__ == "__main__":
    sys.exit(main())
