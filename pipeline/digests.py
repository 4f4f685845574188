"""What stewards and agencies are told once a business day: a digest of what waits for them, else nothing.

The office's digest counts what waits by agency, what is held, what waits for a signature and which sources are silent.
An agency's digest counts its own rows that were returned, and the days on which nothing came. Around a due date of a
special action both say whose returns are missing. Both hold counts and
words for rules, never a value of a record.

A recipient gets at most one digest a day by each channel. One that tells the same as the last one, the day apart, is
kept back for ``REMIND_AFTER``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.descriptor import agency_ids, load_agency
from pipeline.campaign.missing import DueNotice, due_notices
from pipeline.campaign.report import span_title
from pipeline.holds import list_holds
from pipeline.letters import rendered
from pipeline.office import Office
from pipeline.rule_titles import rule_title
from pipeline.silence import LateSource, late_sources
from store import notifications, returns, reviews, rulings
from store.holds import Hold
from store.notifications import Channel
from store.reviews import Filters, Group

OFFICE: Final = "office"
REMIND_AFTER: Final = dt.timedelta(days=3)
_GROUPS: Final = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits, how much of it, and what to know about it."""

    what: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """A message to one recipient. ``addresses`` are those of the agency's contacts, empty for the office."""

    recipient: str
    name: str
    as_of: dt.date
    lines: tuple[Line, ...]
    addresses: tuple[str, ...] = ()
    workbench: str = field(default="", compare=False)

    @property
    def subject(self) -> str:
        """The subject line."""
        return f"信用信息归集: {self.name} {self.as_of} 待办 {sum(line.count for line in self.lines)} 项"

    @property
    def content_sha256(self) -> str:
        """The hash of what is told, the day apart."""
        told = [[line.what, line.count, line.note] for line in self.lines]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()

    def html(self) -> str:
        """The message as a mail shows it."""
        return rendered("digest.html", digest=self)

    def as_json(self) -> dict[str, Any]:
        """The message as a program reads it."""
        return {
            "recipient": self.recipient, "name": self.name, "as_of": self.as_of.isoformat(), "subject": self.subject,
            "lines": [{"what": line.what, "count": line.count, "note": line.note} for line in self.lines],
            "workbench": self.workbench,
        }  # fmt: skip


Senders = Mapping[Channel, Callable[[Digest], None]]
"""How a digest goes out by each channel that there is; a sender that fails raises."""


def digests(office: Office, *, as_of: dt.date, now: dt.datetime) -> list[Digest]:
    """Return a digest for each recipient for whom something waits; ``now`` tells which sources are silent."""
    with office.engine.connect() as connection:
        untold = {each.agency: each.untold for each in returns.returnable(connection)}
        groups = reviews.grouped(connection, Filters(), today=as_of, samples=0)
        signatures = sum(len(rulings.list_rulings(connection, state=state)) for state in ("proposed", "undo_proposed"))
    waits = _Waits(
        as_of, groups, untold, signatures, late_sources(office, now),
        due_notices(office, as_of), office.settings.workbench_url or "",
    )  # fmt: skip
    every = [_office_digest(waits, list_holds(office)), *(_agency_digest(waits, agency) for agency in agency_ids())]
    return [digest for digest in every if digest.lines]


@dataclass(frozen=True, slots=True)
class _Waits:
    """What waits on a day, counted once for all recipients."""

    as_of: dt.date
    groups: Sequence[Group]
    untold: Mapping[str, int]
    signatures: int
    late: Sequence[LateSource]
    due: Sequence[DueNotice]
    workbench: str


def send_digests(office: Office, senders: Senders, *, as_of: dt.date, now: dt.datetime) -> dict[str, int]:
    """Send what is due by every channel and return how many digests went out, by channel.

    One recipient whose message fails does not keep the others from theirs; the failures are raised together at the end
    (``ExceptionGroup``), and a repeated call sends only what is missing.
    """
    sent: dict[str, int] = dict.fromkeys(senders, 0)
    failures: list[Exception] = []
    for digest in digests(office, as_of=as_of, now=now):
        for channel, send in senders.items():
            try:
                sent[channel] += _send(office, digest, channel, send)
            except Exception as error:
                failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} digests could not be sent", failures)
    return sent


def _send(office: Office, digest: Digest, channel: Channel, send: Callable[[Digest], None]) -> bool:
    with office.engine.connect() as connection:
        last = notifications.told_last(connection, digest.recipient, channel)
    if last and last[1] == digest.content_sha256 and digest.as_of < last[0] + REMIND_AFTER:
        return False
    return notifications.send_once(
        office.engine, lambda: send(digest), recipient=digest.recipient, channel=channel, as_of=digest.as_of,
        content_sha256=digest.content_sha256, subject=digest.subject,
    )  # fmt: skip


def _office_digest(waits: _Waits, held: Sequence[Hold]) -> Digest:
    lines = []
    if held:
        lines.append(Line("整批待批", len(held), f"最早 {min(hold.as_of for hold in held)}"))
    if waits.signatures:
        lines.append(Line("待签批的更正和归属", waits.signatures))
    if waits.late:
        names = "、".join(sorted({load_agency(source.agency).name_on(waits.as_of) for source in waits.late}))
        lines.append(Line("超时未报的来源", len(waits.late), names))
    lines += [
        Line("专项行动到期事项", max(1, len({each.agency for each in notice.missing})), notice.told())
        for notice in waits.due
    ]
    of_records = [group for group in waits.groups if group.severity != "batch"]
    for group in of_records[:_GROUPS]:
        what = f"{load_agency(group.agency).name_on(waits.as_of)}: {rule_title(group.rule, *group.kinds)}"
        lines.append(Line(what, group.count, _age(group)))
    if rest := sum(group.count for group in of_records[_GROUPS:]):
        lines.append(Line("其他待办", rest))
    return Digest(OFFICE, "数据员工作台", waits.as_of, tuple(lines), workbench=waits.workbench)


def _agency_digest(waits: _Waits, agency: str) -> Digest:
    own = [group for group in waits.groups if group.agency == agency and group.severity == "reject"]
    lines = [Line(rule_title(group.rule, *group.kinds), group.count, _age(group)) for group in own]
    if untold := waits.untold.get(agency):
        lines.append(Line("其中尚未列入退回通知的记录", untold, "通知另行送达"))
    if silent := [source for source in waits.late if source.agency == agency]:
        since = min(source.silent_since for source in silent).date()
        lines.append(Line("超时未报的数据流", len(silent), f"静默起于 {since}"))
    wanting = {each.month: each for notice in waits.due for each in notice.missing if each.agency == agency}
    if wanting:
        told = (f"{span_title(month)}（期限 {each.due}）" for month, each in sorted(wanting.items()))
        lines.append(Line("专项行动统计表未报或缺项", len(wanting), "、".join(told)))
    facts = load_agency(agency)
    addresses = tuple(contact.email for contact in facts.contacts)
    return Digest(agency, facts.name_on(waits.as_of), waits.as_of, tuple(lines), addresses, waits.workbench)


def _age(group: Group) -> str:
    return f"超期 {group.overdue}, 最早 {group.oldest}"
