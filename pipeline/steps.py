"""The steps of a business day as the scheduler calls them: plain arguments in, small dictionaries of counts out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from functools import cache
from typing import Any, Final

from connectors.descriptor import load_agency
from connectors.endpoint import Endpoint, endpoint_from_environment, find_endpoint
from pipeline import holds
from pipeline.attach import attach as attach_due
from pipeline.campaign.files import FOLDER as REPORTS
from pipeline.campaign.files import write_files
from pipeline.campaign.making import make_report
from pipeline.campaign.missing import due_notices
from pipeline.collect import REGISTER, collect
from pipeline.crosscheck import crosscheck as compare
from pipeline.crosscheck import years_due
from pipeline.data_docs import FOLDER as DOCS
from pipeline.data_docs import build_data_docs
from pipeline.digests import Senders
from pipeline.digests import send_digests as send_due
from pipeline.ingest import ingest_delivery
from pipeline.office import Office, open_office
from pipeline.publish import publish as publish_sites
from pipeline.register import Loaded, Mode, load_register
from pipeline.register_pull import pull_register, registrars
from pipeline.scorecard import publish_beside
from pipeline.silence import late_sources
from store.holds import Choice, Hold, HoldDecided
from store.typed_text import masked_text
from transforms.campaign.sheets import sheets

REGISTER_FILE: Final = re.compile(r"register_(?P<day>\d{8})_(?P<mode>full|changes)\.csv")
"""Name of a file in the register inbox: the day it speaks of, and whether it is a full set or a change set."""


@cache
def _office() -> Office:
    return open_office()


def collect_agency(
    agency: str, as_of: dt.date, endpoint: Endpoint | None = None, *, now: dt.datetime | None = None
) -> dict[str, Any]:
    """Pull an agency's streams for a business day and take in each delivery; the endpoint is else the environment's.

    ``now`` as in ``pipeline.collect.collect``.
    """
    load_agency(agency)
    office = _office()
    return collect(
        agency,
        as_of,
        engine=office.engine,
        archive=office.archive,
        endpoint=endpoint or endpoint_from_environment(agency),
        ingest=lambda delivery_id: ingest_delivery(office, delivery_id),
        now=now,
        also=[stream for stream in load_agency(agency).references if stream.content != REGISTER],
    )


def refresh_register(as_of: dt.date, *, now: dt.datetime | None = None) -> dict[str, Any]:
    """Load the register up to a business day: the files of the inbox, oldest first, then what its streams bring.

    A registrar without an address in the environment is not asked. Raises as ``pull_register_of``.
    """
    files = load_register_files(as_of)
    pulled: list[dict[str, Any]] = []
    for agency in registrars():
        if (endpoint := find_endpoint(agency)) is not None:
            pulled += pull_register_of(agency, as_of, endpoint, now=now)
    return {"files": files, "pulled": pulled}


def pull_register_of(
    agency: str, as_of: dt.date, endpoint: Endpoint, *, now: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Load what an agency's register streams bring. Raises as ``pipeline.register_pull.pull_register``."""
    loaded = pull_register(_office(), agency, as_of, endpoint=endpoint, now=now)
    return [_counts(each) | {"agency": agency} for each in loaded]


def load_register_files(as_of: dt.date) -> list[dict[str, Any]]:
    """Load the register files of the inbox up to a business day, oldest first; files loaded before change nothing.

    A file that came late, of a day before that of the newest version, is left alone; its problem is counted.
    """
    office = _office()
    loaded: list[dict[str, Any]] = []
    found = [(match["day"], match["mode"], path) for path, match in _register_files(office)]
    for day, mode, path in sorted(found):
        speaks_of = dt.date.fromisoformat(day)
        if speaks_of > as_of:
            continue
        chosen: Mode = "full" if mode == "full" else "changes"
        outcome = load_register(office, path, as_of=speaks_of, mode=chosen, late="leave")
        loaded.append(_counts(outcome) | {"file": path.name})
    return loaded


def _counts(loaded: Loaded) -> dict[str, Any]:
    return asdict(loaded) | {"problems": len(loaded.problems)}


