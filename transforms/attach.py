"""Attach records to enterprises by keys (归集并记于企业名下; domain 2.7).

Every key that a record carries is looked up; the strongest key that finds somebody names the candidate, and every
other key must agree with it. Nothing is resolved by choosing: two candidates, a code and a name that disagree, or a
valid code that the register does not know beside a name that it does, all go to a person. A penalty on the wrong
enterprise is the worst failure this system can make.

Relational and set-based: Ibis expressions, run by whatever engine holds the tables.
"""

from __future__ import annotations

from functools import reduce
from typing import Final

import ibis
import ibis.expr.types as ir

from transforms.columns import NATURAL_PERSON

KEYS: Final = ("uscc", "org_code", "regno", "tax_no", "name")
"""Keys from strongest to weakest. tax_no stands for the organisation code inside a 15- or 18-character number."""

SCORES: Final = {
    "uscc": 1.0,
    "org_code": 0.97,
    "regno": 0.96,
    "tax_no": 0.93,
    "name": 0.90,
    "former_name": 0.85,
}
"""A fixed ranking of methods, not a probability; 0.01 less when the name agrees only as a former name."""


def attach(records: ir.Table, register: ir.Table, names: ir.Table) -> ir.Table:
    """Decide the attachment of each record.

    ``records``: record_id, subject_key, subject_category, uscc, org_code, regno, tax_no, tax_org (organisation code
    derived from the tax number); codes are valid or null. ``register``: uscc, org_code, regno (one row per enterprise
    and registration number it ever had). ``names``: uscc, name_key, current (bool), one row per name.

    Returns one row per record: record_id, uscc (null unless certain), method, grade (certain, review, none), score,
    reason (null when certain), evidence (JSON text).
    """
    found = _look_up(records, register, names)
    found = found.mutate(
        key=reduce(
            lambda otherwise, key: ibis.ifelse(found[f"{key}_n"] > 0, key, otherwise),
            reversed(KEYS),
            ibis.null("string"),
        )
    )
    found = found.mutate(
        candidate=ibis.coalesce(*(found[f"{key}_hit"] for key in KEYS)),
        candidates_n=ibis.coalesce(*(found[f"{key}_n"] for key in KEYS), 0),
    )
    judged = _compare_candidate(found, register, names)
    return _outcome(judged)


def _distinct_by(table: ir.Table, key: str, prefix: str) -> ir.Table:
    """One row per key value: how many enterprises carry it, and which when it is one."""
    present = table.filter(table[key].notnull())
    grouped = present.group_by(key).agg(n=present.uscc.nunique(), hit=present.uscc.min())
    return grouped.select(**{f"{prefix}_key": grouped[key], f"{prefix}_n": grouped.n, f"{prefix}_hit": grouped.hit})


def _look_up(records: ir.Table, register: ir.Table, names: ir.Table) -> ir.Table:
    enterprises = register.select("uscc", "org_code").distinct()
    indexes = {
        "uscc": ("uscc", _distinct_by(enterprises.mutate(code=enterprises.uscc), "code", "uscc")),
        "org_code": ("org_code", _distinct_by(enterprises, "org_code", "org_code")),
        "regno": ("regno", _distinct_by(register, "regno", "regno")),
        "tax_no": ("tax_org", _distinct_by(enterprises, "org_code", "tax_no")),
        "name": ("subject_key", _distinct_by(names, "name_key", "name")),
    }
    found = records
    for key, (column, index) in indexes.items():
        found = found.left_join(index, found[column] == index[f"{key}_key"]).drop(f"{key}_key")
    return found


def _compare_candidate(found: ir.Table, register: ir.Table, names: ir.Table) -> ir.Table:
    """Set what the candidate's own name, organisation code and registration numbers are beside those of the record."""
    carried = names.select(holder=names.uscc, held_name=names.name_key, current=names.current)
    carried = carried.group_by("holder", "held_name").agg(current=carried.current.max())
    found = found.left_join(carried, [found.candidate == carried.holder, found.subject_key == carried.held_name]).drop(
        "holder", "held_name"
    )
    numbered = register.filter(register.regno.notnull()).select(bearer=register.uscc, borne=register.regno).distinct()
    numbered = numbered.mutate(bears=ibis.literal(True))
    found = found.left_join(numbered, [found.candidate == numbered.bearer, found.regno == numbered.borne]).drop(
        "bearer", "borne"
    )
    own = register.group_by("uscc").agg(
        own_org=register.org_code.min(), regnos=register.regno.nunique(), own_regno=register.regno.max()
    )
    own = own.select(own_uscc=own.uscc, own_org=own.own_org, regnos=own.regnos, own_regno=own.own_regno)
    return found.left_join(own, found.candidate == own.own_uscc).drop("own_uscc")


