"""What waits, counted for the overview: by agency and severity, by rule, by age. One grouped query each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from pipeline.office import Office
from store.schema import review

AGES: Final = ((0, "当日"), (1, "1–3 天"), (4, "4–7 天"), (8, "8–30 天"), (31, "30 天以上"))
"""First day of each span of age, and its name."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open items: per agency and severity, per rule the most frequent, per span of age; how many are past due.

    ``by_rule``: rule, number, kinds of record.
    """

    by_agency: Mapping[str, Mapping[str, int]]
    by_rule: tuple[tuple[str, int, list[str]], ...]
    by_age: tuple[int, ...]
    overdue: int
    unassigned: int

    @property
    def total(self) -> int:
        """All open items."""
        return sum(self.by_age)


def waiting(office: Office, *, agency: str | None, today: dt.date, rules: int = 8) -> Waiting:
    """Count what waits on a business day, of one agency or of all."""
    where = sa.and_(review.c.state == "open", sa.true() if agency is None else review.c.agency == agency)
    count = sa.func.count()
    age = sa.literal(today) - review.c.opened
    spans = [
        count.filter(age >= first if following is None else sa.and_(age >= first, age < following))
        for (first, _), following in zip(AGES, [*(first for first, _ in AGES[1:]), None], strict=True)
    ]
    agencies = sa.select(review.c.agency, review.c.severity, count).where(where).group_by("agency", "severity")
    by_kind = (
        sa.select(review.c.rule, review.c.kind, count.label("items"))
        .where(where)
        .group_by(review.c.rule, review.c.kind)
        .subquery("by_kind")
    )
    k = by_kind.c
    items = sa.cast(sa.func.sum(k["items"]), sa.BigInteger)
    by_rule = sa.select(k.rule, items, sa.func.array_agg(k.kind.distinct())).group_by(k.rule)
    most_frequent = by_rule.order_by(items.desc(), k.rule).limit(rules)
    whole = sa.select(*spans, count.filter(review.c.due < today), count.filter(review.c.assignee.is_(None))).where(
        where
    )
    with office.engine.connect() as connection:
        found: dict[str, dict[str, int]] = {}
        for name, severity, number in connection.execute(agencies):
            found.setdefault(name, {})[severity] = number
        ordered = dict(sorted(found.items(), key=lambda pair: (-sum(pair[1].values()), pair[0])))
        most = tuple((rule, number, of) for rule, number, of in connection.execute(most_frequent))
        *ages, overdue, unassigned = connection.execute(whole).one()
    return Waiting(ordered, most, tuple(ages), overdue, unassigned)