def _register_files(office: Office) -> list[tuple[Any, re.Match[str]]]:
    inbox = office.settings.register_inbox
    if not inbox.is_dir():
        return []
    return [(path, match) for path in sorted(inbox.iterdir()) if (match := REGISTER_FILE.fullmatch(path.name))]


def attach(as_of: dt.date) -> dict[str, Any]:
    """Attach what is due."""
    return asdict(attach_due(_office(), as_of=as_of))


def data_docs(as_of: dt.date) -> dict[str, Any]:
    """Build the page of each delivery of a business day; tells how many and where."""
    office = _office()
    return {"pages": sum(1 for _ in build_data_docs(office, as_of=as_of)), "folder": str(office.settings.state / DOCS)}


def publish(site: str, as_of: dt.date) -> dict[str, Any]:
    """Publish a site's release of a business day, and the agencies' scorecards beside it."""
    [published] = publish_sites(_office(), [site], as_of=as_of)
    publish_beside(_office(), [published])
    return asdict(published) | {"as_of": published.as_of.isoformat(), "directory": str(published.directory)}


def crosscheck(as_of: dt.date) -> list[dict[str, Any]]:
    """Compare the reports of every year that is due with the monitoring base."""
    office = _office()
    return [asdict(compare(office, year=year, as_of=as_of)) for year in years_due(office, as_of)]


def campaign_reports(as_of: dt.date, action: str | None = None) -> list[dict[str, Any]]:
    """Report the action named, else every action that is being reported on that day; files lie under the home.

    Raises ``transforms.campaign.sheets.ActionUnknown``.
    """
    office = _office()
    running = [each.id for each in sheets().actions if each.is_reported_on(as_of)]
    reports = []
    for action_id in [action] if action else running:
        kept = make_report(office, action_id, as_of=as_of, person="campaign_report")
        files = write_files(kept, office.settings.state / REPORTS)
        told = {"action": action_id, "version": kept.version, "new": kept.new, "sha256": kept.sha256}
        reports.append(told | {"files": [str(path) for path in files]})
    return reports


def campaign_due(as_of: dt.date) -> dict[str, str]:
    """Return, by action and what is due, the alarm about each due date that people are told of on that day."""
    return {notice.key: notice.told() for notice in due_notices(_office(), as_of)}


def open_holds() -> list[int]:
    """Return the numbers of the holds that wait for people."""
    return [hold.hold_id for hold in holds.list_holds(_office())]


def read_hold(hold_id: int) -> dict[str, Any]:
    """Return a hold's state, and the question about it in words. Raises ``store.holds.HoldUnknown``."""
    return _told(holds.read_hold(_office(), hold_id))


def decide_hold(hold_id: int, *, person: str, decision: Choice, reason: str) -> dict[str, Any]:
    """Enter a decision that was made in Airflow; one about a hold that is decided already changes nothing.

    Numbers of persons in the reason are masked, where the workbench and the command refuse it: the answer has been
    given already, and nobody who could put it in other words waits for this task.
    """
    who, said = masked_text(person), masked_text(reason)
    try:
        return _told(holds.decide(_office(), hold_id, person=who, decision=decision, reason=said, via="airflow").hold)
    except HoldDecided:
        return read_hold(hold_id)


def _told(hold: Hold) -> dict[str, Any]:
    numbers = "\n".join(f"* {name}: {number}" for name, number in hold.numbers.items())
    return {
        "hold": hold.hold_id,
        "state": hold.state,
        "subject": f"整批待批 {hold.hold_id}: {hold.agency} {hold.kind} {hold.as_of}",
        "body": f"{hold.explanation}\n\n{numbers}\n\n须由两名不同人员批准, 已批准者见: "
        f"disclosure hold show {hold.hold_id}",
    }


def silent_sources(now: dt.datetime) -> dict[str, str]:
    """Return, by ``agency/stream``, the alarm about each source that is silent past its limit at ``now``."""
    return {f"{late.agency}/{late.stream}": late.alarm(now) for late in late_sources(_office(), now)}


def send_digests(senders: Senders, as_of: dt.date, now: dt.datetime) -> dict[str, int]:
    """Tell people what waits for them by the channels that there are; returns how many digests went out by each."""
    return send_due(_office(), senders, as_of=as_of, now=now) if senders else {}
