"""Decide per record and site: show until a day, or withhold, and which policy row says so (domain 3.3-3.5, 4.1).

One record may be due on one site and past its period on another. Nothing is shown without a rule in force on the
business date. Relational and set-based: an Ibis expression over the records of one kind.
"""

from __future__ import annotations

import datetime as dt
import re

import ibis
import ibis.expr.types as ir

from transforms.columns import NATURAL_PERSON, Kind
from transforms.policy import Period, periods_on


def disclose(records: ir.Table, earlier: ir.Table, *, site: str, kind: Kind, as_of: dt.date) -> ir.Table:
    """Return one decision per record of ``records``.

    ``records``: record_id, record_key (unique), withdrawal (code of an event that took the record back; null while it
    stands), subject_category, status, usage_scope, decision_date and, for penalties, penalty_category,
    publicity_until, publicity_period. ``earlier``: record_key, first_shown (day on which
    this site first showed it). Returns record_id, record_key, shown, until (last day, null = no end), first_shown
    (null when never shown), reason (id of the policy row when shown, else code of the withholding).
    """
    t = records.left_join(earlier, records.record_key == earlier.record_key).drop("record_key_right")
    today = ibis.literal(as_of, type="date")
    periods = periods_on(as_of, site=site, kind=kind)
    t = t.mutate(starts=ibis.coalesce(t.first_shown, today))
    t = t.mutate(policy=_policy_of(t, periods, kind))
    t = t.mutate(until=_until(t, periods, kind))
    withheld = ibis.cases(
        ((t.subject_category == NATURAL_PERSON).fill_null(False), "natural_person"),
        (t.withdrawal.notnull(), t.withdrawal),
        ((t.status == "withdrawn").fill_null(False), "withdrawn"),
        ((t.status == "invalid").fill_null(False), "invalid"),
        ((t.usage_scope != "0").fill_null(False), "not_public"),
        (t.policy.isnull(), "no_policy"),
        (t.policy.isin([period.id for period in periods if not period.shown]), "policy_not_shown"),
        ((t.until < today).fill_null(False), "expired"),
        else_=ibis.null("string"),
    )
    t = t.mutate(withheld=withheld)
    shown = t.withheld.isnull()
    return t.select(
        t.record_id,
        t.record_key,
        shown=shown,
        until=t.until,
        first_shown=ibis.ifelse(shown, t.starts, t.first_shown),
        reason=ibis.coalesce(t.withheld, t.policy),
    )


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
            until = ibis.coalesce(_given(t), until)
        if period.min_months is not None:
            until = ibis.greatest(until, _after(start, period.min_months))
        if period.max_months is not None:
            until = ibis.least(until, _after(start, period.max_months))
        branches.append((t.policy == period.id, until))
    if not branches:
        return ibis.null("date")
    return ibis.cases(*branches, else_=ibis.null("date"))


def _given(t: ir.Table) -> ir.Value:
    """The end that the agency gave: 公示截止期, or 公示期限 (1年, 3年) counted from the decision."""
    years = ibis.cases(
        (t.publicity_period.re_search("^[1１一][年]").fill_null(False), _after(t.decision_date, 12)),
        (t.publicity_period.re_search("^[3３三][年]").fill_null(False), _after(t.decision_date, 36)),
        else_=ibis.null("date"),
    )
    return ibis.coalesce(t.publicity_until, years)


def _after(start: ir.Value, months: int) -> ir.Value:
    return (start + ibis.interval(months=months)).cast("date")