def _outcome(judged: ir.Table) -> ir.Table:
    t = judged
    name_relation = ibis.cases(
        (t.current.isnull(), "different"),
        (t.current, "current"),
        else_="former",
    )
    t = t.mutate(name_relation=name_relation)
    conflicts = _conflicts(t)
    method = ibis.ifelse((t.key == "name") & (t.name_relation == "former"), "former_name", t.key)
    person = (t.subject_category == NATURAL_PERSON).fill_null(False)
    t = t.mutate(method=method, person=person, conflict=conflicts)
    reason = ibis.cases(
        (t.person, ibis.null("string")),
        (t.key.isnull(), "not_in_register"),
        (t.candidates_n > 1, ibis.literal("ambiguous_") + t.key),
        ((t.key != "name") & (t.name_relation == "different"), "code_and_name_disagree"),
        (t.conflict != "", "keys_disagree"),
        else_=ibis.null("string"),
    )
    t = t.mutate(reason=reason)
    certain = t.key.notnull() & t.reason.isnull() & ~t.person
    former_penalty = ibis.ifelse((t.name_relation == "former") & (t.key != "name"), 0.01, 0.0)
    score = ibis.cases(*((t.method == name, value) for name, value in SCORES.items()), else_=0.0) - former_penalty
    return t.select(
        t.record_id,
        uscc=ibis.ifelse(certain, t.candidate, ibis.null("string")),
        method=ibis.cases((t.person, "natural_person"), (t.key.isnull(), "none"), else_=t.method),
        grade=ibis.cases((certain, "certain"), (t.person | t.key.isnull(), "none"), else_="review"),
        score=ibis.ifelse(certain, score, 0.0).round(3),
        reason=t.reason,
        evidence=_evidence(t),
    )


def _conflicts(t: ir.Table) -> ir.Value:
    """Name the keys of the record that speak against its candidate, joined by a comma; empty when none does.

    A key conflicts when it finds only other enterprises, or when its value is one that the candidate cannot have: a
    valid USCC or organisation code that is not the candidate's, or a registration number beside the candidate's own.
    A number of 13 digits, from before 2007, stands beside the 15 digits that replaced it and says nothing against them.
    """
    single_regno = (t.regnos == 1) & (t.own_regno != t.regno) & (t.own_regno.length() == t.regno.length())
    against = {
        "uscc": (t.key != "uscc") & t.uscc.notnull() & (t.uscc != t.candidate),
        "org_code": t.org_code.notnull() & (t.org_code != t.own_org),
        "regno": t.regno.notnull() & (((t.regno_n > 0) & t.bears.isnull()) | ((t.key != "uscc") & single_regno)),
        "tax_no": t.tax_org.notnull() & (t.tax_org != t.own_org) & ((t.key != "uscc") | (t.tax_no_n > 0)),
    }
    named = [ibis.ifelse(where.fill_null(False), key + ",", "") for key, where in against.items()]
    return reduce(lambda left, right: left + right, named)


def _evidence(t: ir.Table) -> ir.Value:
    """JSON of what matched: codes and key names only, nothing that needs escaping."""

    def member(name: str, value: ir.Value) -> ir.Value:
        return ibis.ifelse(value.notnull() & (value != ""), ibis.literal(f',"{name}":"') + value + '"', "")

    agree = reduce(
        lambda left, right: left + right,
        [
            ibis.ifelse(((t[f"{key}_n"] == 1) & (t[f"{key}_hit"] == t.candidate)).fill_null(False), key + ",", "")
            for key in KEYS
        ],
    )
    candidates_n = ibis.coalesce(t.candidates_n, 0).cast("string")
    return (
        ibis.literal('{"candidates":')
        + candidates_n
        + member("key", t.key)
        + member("candidate", t.candidate)
        + member("name", ibis.ifelse(t.key.isnull(), ibis.null("string"), t.name_relation))
        + member("agree", agree.re_replace(",$", ""))
        + member("conflict", t.conflict.re_replace(",$", ""))
        + "}"
    )
