"""Decide per record and site: show until a day, or withhold, and which policy row says so (domain 3.3-3.5, 4.1).

One record may be due on one site and past its period on another. Nothing is shown without a rule in force on the
business date. A period that ended stays ended: a rule of a later day does not show the record again. Relational and
set-based: an Ibis expression over the records of one kind.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.types as ir

from transforms.columns import NATURAL_PERSON, Kind
from transforms.policy import Period, periods_before, periods_on

DECISION: Final = ("record_id", "record_key", "shown", "until", "first_shown", "reason")
"""Columns of a decision as it is entered."""

IN_DOUBT: Final = "in_doubt"
"""Why a record is not shown that a person has to look at before it may be."""
_ASKED: Final = (
    "record_id", "record_key", "withdrawal", "subject_category", "status", "usage_scope", "decision_date",
    "licence_category", "penalty_category", "publicity_until", "publicity_period",
)  # fmt: skip
"""Columns of a record that a decision asks for, where its kind has them."""
_WRITTEN: Final = "０１２３４５６７８９一二两三四五六七八九個"
_READ: Final = "01234567891223456789个"
_NUMBER: Final = "([1-9][0-9]?|[1-9]?十[1-9]?)"
_ENDS: Final = "(?:[^至到~～—-]|$)"
"""What may follow a period: 3个月至1年 is none."""


def disclose(records: ir.Table, earlier: ir.Table, *, site: str, kind: Kind, as_of: dt.date) -> ir.Table:
    """Return one decision per record of ``records``.

    ``records``: record_id, record_key (unique), withdrawal (code of an event that took the record back; null while it
    stands), subject_category, status, usage_scope, decision_date and, for penalties, penalty_category,
    publicity_until, publicity_period. ``earlier``: record_key, first_shown (day on which
    this site first showed it), ended_id and ended (the version whose period ended there, and its last day; null where
    none did). Returns record_id, record_key, shown, until (last day, null = no end), first_shown
    (null when never shown), reason (id of the policy row when shown, else code of the withholding), since (first day
    of a withholding that the policy dates; null for others and where it is not known).
    """
    asked = records.select(*(name for name in _ASKED if name in records.columns))
    t = asked.left_join(earlier, "record_key").drop("record_key_right")
    today = ibis.literal(as_of, type="date")
    periods = periods_on(as_of, site=site, kind=kind)
    t = t.mutate(
        starts=ibis.coalesce(t.first_shown, today),
        over=ibis.ifelse((t.ended_id == t.record_id).fill_null(False), t.ended, ibis.null("date")),
    )
    t = t.mutate(policy=_policy_of(t, periods, kind))
    if kind is Kind.PENALTY:
        t = t.mutate(given=_given(t, periods))
    t = t.mutate(until=ibis.coalesce(t.over, _until(t, periods, kind)))
    hiding = [period for period in periods if not period.shown]
    withheld = ibis.cases(
        ((t.subject_category == NATURAL_PERSON).fill_null(False), "natural_person"),
        (t.withdrawal.notnull(), t.withdrawal),
        ((t.status == "withdrawn").fill_null(False), "withdrawn"),
        ((t.status == "invalid").fill_null(False), "invalid"),
        ((t.usage_scope != "0").fill_null(False), "not_public"),
        (t.over.notnull(), "expired"),
        (t.policy.isnull(), "no_policy"),
        (t.policy.isin([period.id for period in hiding]), "policy_not_shown"),
        ((t.until < today).fill_null(False), "expired"),
        else_=ibis.null("string"),
    )
    t = t.mutate(withheld=withheld)
    since = _dates(
        [
            (t.withheld == "expired", _day_after(t.until)),
            *(((t.withheld == "policy_not_shown") & (t.policy == period.id), _day(period.from_)) for period in hiding),
            *(
                ((t.withheld == "no_policy") & _in_class(t, period, kind), _day(period.to + dt.timedelta(days=1)))
                for period in periods_before(as_of, site=site, kind=kind)
                if period.to is not None
            ),
        ]
    )
    shown = t.withheld.isnull()
    return t.select(
        t.record_id,
        t.record_key,
        shown=shown,
        until=t.until,
        first_shown=ibis.ifelse(shown, t.starts, t.first_shown),
        reason=ibis.coalesce(t.withheld, t.policy),
        since=since,
    )


def doubt(decided: ir.Table, earlier: ir.Table) -> ir.Table:
    """Return the decisions of ``disclose`` and one more per record that was shown and is not among them any more.

    Nobody has said that it does not hold: whose it is, or what it says, waits for a person. ``earlier``: record_key,
    record_id, shown, until and first_shown of the newest decision of the site.
    """
    gone = earlier.filter(earlier.shown).anti_join(decided, "record_key")
    doubted = gone.select(
        gone.record_id, gone.record_key, gone.until, gone.first_shown,
        shown=ibis.literal(False), reason=ibis.literal(IN_DOUBT), since=ibis.null("date"),
    )  # fmt: skip
    return ibis.union(decided, doubted.select(*decided.columns), distinct=False)


def refuse(decided: ir.Table, refused: ir.Table, earlier: ir.Table) -> ir.Table:
    """Return the decisions of ``disclose`` with the records of ``refused`` kept back: the site would not take them.

    ``refused``: refused_id (unique); ``earlier`` as for ``disclose``: a record that was never shown has no first day.
    """
    before = earlier.select(earlier_key=earlier.record_key, was_first_shown=earlier.first_shown)
    t = decided.left_join(refused, decided.record_id == refused.refused_id)
    t = t.left_join(before, t.record_key == before.earlier_key)
    kept_back = t.refused_id.notnull()
    return t.select(
        t.record_id,
        t.record_key,
        shown=t.shown & ~kept_back,
        until=t.until,
        first_shown=ibis.ifelse(kept_back, t.was_first_shown, t.first_shown),
        reason=ibis.ifelse(kept_back, "not_accepted", t.reason),
        since=t.since,
    )


def _policy_of(t: ir.Table, periods: tuple[Period, ...], kind: Kind) -> ir.Value:
    if not periods:
        return ibis.null("string")
    branches = [(_in_class(t, period, kind), period.id) for period in periods]
    return ibis.cases(*branches, else_=ibis.null("string"))


def _in_class(t: ir.Table, period: Period, kind: Kind) -> ir.Value:
    if not (period.any_of or period.only):
        return ibis.literal(True)
    category = t.penalty_category if kind is Kind.PENALTY else t.licence_category
    if period.only:
        word = "|".join(re.escape(word) for word in period.only)
        return category.re_search(f"^({word})(;({word}))*$").fill_null(False)
    return category.re_search("|".join(re.escape(word) for word in period.any_of)).fill_null(False)


def _until(t: ir.Table, periods: tuple[Period, ...], kind: Kind) -> ir.Value:
    """Last day of display by the policy row that was found."""
    branches = []
    for period in periods:
        if period.months is None:
            continue
        start = t.decision_date if period.clock == "decision" else t.starts
        until = _after(start, period.months)
        if kind is Kind.PENALTY:
            until = ibis.coalesce(t.given, until)
        if period.min_months is not None:
            until = ibis.greatest(until, _after(start, period.min_months))
        if period.max_months is not None:
            until = ibis.least(until, _after(start, period.max_months))
        branches.append((t.policy == period.id, until))
    return _dates(branches)


def _given(t: ir.Table, periods: Sequence[Period]) -> ir.Value:
    """The end that the agency gave: 公示截止期, or 公示期限 from the decision; null where no row asks."""
    if all(period.months is None or period.min_months == period.max_months is not None for period in periods):
        return ibis.null("date")
    counted = (t.decision_date + _months(t.publicity_period).as_interval("M")).cast("date")
    return ibis.coalesce(t.publicity_until, counted)


def _months(text: ir.Value) -> ir.Value:
    """Read a 公示期限: 3年, 一年六个月, 1年半, 36个月, 半年; null for what is none of them."""
    plain = text.translate(_WRITTEN, _READ).re_replace("[ \t　]", "")
    year_and_months = f"^{_NUMBER}年[零又]?{_NUMBER}个月{_ENDS}"
    months = f"^([1-9][0-9]{{0,2}}|[1-9]?十[1-9]?)个月{_ENDS}"
    return ibis.cases(
        (plain.isnull(), ibis.null("int64")),
        (
            plain.re_search(year_and_months),
            _number(plain.re_extract(year_and_months, 1)) * 12 + _number(plain.re_extract(year_and_months, 2)),
        ),
        (plain.re_search(f"^{_NUMBER}年半"), _number(plain.re_extract(f"^{_NUMBER}年", 1)) * 12 + 6),
        (plain.re_search(f"^{_NUMBER}年{_ENDS}"), _number(plain.re_extract(f"^{_NUMBER}年", 1)) * 12),
        (plain.re_search(months), _number(plain.re_extract(months, 1))),
        (plain.re_search(f"^半年{_ENDS}"), ibis.literal(6, type="int64")),
        else_=ibis.null("int64"),
    )


def _number(text: ir.Value) -> ir.Value:
    """The value of digits, or of a number below 100 with 十."""
    tens = text.re_extract("^([1-9]?)十", 1).nullif("").cast("int64")
    ones = text.re_extract("十([1-9]?)$", 1).nullif("").cast("int64")
    digits = text.re_extract("^([0-9]+)$", 1).nullif("").cast("int64")
    return ibis.coalesce(digits, ibis.coalesce(tens, 1) * 10 + ibis.coalesce(ones, 0))


def _dates(branches: Sequence[tuple[ir.Value, ir.Value]]) -> ir.Value:
    return ibis.cases(*branches, else_=ibis.null("date")) if branches else ibis.null("date")


def _day(day: dt.date) -> ir.Value:
    return ibis.literal(day, type="date")


def _day_after(day: ir.Value) -> ir.Value:
    return (day + ibis.interval(days=1)).cast("date")


def _after(start: ir.Value, months: int) -> ir.Value:
    return (start + ibis.interval(months=months)).cast("date")
