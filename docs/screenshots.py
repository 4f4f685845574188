"""Take the pictures of ``docs/stewards.md``: ``python -m docs.screenshots [--home FOLDER]``.

The office is made up: two days of one simulated agency, a held delivery, a notice, a correction that waits, the annual
reports and sites of some enterprises, returns of the special action. With a folder that holds such an office already,
only the pictures are taken again.
"""

from __future__ import annotations

import argparse
import base64
import csv
import datetime as dt
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Page, sync_playwright

from feeds.client import apply_release
from feeds.receipt import Receipt
from feeds.visible import release_directory
from pipeline import accounts
from pipeline.attach import attach
from pipeline.crosscheck import crosscheck
from pipeline.data_docs import build_data_docs
from pipeline.ingest import ingest_file
from pipeline.office import Office, open_office
from pipeline.publish import publish
from pipeline.register import load_register
from pipeline.returning import make_notice
from pipeline.rulings import propose
from pipeline.scorecard import publish_beside, tell_output
from pipeline.settings import Settings
from simulator.online_market import Identity, played_by
from simulator.returned_sheets import ACTION, submit_returns
from store import receipts
from store.accounts import Role
from store.scorecards import Output
from transforms.columns import Kind, Reference
from workbench.app import create_app

PICTURES: Final = Path(__file__).parent / "workbench"
PERSON: Final = "王平台"
PASSWORD: Final = "only for the pictures"  # noqa: S105 (of a made-up office)
DAYS: Final = (dt.date(2018, 8, 21), dt.date(2018, 8, 22))
NOW: Final = dt.datetime(2018, 8, 22, 2, 0, tzinfo=dt.UTC)
YEAR: Final = 2017
MONTH: Final = "2018-07"
_MARKET: Final = 60
"""Enterprises of the register whose annual report and sites are known."""
_WIDTH: Final = 1280
_QUALITY: Final = 80


def fill(office: Office, sources: Path) -> None:
    """Let two business days pass."""
    load_register(office, sources / "register_20180821_full.csv", as_of=DAYS[0], mode="full")
    for day, number in zip(DAYS, ("20180821", "20180822"), strict=True):
        ingest_file(office, sources / f"fda/XK_{number}.csv", agency="fda", kind=Kind.LICENCE, as_of=day)
        ingest_file(office, sources / f"fda/CF_{day}.csv", agency="fda", kind=Kind.PENALTY, as_of=day)
        attach(office, as_of=day)
        list(build_data_docs(office, as_of=day))
        publish_beside(office, publish(office, ["creditbj", "creditchina", "gsxt", "qyxy"], as_of=day))
    for sequence in (1, 2):
        acknowledge(office, "gsxt", sequence, sources.parent / "site")
    ingest_file(office, sources / "psb/CF_20180822.csv", agency="psb", kind=Kind.PENALTY, as_of=DAYS[1])
    compare(office, sources)
    submit_returns(office, MONTH, DAYS[1])
    tell_output(office, "fda", Kind.PENALTY, DAYS[0], Output(120, 115, None), source="函〔2018〕5号", person=PERSON)
    make_notice(office, "fda", person=PERSON, as_of=DAYS[1], remark="请于本周内改正。", rules=["R03.uscc"])
    good = record(office, "state = 'accepted' AND fine_amount IS NOT NULL AND agency = 'fda'")
    propose(office, good, cells={"CF_JG": "罚款人民币30000元"}, person="李平台", reason="对照决定书", as_of=DAYS[1])
    accounts.add_account(office, PERSON, role=Role.PLATFORM, password=PASSWORD)


def acknowledge(office: Office, site: str, sequence: int, to: Path) -> None:
    """Be a site that takes a release and says so."""
    told = Receipt.of(apply_release(release_directory(office.settings.feeds / site, sequence), to))
    with office.engine.begin() as connection:
        receipts.enter(
            connection, site=site, sequence=sequence, manifest_sha256=told.manifest_sha256, outcome=told.outcome,
            tables=told.tables, problems=told.problems, person=PERSON,
        )  # fmt: skip


def compare(office: Office, sources: Path) -> None:
    """Take in annual reports and sites of enterprises of the register, and hold them against each other."""
    with (sources / "register_20180821_full.csv").open(encoding="utf-8", newline="") as file:
        known = [Identity(row["UNISCID"], row["REGNO"], row["ENTNAME"]) for row in csv.DictReader(file)][:_MARKET]
    market = list(played_by(known, year=YEAR, seed=YEAR))
    rows = {
        Reference.ANNUAL_REPORT: [row for each in market for row in each.report],
        Reference.ONLINE_SUBJECT: [row for each in market for row in each.subjects],
    }
    for kind, found in rows.items():
        path = write(sources / f"{kind}.csv", found)
        ingest_file(office, path, agency="aic", kind=kind, as_of=DAYS[1])
    crosscheck(office, year=YEAR, as_of=DAYS[1])


