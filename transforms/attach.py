"""Attach records to enterprises by keys (归集并记于企业名下; domain 2.7).

Every key that a record carries is looked up; the strongest key that finds somebody names the candidate, and every
other key must agree with it. Nothing is resolved by choosing: two candidates, a code and a name that disagree, or a
valid code that the register does not know beside a name that it does, all go to a person. A penalty on the wrong
enterprise is the worst failure this system can make.

An enterprise that left the register is nobody's enterprise any more, but its names and registration numbers go on
speaking: a name that it bore tells nobody apart from it, and its number is nobody else's.

Relational and set-based: Ibis expressions, run by whatever engine holds the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

OLD_NUMBER: Final = 13
NEW_NUMBER: Final = 15
"""Digits of a registration number (工商注册号) before 2007, and since (GS 15-2006)."""

BEIJING: Final = "11"
"""First digits of every number that an authority of Beijing gave."""


@dataclass(frozen=True, slots=True)
class Index:
    """A register made ready for look-up by every key: ``n`` enterprises carry a value, ``hit`` is one of them.

    Enterprises that left the register count in ``n`` of numbers and names and are never ``hit``, which is null where
    no other carries the value. ``enterprises``: uscc, own_org, own_regno and least_regno (the greatest and the least
    registration number), only_new_numbers (each has 15 digits; null where it has none). ``organisations``: org_code, n,
    hit. ``numbers``: regno, n, hit. ``names``: name_key, n, hit, current (whether it is the name that ``hit`` bears
    now). ``shared_numbers`` (regno, uscc) and ``shared_names`` (name_key, uscc, current): who carries the values that
    more than one enterprise carries.
    """

    enterprises: ir.Table
    organisations: ir.Table
    numbers: ir.Table
    names: ir.Table
    shared_numbers: ir.Table
    shared_names: ir.Table


def index_register(register: ir.Table, names: ir.Table, keep: Callable[[str, ir.Table], ir.Table]) -> Index:
    """Index a register once for all records.

    ``register``: uscc, org_code, regno, closed (one row per enterprise and registration number it ever had). ``names``:
    uscc, name_key, current (bool), closed, one row per name. ``closed`` (bool) says of an enterprise, in all its rows,
    that it left the register. ``keep`` stores the answer of an expression under a name; each table of the index is
    built from the ones before it.
    """
    held = register.filter(~register.closed)
    enterprises = keep(
        "indexed_enterprises",
        held.group_by("uscc").agg(
            own_org=held.org_code.min(),
            own_regno=held.regno.max(),
            least_regno=held.regno.min(),
            only_new_numbers=(held.regno.length() == NEW_NUMBER).min(),
        ),
    )
    borne = register.filter(register.regno.notnull()).select("regno", "uscc", "closed").distinct()
    numbers = keep(
        "indexed_numbers", borne.group_by("regno").agg(n=borne.count(), hit=borne.uscc.min(where=~borne.closed))
    )
    carried = names.filter(names.name_key.notnull())
    carried = carried.group_by("name_key", "uscc", "closed").agg(current=carried.current.max())
    named = keep(
        "indexed_names",
        carried.group_by("name_key").agg(
            n=carried.count(),
            hit=carried.uscc.min(where=~carried.closed),
            current=carried.current.argmin(carried.uscc, where=~carried.closed),
        ),
    )
    with_org = enterprises.filter(enterprises.own_org.notnull())
    bearers = borne.filter(~borne.closed).drop("closed")
    holders = carried.filter(~carried.closed).drop("closed")
    return Index(
        enterprises=enterprises,
        organisations=keep(
            "indexed_organisations",
            with_org.group_by(org_code=with_org.own_org).agg(n=with_org.count(), hit=with_org.uscc.min()),
        ),
        numbers=numbers,
        names=named,
        shared_numbers=keep("shared_numbers", bearers.semi_join(numbers.filter(numbers.n > 1), "regno")),
        shared_names=keep("shared_names", holders.semi_join(named.filter(named.n > 1), "name_key")),
    )


def attach(records: ir.Table, index: Index) -> ir.Table:
    """Decide the attachment of each record.

    ``records``: record_id, subject_key, subject_category, uscc, org_code, regno, tax_no, tax_org (organisation code
    derived from the tax number); codes are valid or null.

    Returns one row per record: record_id, uscc (null unless certain), method, grade (certain, review, none), score,
    reason (null when certain), evidence (JSON text).
    """
    found = _look_up(records, index)
    found = found.mutate(
        key=ibis.cases(*((found[f"{key}_hit"].notnull(), key) for key in KEYS), else_=ibis.null("string")),
        candidate=ibis.coalesce(*(found[f"{key}_hit"] for key in KEYS)),
        candidates_n=ibis.cases(*((found[f"{key}_hit"].notnull(), found[f"{key}_n"]) for key in KEYS), else_=0),
    )
    return _outcome(_compare_candidate(found, index))


def _look_up(records: ir.Table, index: Index) -> ir.Table:
    enterprises = index.enterprises.select(code="uscc", n=ibis.literal(1, "int64"), hit="uscc")
    organisations = index.organisations.select("n", "hit", code="org_code")
    numbers = index.numbers.select("n", "hit", code="regno")
    named = index.names.select("n", "hit", code="name_key", hit_current="current")
    lookups = {
        "uscc": ("uscc", enterprises),
        "org_code": ("org_code", organisations),
        "regno": ("regno", numbers),
        "tax_no": ("tax_org", organisations),
        "name": ("subject_key", named),
    }
    found = records
    for key, (column, lookup) in lookups.items():
        renamed = lookup.rename({f"{key}_key": "code", f"{key}_n": "n", f"{key}_hit": "hit"})
        found = found.left_join(renamed, found[column] == renamed[f"{key}_key"]).drop(f"{key}_key")
    return found


def _compare_candidate(found: ir.Table, index: Index) -> ir.Table:
    """Set what the candidate's own name, organisation code and registration numbers are beside those of the record.

    ``current`` is null where the candidate never bore the name of the record, ``bears`` tells whether it ever had the
    registration number.
    """
    shared = index.shared_names.select(holder="uscc", held_name="name_key", holder_current="current")
    found = found.left_join(shared, [found.candidate == shared.holder, found.subject_key == shared.held_name])
    borne = index.shared_numbers.select(bearer="uscc", borne="regno")
    found = found.left_join(borne, [found.candidate == borne.bearer, found.regno == borne.borne])
    own = index.enterprises.rename(own_uscc="uscc")
    found = found.left_join(own, found.candidate == own.own_uscc)
    return found.mutate(
        current=ibis.ifelse(found.name_hit == found.candidate, found.hit_current, found.holder_current),
        bears=(found.regno_hit == found.candidate).fill_null(False) | found.bearer.notnull(),
    )


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
    Where only the name speaks for the candidate, any registration number that it does not bear speaks against it. A
    number of 13 digits of Beijing, from before 2007, stands beside the 15 digits that replaced it and says nothing
    against them.
    """
    single_regno = (
        (t.least_regno == t.own_regno) & (t.own_regno != t.regno) & (t.own_regno.length() == t.regno.length())
    )
    replaced = (t.regno.length() == OLD_NUMBER) & t.regno.startswith(BEIJING) & t.only_new_numbers.fill_null(False)
    unknown = ibis.ifelse(t.key == "name", ~replaced, (t.key != "uscc") & single_regno)
    foreign = (t.regno_n > 0).fill_null(False) | unknown
    against = {
        "uscc": (t.key != "uscc") & t.uscc.notnull() & (t.uscc != t.candidate),
        "org_code": t.org_code.notnull() & (t.org_code != t.own_org),
        "regno": t.regno.notnull() & ~t.bears & foreign,
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
