"""The stewards' work list: what waits for a person, who has it, how old it is. Steps open and close most of it by
``store.review_following``; here is what people see of it and do with it, inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import sqlalchemy as sa

from store import audit
from store.schema import attach_remedy, attachment, review, review_event, verdict
from store.typed_text import require_no_number
from transforms.columns import Kind

Closing = Literal[
    "corrected", "source_fixed", "attached", "attached_by_steward", "rejected", "returned", "superseded", "withdrawn",
    "approved",
]  # fmt: skip


class ReviewUnknown(LookupError):
    """There is no review with that number."""


class ReviewTaken(RuntimeError):
    """The review is another person's, or closed; the message says whose."""


@dataclass(frozen=True, slots=True)
class Review:
    """One item of the work list. ``value``, ``finding`` and ``remedy`` are those of the failed rule."""

    review_id: int
    kind: str
    agency: str
    delivery_id: int
    record_id: int | None
    hold_id: int | None
    document_no: str | None
    subject_name: str | None
    rule: str
    severity: str
    field: str
    opened: dt.date
    due: dt.date | None
    state: str
    closed_as: str | None
    closed_on: dt.date | None
    closed_by_record: int | None
    assignee: str | None
    value: str | None = None
    finding: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """What happened to a review, by whom, why and when."""

    event: str
    person: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items a list shows; null asks nothing. ``overdue_on``: due before that day."""

    agency: str | None = None
    rule: str | None = None
    kind: str | None = None
    severity: str | None = None
    assignee: str | None = None
    unassigned: bool = False
    overdue_on: dt.date | None = None
    document_no: str | None = None
    state: str = "open"

    def where(self) -> sa.ColumnElement[bool]:
        """Return the condition on ``review``."""
        equal = {
            review.c.agency: self.agency, review.c.rule: self.rule, review.c.kind: self.kind,
            review.c.severity: self.severity, review.c.assignee: self.assignee,
            review.c.document_no: self.document_no,
        }  # fmt: skip
        parts = [review.c.state == self.state, *(column == value for column, value in equal.items() if value)]
        if self.unassigned:
            parts.append(review.c.assignee.is_(None))
        if self.overdue_on is not None:
            parts.append(review.c.due < self.overdue_on)
        return sa.and_(*parts)


@dataclass(frozen=True, slots=True)
class Group:
    """The open items of one agency and rule, of records of some ``kinds``; ``samples`` are the oldest."""

    agency: str
    rule: str
    severity: str
    count: int
    oldest: dt.date
    overdue: int
    unassigned: int
    kinds: Sequence[str]
    samples: tuple[Review, ...] = field(default=())


def open_hold(
    connection: sa.Connection,
    *,
    hold_id: int,
    delivery_id: int,
    kind: Kind,
    agency: str,
    reasons: Sequence[str],
    day: dt.date,
    due: Mapping[str, dt.date | None],
) -> None:
    """Open the item of a held delivery."""
    connection.execute(
        sa.insert(review).values(
            kind=kind.value, agency=agency, delivery_id=delivery_id, hold_id=hold_id, rule=";".join(reasons),
            severity="batch", field="", opened=day, due=due["batch"],
        )
    )  # fmt: skip


def close_hold(
    connection: sa.Connection, *, hold_id: int, day: dt.date, closed_as: Closing, person: str, reason: str
) -> None:
    """Close the item of a held delivery that was decided about."""
    close(connection, review.c.hold_id == hold_id, day=day, closed_as=closed_as, person=person, reason=reason)


def close(
    connection: sa.Connection,
    where: sa.ColumnElement[bool],
    *,
    day: dt.date,
    closed_as: Closing,
    person: str,
    reason: str,
    by_record: int | None = None,
) -> list[int]:
    """Close the open reviews that a condition names, and say who did it and why; their numbers."""
    closed = list(
        connection.scalars(
            sa.update(review)
            .where(review.c.state == "open", where)
            .values(state="closed", closed_as=closed_as, closed_on=day, closed_by_record=by_record)
            .returning(review.c.review_id)
        )
    )
    _enter(connection, closed, "closed", person, reason)
    return closed


def claim(connection: sa.Connection, review_id: int, *, person: str, reason: str = "") -> Review:
    """Take an open review; one that is another person's stays theirs.

    Raises ``ReviewUnknown``, ``ReviewTaken``, ``typed_text.NumberTyped``.
    """
    _require_words(person, reason)
    found = _locked(connection, review_id)
    if found.assignee not in (None, person):
        raise ReviewTaken(f"review {review_id} is {found.assignee}'s")
    return _assign(connection, review_id, "claimed", to=person, person=person, reason=reason)


def assign(connection: sa.Connection, review_id: int, *, to: str | None, person: str, reason: str) -> Review:
    """Give an open review to a person, or to nobody, whoever had it.

    Raises ``ReviewUnknown``, ``ReviewTaken``, ``typed_text.NumberTyped``.
    """
    _require_words(person, reason)
    require_no_number("受理人", to or "")
    _locked(connection, review_id)
    note = f"{to or ''} {reason}".strip()
    return _assign(connection, review_id, "assigned" if to else "released", to=to, person=person, reason=note)


def comment(connection: sa.Connection, review_id: int, *, person: str, reason: str) -> None:
    """Append a remark. Raises ``ReviewUnknown``, ``typed_text.NumberTyped``."""
    _require_words(person, reason)
    read_review(connection, review_id)
    _enter(connection, [review_id], "commented", person, reason)


def _require_words(person: str, reason: str) -> None:
    require_no_number("姓名", person)
    require_no_number("附言", reason)


def _locked(connection: sa.Connection, review_id: int) -> Review:
    connection.execute(sa.select(review.c.review_id).where(review.c.review_id == review_id).with_for_update())
    found = read_review(connection, review_id)
    if found.state != "open":
        raise ReviewTaken(f"review {review_id} is closed: {found.closed_as}")
    return found


def _assign(
    connection: sa.Connection, review_id: int, event: str, *, to: str | None, person: str, reason: str
) -> Review:
    connection.execute(sa.update(review).where(review.c.review_id == review_id).values(assignee=to))
    _enter(connection, [review_id], event, person, reason)
    return read_review(connection, review_id)


def _enter(connection: sa.Connection, review_ids: Sequence[int], event: str, person: str, reason: str) -> None:
    if review_ids:
        rows = [{"review_id": number, "event": event, "person": person, "reason": reason} for number in review_ids]
        connection.execute(sa.insert(review_event), rows)
    for number in review_ids:
        audit.append(connection, actor=person, action=event, about=f"review:{number}", details={"reason": reason})


def read_review(connection: sa.Connection, review_id: int) -> Review:
    """Read one review. Raises ``ReviewUnknown``."""
    found = _reviews(connection, sa.select(review.c.review_id).where(review.c.review_id == review_id))
    if not found:
        raise ReviewUnknown(f"there is no review {review_id}")
    return found[0]


def events_of(connection: sa.Connection, review_id: int) -> list[ReviewEvent]:
    """Return what happened to a review, oldest first."""
    query = (
        sa.select(review_event.c.event, review_event.c.person, review_event.c.reason, review_event.c.at)
        .where(review_event.c.review_id == review_id)
        .order_by(review_event.c.event_id)
    )
    return [ReviewEvent(*row) for row in connection.execute(query)]


def reviews_of_record(connection: sa.Connection, record_id: int) -> list[Review]:
    """Return every review about a row, open ones first."""
    chosen = sa.select(review.c.review_id).where(review.c.record_id == record_id)
    return sorted(_reviews(connection, chosen), key=lambda found: (found.state != "open", found.review_id))


def list_reviews(
    connection: sa.Connection, filters: Filters, *, after: tuple[dt.date, int] | None = None, limit: int = 50
) -> list[Review]:
    """Return one page, oldest first; ``after`` is (opened, review_id) of the last item of the page before."""
    chosen = sa.select(review.c.review_id).where(filters.where()).order_by(review.c.opened, review.c.review_id)
    if after is not None:
        chosen = chosen.where(sa.tuple_(review.c.opened, review.c.review_id) > sa.tuple_(*after))
    return _reviews(connection, chosen.limit(limit))


def grouped(connection: sa.Connection, filters: Filters, *, today: dt.date, samples: int = 3) -> list[Group]:
    """Return the items by agency and rule, most first, with their age and the oldest few of each."""
    r, count = review.c, sa.func.count()
    by_kind = (
        sa.select(
            r.agency, r.rule, r.kind, sa.func.min(r.severity).label("severity"), count.label("items"),
            sa.func.min(r.opened).label("oldest"), count.filter(r.due < today).label("late"),
            count.filter(r.assignee.is_(None)).label("nobodys"),
        )
        .where(filters.where())
        .group_by(r.agency, r.rule, r.kind)
        .subquery("by_kind")
    )  # fmt: skip
    k = by_kind.c  # the kinds of all items at once would be sorted on disk
    items, late, nobodys = (sa.cast(sa.func.sum(each), sa.BigInteger) for each in (k["items"], k.late, k.nobodys))
    query = (
        sa.select(
            k.agency, k.rule, sa.func.min(k.severity), items, sa.func.min(k.oldest), late, nobodys,
            sa.func.array_agg(k.kind.distinct()),
        )
        .group_by(k.agency, k.rule)
        .order_by(items.desc(), k.agency, k.rule)
    )  # fmt: skip
    groups = [Group(*row) for row in connection.execute(query)]
    if not samples or not groups:
        return groups
    of_groups = _samples(connection, filters, groups, samples)
    return [replace(group, samples=of_groups[group.agency, group.rule]) for group in groups]


def _samples(
    connection: sa.Connection, filters: Filters, groups: Sequence[Group], samples: int
) -> dict[tuple[str, str], tuple[Review, ...]]:
    nth = sa.func.row_number().over(
        partition_by=(review.c.agency, review.c.rule), order_by=(review.c.opened, review.c.review_id)
    )
    ranked = sa.select(review.c.review_id, nth.label("nth")).where(filters.where()).subquery("ranked")
    found = _reviews(connection, sa.select(ranked.c.review_id).where(ranked.c.nth <= samples))
    listed: dict[tuple[str, str], list[Review]] = {(group.agency, group.rule): [] for group in groups}
    for each in found:
        listed[each.agency, each.rule].append(each)
    return {key: tuple(reviews) for key, reviews in listed.items()}


def _reviews(connection: sa.Connection, chosen: sa.Select[tuple[int]]) -> list[Review]:
    """Read the chosen reviews with the words of their verdicts."""
    ids = chosen.subquery("chosen")
    newest = (
        sa.select(sa.cast(attachment.c.evidence, sa.Text).label("evidence"))
        .where(review.c.severity == "review", attachment.c.record_id == review.c.record_id)
        .order_by(attachment.c.attachment_id.desc())
        .limit(1)
        .lateral("newest")
    )
    query = (
        sa.select(
            review.c.review_id, review.c.kind, review.c.agency, review.c.delivery_id, review.c.record_id,
            review.c.hold_id, review.c.document_no, review.c.subject_name, review.c.rule, review.c.severity,
            review.c.field, review.c.opened, review.c.due, review.c.state, review.c.closed_as, review.c.closed_on,
            review.c.closed_by_record, review.c.assignee,
            sa.case((review.c.severity == "review", review.c.subject_name), else_=verdict.c.value).label("value"),
            sa.func.coalesce(verdict.c.finding, newest.c.evidence).label("finding"),
            sa.func.coalesce(verdict.c.remedy, attach_remedy.c.remedy).label("remedy"),
        )
        .select_from(ids)
        .join(review, review.c.review_id == ids.c.review_id)
        .outerjoin(
            verdict, sa.and_(verdict.c.record_id == review.c.record_id, verdict.c.expectation == review.c.rule)
        )
        .outerjoin(attach_remedy, attach_remedy.c.reason == review.c.rule)
        .outerjoin(newest, sa.true())
        .order_by(review.c.opened, review.c.review_id)
    )  # fmt: skip
    return [Review(**row) for row in connection.execute(query).mappings()]