def write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write rows as an agency would."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def record(office: Office, condition: str, table: str = "penalty") -> int:
    """Return the first record that fits a condition."""
    query = sa.text(f"SELECT record_id FROM {table} WHERE {condition} ORDER BY record_id LIMIT 1")  # noqa: S608
    with office.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def pages(office: Office) -> dict[str, str]:
    """Return the address of each picture by its name."""
    of_rule = "record_id IN (SELECT record_id FROM review WHERE state = 'open' AND rule = '{}')"
    wrong = record(office, of_rule.format("R03.uscc"), "licence")
    uncertain = record(office, of_rule.format("code_and_name_disagree"), "licence")
    with office.engine.connect() as connection:
        ruling = connection.scalar(sa.text("SELECT max(ruling_id) FROM ruling"))
        concealed = connection.scalar(sa.text("SELECT min(finding_key) FROM finding WHERE kind = 'concealed'"))
    return {
        "overview": "/", "worklist": "/worklist", "items": "/worklist/items?agency=fda&rule=R03.uscc",
        "record": f"/records/{wrong}", "correct": f"/records/{wrong}/correct", "attach": f"/records/{uncertain}/attach",
        "rulings": "/rulings", "ruling": f"/rulings/{ruling}", "search": "/records", "deliveries": "/deliveries",
        "delivery": "/deliveries/1", "holds": "/holds", "hold": "/holds/1", "returns": "/returns",
        "return_new": "/returns/new/fda", "return_notice": "/returns/1", "releases": "/releases?site=gsxt",
        "release": "/releases/gsxt/2/verify", "scorecards": "/scorecards", "audit": "/audit/verify",
        "rows": "/records?delivery_id=2", "data_docs": "/data-docs/1", "findings": "/findings",
        "finding": f"/findings/{concealed}", "campaign": "/campaign",
        "campaign_return": f"/campaign/{ACTION}/aic/{MONTH}",
    }  # fmt: skip


@contextmanager
def served(office: Office) -> Iterator[str]:
    """Serve the workbench and yield its address."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(office, clock=lambda: NOW), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{own.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def shoot(office: Office) -> None:
    """Take every picture."""
    PICTURES.mkdir(exist_ok=True)
    with served(office) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox"])
        page = browser.new_context(locale="zh-CN", viewport={"width": _WIDTH, "height": 760}).new_page()
        page.goto(address)
        take(page, "login")
        page.get_by_label("姓名").fill(PERSON)
        page.get_by_label("密码").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1")
        for name, path in pages(office).items():
            answer = page.goto(address + path)
            if answer is None or not answer.ok:
                raise RuntimeError(f"{path} gives no page to be shown")
            take(page, name)
        preview(page, address)
        browser.close()


def preview(page: Page, address: str) -> None:
    """Tick three items and ask what claiming them would change."""
    page.goto(address + "/worklist/items?rule=R03.uscc")
    for number in range(1, 4):
        page.get_by_role("checkbox").nth(number).check()
    page.get_by_role("button", name="认领勾选的").click()
    page.get_by_role("heading", name="认领").wait_for()
    take(page, "preview")


def take(page: Page, name: str) -> None:
    """Keep what the page shows as WebP, which is less than half of the same picture as PNG."""
    session = page.context.new_cdp_session(page)
    shown = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    (PICTURES / f"{name}.webp").write_bytes(base64.b64decode(shown["data"]))
    session.detach()


@contextmanager
def _sources(folder: Path) -> Iterator[Path]:
    """The files of the simulated agencies."""
    home = folder / "agencies"
    command = [
        sys.executable, "-m", "simulator", "serve", "--home", str(home), "--exchange-url", f"sqlite:///{folder}/exchange.db",
        "--enterprises", "800", "--scale", "0.3",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:  # noqa: S603 (our own module)
        assert simulator.stdout is not None  # noqa: S101 (asked for)
        json.loads(simulator.stdout.readline())
        yield home
        simulator.terminate()


def main() -> None:
    """Fill an office, unless there is one, and take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        home = (given.home or Path(scratch)).resolve()
        fresh = not (home / "office").exists()
        home.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("DISCLOSURE_HOME", str(home / "office"))
        office = open_office(Settings(home=home / "office"))
        if fresh:
            with _sources(home) as sources:
                fill(office, sources)
        shoot(office)
        office.engine.dispose()


if __name__ == "__main__":
    main()
